"""What was recorded of several data sets, side by side, as a reader sees it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLOTHING, LABELS
from modanet_utils.datasets.coco import is_drawn
from modanet_utils.imbalance.tables import two_kinds
from modanet_utils.results.text import bullets, escaped, listed, markdown, value_text
from modanet_utils.results.workspace import NOTEBOOKS, recorded
from modanet_utils.thresholds import INFREQUENT

KNOWN: dict[str, str] = {"ccp": "Clothing Co-Parsing", "modanet_excerpt": "ModaNet (excerpt)"}
"""Folders in ``reports/`` that hold the recorded numbers of real photos, and what tables call them."""
EXPLORED = {"dataset", "exploration"}
Shown = Mapping[str, Mapping[str, Any]]  # title to the content of a results.json


def side_by_side(results: Mapping[str, Any] | None = None) -> dict[str, Mapping[str, Any]]:
    """Results to be shown together, by what to call them: this run's, then those recorded of real photos.

    This run's are left out without ``dataset`` and ``exploration``; recorded ones if of its data or profile.
    """
    results = results or {}
    shown, profile, fingerprint = {}, None, None
    if results.keys() >= EXPLORED:
        profile, fingerprint = results["profile"], results["dataset"]["fingerprint"]
        shown[f"{results['dataset']['name']} (this run)"] = results
    for key, title in KNOWN.items():
        other = recorded(key, complete=False)  # annotations alone give a report without trials
        if other.keys() >= EXPLORED and key != profile and other["dataset"]["fingerprint"] != fingerprint:
            shown[title] = other
    return shown


def answer(shown: Shown) -> Markdown:
    """The notebook's answer in three points, about the first real data set of `side_by_side`, and what is missing."""
    photos, points, head = real(shown), [], "**On real photos**"
    rarest = {title: _rarest(one) for title, one in photos.items()}
    for title, results in list(photos.items())[:1]:
        rare, common, ratio = rarest.pop(title)
        how = "about as", "more", "less"
        beside = {name: how[(times > 1.5 * ratio) - (1.5 * times < ratio)] for name, (*_, times) in rarest.items()}
        also = "".join(f"; {escaped(name)} is {word} unequal" for name, word in beside.items())
        kind = two_kinds(recorded_classes(results))["kind"]
        small, seldom = (listed(list(kind.index[kind == name])) or "none" for name in ("small", "infrequent"))
        needed = pd.DataFrame(results["exploration"]["training"]["posterior_thresholds"])["inverse"][list(CLOTHING)]
        head += f" ({escaped(results['dataset']['name'])})"
        points = [
            f"The rarest garment, {rare}, has 1/{ratio:.0f} of the pixels of the commonest, {common}{also}.",
            f"Rare because small: {small}. Rare because seldom worn, each in less than {INFREQUENT:.0%} of the images: "
            f"{seldom}.",
            f"With class weights of one over the share of the pixels, a probability of {needed.min():.2%} is enough to "
            f"call a pixel {needed.idxmin()} instead of background.",
        ]
    there = {results["profile"] for results in shown.values()}
    points += [f"**{title}**: nothing is recorded yet." for key, title in KNOWN.items() if key not in there]
    return bullets(head, points)


def _rarest(results: Mapping[str, Any]) -> tuple[str, str, float]:
    """The rarest garment of a data set, the commonest, and how many times the pixels this one has."""
    share = pd.Series(results["dataset"]["class_share"], dtype=float)[list(CLOTHING)]
    clothing = share[share > 0].sort_values()
    return clothing.index[0], clothing.index[-1], float(clothing.iloc[-1] / clothing.iloc[0])


def real(shown: Shown) -> dict[str, Mapping[str, Any]]:
    """Those of `side_by_side` that are not drawn."""
    return {title: one for title, one in shown.items() if not is_drawn(one["dataset"]["name"])}


def seldom_together(results: Mapping[str, Any]) -> Markdown:
    """The pairs of garments that are worn together least, beside how often chance would join them."""
    counts, images = pd.DataFrame(results["exploration"]["co_occurrence"]).T, results["exploration"]["images"]
    expected = np.triu(np.outer(np.diag(counts), np.diag(counts)) / images, 1)
    lift = np.where(expected >= 10, counts / np.where(expected > 0, expected, 1), np.inf)
    pairs = (np.unravel_index(at, lift.shape) for at in np.argsort(lift, axis=None, kind="stable")[:6])
    said = "{} and {} ({:.0f}, by chance {:.0f})".format
    told = [said(CLOTHING[a], CLOTHING[b], counts.iloc[a, b], expected[a, b]) for a, b in pairs if lift[a, b] < 0.5]
    return Markdown(f"Images that show both, of {images:,}: {', '.join(told)}." if told else "No pair stands out.")


def share_table(shown: Shown) -> pd.DataFrame:
    """Share of all pixels, 14 classes x data sets, of `side_by_side`; hair and skin count as background."""
    return pd.DataFrame({title: results["dataset"]["class_share"] for title, results in shown.items()}, dtype=float)


def recorded_classes(results: Mapping[str, Any]) -> pd.DataFrame:
    """`class_table` as it was recorded."""
    return pd.DataFrame(results["exploration"]["classes"]).T.reindex(LABELS).astype(float)


def claims_beside(shown: Shown) -> Markdown:
    """The claims of notebook 01, all of which are shares, a column a data set."""
    rows: dict[str, dict[str, str]] = {}
    for title, results in shown.items():
        for claim in results.get("claims", []):
            if claim["notebook"] == NOTEBOOKS[0]:
                form = ".2%" if (claim["value"] or 1) < 0.1 else ".0%"
                row = rows.setdefault(claim["id"], {"claim": claim["statement"], "measured by": claim["measure"]})
                row[title] = f"{value_text(claim['value'], claim['interval'], form)} **{claim['verdict']}**"
    return Markdown(markdown(pd.DataFrame(list(rows.values())).fillna("–")) if rows else "No claim is recorded yet.")

"""What was recorded of several data sets, side by side, as a reader sees it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLOTHING, LABELS
from modanet_utils.datasets.coco import is_drawn
from modanet_utils.datasets.weights import SCHEMES
from modanet_utils.imbalance.tables import two_kinds
from modanet_utils.results.text import escaped, markdown, value_text
from modanet_utils.results.workspace import NOTEBOOKS, recorded
from modanet_utils.thresholds import REFERENCE

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
    """The notebook's answer, a sentence per real data set of `side_by_side`; it says which are missing."""
    sentences = []
    for title, results in {title: one for title, one in shown.items() if not is_drawn(one["dataset"]["name"])}.items():
        share = pd.Series(results["dataset"]["class_share"], dtype=float)
        clothing = share[list(CLOTHING)][lambda shares: shares > 0].sort_values()
        lowest, times = lowest_thresholds({title: results})[title], clothing.iloc[-1] / clothing.iloc[0]
        sentences.append(
            f"**{escaped(title)}** ({results['dataset']['images']:,} images): background takes "
            f"{share['background']:.0%} of the pixels, {clothing.index[0]} {clothing.iloc[0]:.2%}, "
            f"{times:.0f} times less than {clothing.index[-1]}, the commonest garment; with weights of one over the "
            f"share the rarest class would win over background from a probability of {lowest['inverse']:.2%} on, with "
            f"their square root from {lowest['inverse_sqrt']:.1%} on, without weights from {lowest['none']:.0%} on."
        )
    there = {results["profile"] for results in shown.values()}
    sentences += [f"**{title}**: nothing is recorded yet." for key, title in KNOWN.items() if key not in there]
    return Markdown("\n\n".join(sentences))


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`class_table` as texts: a dash where there is no object, sizes in pixels as median (10%–90%)."""
    texts = pd.DataFrame(index=table.index.rename(None)).rename_axis(columns="class")
    forms = {"share of pixels": ("share", "{:.3%}"), "images": ("images", "{:,.0f}")}
    forms |= {"share of images": ("image_share", "{:.1%}"), "objects": ("objects", "{:,.0f}")}
    for heading, (name, form) in forms.items():
        texts[heading] = table[name].map(form.format)
    for heading, prefix in (("object's pixels", ""), (f"at {REFERENCE[0]}x{REFERENCE[1]}", "scaled_")):
        sizes = table[[prefix + name for name in ("median", "q10", "q90")]].to_numpy()
        texts[heading] = ["–" if np.isnan(size).any() else "{:,.0f} ({:,.0f}–{:,.0f})".format(*size) for size in sizes]
    return texts


def holdings(shown: Shown) -> pd.DataFrame:
    """How many images and objects there are, in texts; a column a data set of `side_by_side`."""
    columns = {}
    for title, results in shown.items():
        parts, explored = results["dataset"]["split"], results["exploration"]
        problems = [f"{count:,} {what}" for what, count in explored["problems"].items()]
        columns[title] = {
            "images": f"{results['dataset']['images']:,}",
            "in training, validation, test": " / ".join(f"{parts[part]:,}" for part in ("train", "val", "test")),
            "images in which nothing is labelled": f"{explored['images_without_foreground']:,}",
            "objects": f"{explored['objects']:,}",
            "left out on opening": ", ".join(problems) or "nothing",
        }
    return pd.DataFrame(columns)


def share_table(shown: Shown) -> pd.DataFrame:
    """Share of all pixels, 14 classes x data sets, of `side_by_side`; hair and skin count as background."""
    return pd.DataFrame({title: results["dataset"]["class_share"] for title, results in shown.items()}, dtype=float)


def recorded_classes(results: Mapping[str, Any]) -> pd.DataFrame:
    """`class_table` as it was recorded."""
    return pd.DataFrame(results["exploration"]["classes"]).T.reindex(LABELS).astype(float)


def support(shown: Shown) -> pd.DataFrame:
    """`readable` for every data set of `side_by_side`, one below the other: labels that occur, comparable sizes."""
    tables = {title: recorded_classes(results).query("images > 0") for title, results in shown.items()}
    texts = {title: readable(table).drop(columns="object's pixels") for title, table in tables.items()}
    return pd.concat(texts) if texts else pd.DataFrame()


def kinds_table(shown: Shown) -> pd.DataFrame:
    """In which way each clothing class is rare, clothing classes x data sets, in words."""
    words = {title: two_kinds(recorded_classes(results))["kind"] for title, results in shown.items()}
    return pd.DataFrame(words).reindex(CLOTHING)


def overlap_summary(shown: Shown) -> pd.DataFrame:
    """How much objects overlap, and whose, in texts; a row a data set of `side_by_side`."""
    rows = {}
    for title, results in shown.items():
        overlap = results["exploration"]["overlap"]
        pairs = [(entry["pair"].split(", "), entry["share"]) for entry in overlap["pairs"]]
        within = sum(share for (first, second), share in pairs if first == second)
        between = [(f"{first} and {second}", share) for (first, second), share in pairs if first != second]
        rows[title] = {
            "labelled pixels claimed twice": f"{overlap['share']:.2%}",
            "of these by one class": f"{within:.0%}" if pairs else "–",
            "commonest pair of classes (share)": f"{between[0][0]} ({between[0][1]:.1%})" if between else "–",
        }
    return pd.DataFrame(rows).T


def order_table(shown: Shown) -> pd.DataFrame:
    """How much of each clothing class survives the painting in either order, where objects overlap, in texts."""
    columns: dict[str, pd.Series] = {}
    for title, results in shown.items():
        if results["exploration"]["overlap"]["claimed_twice"]:
            classes = recorded_classes(results).loc[list(CLOTHING)].map(partial(value_text, form=".1%"))
            columns |= {f"{title}, largest first": classes["visible"], f"{title}, in file order": classes["file_order"]}
    return pd.DataFrame(columns)


def claims_beside(shown: Shown) -> Markdown:
    """The claims of notebook 01, a column a data set, to three digits: shares span four orders of magnitude."""
    rows: dict[str, dict[str, str]] = {}
    for title, results in shown.items():
        for claim in results.get("claims", []):
            if claim["notebook"] == NOTEBOOKS[0]:
                row = rows.setdefault(claim["id"], {"claim": claim["statement"], "measured by": claim["measure"]})
                row[title] = f"{value_text(claim['value'], claim['interval'], '.3g')} **{claim['verdict']}**"
    return Markdown(markdown(pd.DataFrame(list(rows.values())).fillna("–")) if rows else "No claim is recorded yet.")


def lowest_thresholds(shown: Shown) -> pd.DataFrame:
    """The lowest posterior at which a clothing class wins over background, schemes x data sets."""
    found = {title: results["exploration"]["training"]["posterior_thresholds"] for title, results in shown.items()}
    lowest = {title: pd.DataFrame(thresholds).loc[list(CLOTHING)].min() for title, thresholds in found.items()}
    return pd.DataFrame(lowest).reindex(SCHEMES)

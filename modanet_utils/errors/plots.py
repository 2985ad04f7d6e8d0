"""Figures of notebooks 04 and 05 on counts and photos, each with its alternative text; None where there is nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modanet_utils.classes import CLASSES, COLORS, HAIR, HEADWEAR, LABELS
from modanet_utils.errors.cases import Case
from modanet_utils.errors.places import KINDS, OUTLINES
from modanet_utils.errors.sources import Source
from modanet_utils.errors.tables import PAIR, origins, wrong_pixels
from modanet_utils.errors.text import MEASURES, at_lengths, trainings
from modanet_utils.metrics import ratio
from modanet_utils.plots import HALO, Drawn, colored, ends_of, label_legend, legend_below, rows, titled
from modanet_utils.results.text import common_first
from modanet_utils.trials import color_of

WIDTH = 8.0
"""Inches; as wide as a reader sees it, so that letters keep their size."""
SMALL: dict[str, Any] = {"size": 8.5, "color": "#444444", "va": "center", "textcoords": "offset points"}
SMALL["path_effects"] = HALO
TRIALS = dict(zip(PAIR.values(), ("cross_entropy", "combined"), strict=True))
MISSED = "#8f8f8f"
KIND_COLORS = {"right": "#e4e4e0", "boundary": "#56b4e9", "extent": "#e69f00", "segment": "#d55e00"}
OUTLINE_STYLES = {"found": ("o", "#d55e00"), "network_pixel": ("|", "#009e73"), "limit": ("D", "#777777")}
GARMENTS = ("pants", "dress", "sunglasses")
"""Long, large, small: whose outlines are shown."""
FEW = 20
"""Sizes with fewer instances than this are not drawn: an interval over so few says nothing."""


def finished(figure: Figure, one: Source | None, title: str, more: str) -> Drawn:
    """The figure under its finding, and both with two numbers more as alternative text."""
    title = f"{one.heading}:\n{title}" if one and one.heading else title
    return titled(figure, title), f"{' '.join(title.split())}. {more}."


def panel(axis: Axes, title: str = "", **options: Any) -> None:
    """Limits, labels and title of a panel, in letters that fit."""
    axis.set(**options)
    axis.set_title(title, fontsize=10)
    axis.tick_params(labelsize=9)
    axis.xaxis.label.set_size(9.5)
    axis.yaxis.label.set_size(9.5)


def line(axis: Axes, x: Any, table: pd.DataFrame, name: str, color: str, label: str, unit: float = 1) -> None:
    """A line of dots, each with its interval."""
    value, low, high = ends_of(table, name, unit)
    axis.vlines(x, low, high, color=color, lw=2.5, alpha=0.4)
    axis.plot(x, value, "o-", ms=5, lw=1.7, color=color, label=label)


def stacked(axis: Axes, table: pd.DataFrame, colors: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Bars of shares, a row a bar, in percent, with the numbers of those that have room for one."""
    left = np.zeros(len(table))
    for name in table:
        widths = 100 * table[name].to_numpy(float)
        style = {"color": colors[name], "ec": "white", "label": names.get(name, name)}
        axis.barh(range(len(table)), widths, 0.72, left=left, **style)
        for row in np.flatnonzero(widths >= 5):
            ink = "white" if name in ("hair", "outer", "boots") else "black"
            place = left[row] + widths[row] / 2, row, f"{widths[row]:.0f}"
            axis.text(*place, ha="center", va="center", fontsize=9, color=ink)
        left += widths
    rows(axis, list(table.index))
    axis.grid(False)


def opening(trials: Mapping[str, Any]) -> Drawn | None:
    """What trainings of several lengths make of hair and skin, a dot a training, from entries of results.json."""
    table = trainings(trials)
    short, long = at_lengths(table)
    if short["hair"].isna().all():
        return None
    groups = dict(list(table.groupby("trial", sort=False)))
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.2 + 0.34 * len(groups)), sharey=True, layout="constrained")
    for axis, (name, (text, unit)) in zip(axes, MEASURES.items(), strict=True):
        for row, (trial, own) in enumerate(groups.items()):
            values = unit * own[name].to_numpy()
            axis.plot(values, row + 0.12 * (np.arange(len(own)) - (len(own) - 1) / 2), "o", ms=5, color=color_of(trial))
            axis.annotate(f"{values.mean():.{1 if unit == 100 else 2}f}", (values.max(), row), (7, 0), **SMALL)
        panel(axis, text, xlim=(0, 1.4 * unit * table[name].max()), xlabel="percent" if unit == 100 else "")
    rows(axes[0], [f"{name} ({own['epochs'].iloc[0]} epochs)" for name, own in groups.items()])
    title = f"The combined loss calls {short['hair'].mean():.0%} of the hair headwear"
    if len(long):
        title += f" after {short['epochs'].iloc[0]} epochs, {long['hair'].mean():.1%} after {long['epochs'].iloc[0]}"
    skin = f"Of the skin it calls {short['skin'].mean():.0%} clothing; a dot is a training"
    return finished(figure, None, title, skin)


def confusions(one: Source, number: int = 6) -> Drawn | None:
    """The largest confusions of the combined loss, and hair called headwear, as shares of all wrong pixels."""
    if "counts" not in one.errors or not (wrong := wrong_pixels(one.errors["counts"]["combined"])).any():
        return None
    largest = np.unravel_index(np.argsort(-wrong, axis=None, kind="stable")[:number], wrong.shape)
    pairs = [(LABELS[truth], CLASSES[called]) for truth, called in zip(*largest, strict=True)]
    pairs = list(dict.fromkeys([*pairs, ("hair", "headwear")]))
    figure, axis = plt.subplots(figsize=(WIDTH, 3.3), layout="constrained")
    for offset, (label, trial) in zip((-0.19, 0.19), TRIALS.items(), strict=True):
        counts = np.array(one.errors["counts"][trial])
        at = np.array([[LABELS.index(truth), CLASSES.index(called)] for truth, called in pairs]).T
        wrong = wrong_pixels(counts)
        share = 100 * ratio(wrong[*at], wrong.sum())
        axis.barh(np.arange(len(pairs)) + offset, share, 0.36, color=color_of(label), label=label)
    for row, lost in enumerate(ratio(wrong[*at], counts.sum(axis=1)[at[0]])):
        axis.annotate(f"{share[row]:.1f}; {lost:.0%} of all {pairs[row][0]}", (share[row], row + 0.19), (4, 0), **SMALL)
    rows(axis, [" called ".join(pair) for pair in pairs])
    axis.set_xlim(0, 1.35 * axis.dataLim.x1)
    panel(axis, xlabel="percent of all wrong pixels; of the combined loss also of the true label")
    axis.legend(loc="lower right", fontsize=9)
    title = f"The {number} largest confusions are {share[:number].sum():.0f}% of the wrong pixels"
    title += f", hair called headwear {100 * ratio(wrong[HAIR, HEADWEAR], wrong.sum()):.1f}%"
    return finished(figure, one, title, f"The largest is {' called '.join(pairs[0])}, {share[0]:.1f}% of them")


def false_hats(one: Source) -> Drawn | None:
    """What the pixels wrongly called headwear are in truth, beside all pixels; labels below 4% are drawn together."""
    table = origins(one.errors["counts"]["combined"]) if "counts" in one.errors else pd.DataFrame()
    if table.empty or table["false"].isna().all() or not table.loc["hair", "all"] > 0:
        return None
    large = (table >= 0.04).any(axis=1)
    bars = table[large].T.assign(other=table[~large].sum()).set_axis(["false hats", "all pixels"])
    figure, axis = plt.subplots(figsize=(WIDTH, 2.2), layout="constrained")
    stacked(axis, bars, COLORS | {"other": "#cccccc"}, {})
    panel(axis, xlim=(0, 100), xlabel="percent of the pixels, by what they are in truth")
    legend_below(figure, axis, 8)
    (hair, everywhere), largest = table.loc["hair"], table["false"].idxmax()
    title = f"{hair:.0%} of the false hats are hair, which covers {everywhere:.1%} of all pixels"
    return finished(figure, one, title, f"Their largest part is {largest}, {table.loc[largest, 'false']:.0%}")


def skin_by_distance(one: Source, at: int = 3) -> Drawn | None:
    """Share of the skin that is called clothing, by its distance from the nearest true clothing, for both trials."""
    if not one.has("skin_by_distance", "rate", "combined"):
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 2.7), layout="constrained")
    for shift, (label, trial) in zip((-0.04, 0.04), TRIALS.items(), strict=True):
        table = one.table("skin_by_distance", trial)
        line(axis, np.arange(len(table)) + shift, table, "rate", color_of(label), label, 100)
    axis.set_xticks(range(len(table)), table["pixels from clothing"])
    panel(axis, xlabel="pixels of the photo from the nearest clothing", ylabel="percent of the skin")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=9)
    (near, where), (rate, here) = table[["rate", "pixels from clothing"]].iloc[[0, at]].to_numpy()
    title = f"Of the skin {here} pixels from clothing the combined loss calls {rate:.0%} clothing"
    more = f"At {where} pixels it is {near:.0%}; a line a trial"
    return finished(figure, one, title, more)


def case_gallery(groups: Mapping[str, Sequence[Case]], head: bool = False) -> Drawn | None:
    """Photos chosen by rule, a row a group: the photo, if it may be shown, ground truth, and what is wrong.

    The last is the prediction, pale where it is right, in the full colour of what it is called where it is wrong, and
    grey where clothing is called background. With ``head`` around hair and headwear alone.
    """
    groups = {name: group for name, group in groups.items() if group}
    cases = [case for group in groups.values() for case in group]
    if not cases:
        return None
    parts, most = 2 + (cases[0].photo is not None), max(map(len, groups.values()))
    size = (WIDTH, ((2.0 if head else 5.9) / parts) * len(groups) + 0.9)
    figure, axes = plt.subplots(len(groups), most * parts, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], frame_on=False, anchor="NW")
        axis.grid(False)
    shown = []
    for line_axes, (name, group) in zip(axes, groups.items(), strict=True):
        line_axes[0].set_ylabel(name, fontsize=9.5)
        for at, case in enumerate(group):
            box, own = case.box(head), line_axes[at * parts :]
            pictures = [case.photo, colored(case.truth), _what_is_wrong(case)][3 - parts :]
            for axis, picture in zip(own, pictures, strict=False):
                axis.imshow(picture[box], interpolation="antialiased")
            own[0].set_title(case.caption(head), fontsize=8.5, loc="left")
            shown += [case.truth[box], case.prediction[box]]
    label_legend(figure, shown, 8, 8.5)
    told = "ground truth, and the prediction: pale where right, coloured where wrong, grey where clothing is missed"
    figure.supxlabel(f"{told}\n*: the label can be argued with", fontsize=9)
    told = [f"{_range([case.score for case in group], '.2f')} on the {name} photos" for name, group in groups.items()]
    title = f"The mean IoU is {', '.join(told)}"
    if head:
        share = _range([case.hair_called_headwear for case in cases], ".0%")
        title = f"Where most hair is called headwear, it is {share} of the hair"
    disputed = sum(bool(case.dispute) for case in cases)
    what = f"{len(cases)} photos, ground truth beside what is wrong; the label of {disputed} can be argued with"
    return finished(figure, None, title, what)


def _range(values: Sequence[float], form: str) -> str:
    return f"{np.nanmin(values):{form}} to {np.nanmax(values):{form}}"


def _what_is_wrong(case: Case) -> np.ndarray:
    strength = np.where(case.wrong, 1, 0.25)[..., None]
    picture = 255 - ((255 - colored(case.prediction).astype(float)) * strength).astype(np.uint8)
    picture[case.wrong & (case.prediction == 0)] = [int(MISSED[at : at + 2], 16) for at in (1, 3, 5)]
    return picture


def shares_of_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """All pixels of a class, true or predicted, by what is right and by the kinds of error.

    From `tables.kind_table`; a row a class and "mean" last, columns "right" and `KINDS`, which sum to 1.
    """
    own = table.drop(index="mean")
    wrong = pd.DataFrame({kind: own[f"missed_{kind}"] + own[f"false_{kind}"] for kind in KINDS})
    shares = wrong.div(1 + sum(own[f"false_{kind}"] for kind in KINDS), axis=0)
    shares.insert(0, "right", 1 - shares.sum(axis=1, skipna=False))
    return pd.concat([shares, shares.mean().to_frame("mean").T])


def kinds(one: Source) -> Drawn | None:
    """Which kinds of error the classes suffer from, from `tables.kind_table`."""
    if not one.has("kinds", "iou"):
        return None
    shares = shares_of_kinds(one.table("kinds")).reindex([*common_first(one.results), "mean"]).dropna()
    figure, axis = plt.subplots(figsize=(WIDTH, 4.5), layout="constrained")
    stacked(axis, shares, KIND_COLORS, KINDS)
    axis.axhline(len(shares) - 1.5, color="#555555", lw=0.8)
    panel(axis, xlim=(0, 100), xlabel="percent of all pixels of the class, true or predicted")
    legend_below(figure, axis)
    most = shares[list(KINDS)].drop(index="mean").idxmax(axis=1).value_counts()
    title = f"Wrong {KINDS[most.index[0]]} are the largest kind of error in {most.iloc[0]} of {len(shares) - 1} classes"
    told = ", ".join(f"{text} {shares.loc['mean', kind]:.0%}" for kind, text in KINDS.items())
    return finished(figure, one, title, f"On average {shares.loc['mean', 'right']:.0%} is right; {told}")


def outlines(one: Source) -> Drawn | None:
    """Boundary IoU of some garments beside what resolution and a shifted ground truth would score."""
    shown = [name for name in common_first(one.results) if name in GARMENTS]
    table = one.table("outlines").reindex(shown).dropna(how="all")
    if table.empty or not table["found"].min() > 0:
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 2.3), layout="constrained")
    for name, (marker, color) in OUTLINE_STYLES.items():
        style = {"ms": 13, "mew": 2.5} if marker == "|" else {"ms": 6}
        axis.hlines(range(len(table)), *ends_of(table, name)[1:], color=color, lw=2.5, alpha=0.4)
        axis.plot(table[name], range(len(table)), marker, color=color, ls="", label=OUTLINES[name], **style)
        for row, value in enumerate(table[name] if marker != "|" else ()):
            axis.annotate(f"{value:.2f}", (value, row), (0, 11), ha="center", **SMALL)
    rows(axis, list(table.index))
    axis.set_ylim(len(table) - 0.6, -0.75)
    panel(axis, xlim=(0, 1.15 * axis.dataLim.x1), xlabel="boundary IoU at two pixels")
    legend_below(figure, axis)
    times = table["limit"] / table["found"]
    title = f"Outlines are {times.min():.0f} to {times.max():.0f} times worse than the resolution allows"
    told = "; ".join(f"{name} {row['found']:.2f} of {row['limit']:.2f}" for name, row in table.iterrows())
    return finished(figure, one, title, f"Boundary IoU: {told}")


def sizes(one: Source) -> Drawn | None:
    """Recall by the size of the instance, and the share that is hardly found; sizes with few instances left out."""
    table = one.table("sizes")
    table = table[table["segments"] >= FEW] if len(table) else table
    if len(table) < 2:
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 2.7), layout="constrained")
    lines = {"recall": ("pixels found", "#0072b2"), "missed": ("instances hardly found", "#d55e00")}
    for shift, (name, (label, color)) in zip((-0.04, 0.04), lines.items(), strict=True):
        line(axis, np.arange(len(table)) + shift, table, name, color, label, 100)
    axis.set_xticks(range(len(table)), list(table.index))
    panel(axis, ylim=(0, 103), xlabel="share of the picture that the instance covers", ylabel="percent")
    legend_below(figure, axis)
    first, last = table.iloc[0], table.iloc[-1]
    title = f"Of the smallest instances {first['recall']:.0%} of the pixels are found, of large {last['recall']:.0%}"
    return finished(figure, one, title, f"Hardly found are {first['missed']:.0%} and {last['missed']:.0%} of them")

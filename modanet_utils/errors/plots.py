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
from modanet_utils.errors.places import EDGES, KINDS, OUTLINES
from modanet_utils.errors.sources import Source
from modanet_utils.errors.tables import PAIR, origins, wrong_pixels
from modanet_utils.errors.text import LENGTHS, MEASURES, at_lengths, trainings
from modanet_utils.metrics import ratio
from modanet_utils.plots import HALO, Drawn, colored, dots, ends_of, label_legend, legend_below, rows, titled
from modanet_utils.results.text import common_first, listed, row_text
from modanet_utils.results.text import trainings as tests_of
from modanet_utils.thresholds import FOUND_SHARE, SHIFT
from modanet_utils.trials import color_of, label_of

WIDTH = 8.0
"""Inches; as wide as a reader sees it, so that letters keep their size."""
SMALL: dict[str, Any] = {"size": 8.5, "color": "#444444", "va": "center", "textcoords": "offset points"}
SMALL["path_effects"] = HALO
TRIALS = dict(zip(PAIR.values(), ("cross_entropy", "combined"), strict=True))
KIND_COLORS = {"right": "#e4e4e0", "boundary": "#56b4e9", "extent": "#e69f00", "segment": "#d55e00"}
KIND_TEXTS = {"right": "right: the IoU, with its interval", "extent": "extent: found, but drawn too large or too small"}
KIND_TEXTS |= {"boundary": f"boundary: within {SHIFT} network pixels of the outline"}
KIND_TEXTS |= {"segment": f"whole pieces: less than {FOUND_SHARE:.0%} is found, or true"}
OUTLINE_COLORS = {"found": "#d55e00", "network_pixel": "#009e73", "limit": "#777777"}
GARMENTS = ("pants", "dress", "sunglasses")
"""Long, large, small: whose outlines are shown."""
BODY = {"hair": "hair_as_headwear", "skin": "skin_as_clothing"}
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


def line(axis: Axes, x: Any, table: pd.DataFrame, name: str, style: Sequence[str], unit: float = 1, **at: Any) -> None:
    """A line of dots, each with its interval, and its name in its colour beside one of them: ``point``, ``shift``."""
    (value, low, high), (label, color), point = ends_of(table, name, unit), style, at.get("point", -1)
    axis.vlines(x, low, high, color=color, lw=2.5, alpha=0.4)
    axis.plot(x, value, "o-", ms=5, lw=1.7, color=color)
    axis.annotate(label, (x[point], value[point]), at.get("shift", (10, 0)), **(SMALL | {"size": 10, "color": color}))


def stacked(axis: Axes, table: pd.DataFrame, colors: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Bars of shares, a row a bar, in percent, with the numbers of those that have room for one."""
    left = np.zeros(len(table))
    for name in table:
        widths = 100 * table[name].to_numpy(float)
        style = {"color": colors[name], "ec": "white", "label": names.get(name, name)}
        axis.barh(range(len(table)), widths, 0.72, left=left, **style)
        for row in np.flatnonzero(widths >= 2):
            ink = "white" if name in ("hair", "outer", "boots") else "black"
            axis.text((left + widths / 2)[row], row, f"{widths[row]:.0f}", ha="center", va="center", size=9, color=ink)
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
    tests = [test for name in LENGTHS for test in tests_of({"trials": trials}, name)]
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.5 + 0.34 * len(groups)), sharey=True, layout="constrained")
    for axis, (name, (text, unit)) in zip(axes, MEASURES.items(), strict=True):
        for row, (trial, own) in enumerate(groups.items()):
            values, color, test = unit * own[name].to_numpy(), color_of(trial), tests[own.index[0]]
            found = test["body"].get(BODY.get(name), test["classes"]["headwear"])
            ends = found.get("interval", found.get("iou_interval"))
            low, high = unit * np.array(ends if ends and len(own) == 1 else [np.nan] * 2)
            axis.hlines(row, low, high, color=color, lw=2.5, alpha=0.4)
            axis.plot(values, row + 0.12 * (np.arange(len(own)) - (len(own) - 1) / 2), "o", ms=5, color=color)
            number = f"{values.mean():.{1 if unit == 100 else 2}f}"
            axis.annotate(number, (np.fmax(values.max(), high), row), (7, 0), **SMALL)
        panel(axis, text, xlabel="percent" if unit == 100 else "")
        axis.set_xlim(np.array([-0.04, 1.4]) * max(axis.dataLim.x1, 0.01))
        rows(axis, [f"{name} ({own['epochs'].iloc[0]} epochs)" for name, own in groups.items()])
    axes[0].tick_params(axis="y", labelsize=9)
    note = "Dots: trainings. Bars: 95% intervals over photos, where a trial was trained once."
    tagged = "\nTagged photos teach as well: what is worn on them is known, but not where."
    figure.supxlabel(note + tagged * any("tagged" in trial for trial in groups), fontsize=9)
    title = f"The combined loss calls {short['hair'].mean():.0%} of the hair headwear"
    if len(long):
        title += f" after {short['epochs'].iloc[0]} epochs, {long['hair'].mean():.1%} after {long['epochs'].iloc[0]}"
    bare = table[table["trial"].str.startswith(label_of("combined_unweighted"))]["hair"].map("{:.1%}".format).tolist()
    told = f"; without class weights it calls {listed(bare)} of the hair so" * bool(bare)
    return finished(figure, None, title, f"Of the skin it calls {short['skin'].mean():.0%} clothing{told}")


def confusions(one: Source, number: int = 6) -> Drawn | None:
    """The largest confusions of the combined loss, and hair called headwear, as shares of all wrong pixels."""
    if "counts" not in one.errors or not (wrong := wrong_pixels(one.errors["counts"]["combined"])).any():
        return None
    order = np.argsort(-wrong, axis=None, kind="stable")[: min(number, np.count_nonzero(wrong))]
    pairs = list(dict.fromkeys([*zip(*np.unravel_index(order, wrong.shape), strict=True), (HAIR, HEADWEAR)]))
    at, spots = np.array(pairs).T, np.arange(float(len(pairs)))
    spots[len(order) :] += 0.5  # hair apart, where it is none of the largest
    figure, axis = plt.subplots(figsize=(WIDTH, 3.8), layout="constrained")
    for shift, (label, trial) in zip((-0.19, 0.19), TRIALS.items(), strict=True):
        counts = np.array(one.errors["counts"][trial])
        share = 100 * ratio(counts[*at], wrong_pixels(counts).sum())
        axis.barh(spots + shift, share, 0.36, color=color_of(label), label=label)
    names = [(LABELS[truth], CLASSES[called]) for truth, called in pairs]
    lost = ratio(counts[*at], counts.sum(axis=1)[at[0]])
    for row, (truth, _) in enumerate(names):
        axis.annotate(f"{lost[row]:.0%} of {truth}", (share[row], spots[row] + 0.19), (5, 0), **SMALL)
    axis.set_yticks(spots, [" called ".join(pair) for pair in names])
    axis.set(xlim=(0, 1.15 * axis.dataLim.x1), ylim=(spots[-1] + 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    panel(axis, xlabel="share of all wrong pixels, %; in words: share of the true label, combined loss")
    legend_below(figure, axis)
    title = f"The {len(order)} largest confusions are {share[: len(order)].sum():.0f}% of all wrong pixels"
    title += f", hair called headwear {share[pairs.index((HAIR, HEADWEAR))]:.1f}%"
    return finished(figure, one, title, f"The largest is {' called '.join(names[0])}, {share[0]:.1f}% of them")


def false_hats(one: Source) -> Drawn | None:
    """What the pixels wrongly called headwear are in truth, beside all pixels; clothing is drawn together."""
    table = origins(one.errors["counts"]["combined"]) if "counts" in one.errors else pd.DataFrame()
    if table.empty or table["false"].isna().all() or not table.loc["hair", "all"] > 0:
        return None
    parts = table.groupby(lambda name: name if name in ("hair", "skin", "background") else "clothing").sum()
    bars = parts.loc[["hair", "skin", "background", "clothing"]].T.set_axis(["false hats", "all pixels"])
    figure, axis = plt.subplots(figsize=(WIDTH, 2.5), layout="constrained")
    stacked(axis, bars, COLORS | {"clothing": "#a9b8c9"}, {})
    hair, everywhere = bars["hair"]
    axis.annotate(f"{100 * everywhere:.1f}", (100 * everywhere, 1), (-3, 20), **SMALL)
    told = one.table("answers").filter(like="after").T.get("headwear_false_positives_on_hair", pd.Series(dtype=float))
    low, high = (100 * told.get(f"after_{end}", np.nan) for end in ("low", "high"))
    axis.plot([low, high], [0.27] * 2, "|-", color="black", lw=1.6, ms=8)
    panel(axis, xlim=(0, 100), xlabel="percent of the pixels, by their true label; the line: 95% interval of hair")
    legend_below(figure, axis)
    title = f"{hair:.0%} of the false hats are hair, which covers {everywhere:.1%} of all pixels"
    more = f"The interval of hair is {low:.0f}% to {high:.0f}%; {bars['background'].iloc[0]:.0%} are background"
    return finished(figure, one, title, more)


def skin_by_distance(one: Source) -> Drawn | None:
    """Share of the skin that is called clothing, by its distance from the nearest true clothing, for both trials."""
    if not one.has("skin_by_distance", "rate", "combined"):
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9), layout="constrained")
    for shift, (label, trial) in zip((-0.04, 0.04), TRIALS.items(), strict=True):
        table = one.table("skin_by_distance", trial)
        line(axis, np.arange(len(table)) + shift, table, "rate", (label, color_of(label)), 100, point=0, shift=(14, 6))
    axis.set_xticks(range(len(table)), table["pixels from clothing"])
    panel(axis, xlabel="pixels of the photo from the nearest clothing", ylabel="called clothing, % of the skin")
    axis.set_ylim(0, 1.12 * axis.dataLim.y1)
    far, at = table["called"].iloc[1:].sum(), table.loc[table["called"].idxmax()]
    title = f"{far:.0%} of the skin called clothing lies more than {EDGES[0]} pixels from clothing"
    more = f"The largest part, {at['called']:.0%}, at {at['pixels from clothing']} pixels; there {at['rate']:.0%} is"
    return finished(figure, one, title, f"{more} called so")


def case_gallery(groups: Mapping[str, Sequence[Case]], head: bool = False) -> Drawn | None:
    """Photos chosen by rule, a row a group: the photo, if it may be shown, ground truth, and what is wrong.

    The last is the prediction, pale where it is right, in the full colour of what it is called where it is wrong, and
    grey where clothing is called background. With ``head`` around hair and headwear alone, two photos a row.
    """
    groups = {name: group for name, group in groups.items() if group}
    cases = [case for group in groups.values() for case in group]
    if not cases:
        return None
    most = 2 if head else max(map(len, groups.values()))
    lines = [(name, group[at : at + most]) for name, group in groups.items() for at in range(0, len(group), most)]
    names = [*["photo"] * (cases[0].photo is not None), "truth", "wrong"]
    size = (WIDTH, (5.0 if head else 5.9) / len(names) * len(lines) + 0.9)
    figure, axes = plt.subplots(len(lines), most * len(names), figsize=size, squeeze=False, layout="constrained")
    plt.setp(axes.flat, xticks=[], yticks=[], frame_on=False, anchor="NW")
    wrong = []
    for line_axes, (name, group) in zip(axes, lines, strict=True):
        line_axes[0].set_ylabel(name, fontsize=9.5)
        for at, case in enumerate(group):
            box, own = case.box(head), line_axes[at * len(names) :]
            pictures = [case.photo, colored(case.truth), _what_is_wrong(case)][-len(names) :]
            for axis, picture in zip(own, pictures, strict=False):
                axis.imshow(picture[box], interpolation="antialiased")
            own[0].set_title(case.caption(head), fontsize=8.5, loc="left")
            wrong.append(case.prediction[box][case.wrong[box]])
    for axis, name in zip(axes[0], names, strict=False):
        axis.set_xlabel(name, fontsize=9)
    pixels = np.bincount(np.concatenate(wrong), minlength=len(CLASSES))[1:]
    label_legend(figure, [1 + np.flatnonzero(pixels > 0.01 * pixels.sum())], 8, 9)
    note = "wrong: the prediction, pale where right, grey where clothing is missed; *: the label can be argued with"
    figure.supxlabel(note, fontsize=9)
    told = [f"{_range([case.score for case in group], '.2f')} on the {name} photos" for name, group in groups.items()]
    title = f"The mean IoU is {', '.join(told)}"
    if head:
        share = _range([case.hair_called_headwear for case in cases], ".0%")
        title = f"On these {len(cases)} photos {share} of the hair is called headwear"
    disputed = sum(bool(case.dispute) for case in cases)
    what = f"{len(cases)} photos, ground truth beside what is wrong; the label of {disputed} can be argued with"
    return finished(figure, None, title, what)


def _range(values: Sequence[float], form: str) -> str:
    return f"{np.nanmin(values):{form}} to {np.nanmax(values):{form}}"


def _what_is_wrong(case: Case) -> np.ndarray:
    strength = np.where(case.wrong, 1, 0.25)[..., None]
    picture = 255 - ((255 - colored(case.prediction).astype(float)) * strength).astype(np.uint8)
    picture[case.wrong & (case.prediction == 0)] = 143  # grey
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
    table = one.table("kinds").reindex([*common_first(one.results), "mean"])
    shares = shares_of_kinds(table).dropna()
    figure, axis = plt.subplots(figsize=(WIDTH, 5.0), layout="constrained")
    stacked(axis, shares, KIND_COLORS, KIND_TEXTS)
    axis.hlines(np.arange(len(shares)) + 0.28, *ends_of(table.loc[shares.index], "iou", 100)[1:], color="black", lw=1.6)
    axis.axhline(len(shares) - 1.5, color="#555555", lw=0.8)
    first = table.loc["mean", list(KINDS)].idxmax()
    gain = f"{KINDS[first]} put right would add {row_text(table.loc['mean'], first, '.2f')} to the mean IoU"
    told = f"Here {gain},\nless than their share: what was false then counts no more"
    panel(axis, told, xlim=(0, 100), xlabel="percent of all pixels of the class, true or predicted")
    legend_below(figure, axis, 2)
    most = shares[list(KINDS)].drop(index="mean").idxmax(axis=1).value_counts()
    title = f"Wrong {KINDS[most.index[0]]} are the largest kind of error in {most.iloc[0]} of {len(shares) - 1} classes"
    told = ", ".join(f"{text} {shares.loc['mean', kind]:.0%}" for kind, text in KINDS.items())
    return finished(figure, one, title, f"On average {shares.loc['mean', 'right']:.0%} is right; {told}; {gain}")


def outlines(one: Source) -> Drawn | None:
    """Boundary IoU of some garments beside what resolution and a shifted ground truth would score."""
    shown = [name for name in common_first(one.results) if name in GARMENTS]
    table = one.table("outlines").reindex(shown).dropna(how="all")
    if table.empty or not table["found"].min() > 0:
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 2.3), layout="constrained")
    for name, color in OUTLINE_COLORS.items():
        dots(axis, table, name, 0, color, OUTLINES[name], form=".2f" * (name != "network_pixel"))
    axis.get_lines()[-1].set_marker("D")  # what resolution allows
    rows(axis, list(table.index))
    axis.set_ylim(len(table) - 0.6, -0.75)
    panel(axis, xlim=(0, 1.15 * axis.dataLim.x1), xlabel="boundary IoU at two pixels")
    legend_below(figure, axis)
    reached = _range(table["found"] / table["limit"], ".0%")
    title = f"Outlines of {listed(list(table.index))} reach {reached} of what resolution allows"
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
    for shift, (name, style) in zip((-0.04, 0.04), lines.items(), strict=True):
        x = np.arange(len(table)) + shift
        line(axis, x, table, name, style, 100, point=(len(table) - 1) // 2, shift=(8, 17))
    axis.set_xticks(range(len(table)), list(table.index))
    panel(axis, ylim=(0, 103), xlabel="share of the picture that the instance covers", ylabel="percent")
    first, last = table.iloc[0], table.iloc[-1]
    gap = first["recall"] - last["recall"]
    word = "nearly as well" if abs(gap) < 0.1 else "worse" if gap < 0 else "better"
    title = f"Small instances are found {word}: {first['recall']:.0%} of their pixels, of large {last['recall']:.0%}"
    return finished(figure, one, title, f"Hardly found are {first['missed']:.0%} and {last['missed']:.0%} of them")

"""Figures of notebook 06."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils.classes import CLASSES
from modanet_utils.metrics import clothing_precision, hair_as_headwear
from modanet_utils.plots import HALO, Drawn, ends_of, legend_below, rows, titled
from modanet_utils.remedies.tables import frame
from modanet_utils.results.text import listed
from modanet_utils.results.workspace import kept_counts
from modanet_utils.statistics import RESAMPLES, bootstrap, ends, paired_comparison
from modanet_utils.trials import TRIALS, color_of, label_of

TUNED = {
    "gamma": {f"combined_body{f'_gamma{gamma}' * (gamma != 2)}": str(gamma) for gamma in range(4)},
    "class weights": {"combined_unweighted": "none", "combined": "inverse\nsquare root", "combined_inverse": "inverse"},
}
"""Settings of the loss of which several values were trained: each trial's name and value; notebook 03's value too."""
CLASS_AWARE = "combined_body", "combined_body_repeat", "combined_body_pasted"
BUDGET = {"mean_iou": ("mean IoU of {} classes", ".3f"), "precision": ("precision of clothing", ".3f")}
BUDGET |= {"found": ("classes found, of {}", ".0f")}
SCORES = ("precision", "precision of clothing", "#56606b", "s--"), ("mean_iou", "mean IoU", "#0072b2", "o-")
NUMBER: dict[str, Any] = {"textcoords": "offset points", "size": 9, "path_effects": HALO}


def budget_lines(table: pd.DataFrame, epochs: Mapping[str, int], counts: Mapping[str, NDArray]) -> Drawn:
    """Three scores after a short and a long training, a row a trial, from `against_their_own` of the part "length".

    ``counts`` ``(photos, 16, 14)`` by trial say how many classes there are and give the intervals of the precision.
    """
    classes = int(next(iter(counts.values()))[:, 1 : len(CLASSES)].any(axis=(0, 2)).sum())
    pairs = {TRIALS[name].against: name for name in table.index if TRIALS[name].part == "length"}
    precision = {name: bootstrap(counts[name], clothing_precision) for name in table.index}
    table = table.assign(**ends("precision", np.array(list(precision.values())).T))
    figure, axes = plt.subplots(1, 3, figsize=(8, 1.5 + 0.55 * len(pairs)), sharey=True, layout="constrained")
    for axis, (score, (label, form)) in zip(axes, BUDGET.items(), strict=True):
        rows(axis, [label_of(short) for short in pairs])
        for row, pair in enumerate(pairs.items()):
            for shift, fill, name in ((-0.2, "white", pair[0]), (0.2, None, pair[1])):
                if name in table.index:
                    known, color = table.loc[name], color_of(label_of(pair[0]))
                    low, high = (known.get(f"{score}_{end}", np.nan) for end in ("low", "high"))
                    axis.hlines(row + shift, low, high, color=color, alpha=0.4, lw=2.5)
                    axis.plot(known[score], row + shift, "o", color=color, mfc=fill or color)
                    spot = np.fmax(known[score], high), row + shift
                    axis.annotate(f"{known[score]:{form}}", spot, (6, 0), va="center", **NUMBER)
        low, high = axis.dataLim.x0, axis.dataLim.x1
        axis.set_xlim(low - 0.1 * (high - low), high + 0.35 * (high - low))
        axis.set_title(label.format(classes), fontsize=10)
        axis.tick_params(axis="x", labelsize=9)
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=score == "found"))
    lengths = sorted({epochs[name] for name in table.index})
    figure.supxlabel(
        f"empty: {lengths[0]} epochs, filled: {lengths[-1]}; bars: 95% intervals over photos", fontsize=9.5
    )
    gains = {label_of(short): table.loc[long, "change"] for short, long in pairs.items() if short in table.index}
    title, told = "Three times the training", listed([f"{name} {gain:+.3f}" for name, gain in gains.items()])
    title += f" moves the mean IoU by {min(gains.values()):+.3f} to {max(gains.values()):+.3f}" if gains else ""
    found = listed([f"{label_of(long)} {table.loc[long, 'found']:.0f}" for long in pairs.values()])
    return titled(figure, title), f"{title}: {told}. Classes found, of {classes}: {found}."


def remedy_dots(
    table: pd.DataFrame, hair: Mapping[str, Sequence[float]], apart: Mapping[str, Sequence[float]]
) -> Drawn:
    """What each remedy brings against its reference, and how much hair it calls headwear, best first, two panels.

    ``hair``: by trial the interval of that share, where known; ``apart``: that of its change.
    """
    shares = {label_of(str(name)): 100 * share for name, share in table["hair_as_headwear"].items()}
    table = table[table["change"].notna()].sort_values("change", ascending=False)
    pairs = [(label_of(str(name)), str(against)) for name, against in table["against"].items()]
    labels = [f"{name}\n(against: {against})" for name, against in pairs]
    figure, axes = plt.subplots(1, 2, figsize=(8, 1.4 + 0.43 * len(table)), sharey=True, layout="constrained")
    gain, low, high = ends_of(table, "change")
    for axis in axes:
        rows(axis, labels)
        axis.tick_params(labelsize=9)
    axes[0].hlines(range(len(table)), low, high, color="#0072b2", lw=2.5, alpha=0.45)
    axes[0].plot(gain, range(len(table)), "o", color="#0072b2")
    axes[0].axvline(0, color="black", lw=1)
    for row, (trial, (name, against)) in enumerate(zip(table.index, pairs, strict=True)):
        start, end = 100 * np.array(hair.get(trial, [np.nan] * 2))
        axes[1].hlines(row, start, end, color="#8c7b6b", lw=2.5, alpha=0.45)
        axes[1].plot(shares[against], row - 0.02, "D", color="#8c7b6b", mfc="white")
        axes[1].plot(shares[name], row, "D", color="#8c7b6b")
        low, high = apart.get(str(trial), [0, 0])
        bold = "normal" if low <= 0 <= high else "bold"
        spot = np.nanmax([shares[name], shares[against], end]), row
        axes[1].annotate(
            f"{shares[against]:.1f} → {shares[name]:.1f}", spot, (8, 0), va="center", weight=bold, **NUMBER
        )
    axes[1].set_xlabel("hair called headwear, percent\n(empty: before; bold: clear)", fontsize=10)
    axes[1].set_xlim(-0.5, 1.6 * axes[1].dataLim.x1)
    axes[0].set_xlabel("gain in mean IoU", fontsize=10)
    clear = int((table["change_low"] > 0).sum())
    title = f"Of {len(table)} changes {clear or 'none'} clearly raised mean IoU"
    if fewer := [trial for trial in table.index if trial in apart]:
        fewer = [trial for trial in fewer if apart[trial][1] < 0]
        title += f", {len(fewer) or 'none'} clearly left less hair called headwear"
    most = f"the largest gain in mean IoU is {gain[0]:+.3f}, by {label_of(str(table.index[0]))}" if len(table) else ""
    return titled(figure, title), f"{title}; {most or 'none is there'}."


def tuning(results: Mapping[str, Any]) -> Drawn | None:
    """Mean IoU and precision, with intervals, against each of `TUNED`, from the recorded part "tuning"."""
    found = results.get("remedies", {}).get("tuning", {})
    panels = {title: [name for name in names if name in found] for title, names in TUNED.items()}
    panels = {title: names for title, names in panels.items() if len(names) > 1}
    if not panels:
        return None
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3.3), sharey=True, squeeze=False, layout="constrained")
    said = []
    for axis, (title, names) in zip(axes[0], panels.items(), strict=True):
        table, at = frame({name: found[name] for name in names}), np.arange(len(names))
        kept = [kept_counts(results, name) for name in names]
        precision = [bootstrap(one, clothing_precision) if one is not None else [np.nan] * 3 for one in kept]
        table = table.assign(**{f"precision_{end}": [p[i] for p in precision] for i, end in ((1, "low"), (2, "high"))})
        for score, label, color, style in SCORES:
            value, low, high = ends_of(table, score)
            axis.vlines(at, low, high, color=color, alpha=0.45, lw=2.5)
            axis.plot(at, value, style, color=color, label=label)
            for spot, one in enumerate(value):
                axis.annotate(f"{one:.3f}", (spot, np.fmax(one, high[spot])), (0, 4), ha="center", **NUMBER)
        axis.margins(y=0.12)
        axis.set(xlabel=title, xlim=(-0.4, len(names) - 0.6))
        axis.set_xticks(at, [TUNED[title][name] for name in names])
        best, worst = (table.loc[pick] for pick in (table["mean_iou"].idxmax(), table["mean_iou"].idxmin()))
        gap = f"{best['mean_iou'] - worst['mean_iou']:.3f}"
        value = " ".join(TUNED[title][str(worst.name)].split())
        lost = f'{title} "{value}" lost {gap}'
        said.append(
            lost if worst["mean_iou_high"] < best["mean_iou_low"] else f"{title} made no clear difference ({gap})"
        )
    legend_below(figure, axes[0][0])
    title = f"Mean IoU: {', '.join(said)}"
    return titled(figure, title), f"{title}. Precision is shown as well, both with 95% intervals."


def opening(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 06, with its alternative text: recorded remedies."""
    if not (found := results.get("remedies", {}).get("remedies")):
        return None
    trials = results.get("trials", {})
    tests = {name: trials[name]["test"]["body"]["hair_as_headwear"]["interval"] for name in found if name in trials}
    hair = {name: interval for name, interval in tests.items() if interval}
    kept = {name: counts for name in found if (counts := kept_counts(results, name)) is not None}
    pairs = {name: (TRIALS[name].against, name) for name in kept if TRIALS[name].against in kept}
    apart = {name: _change(*[kept[one] for one in pair]) for name, pair in pairs.items() if pair[0] != name}
    return remedy_dots(frame(found), hair, apart)


def _change(before: NDArray, after: NDArray) -> Sequence[float]:
    """The interval of the change of the share of hair that is called headwear."""
    return [float(end) for end in paired_comparison(before, after, hair_as_headwear, RESAMPLES)[1:3]]

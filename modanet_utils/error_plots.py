"""Figures of what `experiments` and `breakdown` find; `plots` has the style and shows them."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modanet_utils.breakdown import KINDS, OUTLINES
from modanet_utils.classes import COLORS
from modanet_utils.experiments import ARMS, CROWD
from modanet_utils.plots import PAIR, TRIAL_COLORS, gallery
from modanet_utils.plots import colored as painted

ARM_COLORS: dict[str, str] = {"hat": "#d55e00", "hair": COLORS["hair"], "background": "#0072b2"}
OUTLINE_STYLES: dict[str, tuple[str, str]] = {
    "found": ("o", TRIAL_COLORS["combined loss"]),
    "limit": ("D", "#777777"),
    "pixel": ("|", "#0072b2"),
    "network_pixel": ("|", "#009e73"),
}


def _ends(table: pd.DataFrame, name: str, unit: float = 1) -> list[np.ndarray]:
    return [unit * table[name + end].to_numpy(float) for end in ("", "_low", "_high")]


def _dots(axis: Axes, table: pd.DataFrame, name: str, offset: float, color: str, label: str, unit: float = 1) -> None:
    """A dot with its interval on every row."""
    value, low, high = _ends(table, name, unit)
    y = np.arange(len(table)) + offset
    axis.hlines(y, low, high, color=color, lw=2.5, alpha=0.45)
    axis.plot(value, y, "o", ms=5, color=color, label=label)


def _rows(axis: Axes, names: Sequence[str], label: bool = True) -> None:
    axis.set_yticks(range(len(names)), names if label else [], fontsize=10)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)


def _legend_below(figure: Figure, axis: Axes) -> None:
    options = {"loc": "outside lower center", "ncols": 4, "frameon": False, "fontsize": 10}
    figure.legend(*axis.get_legend_handles_labels(), **options)


def leak_against_color(frame: pd.DataFrame, slopes: pd.DataFrame, title: str) -> Figure:
    """Hair called headwear against its distance in colour from hats, a dot an image, and the model's slopes.

    Args:
        frame, slopes: From `experiments.hair_colors` and `experiments.explain_leak`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=(1.4, 1), layout="constrained")
    size = 15 + 2500 * frame["area"].to_numpy(float)
    axes[0].scatter(frame["distance"], 100 * frame["leak"], s=size, color=TRIAL_COLORS["combined loss"], alpha=0.5)
    top = float(np.nan_to_num(frame["leak"].max()))
    axes[0].set(ylim=(-0.04 * max(1, 100 * top), max(1, 105 * top)), ylabel="hair called headwear, percent")
    axes[0].set_xlabel("distance of the hair's colour from hats' colours, in Lab")
    axes[0].set_title(f"{len(frame)} photos without headwear; larger dot: more hair", fontsize=11)
    _dots(axes[1], slopes, "slope", 0, "#333333", "", 100)
    _rows(axes[1], ["distance in colour", "area of the hair", "height in the picture"])
    axes[1].axvline(0, color="black", lw=1)
    if slopes["slope"].isna().all():
        style = {"ha": "center", "va": "center", "fontsize": 9, "color": "#777777"}
        axes[1].text(0.5, 0.5, "undefined: nothing to explain", transform=axes[1].transAxes, **style)
    reach = 1.1 * max(1, np.nan_to_num(np.abs(100 * slopes[["slope_low", "slope_high"]].to_numpy(float))).max())
    axes[1].set(xlim=(-reach, reach), xlabel="percentage points for one standard deviation")
    axes[1].set_title("Change of that share, the others held", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def dose_lines(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Hair called headwear, and the probability of it, against how far colours were moved; a line an arm.

    Args:
        tables: From `experiments.dose_response`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
    names = {"called": "hair called headwear", "probability": "mean probability of headwear on hair"}
    for axis, (name, table) in zip(axes, tables.items(), strict=True):
        top = 0.0
        for shift, (arm, label) in zip((-0.4, 0, 0.4), ARMS.items(), strict=True):
            value, low, high = _ends(table, arm, 100)
            axis.vlines(table.index + shift, low, high, color=ARM_COLORS[arm], lw=2.5, alpha=0.4)
            axis.plot(table.index + shift, value, "o-", ms=5, lw=1.8, color=ARM_COLORS[arm], label=label)
            top = max(top, np.nan_to_num(high).max(), np.nan_to_num(value).max())
        axis.set(ylim=(-0.03 * top, 1.08 * top) if top > 0.02 else (-0.03, 1), ylabel="percent")
        axis.set_xlabel("distance that the mean colour was moved, in Lab")
        axis.set_xticks(table.index)
        axis.set_title(names[name], fontsize=11)
    _legend_below(figure, axes[0])
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def probe_dots(table: pd.DataFrame, title: str) -> Figure:
    """How well hair and headwear are told apart, a row a probe; 50% is guessing.

    Args:
        table: From `experiments.probe_table`.
    """
    rows = table.drop(index="gain")
    figure, axes = plt.subplots(1, 2, figsize=(10, 2.4), layout="constrained")
    names = {"auc": "ranking: area under the ROC curve", "balanced": "decision: balanced accuracy"}
    for axis, (name, text) in zip(axes, names.items(), strict=True):
        _dots(axis, rows, name, 0, "#333333", "", 100)
        for y, value in enumerate(rows[name]):
            if np.isfinite(value):
                axis.text(100 * value, y - 0.13, f"{100 * value:.0f}", ha="center", va="bottom", fontsize=9)
        _rows(axis, list(rows["text"]), axis is axes[0])
        axis.axvline(50, color="black", lw=1, ls="--")
        axis.set(xlim=(0, 103), xlabel="percent; dashed: guessing")
        axis.set_title(text, fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def body_panels(growth: pd.DataFrame, parts: pd.DataFrame, title: str) -> Figure:
    """Predicted area over true area per class, and skin called clothing by part of the body, a dot a trial.

    Args:
        growth, parts: From `breakdown.growth_table` and `breakdown.part_table`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), width_ratios=(1.3, 1), layout="constrained")
    for offset, (column, label) in zip((-0.16, 0.16), PAIR.items(), strict=True):
        _dots(axes[0], growth, column, offset, TRIAL_COLORS[label], label)
        _dots(axes[1], parts, column, offset, TRIAL_COLORS[label], label, 100)
    _rows(axes[0], list(growth.index))
    axes[0].axvline(1, color="black", lw=1, ls="--")
    axes[0].axhline(len(growth) - 1.5, color="#999999", lw=0.8)
    axes[0].set_xscale("symlog", linthresh=1, linscale=1.5)
    ends = growth[["before_high", "after_high", "before", "after"]].max(axis=None)
    axes[0].set_xlim(-0.04, max(2.0, 1.15 * np.nan_to_num(ends)))
    ticks = [tick for tick in (0, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick <= axes[0].get_xlim()[1]]
    axes[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].minorticks_off()
    axes[0].set_xlabel("predicted area / true area; right of the line it grows")
    axes[0].set_title("Which classes grow, which shrink", fontsize=11)
    _legend_below(figure, axes[0])
    shares = [f"{name}\n({100 * share:.0f}% of skin)" for name, share in parts["skin"].items()]
    _rows(axes[1], shares if parts["skin"].notna().all() else list(parts.index))
    axes[1].set_xlabel("percent of the skin there")
    axes[1].set_xlim(left=0, right=None if axes[1].dataLim.x1 > 0.01 else 1)
    axes[1].set_title("Skin called clothing, by part of the body", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def crowd_lines(table: pd.DataFrame, title: str) -> Figure:
    """Change of the mean IoU by overlap: two people together, and the rear one alone with its control.

    Args:
        table: From `experiments.crowd_table`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.7), sharey=True, layout="constrained")
    panels = ({"rear": "#0072b2", "front": "#d55e00"}, {"silhouette": "#999999", "person": "#cc79a7"})
    texts = ("With the other person, minus alone", "The rear person: what stands in front?")
    reach = 0.01
    for axis, names, text in zip(axes, panels, texts, strict=True):
        for shift, (name, color) in zip((-0.06, 0.06), names.items(), strict=True):
            x, (value, low, high) = np.arange(len(table)) + shift, _ends(table, name)
            axis.vlines(x, low, high, color=color, lw=2.5, alpha=0.4)
            axis.plot(x, value, "o-", ms=5, lw=1.8, color=color, label=_short(name))
            reach = max(reach, np.nan_to_num(np.abs([low, high])).max())
        axis.axhline(0, color="black", lw=1)
        axis.set_xticks(range(len(table)), [f"{100 * overlap:g}%" for overlap in table.index])
        axis.set(xlim=(-0.4, len(table) - 0.6), xlabel="share of the rear person that is covered")
        axis.set_title(text, fontsize=11)
        axis.grid(axis="x", visible=False)
    for axis in axes:
        axis.set_ylim(-1.1 * reach, 1.1 * reach)
        axis.legend(loc="upper left", fontsize=9)
    axes[0].set_ylabel("change of the mean IoU")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def _short(name: str) -> str:
    shorter = {"silhouette": "a silhouette, minus alone", "person": "a person, minus a silhouette"}
    return shorter.get(name, CROWD[name].split(",")[0])


def outline_dots(table: pd.DataFrame, title: str) -> Figure:
    """Boundary IoU per class beside what resolution and shifts of the truth would score.

    Args:
        table: From `breakdown.outline_table`.
    """
    figure, axis = plt.subplots(figsize=(9, 5.2), layout="constrained")
    y = np.arange(len(table))
    for name, label in OUTLINES.items():
        marker, color = OUTLINE_STYLES[name]
        if name == "found":
            axis.hlines(y, table["found_low"], table["found_high"], color=color, lw=3, alpha=0.4)
        style = {"ms": 12, "mew": 2.5} if marker == "|" else {"ms": 6}
        axis.plot(table[name], y, marker, color=color, ls="", label=label, **style)
    _rows(axis, list(table.index))
    axis.set(xlim=(-0.02, 1), xlabel="boundary IoU")
    _legend_below(figure, axis)
    axis.set_title(title)
    return figure


def size_panels(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """IoU, recall and the share hardly found, by size of the segment, a line a trial.

    Args:
        tables: Trial's label to `breakdown.size_table`.
    """
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), sharey=True, layout="constrained")
    first = next(iter(tables.values()))
    names = {"iou": "IoU", "recall": "recall", "missed": "items hardly found"}
    for axis, (name, text) in zip(axes, names.items(), strict=True):
        for shift, (label, table) in zip((-0.1, 0.1), tables.items(), strict=True):
            value, low, high = _ends(table, name, 100)
            x = np.arange(len(table)) + shift
            axis.vlines(x, low, high, color=TRIAL_COLORS[label], lw=2.5, alpha=0.4)
            axis.plot(x, value, "o-", ms=5, lw=1.6, color=TRIAL_COLORS[label], label=label)
        counts = [f"{size}\n({number})" for size, number in first["segments"].items()]
        axis.set_xticks(range(len(first)), counts, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        axis.set(ylim=(-3, 103))
        axis.set_title(text, fontsize=11)
        axis.grid(axis="x", visible=False)
    axes[0].set_ylabel("percent")
    figure.supxlabel("share of the picture that the item covers (number of items)", fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="upper right", ncols=2, frameon=False, fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def kind_panels(table: pd.DataFrame, title: str) -> Figure:
    """What mending one kind of error would add to every class's IoU, a panel a kind.

    Args:
        table: From `breakdown.kind_table`.
    """
    figure, axes = plt.subplots(1, 4, figsize=(12, 4.8), sharey=True, layout="constrained")
    names = {"iou": "IoU now"} | {kind: f"gain, {text} mended" for kind, text in KINDS.items()}
    for axis, (name, text) in zip(axes, names.items(), strict=True):
        value, low, high = _ends(table, name)
        y = np.arange(len(table))
        axis.barh(y, value, height=0.6, color="#999999" if name == "iou" else "#d55e00", alpha=0.75)
        axis.hlines(y, low, high, color="#333333", lw=1.5)
        _rows(axis, list(table.index))
        axis.axhline(len(table) - 1.5, color="#555555", lw=0.8)
        axis.set(xlim=(0, 1))
        axis.set_title(text, fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def example_gallery(examples: Mapping[str, tuple[np.ndarray, np.ndarray]], photos: bool, title: str) -> Figure:
    """Changed pictures and their truth.

    Args:
        examples: Name to photo ``(H, W, 3)`` and truth ``(H, W)``, from `experiments.examples`.
        photos: Show the photos; otherwise the truth alone, of those pictures in which it is changed.
    """
    if not photos:
        seen: dict[bytes, str] = {}
        examples = {n: one for n, one in examples.items() if seen.setdefault(one[1].tobytes(), n) == n}
    if not examples:
        figure, axis = plt.subplots(figsize=(4, 1))
        axis.set_axis_off()
        axis.text(0, 0.5, "no picture can be changed so", color="#777777")
        return figure
    rows = [[painted(truth) for _, truth in examples.values()]]
    rows = [[photo for photo, _ in examples.values()], *rows] if photos else rows
    sides = ["photo", "truth"] if photos else ["truth"]
    return gallery(rows, list(examples), sides, [truth for _, truth in examples.values()], title)

"""Figures of where the errors are."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils.classes import COLORS
from modanet_utils.errors.cases import ERROR_KINDS, error_map
from modanet_utils.errors.places import KINDS, OUTLINES
from modanet_utils.errors.tables import PAIR, precision_ceiling
from modanet_utils.plots import PALETTE, dots, ends_of, label_legend, legend_below, rows
from modanet_utils.trials import color_of

OUTLINE_STYLES: dict[str, tuple[str, str]] = {
    "found": ("o", color_of("combined loss")),
    "limit": ("D", "#777777"),
    "pixel": ("|", "#0072b2"),
    "network_pixel": ("|", "#009e73"),
}
ERROR_PALETTE = np.array([[round(255 * v) for v in to_rgb(color)] for color in ERROR_KINDS.values()], np.uint8)


def titled(figure: Figure, title: str, fontsize: int = 13) -> Figure:
    """The figure with its message above all panels."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=fontsize)
    return figure


def panel(axis: Axes, title: str, upright: bool = False, **options: Any) -> None:
    """What a panel says: its own title, limits and labels; without upright lines of the grid where they are bars'."""
    axis.set_title(title, fontsize=11)
    axis.set(**options)
    if upright:
        axis.grid(axis="x", visible=False)


def line(axis: Axes, x: NDArray, table: pd.DataFrame, name: str, color: str, label: str, unit: float = 1) -> None:
    """A line of dots, each with its interval."""
    value, low, high = ends_of(table, name, unit)
    axis.vlines(x, low, high, color=color, lw=2.5, alpha=0.4)
    axis.plot(x, value, "o-", ms=5, lw=1.7, color=color, label=label)


def body_panels(growth: pd.DataFrame, parts: pd.DataFrame, title: str) -> Figure:
    """`breakdown.growth_table` and `breakdown.part_table`, a dot a trial."""
    figure, (areas, skin) = plt.subplots(1, 2, figsize=(10, 4.8), width_ratios=(1.3, 1), layout="constrained")
    for offset, (column, label) in zip((-0.16, 0.16), PAIR.items(), strict=True):
        dots(areas, growth, column, offset, color_of(label), label)
        dots(skin, parts, column, offset, color_of(label), label, 100)
    rows(areas, list(growth.index))
    areas.axvline(1, color="black", lw=1, ls="--")
    areas.axhline(len(growth) - 1.5, color="#999999", lw=0.8)
    areas.set_xscale("symlog", linthresh=1, linscale=1.5)
    right = max(2.0, 1.15 * np.nan_to_num(growth[["before_high", "after_high", "before", "after"]].max(axis=None)))
    ticks = [tick for tick in (0, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick <= right]
    areas.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    areas.minorticks_off()
    growing = "predicted area / true area; right of the line it grows"
    panel(areas, "Which classes grow, which shrink", xlim=(-0.04, right), xlabel=growing)
    legend_below(figure, areas)
    shares = [f"{name}\n({100 * share:.0f}% of skin)" for name, share in parts["skin"].items()]
    rows(skin, shares if parts["skin"].notna().all() else list(parts.index))
    skin.set_xlim(left=0, right=None if skin.dataLim.x1 > 0.01 else 1)
    panel(skin, "Skin called clothing, by part of the body", xlabel="percent of the skin there")
    return titled(figure, title)


def outline_dots(table: pd.DataFrame, title: str) -> Figure:
    """`breakdown.outline_table`: boundary IoU beside what resolution and shifts of the truth would score."""
    figure, axis = plt.subplots(figsize=(9, 5.2), layout="constrained")
    y = np.arange(len(table))
    for name, label in OUTLINES.items():
        marker, color = OUTLINE_STYLES[name]
        if name == "found":
            axis.hlines(y, table["found_low"], table["found_high"], color=color, lw=3, alpha=0.4)
        style = {"ms": 12, "mew": 2.5} if marker == "|" else {"ms": 6}
        axis.plot(table[name], y, marker, color=color, ls="", label=label, **style)
    rows(axis, list(table.index))
    axis.set(xlim=(-0.02, 1), xlabel="boundary IoU")
    axis.set_title(title)
    legend_below(figure, axis)
    return figure


def size_panels(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """IoU, recall and the share hardly found, by size; a line a trial, from its label to `breakdown.size_table`."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), sharey=True, layout="constrained")
    first = next(iter(tables.values()))
    names = ("iou", "IoU"), ("recall", "recall"), ("missed", "items hardly found")
    for axis, (name, text) in zip(axes, names, strict=True):
        for shift, (label, table) in zip((-0.1, 0.1), tables.items(), strict=True):
            line(axis, np.arange(len(table)) + shift, table, name, color_of(label), label, 100)
        counts = [f"{size}\n({number})" for size, number in first["segments"].items()]
        axis.set_xticks(range(len(first)), counts, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        panel(axis, text, upright=True, ylim=(-3, 103))
    axes[0].set_ylabel("percent")
    figure.supxlabel("share of the picture that the item covers (number of items)", fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="upper right", ncols=2, frameon=False, fontsize=10)
    return titled(figure, title)


def kind_panels(table: pd.DataFrame, title: str) -> Figure:
    """What mending one kind of error would add to every class's IoU, a panel a kind, from `breakdown.kind_table`."""
    figure, axes = plt.subplots(1, 4, figsize=(12, 4.8), sharey=True, layout="constrained")
    names = {"iou": "IoU now"} | {kind: f"gain, {text} mended" for kind, text in KINDS.items()}
    for axis, (name, text) in zip(axes, names.items(), strict=True):
        (value, low, high), y = ends_of(table, name), np.arange(len(table))
        axis.barh(y, value, height=0.6, color="#999999" if name == "iou" else "#d55e00", alpha=0.75)
        axis.hlines(y, low, high, color="#333333", lw=1.5)
        rows(axis, list(table.index))
        axis.axhline(len(table) - 1.5, color="#555555", lw=0.8)
        panel(axis, text, xlim=(0, 1))
    return titled(figure, title)


def flow_maps(panels: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """The whole confusion in percent, a panel a trial (`tables.flow_shares`); framed: right, grey: undefined."""
    size = (8.6, 5.6 * len(panels) + 0.4)
    figure, axes = plt.subplots(len(panels), 1, figsize=size, squeeze=False, layout="constrained")
    for axis, (label, shares) in zip(axes[:, 0], panels.items(), strict=True):
        values = shares.to_numpy()
        axis.imshow(values, cmap="Blues", norm=PowerNorm(0.4, 0, 1), aspect="auto")
        axis.set_facecolor("#d9d9d9")
        for (row, column), value in np.ndenumerate(values):
            if value >= 0.001:  # smaller than what one digit shows
                text, ink = f"{100 * value:.{int(value < 0.0995)}f}", "white" if value > 0.4 else "black"
                axis.text(column, row, text, ha="center", va="center", fontsize=8.5, color=ink)
            if column == (row if row < values.shape[1] else 0):
                frame = {"fill": False, "ec": "#d55e00", "lw": 1.4, "clip_on": False}
                axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **frame))
        axis.axhline(values.shape[1] - 0.5, color="black", lw=1.5)
        axis.set_xticks(range(values.shape[1]), shares.columns, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(values.shape[0]), shares.index)
        axis.tick_params(labelsize=10)
        axis.set_title(label, color=color_of(label))
        axis.set(xlabel="predicted as", ylabel="in truth")
        axis.grid(False)
    return titled(figure, title)


def answer_dots(table: pd.DataFrame, thresholds: Mapping[str, float], title: str) -> Figure:
    """Every question of `tables.answers` and `tables.skin_deeper`, with its own axis and the threshold of its claim."""
    rows = -(-len(table) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(9.6, 1.5 * rows + 0.5), squeeze=False, layout="constrained")
    for axis in axes.flat[len(table) :]:
        axis.set_axis_off()
    for axis, (name, row) in zip(axes.flat, table.iterrows(), strict=False):
        ends = [1.0, 100 * thresholds.get(name, 0), 100 * np.nan_to_num(row["limit"])]
        for y, (column, label) in enumerate(PAIR.items()):
            value, *bounds = (100 * row[column + end] for end in ("", "_low", "_high"))
            if not np.isfinite(value):
                axis.text(0, y, " undefined", va="center", fontsize=9, color="#777777")
                continue
            (low, high), color = np.nan_to_num(bounds, nan=value), color_of(label)
            axis.plot([low, high], [y, y], color=color, lw=3, alpha=0.45, solid_capstyle="butt")
            axis.plot(value, y, "o", color=color)
            axis.text(value, y - 0.2, f"{value:.1f}", ha="center", va="bottom", fontsize=9, color=color)
            ends.append(high)
        if np.isfinite(row["limit"]):
            axis.plot(100 * row["limit"], 1.8, "D", color="#777777", ms=5)
        if name in thresholds:
            axis.axvline(100 * thresholds[name], color="black", lw=1, ls="--", zorder=1)
        axis.set(xlim=(-0.06 * max(ends), 1.08 * max(ends)), ylim=(2.3, -1))
        axis.set_yticks([0, 1, 1.8], [*PAIR.values(), "resolution alone"] if axis in axes[:, 0] else [], fontsize=9)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=6))
        axis.set_title(row["text"], fontsize=10)
        axis.tick_params(axis="x", labelsize=9)
        axis.grid(axis="y", visible=False)
    figure.supxlabel("percent; dashed: the threshold of a claim", fontsize=10)
    return titled(figure, title)


def opening(results: Mapping[str, Any], thresholds: Mapping[str, float]) -> tuple[Figure, str] | None:
    """The picture at the top of notebook 04, with its alternative text: recorded shares of hair, headwear and skin."""
    kept = results.get("errors", {}).get("answers")
    if not kept:
        return None
    wanted = ("hair_as_headwear", "headwear_alarms", "headwear_missed", "skin_as_clothing")
    table = pd.DataFrame({name: kept[name] for name in wanted if name in kept}).T
    numbers = [name for name in table.columns if name != "text"]
    table[numbers] = table[numbers].astype(float)
    hair, skin = (table.loc[name, "after"] for name in ("hair_as_headwear", "skin_as_clothing"))
    title = f"With the combined loss {hair:.0%} of the hair becomes headwear, {skin:.0%} of the skin clothing"
    alt = (
        f"Shares for both trials with 95% intervals: hair called headwear {hair:.1%}, skin called clothing {skin:.1%}."
    )
    return answer_dots(table, thresholds, title), alt


def origin_bars(table: pd.DataFrame, title: str) -> Figure:
    """A bar of shares for every column of `tables.origins`; labels below 3% in all are drawn together, as "other"."""
    large = (table >= 0.03).any(axis=1)
    shares = table[large].T.assign(other=table[~large].sum(min_count=1))
    figure, axis = plt.subplots(figsize=(11, 0.62 * len(shares) + 1.5), layout="constrained")
    left = np.zeros(len(shares))
    for name in shares:
        color, widths = COLORS.get(name, "#cccccc"), 100 * shares[name].fillna(0).to_numpy()
        axis.barh(shares.index, widths, left=left, color=color, ec="white", label=name)
        ink = "white" if np.dot(to_rgb(color), (0.3, 0.59, 0.11)) < 0.5 else "black"
        for y, width in enumerate(widths):
            if width >= 6:
                text = f"{name}\n{width:.0f}%" if width >= 8 else f"{width:.0f}%"
                axis.text(left[y] + width / 2, y, text, ha="center", va="center", fontsize=9, color=ink)
        left += widths
    for y in np.flatnonzero(left == 0):
        axis.text(1, y, "none", va="center", fontsize=9, color="#777777")
    axis.invert_yaxis()
    axis.set(xlim=(0, 100), xlabel="percent of the pixels called headwear that are none")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=8, frameon=False, fontsize=9)
    axis.grid(False)
    axis.set_title(title)
    return figure


def ceiling_curves(table: pd.DataFrame, title: str) -> Figure:
    """Highest precision of headwear against the leak of hair, from `tables.arithmetic`; without recall no curve."""
    figure, axis = plt.subplots(figsize=(8, 4.2), layout="constrained")
    right = max(0.04, 1.5 * np.nan_to_num(table["leak"].max()))
    leaks = np.linspace(0, right, 200)
    for name, row in table[(table["recall"] > 0) & np.isfinite(table["ceiling"])].iterrows():
        color, leaked, curve = color_of(name), 100 * row["leak"], precision_ceiling(leaks, row["recall"], row["times"])
        axis.plot(100 * leaks, curve, color=color, lw=2, label=f"{name}: ceiling at its recall, {row['recall']:.2f}")
        axis.plot([leaked] * 2, [row["precision"], row["ceiling"]], color=color, lw=1, ls=":")
        axis.plot(leaked, row["ceiling"], "o", color=color, label=f"{name}: ceiling at its leak as well")
        axis.plot(leaked, row["precision"], "X", color=color, ms=8, label=f"{name}: its precision")
    axis.set(xlim=(0, 100 * right), ylim=(0, 1.02), ylabel="precision of headwear")
    axis.set_xlabel("hair called headwear, percent of all hair")
    if axis.lines:
        axis.legend(loc="best", fontsize=9)
    else:
        axis.text(50 * right, 0.5, "no trial finds headwear", ha="center", color="#777777")
    axis.set_title(title)
    return figure


def skin_panels(takers: Mapping[str, pd.DataFrame], depths: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Which classes skin is called, and how far from clothing: trial's label to `receivers` and to `depth_table`."""
    figure, axes = plt.subplot_mosaic("ab;ac", figsize=(10, 6.4), layout="constrained")
    called, where, rate = (axes[name] for name in "abc")
    order = next(reversed(takers.values())).sort_values("share", ascending=False).index
    first = next(iter(depths.values()))
    x, bars = np.arange(len(first)), {"all skin": (COLORS["skin"], first["skin"])}
    for side, (label, table) in zip((-1, 1), takers.items(), strict=True):
        dots(called, table.loc[order], "share", 0.17 * side, color_of(label), label, 100)
        line(rate, x + 0.1 * side, depths[label], "rate", color_of(label), label, 100)
        bars[label] = color_of(label), depths[label]["called"]
    rows(called, list(order))
    called.set_xlim(left=0, right=None if np.nanmax(called.dataLim.x1, initial=0) > 0.01 else 1)
    panel(called, "What it is called", xlabel="percent of all skin")
    called.legend(loc="lower right", fontsize=9)
    for at, (label, (color, share)) in enumerate(bars.items()):
        where.bar(x + 0.27 * (at - 1), 100 * share, 0.27, color=color, label=label)
    where.legend(loc="upper center", ncols=3, fontsize=9)
    rate.set_xlabel("pixels from the nearest true clothing")
    titles = (
        "Where skin lies: all of it, and what is called clothing",
        "What share of the skin there is called clothing",
    )
    for axis, text in zip((where, rate), titles, strict=True):
        axis.set_xticks(x, [name.replace(" to ", "–").replace("over ", ">") for name in first.index], fontsize=9)
        top = 1.25 * axis.dataLim.y1 if axis.dataLim.y1 > 0.01 else 1
        panel(axis, text, upright=True, ylabel="percent", xlim=(-0.6, len(x) - 0.4), ylim=(0, top))
        axis.axvline(0.5, color="black", lw=1, ls="--")
    return titled(figure, title)


def case_gallery(
    cases: Mapping[str, Sequence[int]],
    pictures: Mapping[int, tuple[np.ndarray | None, np.ndarray, np.ndarray]],
    scores: Mapping[int, float],
    title: str,
) -> Figure:
    """Chosen images: photo (where there is one), truth, prediction, and what is wrong; choices side by side.

    Args:
        cases: Name of a choice to image ids, which may be none.
        pictures: Id to photo ``(H, W, 3)`` or None, truth and prediction ``(H, W) uint8``.
        scores: Id to the image's mean IoU.
    """
    used = [pictures[i] for ids in cases.values() for i in ids]
    parts = ["photo"] * any(photo is not None for photo, *_ in used) + ["truth", "prediction", "errors"]
    columns, rows = len(parts) * len(cases), max(1, *(len(ids) for ids in cases.values()))
    size = (1.45 * columns, 2.15 * rows + 0.9 if used else 1.2)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], frame_on=False)
        axis.grid(False)
    for block, (name, ids) in enumerate(cases.items()):
        for r, image_id in enumerate(ids):
            photo, truth, prediction = pictures[image_id]
            shown = [PALETTE[truth], PALETTE[prediction], ERROR_PALETTE[error_map(truth, prediction)]]
            shown = shown if photo is None else [photo, *shown]
            for axis, picture in zip(axes[r, block * len(parts) :], shown, strict=False):
                axis.imshow(picture, interpolation="antialiased")
            axes[r, block * len(parts)].set_ylabel(f"image {image_id}, IoU {scores[image_id]:.2f}", fontsize=8)
        if not ids:
            axes[0, block * len(parts)].text(0, 0.5, "no such image", fontsize=9, color="#777777")
        for at, part in enumerate(parts):
            axes[0, block * len(parts) + at].set_title(f"{name if at == 0 else ''}\n{part}", fontsize=9)
    if used:
        label_legend(figure, [part for _, *maps in used for part in maps], columns=7, fontsize=9)
        kinds = [Patch(fc=color, ec="#999999", label=kind) for kind, color in ERROR_KINDS.items() if kind != "ignored"]
        options = {"loc": "upper center", "ncols": 3, "frameon": False, "fontsize": 9, "title_fontsize": 9}
        figure.legend(handles=kinds, bbox_to_anchor=(0.5, -0.55 / size[1]), title="in the maps of errors", **options)
    return titled(figure, title, 12)

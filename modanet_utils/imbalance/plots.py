"""Figures of notebook 01."""

from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from modanet_utils.classes import CLOTHING, COLORS
from modanet_utils.plots import HALO, legend_below, offsets, percent_ticks, rows, title_above_legend, titled

DATA_STYLES: tuple[dict[str, str], ...] = tuple(
    {"marker": marker, "color": color, "mec": "white", "ls": ""}
    for marker, color in (("o", "#222222"), ("s", "#e69f00"), ("D", "#009e73"), ("^", "#cc79a7"))
)
SCHEME_COLORS = {"none": "#999999", "inverse_sqrt": "#0072b2", "median_frequency": "#e69f00"}
SCHEME_COLORS |= {"effective_number": "#009e73", "inverse": "#d55e00"}


def share_dots(shares: pd.DataFrame, title: str) -> Figure:
    """Share of all pixels on a log scale, classes x data sets; the rarest on average is lowest, 0 has no dot."""
    seen = shares.where(shares > 0)
    order = np.log10(seen).mean(axis=1).fillna(-9).sort_values(ascending=False).index
    figure, axis = _class_rows(order, 5.2)
    for style, offset, data_set in zip(DATA_STYLES, offsets(len(shares.columns), 0.27), shares, strict=False):
        axis.plot(seen.loc[order, data_set], np.arange(len(order)) + offset, label=data_set, ms=6.5, **style)
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.set_xlim(right=1)
    axis.set_xlabel("share of all pixels (log scale)")
    title_above_legend(axis, title)
    return figure


def opening(shares: pd.DataFrame) -> tuple[Figure, str] | None:
    """The picture at the top of notebook 01, with its alternative text, of shares of pixels, classes x data sets."""
    seen = shares.drop(index="background").where(shares > 0)
    if seen.empty:
        return None
    rarest, commonest = np.log(seen).mean(axis=1).idxmin(), np.log(seen).mean(axis=1).idxmax()
    times = (seen.loc[commonest] / seen.loc[rarest]).max()
    title = f"{rarest.capitalize()}: up to {times:.0f} times fewer pixels than {commonest}"
    ends = (
        f"{seen.loc[rarest].min():.2%} of the pixels for {rarest}, {shares.loc['background'].max():.0%} for background"
    )
    return share_dots(shares, title), f"Share of all pixels per class on a log scale, a dot a data set: {ends}."


def _class_rows(order: pd.Index, height: float) -> tuple[Figure, Axes]:
    """A row a class on stripes, a log scale below."""
    figure, axis = plt.subplots(figsize=(8.5, height), layout="constrained")
    for row in range(1, len(order), 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f4f4f2", lw=0, zorder=0)
    axis.set_xscale("log")
    rows(axis, order)
    return figure, axis


def size_ranges(tables: Mapping[str, pd.DataFrame], small: float, title: str) -> Figure:
    """Object sizes of each data set's `class_table` on a log scale: medians as dots, bars from 10% to 90% quantile.

    A line marks the pixels below which a class counts as small.
    """
    medians = pd.DataFrame({name: table["scaled_median"] for name, table in tables.items()}).loc[list(CLOTHING)]
    order = np.log(medians).mean(axis=1).sort_values(ascending=False).index
    figure, axis = _class_rows(order, 6.4)
    for style, offset, (data_set, table) in zip(DATA_STYLES, offsets(len(tables), 0.25), tables.items(), strict=False):
        y, seen = np.arange(len(order)) + offset, table.loc[order]
        axis.hlines(y, seen["scaled_q10"], seen["scaled_q90"], color=style["color"], lw=2.5, alpha=0.4)
        axis.plot(seen["scaled_median"], y, label=data_set, ms=6, mew=0.6, **style)
    axis.axvline(small, color="#555555", lw=1, ls="--")
    style = {"fontsize": 9, "color": "#555555", "ha": "right", "va": "center", "path_effects": HALO}
    axis.text(0.96 * small, -0.78, f"small: below {small:,} pixels", **style)
    axis.xaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
    axis.set_ylim(len(order) - 0.4, -1.1)
    axis.set_xlabel("pixels of an object, in a picture of 288x192 (log scale)")
    title_above_legend(axis, title)
    return figure


def rarity_maps(tables: Mapping[str, pd.DataFrame], small: float, infrequent: float, title: str) -> Figure:
    """Two kinds of rare: share of images against median object size, a panel a data set's `class_table`.

    Areas mark the pixels, and the share of images, below which a class is `small` or `infrequent`.
    """
    figure, axes = _panels(tables, (4.7, 4.4), sharex=True, sharey=True)
    points = {name: table.loc[list(CLOTHING)].dropna(subset=["scaled_median"]) for name, table in tables.items()}
    for axis, seen in zip(axes, points.values(), strict=True):
        axis.axhspan(1, small, color="#0072b2", alpha=0.10, lw=0)
        axis.axvspan(0.001, infrequent, color="#d55e00", alpha=0.10, lw=0)
        axis.set(xscale="log", yscale="log", xlim=(0.03, 1.3), ylim=(50, 20_000))
        style = {"c": [COLORS[name] for name in seen.index], "ec": "#444444", "lw": 0.6}
        axis.scatter(seen["image_share"], seen["scaled_median"], s=45, zorder=3, **style)
        axis.xaxis.set_major_formatter(percent_ticks)
        axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
        axis.text(1.2, 53, "small", color="#0072b2", ha="right", va="bottom", fontsize=10)
        axis.text(0.032, 18_500, "infrequent", color="#b34700", va="top", fontsize=10)
    figure.supxlabel("images that show the class (log scale)", fontsize=11)
    figure.supylabel("pixels of the median object, at 288x192 (log scale)", fontsize=11)
    titled(figure, title).canvas.draw()  # the names need the final layout
    for axis, seen in zip(axes, points.values(), strict=True):
        _name_points(axis, seen["image_share"].to_numpy(), seen["scaled_median"].to_numpy(), list(seen.index))
    return figure


def _panels(names: Collection[str], size: tuple[float, float], **options: bool) -> tuple[Figure, list[Axes]]:
    """At most two panels side by side, each with its name, so that they stay readable on a page."""
    across, down = min(2, len(names)), -(-len(names) // 2)
    figsize = (across * size[0], down * size[1] + 0.4)
    figure, axes = plt.subplots(down, across, figsize=figsize, squeeze=False, layout="constrained", **options)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis in axes[-2:-1, 1:].flat if len(names) % 2 else ():  # the panel below it is empty
        axis.tick_params(labelbottom=True)
    for axis, name in zip(axes.flat, names, strict=False):
        axis.set_title(name, fontsize=11)
    return figure, list(axes.flat[: len(names)])


def _name_points(axis: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> None:
    """Write each point's name beside it, on the side where it covers least of points and other names."""
    points = axis.transData.transform(np.column_stack([x, y]))
    taken = [Bbox.from_bounds(px - 5, py - 5, 10, 10) for px, py in points]
    sides = [(7, 0), (-7, 0), (0, 7), (0, -7), (5, 5), (5, -5), (-5, 5), (-5, -5)]
    for place, name in zip(zip(x, y, strict=True), names, strict=True):
        choices = []
        for side in sides:
            ha, va = ("center", "left", "right")[np.sign(side[0])], ("center", "bottom", "top")[np.sign(side[1])]
            style = {"ha": ha, "va": va, "fontsize": 9, "path_effects": HALO}
            text = axis.annotate(name, place, side, textcoords="offset points", **style)
            box = text.get_window_extent().padded(2)
            outside = box.width * box.height - _overlap(box, axis.bbox)
            choices.append((sum(_overlap(box, other) for other in taken) + 10 * outside, text, box))
        best = min(choices, key=lambda choice: choice[0])  # the first of equals
        taken.append(best[2])
        for _, text, _ in choices:
            if text is not best[1]:
                text.remove()


def _overlap(first: Bbox, second: Bbox) -> float:
    both = Bbox.intersection(first, second)
    return both.width * both.height if both else 0.0


def co_occurrence_maps(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Of the images that show the row's class, the percentage that shows the column's; a `co_occurrence` a panel."""
    figure, axes = _panels(tables, (5.0, 4.8))
    for axis, counts in zip(axes, tables.values(), strict=True):
        images = np.diag(counts)
        percent = 100 * counts.to_numpy(float) / np.maximum(1, images)[:, None]
        percent[np.eye(len(counts), dtype=bool) | (images == 0)[:, None]] = np.nan
        axis.imshow(percent, cmap="Blues", vmin=0, vmax=100)
        axis.set_facecolor("#e4e4e4")
        for (row, column), value in np.ndenumerate(percent):
            if np.isfinite(value):
                ink = "white" if value > 60 else "black"
                axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7.5, color=ink)
        axis.set_yticks(range(len(counts)), [f"{n} ({k:,})" for n, k in zip(counts.index, images, strict=True)])
        axis.set_xticks(range(len(counts)), counts.columns, rotation=90)
        axis.tick_params(axis="both", labelsize=8.5, length=0)
        axis.grid(False)
    return titled(figure, title)


def weight_lines(weights: pd.DataFrame, thresholds: pd.DataFrame, title: str) -> Figure:
    """Weight per class and scheme, and the probability above which the class wins over background."""
    order = weights["inverse"].sort_values().index
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 5.4), sharey=True, layout="constrained")
    for scheme, color in SCHEME_COLORS.items():
        style = {"marker": "o", "ms": 5, "lw": 1.6, "color": color}
        axes[0].plot(weights.loc[order, scheme], range(len(order)), label=scheme.replace("_", " "), **style)
        clothing = thresholds[scheme].reindex(order).where(order != "background")  # not weighed against itself
        axes[1].plot(clothing, range(len(order)), **style)
    for axis, text in zip(axes, ("weight (mean 1)", "probability above which the class wins"), strict=True):
        axis.set(xscale="log", xlabel=f"{text}, log scale")
        rows(axis, order)
    axes[0].xaxis.set_major_formatter(lambda weight, _: f"{weight:g}")
    axes[1].xaxis.set_major_formatter(percent_ticks)
    axes[0].set_title("What the loss multiplies", fontsize=11)
    axes[1].set_title("What that implies against background", fontsize=11)
    legend_below(figure, axes[0], len(SCHEME_COLORS))
    return titled(figure, title)

"""Figures of notebook 01."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binomtest

from modanet_utils.imbalance.tables import two_kinds
from modanet_utils.plots import HALO, Drawn, offsets, percent_ticks, rows, title_above_legend
from modanet_utils.results.text import listed

DATA_STYLES: tuple[dict[str, str], ...] = tuple(
    {"marker": marker, "color": color, "mec": "white", "ls": ""}
    for marker, color in (("o", "#222222"), ("s", "#e69f00"), ("D", "#009e73"), ("^", "#cc79a7"))
)
SCHEME_COLORS = {"inverse_sqrt": "#0072b2", "median_frequency": "#e69f00", "inverse": "#d55e00"}
KIND_COLORS = {"small": "#0072b2", "infrequent": "#b34700", "small and infrequent": "#000000"}


def opening(shares: pd.DataFrame) -> Drawn | None:
    """The picture at the top of notebook 01: share of all pixels, classes x data sets, the rarest lowest."""
    seen = shares.where(shares > 0).dropna(how="all").sort_values(list(shares), ascending=False)
    if len(seen) < 3:
        return None
    figure, axis = _class_rows(seen.index, 5.2)
    for style, offset, data_set in zip(DATA_STYLES, offsets(len(shares.columns), 0.2), shares, strict=False):
        axis.plot(seen[data_set], np.arange(len(seen)) + offset, label=data_set, ms=6.5, **style)
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.set(xlim=(None, 1), xlabel="share of all pixels (log scale; every image is counted)")
    clothing = seen.drop("background").dropna(axis=1, how="all")
    one = clothing[name := (clothing.max() / clothing.min()).idxmax()]
    title = f"In {name.removesuffix(' (this run)')} the rarest garment, {one.idxmin()}, has "
    title += f"1/{one.max() / one.min():.0f} of the pixels of the commonest, {one.idxmax()}"
    title_above_legend(axis, title)
    ends = (
        f"{of} {one.min():.2%} ({one.idxmin()}) to {one.max():.1%} ({one.idxmax()})" for of, one in clothing.items()
    )
    return figure, f"Share of all pixels per class on a log scale, a mark a data set: {'; '.join(ends)}. {title}."


def _class_rows(order: pd.Index, height: float) -> tuple[Figure, Axes]:
    """A row a class on stripes, a log scale below."""
    figure, axis = plt.subplots(figsize=(8.8, height), layout="constrained")
    for row in range(1, len(order), 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f4f4f2", lw=0, zorder=0)
    axis.set_xscale("log")
    rows(axis, order)
    return figure, axis


def rarity_map(tables: Mapping[str, pd.DataFrame], small: float, infrequent: float) -> Drawn:
    """Two kinds of rare: share of images against median object size, of the first data set's `class_table`.

    A line leads from each class to where another data set has it; areas mark what is `small`, or `infrequent`.
    """
    figure, axis = plt.subplots(figsize=(8.8, 5.8), layout="constrained")
    (first, table), *others = tables.items()
    kinds = two_kinds(table).dropna(subset=["scaled_median"])
    axis.axhspan(1, small, color=KIND_COLORS["small"], alpha=0.08, lw=0)
    axis.axvspan(0.001, infrequent, color=KIND_COLORS["infrequent"], alpha=0.08, lw=0)
    for name, row in kinds.iterrows():
        color, (x, y) = KIND_COLORS.get(row["kind"], "#777777"), row[["image_share", "scaled_median"]]
        ends = [tuple(other.loc[name, ["image_share", "scaled_median"]]) for _, other in others]
        for end in ends:
            axis.plot(*zip((x, y), end, strict=True), color=color, lw=0.8, alpha=0.6)
            axis.plot(*end, "o", color="white", mec=color, ms=5)
        shown = binomtest(images := int(table.loc[name, "images"]), round(images / x)).proportion_ci(method="wilson")
        axis.hlines(y, *shown, color=color, lw=2.5, alpha=0.45)
        axis.plot(x, y, "o", color=color, ms=8)
        below = any(y < end[1] < 1.4 * y and 0.9 < end[0] / x < 1.1 for end in ends)  # the other's point is above
        style = {"textcoords": "offset points", "ha": "center", "color": color, "path_effects": HALO}
        axis.annotate(name, (x, y), (0, -7 if below else 5), va="top" if below else "bottom", **style)
    for fill, name in zip(("#777777", *["white"] * len(others)), tables, strict=True):
        axis.plot([], [], "o", color=fill, mec="#777777", label=f"{'hollow' if fill == 'white' else 'filled'}: {name}")
    axis.set(xscale="log", yscale="log", xlim=(0.03, 1.3), ylim=(80, 9000))
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
    axis.text(1.25, 83, f"small: below {small:,} pixels", color=KIND_COLORS["small"], ha="right", va="bottom")
    axis.text(0.031, 8600, f"infrequent: below {infrequent:.0%}", color=KIND_COLORS["infrequent"], va="top")
    axis.set(xlabel="images that show the class, with 95% interval", ylabel="pixels of its median object at 288x192")
    few, tiny, both = ([*kinds.index[kinds["kind"] == of]] for of in ("infrequent", "small", "small and infrequent"))
    title = f"{(listed(tiny) or 'no class').capitalize()} {'are' if len(tiny) > 1 else 'is'} rare because small"
    title += f", {len(few) or 'none'} because seldom worn" + f", {len(both)} for both reasons" * bool(both)
    title_above_legend(axis, title)
    told = f"below {small} pixels: {listed(tiny + both)}; on less than {infrequent:.0%} of them: {listed(few + both)}"
    return figure, f"Share of images that show a class and pixels of its median object, in {first}; {told}. {title}."


def threshold_dots(thresholds: pd.DataFrame) -> Drawn:
    """The probability above which a class wins over background, a dot a scheme of weights, from `threshold_table`."""
    clothing = thresholds.drop(index="background").sort_values("inverse", ascending=False)
    figure, axis = _class_rows(clothing.index, 4.8)
    style = {"textcoords": "offset points", "va": "center", "fontsize": 9.5, "path_effects": HALO}
    for scheme, color in SCHEME_COLORS.items():
        label, least = scheme.replace("sqrt", "square root").replace("_", " "), clothing[scheme].iloc[-1]
        axis.plot(clothing[scheme], range(len(clothing)), "o", color=color, label=label)
        axis.annotate(f"{least:.{1 + (least < 0.01)}%}", (least, len(clothing) - 1), (7, 0), **style)
    axis.axvline(0.5, color="#555555", lw=1, ls="--")
    axis.text(0.48, len(clothing) - 0.6, "no weights", ha="right", va="bottom", fontsize=9, color="#555555")
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.set(xlabel="probability above which the class wins over background (log scale)", xlim=(None, 1))
    wins = "Inverse weights let {} win from {:.2%} probability, their square root from {:.1%}"
    title = wins.format(clothing.index[-1], *clothing[["inverse", "inverse_sqrt"]].iloc[-1])
    title_above_legend(axis, title)
    return figure, f"Probability above which each class wins over background, for three schemes of weights. {title}."

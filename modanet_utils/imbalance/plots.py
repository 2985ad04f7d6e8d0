"""Figures of notebook 01."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    seen = shares.where(shares > 0)
    ranks = np.log10(seen).mean(axis=1).fillna(-9).sort_values(ascending=False)
    if len(ranks) < 3:
        return None
    figure, axis = _class_rows(ranks.index, 5.2)
    for style, offset, data_set in zip(DATA_STYLES, offsets(len(shares.columns), 0.27), shares, strict=False):
        axis.plot(seen.loc[ranks.index, data_set], np.arange(len(ranks)) + offset, label=data_set, ms=6.5, **style)
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.set(xlim=(None, 1), xlabel="share of all pixels (log scale)")
    commonest, rarest = ranks.drop("background").index[0], ranks[ranks > -9].index[-1]
    times = (seen.loc[commonest] / seen.loc[rarest]).max()
    title = f"The rarest garment, {rarest}, has as little as 1/{times:.0f} of the pixels of the commonest, {commonest}"
    title_above_legend(axis, title)
    ends = f"{seen.loc[rarest].min():.2%} for {rarest}, {shares.loc['background'].max():.0%} for background"
    return figure, f"Share of all pixels per class on a log scale, a dot a data set: {ends}. {title}."


def _class_rows(order: pd.Index, height: float) -> tuple[Figure, Axes]:
    """A row a class on stripes, a log scale below."""
    figure, axis = plt.subplots(figsize=(8.5, height), layout="constrained")
    for row in range(1, len(order), 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f4f4f2", lw=0, zorder=0)
    axis.set_xscale("log")
    rows(axis, order)
    return figure, axis


def rarity_map(tables: Mapping[str, pd.DataFrame], small: float, infrequent: float) -> Drawn:
    """Two kinds of rare: share of images against median object size, of the first data set's `class_table`.

    A line leads from each class to where another data set has it; areas mark what is `small`, or `infrequent`.
    """
    figure, axis = plt.subplots(figsize=(8.8, 5.2), layout="constrained")
    (first, table), *others = tables.items()
    kinds = two_kinds(table).dropna(subset=["scaled_median"])
    axis.axhspan(1, small, color=KIND_COLORS["small"], alpha=0.08, lw=0)
    axis.axvspan(0.001, infrequent, color=KIND_COLORS["infrequent"], alpha=0.08, lw=0)
    for name, row in kinds.iterrows():
        color, place = KIND_COLORS.get(row["kind"], "#777777"), (row["image_share"], row["scaled_median"])
        for _, other in others:
            end = other.loc[name, "image_share"], other.loc[name, "scaled_median"]
            axis.plot(*zip(place, end, strict=True), color=color, lw=0.8, alpha=0.6)
            axis.plot(*end, "o", color="white", mec=color, ms=5)
        axis.plot(*place, "o", color=color, ms=8)
        axis.annotate(name, place, (0, 8), textcoords="offset points", ha="center", color=color, path_effects=HALO)
    axis.set(xscale="log", yscale="log", xlim=(0.03, 1.3), ylim=(50, 20_000))
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
    axis.text(1.25, 53, f"small: below {small:,} pixels", color=KIND_COLORS["small"], ha="right", va="bottom")
    axis.text(0.031, 18_500, f"infrequent: below {infrequent:.0%}", color=KIND_COLORS["infrequent"], va="top")
    ends = "".join(f"; empty: {name}" for name, _ in others)
    axis.set(xlabel=f"images that show the class (full: {first}{ends})", ylabel="median object's pixels at 288x192")
    few, tiny = (listed(list(kinds.index[kinds["kind"] == name])) or "nothing" for name in ("infrequent", "small"))
    axis.set_title(title := f"Size makes {tiny} rare, few images {few}")
    return figure, f"Share of images that show a class against the pixels of its median object, in {first}. {title}."


def threshold_dots(thresholds: pd.DataFrame) -> Drawn:
    """The probability above which a class wins over background, a dot a scheme of weights, from `threshold_table`."""
    clothing = thresholds.drop(index="background").sort_values("inverse", ascending=False)
    figure, axis = _class_rows(clothing.index, 4.8)
    for scheme, color in SCHEME_COLORS.items():
        axis.plot(clothing[scheme], range(len(clothing)), "o", color=color, label=scheme.replace("_", " "))
    axis.axvline(0.5, color="#555555", lw=1, ls="--")
    axis.text(0.48, len(clothing) - 0.6, "no weights", ha="right", va="bottom", fontsize=9, color="#555555")
    axis.xaxis.set_major_formatter(percent_ticks)
    axis.set(xlabel="probability above which the class wins over background (log scale)", xlim=(None, 1))
    wins = "Inverse weights let {} win from a probability of {:.2%}, their square root from {:.1%}"
    title = wins.format(clothing.index[-1], *clothing[["inverse", "inverse_sqrt"]].iloc[-1])
    title_above_legend(axis, title)
    return figure, f"Probability above which each class wins over background, for three schemes of weights. {title}."

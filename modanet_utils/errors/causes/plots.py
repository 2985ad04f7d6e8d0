"""Figures of the experiments, each with its alternative text, beside drawn figures that were changed likewise."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from modanet_utils.errors.causes.examples import in_other_colours, two_people, worn_and_beside
from modanet_utils.errors.causes.pictures import Photo
from modanet_utils.errors.plots import WIDTH, finished, line, panel
from modanet_utils.errors.sources import Source
from modanet_utils.plots import Drawn, dots, rows

HATS = {"real": "hats really worn", "worn": "pasted on a head", "beside": "the same, beside"}
CAUSES = {"height": "height in\nthe picture", "area": "area of\nthe hair", "distance": "distance from\nhats in colour"}
DOSES = {"difference": ("other hair", "#d55e00"), "against_background": ("background", "#0072b2")}
OTHERS = {"silhouette": ("a silhouette", "#777777"), "rear": ("a person", "#0072b2")}


def _shown(place: SubFigure, pictures: Mapping[str, Photo]) -> None:
    """Drawn pictures in a row."""
    for axis, (name, picture) in zip(place.subplots(1, len(pictures)), pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set(xticks=[], yticks=[])
        axis.set_title(name, fontsize=8.5)
    place.supxlabel("drawn, to show the change", fontsize=8.5)


def _beside(pictures: Mapping[str, Photo], width: float, height: float) -> tuple[Figure, Axes]:
    """Drawn pictures at the left, ``width`` inches wide, and a panel at their right."""
    figure = plt.figure(figsize=(WIDTH, height), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(width, WIDTH - width))
    _shown(left, pictures)
    return figure, right.subplots()


def pasted_hats(one: Source) -> Drawn | None:
    """How much of a hat is found on a head and beside the person, from `pasting.hat_table`."""
    if not one.has("pasted_hats", "value", row="worn"):
        return None
    table = one.table("pasted_hats").rename(columns={"low": "value_low", "high": "value_high"})
    figure, axis = _beside(worn_and_beside(), 3.0, 2.3)
    dots(axis, table.loc[list(HATS)], "value", 0, "#333333", "", 100, ".0f")
    rows(axis, list(HATS.values()))
    panel(axis, xlim=(-3, 103), xlabel="percent of the hat's pixels that are found")
    real, worn, beside = table["value"][list(HATS)]
    word = ("hardly" if beside < 0.05 else "less") if table.loc["context", "value_low"] > 0 else "no less"
    title = f"A pasted hat is found on a head ({worn:.0%}), {word} beside it ({beside:.0%})"
    return finished(figure, one, title, f"Of hats really worn {real:.0%} is found")


def place_or_colour(one: Source) -> Drawn | None:
    """What hair called headwear goes with, from `recoloring.explain_leak`, and what recolouring does."""
    if not (one.has("leak_model", "slope") and one.has("recoloring", "difference")):
        return None
    slopes, table = one.table("leak_model").loc[list(CAUSES)], one.table("recoloring")
    figure = plt.figure(figsize=(WIDTH, 4.3), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(3.2, WIDTH - 3.2))
    top, bottom = right.subfigures(2, 1, height_ratios=(1.55, 2.2))
    _shown(top, in_other_colours())
    model, doses = left.subplots(), bottom.subplots()
    dots(model, slopes, "slope", 0, "#333333", "", 100, "+.0f")
    rows(model, list(CAUSES.values()))
    model.axvline(0, color="black", lw=1)
    panel(
        model, "Three things, each\nwith the others held", xlabel="hair called headwear, points\nper standard deviation"
    )
    points, last, told = 100 * slopes["slope"], table.iloc[-1], []
    for shift, (name, (label, color)) in zip((-0.35, 0.35), DOSES.items(), strict=True):
        line(doses, table.index + shift, table, name, (f"against\n{label}", color), 100, shift=(8, 6))
        unclear = " (not clear)" * bool(last[f"{name}_low"] <= 0 <= last[f"{name}_high"])
        told.append(f"{100 * last[name]:+.0f}{unclear} against {label}")
    doses.axhline(0, color="black", lw=1)
    doses.set_xticks(table.index)
    panel(doses, xlim=(-1, 1.35 * table.index[-1]), xlabel="distance moved, CIE Lab", ylabel="headwear, points")
    moved = f"Hair moved toward hats' colours:\n{', '.join(told)}"
    right.suptitle(moved, x=0.02, ha="left", fontsize=10.5)
    title = f"Height in the picture goes with {points['height']:+.0f} points, distance from hats in colour with "
    title += f"{points['distance']:+.0f}"
    return finished(figure, one, title, " ".join(moved.split()))


def crowd(one: Source) -> Drawn | None:
    """`pasting.crowd_table`: change of the mean IoU of a person behind somebody, and behind a plain silhouette."""
    if not one.has("crowd", "both"):
        return None
    table = one.table("crowd")
    figure, axis = _beside(two_people(), 3.4, 2.6)
    row, share = table.iloc[-1], table.index[-1]
    for shift, (name, style) in zip((-0.04, 0.04), OTHERS.items(), strict=True):
        line(axis, np.arange(len(table)) + shift, table, name, style)
    axis.axhline(0, color="black", lw=1)
    axis.set_xticks(range(len(table)), [f"{overlap:.0%}" for overlap in table.index])
    panel(axis, xlim=(-0.3, 1.45 * (len(table) - 1)), xlabel="share of the person covered", ylabel="change of mean IoU")
    costs = "costs" if row["rear_high"] < 0 else "does not clearly cost"
    clear = "not " * bool(row["person_low"] <= 0 <= row["person_high"])
    title = f"A person in front {costs} {-row['rear']:.2f}, a silhouette {-row['silhouette']:.2f}: "
    title += f"{clear}clearly different"
    both = f"change {row['both']:+.2f} for both people together, from {row['alone']:.2f} to {row['together']:.2f}"
    return finished(figure, one, title, f"Mean IoU where {share:.0%} is covered; {both}")

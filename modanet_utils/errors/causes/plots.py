"""Figures of the experiments, each with its alternative text, beside drawn figures that were changed likewise."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from modanet_utils.errors.causes.examples import in_other_colours, two_people, worn_and_beside
from modanet_utils.errors.causes.pictures import Photo
from modanet_utils.errors.plots import SMALL, WIDTH, finished, line, panel
from modanet_utils.errors.sources import Source
from modanet_utils.plots import Drawn, dots, legend_below, rows

HATS = {"real": "hats really worn", "worn": "pasted on a head", "beside": "the same, beside"}
CAUSES = {"height": "height in\nthe picture", "area": "area of\nthe hair", "distance": "distance from\nhats in colour"}
DOSES = {"difference": ("minus toward other hair", "#d55e00"), "against_background": ("minus background", "#0072b2")}
OTHERS = {"silhouette": ("a silhouette in front", "#999999"), "rear": ("a person in front", "#0072b2")}


def _beside(
    pictures: Mapping[str, Photo], columns: int, width: float, height: float, panels: int
) -> tuple[Figure, np.ndarray]:
    """Drawn pictures in columns at the left, ``width`` inches wide, and panels at their right."""
    figure = plt.figure(figsize=(WIDTH, height), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(width, WIDTH - width))
    axes = left.subplots(-(-len(pictures) // columns), columns).flat
    for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set(xticks=[], yticks=[])
        axis.set_title(name, fontsize=8)
    left.supxlabel("drawn, to show the change", fontsize=8)
    return figure, right.subplots(1, panels, squeeze=False)[0]


def pasted_hats(one: Source) -> Drawn | None:
    """How much of a hat is found on a head and beside the person, from `pasting.hat_table`."""
    if not one.has("pasted_hats", "value", row="worn"):
        return None
    table = one.table("pasted_hats").rename(columns={"low": "value_low", "high": "value_high"})
    figure, (axis,) = _beside(worn_and_beside(), 2, 3.0, 2.5, 1)
    dots(axis, table.loc[list(HATS)], "value", 0, "#333333", "", 100)
    for row, value in enumerate(100 * table["value"][list(HATS)]):
        axis.annotate(f"{value:.0f}", (value, row), (0, 10), ha="center", **SMALL)
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
    figure, (model, doses) = _beside(in_other_colours(), 2, 1.9, 3.1, 2)
    dots(model, slopes, "slope", 0, "#333333", "", 100)
    for row, value in enumerate(100 * slopes["slope"]):
        model.annotate(f"{value:+.0f}", (value, row), (0, 9), ha="center", **SMALL)
    rows(model, list(CAUSES.values()))
    model.axvline(0, color="black", lw=1)
    panel(model, "hair called headwear", xlabel="points per standard deviation")
    for shift, (name, (label, color)) in zip((-0.35, 0.35), DOSES.items(), strict=True):
        line(doses, table.index + shift, table, name, color, label, 100)
    doses.axhline(0, color="black", lw=1)
    doses.set_xticks(table.index)
    panel(doses, "hair recoloured toward hats", xlabel="distance moved, CIE Lab", ylabel="points")
    legend_below(figure, doses)
    points, last = 100 * slopes["slope"], table.iloc[-1]
    clear = "matters more" if last["against_background_low"] > 0 else "does not clearly matter more"
    title = f"Height in the picture goes with {points['height']:+.0f} points, distance in colour with "
    title += f"{points['distance']:+.0f};\nthe hair's own colour {clear} than the background's"
    ends = " and ".join(f"{100 * last[name]:+.1f} {label}" for name, (label, _) in DOSES.items())
    return finished(figure, one, title, f"Points at the farthest: {ends}")


def crowd(one: Source) -> Drawn | None:
    """`pasting.crowd_table`: change of the mean IoU of a person behind somebody, and behind a plain silhouette."""
    if not one.has("crowd", "both"):
        return None
    table = one.table("crowd")
    figure, (axis,) = _beside(two_people(), 3, 3.4, 2.9, 1)
    for shift, (name, (label, color)) in zip((-0.04, 0.04), OTHERS.items(), strict=True):
        line(axis, np.arange(len(table)) + shift, table, name, color, label)
    axis.axhline(0, color="black", lw=1)
    axis.set_xticks(range(len(table)), [f"{overlap:.0%}" for overlap in table.index])
    panel(axis, xlabel="share of the person covered", ylabel="change of mean IoU")
    legend_below(figure, axis)
    row, share = table.iloc[-1], table.index[-1]
    costs = "costs" if row["rear_high"] < 0 else "does not clearly cost"
    title = f"A person in front {costs} {-row['rear']:.2f} of IoU where {share:.0%} is covered"
    title += f", a silhouette {-row['silhouette']:.2f}"
    return finished(figure, one, title, f"Both people together have {row['together']:.2f}, alone {row['alone']:.2f}")

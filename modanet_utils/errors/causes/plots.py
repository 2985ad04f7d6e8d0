"""Figures of the experiments."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from modanet_utils.classes import COLORS
from modanet_utils.errors.causes.questions import ARMS
from modanet_utils.errors.plots import line, panel, titled
from modanet_utils.plots import colored, dots, gallery, legend_below, rows
from modanet_utils.trials import color_of

ARM_COLORS: dict[str, str] = {"hat": "#d55e00", "hair": COLORS["hair"], "background": "#0072b2"}


def leak_against_color(frame: pd.DataFrame, slopes: pd.DataFrame, title: str) -> Figure:
    """`recoloring.hair_colors`, a dot an image, and the slopes of `recoloring.explain_leak`."""
    figure, (seen, model) = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=(1.4, 1), layout="constrained")
    size = 15 + 2500 * frame["area"].to_numpy(float)
    seen.scatter(frame["distance"], 100 * frame["leak"], s=size, color=color_of("combined loss"), alpha=0.5)
    top = max(1, 100 * float(np.nan_to_num(frame["leak"].max())))
    panel(seen, f"{len(frame)} photos without headwear; larger dot: more hair", ylim=(-0.04 * top, 1.05 * top))
    seen.set(xlabel="distance of the hair's colour from hats' colours, in Lab", ylabel="hair called headwear, percent")
    dots(model, slopes, "slope", 0, "#333333", "", 100)
    rows(model, ["distance in colour", "area of the hair", "height in the picture"])
    model.axvline(0, color="black", lw=1)
    if slopes["slope"].isna().all():
        style = {"ha": "center", "va": "center", "fontsize": 9, "color": "#777777"}
        model.text(0.5, 0.5, "undefined: nothing to explain", transform=model.transAxes, **style)
    reach = 1.1 * max(1, np.nan_to_num(np.abs(100 * slopes[["slope_low", "slope_high"]].to_numpy(float))).max())
    panel(model, "Change of that share, the others held", xlim=(-reach, reach))
    model.set_xlabel("percentage points for one standard deviation")
    return titled(figure, title)


def dose_lines(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """`recoloring.dose_response`: hair called headwear, and its probability, by distance moved; a line an arm."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
    names = {"called": "hair called headwear", "probability": "mean probability of headwear on hair"}
    for axis, (name, table) in zip(axes, tables.items(), strict=True):
        for shift, (arm, label) in zip((-0.4, 0, 0.4), ARMS.items(), strict=True):
            line(axis, table.index + shift, table, arm, ARM_COLORS[arm], label, 100)
        top = 100 * np.nan_to_num(table[[*ARMS, *(f"{arm}_high" for arm in ARMS)]].max(axis=None))
        limits = (-0.03 * top, 1.08 * top) if top > 0.02 else (-0.03, 1)
        panel(axis, names[name], ylim=limits, xticks=table.index, ylabel="percent")
        axis.set_xlabel("distance that the mean colour was moved, in Lab")
    legend_below(figure, axes[0])
    return titled(figure, title)


def probe_dots(table: pd.DataFrame, title: str) -> Figure:
    """How well hair and headwear are told apart, a row a probe; 50% is guessing, from `probes.probe_table`."""
    probes = table.drop(index="gain")
    figure, axes = plt.subplots(1, 2, figsize=(10, 2.4), layout="constrained")
    names = {"auc": "ranking: area under the ROC curve", "balanced": "decision: balanced accuracy"}
    for axis, (name, text) in zip(axes, names.items(), strict=True):
        dots(axis, probes, name, 0, "#333333", "", 100)
        for y, value in enumerate(probes[name]):
            if np.isfinite(value):
                axis.text(100 * value, y - 0.13, f"{100 * value:.0f}", ha="center", va="bottom", fontsize=9)
        rows(axis, list(probes["text"]), axis is axes[0])
        axis.axvline(50, color="black", lw=1, ls="--")
        panel(axis, text, xlim=(0, 103), xlabel="percent; dashed: guessing")
    return titled(figure, title)


def crowd_lines(table: pd.DataFrame, title: str) -> Figure:
    """`crowd.crowd_table`: change of the mean IoU of two people together, and of the rear one with its control."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.7), sharey=True, layout="constrained")
    panels = {
        "With the other person, minus alone": {
            "rear": ("#0072b2", "rear person"),
            "front": ("#d55e00", "front person"),
        },
        "The rear person: what stands in front?": {
            "silhouette": ("#999999", "a silhouette, minus alone"),
            "person": ("#cc79a7", "a person, minus a silhouette"),
        },
    }
    ends = [f"{name}_{end}" for lines in panels.values() for name in lines for end in ("low", "high")]
    reach = max(0.01, np.nan_to_num(table[ends].abs().max(axis=None)))
    for axis, (text, lines) in zip(axes, panels.items(), strict=True):
        for shift, (name, (color, label)) in zip((-0.06, 0.06), lines.items(), strict=True):
            line(axis, np.arange(len(table)) + shift, table, name, color, label)
        axis.axhline(0, color="black", lw=1)
        axis.set_xticks(range(len(table)), [f"{100 * overlap:g}%" for overlap in table.index])
        panel(axis, text, upright=True, xlim=(-0.4, len(table) - 0.6), ylim=(-1.1 * reach, 1.1 * reach))
        axis.set_xlabel("share of the rear person that is covered")
        axis.legend(loc="upper left", fontsize=9)
    axes[0].set_ylabel("change of the mean IoU")
    return titled(figure, title)


def example_gallery(examples: Mapping[str, tuple[np.ndarray, np.ndarray]], photos: bool, title: str) -> Figure:
    """The pictures of `examples.examples`, photo and truth; without photos only those whose truth is changed."""
    if not photos:
        seen: dict[bytes, str] = {}
        examples = {n: one for n, one in examples.items() if seen.setdefault(one[1].tobytes(), n) == n}
    if not examples:
        figure, axis = plt.subplots(figsize=(4, 1))
        axis.set_axis_off()
        axis.text(0, 0.5, "no picture can be changed so", color="#777777")
        return figure
    truths = [truth for _, truth in examples.values()]
    pictures = {"photo": [photo for photo, _ in examples.values()]} if photos else {}
    pictures["truth"] = list(map(colored, truths))
    return gallery(list(pictures.values()), list(examples), list(pictures), truths, title)

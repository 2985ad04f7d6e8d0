"""Figures of notebook 06."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils.classes import CLASSES
from modanet_utils.plots import Drawn, ends_of, rows, titled
from modanet_utils.remedies.tables import frame
from modanet_utils.results.text import listed
from modanet_utils.trials import TRIALS, color_of, label_of

TUNED = {
    "gamma": {f"combined_body{f'_gamma{gamma}' * (gamma != 2)}": str(gamma) for gamma in range(4)},
    "class weights": {"combined_unweighted": "none", "combined": "inverse\nsquare root", "combined_inverse": "inverse"},
}
"""Settings of the loss of which several values were trained: each trial's name and value; notebook 03's value too."""
CLASS_AWARE = "combined_body", "combined_body_repeat", "combined_body_pasted"
BUDGET = {"mean_iou": "mean IoU of {} classes", "precision": "precision of clothing", "found": "classes found, of {}"}


def budget_lines(table: pd.DataFrame, epochs: Mapping[str, int], truth: NDArray) -> Drawn:
    """Three scores against the length of training, a line a trial, from `against_their_own` of the part "length".

    ``truth``: true pixels ``(photos, 16)``, which say how many classes there are.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8.8, 3.1), layout="constrained")
    classes = int(truth[:, 1 : len(CLASSES)].any(axis=0).sum())
    pairs = {name: TRIALS[name].against for name in table.index if TRIALS[name].part == "length"}
    for axis, (score, label) in zip(axes, BUDGET.items(), strict=True):
        for long, short in pairs.items():
            known = [name for name in (short, long) if name in table.index]
            color, style = color_of(label_of(short)), "--" if "unweighted" in short else "-"
            spots, values = [epochs[name] for name in known], table.loc[known, score]
            axis.plot(spots, values, "o" + style, color=color, label=label_of(short))
            if score == "mean_iou":
                _, low, high = ends_of(table.loc[known], score)
                axis.vlines(spots, low, high, color=color, alpha=0.4, lw=2.5)
        top = classes / 1.15 + 0.5 if score == "found" else table.get(f"{score}_high", table[score]).max()
        axis.set(xlabel="epochs", ylim=(0, 1.15 * float(top)))
        axis.set_title(label.format(classes), fontsize=11)
        axis.set_xticks(sorted({epochs[name] for name in table.index}))
    axes[-1].yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    mean, title = table["mean_iou"], "Three times the training moves the mean IoU"
    gains = {label_of(short): mean[long] - mean[short] for long, short in pairs.items() if short in mean}
    alt = f"{title}: {listed([f'{name} {gain:+.3f}' for name, gain in gains.items()])}"
    title += f" by {min(gains.values()):+.3f} to {max(gains.values()):+.3f}" if gains else ""
    return titled(figure, title), f"Mean IoU, precision and classes found against the epochs of training. {alt}."


def remedy_dots(table: pd.DataFrame) -> Drawn:
    """What each remedy brings against its reference, and how much hair it calls headwear, best first, two panels."""
    hair = {label_of(str(name)): 100 * share for name, share in table["hair_as_headwear"].items()}
    table = table[table["change"].notna()].sort_values("change", ascending=False)
    pairs = [(label_of(str(name)), str(against)) for name, against in table["against"].items()]
    labels = [f"{name}\n(against: {against})" for name, against in pairs]
    figure, axes = plt.subplots(1, 2, figsize=(8.8, 1.4 + 0.43 * len(table)), sharey=True, layout="constrained")
    gain, low, high = ends_of(table, "change", 100)
    for axis in axes:
        rows(axis, labels)
    axes[0].hlines(range(len(table)), low, high, color="#0072b2", lw=2.5, alpha=0.45)
    axes[0].plot(gain, range(len(table)), "o", color="#0072b2")
    axes[0].axvline(0, color="black", lw=1)
    for row, ends in enumerate([hair[name], hair[against]] for name, against in pairs):
        axes[1].plot(ends, [row, row], "D-", color="#8c7b6b", lw=1.2, markevery=[0])
        axes[1].plot(ends[1], row, "D", color="#8c7b6b", mfc="white")
        axes[1].annotate(f"{ends[0]:.1f}", (ends[0], row), (0, 7), textcoords="offset points", ha="center", fontsize=10)
    axes[1].set(xlabel="hair called headwear, percent\n(empty: before the change)")
    axes[1].set_xlim(0, 1.15 * axes[1].dataLim.x1)
    axes[0].set(xlabel="gain in mean IoU,\npercentage points")
    clear, fewer = int((table["change_low"] > 0).sum()), sum(hair[name] < hair[against] for name, against in pairs)
    title = f"Of {len(table)} changes {clear or 'none'} clearly raised mean IoU, {fewer} left less hair called headwear"
    most = f"most by {label_of(str(table.index[0]))}, {gain[0]:+.1f} points" if len(table) else "none is there"
    alt = f"Gain in mean IoU with interval, and hair called headwear, a row a change. {title}; {most}."
    return titled(figure, title), alt


def tuning(results: Mapping[str, Any]) -> Drawn | None:
    """Mean IoU with interval, and precision, against each of `TUNED`, from the recorded part "tuning"."""
    found = results.get("remedies", {}).get("tuning", {})
    panels = {title: [name for name in names if name in found] for title, names in TUNED.items()}
    panels = {title: names for title, names in panels.items() if len(names) > 1}
    if not panels:
        return None
    figure, axes = plt.subplots(1, len(panels), figsize=(8.8, 3.3), sharey=True, squeeze=False, layout="constrained")
    said = []
    for axis, (title, names) in zip(axes[0], panels.items(), strict=True):
        table, at = frame({name: found[name] for name in names}), range(len(names))
        mean, low, high = ends_of(table, "mean_iou")
        axis.plot(at, table["precision"], "s--", color="#56606b", label="precision of clothing")
        axis.vlines(at, low, high, color="#0072b2", alpha=0.45, lw=2.5)
        axis.plot(at, mean, "o-", color="#0072b2", label="mean IoU, 95% interval")
        axis.set(xlabel=title, ylim=(0, 1.1 * float(table["precision"].max())), xlim=(-0.3, len(names) - 0.7))
        axis.set_xticks(list(at), [TUNED[title][name] for name in names])
        said.append(f"{np.ptp(mean):.3f} with {title}")
    axes[0][0].legend(loc="lower left")
    title = f"The mean IoU moves by {listed(said)}"
    return titled(figure, title), f"Mean IoU and precision against settings of the loss. {title}."


def opening(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 06, with its alternative text: recorded remedies."""
    found = results.get("remedies", {}).get("remedies")
    return remedy_dots(frame(found)) if found else None

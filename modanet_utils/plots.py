"""Every figure of the report, each shown with alternative text.

A figure has one message and its title says it. A class has the same colour everywhere. Functions that draw
return a matplotlib figure; `show` puts it into the notebook.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from PIL import Image as Picture

from modanet_utils.classes import CLOTHING, COLORS, IGNORE, LABELS
from modanet_utils.errors import ERROR_KINDS, error_map, precision_ceiling

IGNORED_COLOR = "#bdbdbd"
PALETTE = np.full((256, 3), 255 * np.array(to_rgb(IGNORED_COLOR)), np.uint8)
PALETTE[: len(LABELS)] = [[round(255 * v) for v in to_rgb(COLORS[name])] for name in LABELS]
ERROR_PALETTE = np.array([[round(255 * v) for v in to_rgb(c)] for c in ERROR_KINDS.values()], np.uint8)

TRIAL_COLORS: dict[str, str] = {
    "cross-entropy": "#0072b2",
    "adjusted cross-entropy": "#009e73",
    "combined loss": "#d55e00",
}
"""One colour a trial (Okabe and Ito's colour-blind safe blue, green and vermilion)."""

sns.set_theme(style="whitegrid", context="notebook", rc={"axes.titlelocation": "left", "figure.dpi": 110})


def show(figure: Figure, alt: str, photo: bool = False) -> None:
    """Put a figure into the notebook's output, once, with alternative text for those who do not see it.

    Args:
        figure: It is closed afterwards.
        alt: What the figure shows, in a sentence.
        photo: It holds photographs: stored as JPEG, which is a tenth of the size.
    """
    kind = "jpeg" if photo else "png"
    buffer = BytesIO()
    options = {"pil_kwargs": {"quality": 80}} if photo else {}
    figure.savefig(buffer, format=kind, bbox_inches="tight", dpi=figure.dpi, **options)
    plt.close(figure)
    if not photo:  # 256 colours show a chart as well as millions do, in a third of the size
        few = Picture.open(buffer).convert("RGB").quantize(256, kmeans=1, dither=Picture.Dither.NONE)
        buffer = BytesIO()
        few.save(buffer, format=kind, optimize=True)
    display(Image(buffer.getvalue(), format=kind, alt=alt), metadata={f"image/{kind}": {"alt": alt}})


def colored(label_map: np.ndarray) -> np.ndarray:
    """A label map ``(H, W) uint8`` in the labels' colours, ``(H, W, 3) uint8``; 255 is grey."""
    return PALETTE[label_map]


def label_legend(
    figure: Figure, label_maps: Sequence[np.ndarray], columns: int = 8, fontsize: float | None = None
) -> None:
    """Below the figure, the names of the labels that the maps hold."""
    present = sorted(set().union(*(np.unique(label_map) for label_map in label_maps)))
    handles = [
        Patch(facecolor=PALETTE[v] / 255, edgecolor="#999999", label="ignored" if v == IGNORE else LABELS[v])
        for v in present
    ]
    options = {"ncols": columns, "frameon": False, "fontsize": fontsize}
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), **options)


def gallery(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    row_titles: Sequence[str],
    label_maps: Sequence[np.ndarray],
    title: str,
) -> Figure:
    """Pictures in a grid.

    Args:
        rows: Pictures ``(H, W, 3) uint8``, row by row.
        titles: One a column.
        row_titles: One a row (such as the image's number).
        label_maps: The label maps whose names the legend lists.
        title: The figure's message.
    """
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(2.1 * len(titles), 3.0 * len(rows) + 0.6), squeeze=False, layout="constrained"
    )
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            axes[r, c].imshow(picture, interpolation="nearest")
            axes[r, c].set_anchor("N")  # of different heights, pictures hang from one line
            axes[r, c].set(xticks=[], yticks=[])
            axes[r, c].grid(False)
            if r == 0:
                axes[r, c].set_title(titles[c], fontsize=10)
        axes[r, 0].set_ylabel(row_titles[r], fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    label_legend(figure, label_maps)
    return figure


# ------------------------------------------------------------------------------------------ trials


def learning_curves(curves: dict[str, pd.DataFrame], title: str) -> Figure:
    """Validation IoU of every clothing class against the epoch, one panel a class, one line a trial.

    Args:
        curves: Trial's label to `Run.curves()`.
    """
    columns = [*CLOTHING, "mean"]
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.8), sharex=True, sharey=True, layout="constrained")
    for axis, name in zip(axes.flat, columns, strict=True):
        ends = {label: frame[name].iloc[-1] for label, frame in curves.items()}
        for label, frame in curves.items():
            axis.plot(frame.index, frame[name], color=TRIAL_COLORS[label], lw=2, label=label)
            below = len(ends) > 1 and ends[label] < max(ends.values()) and ends[label] > 0.15
            axis.annotate(
                f"{ends[label]:.2f}", (frame.index[-1], ends[label]), color=TRIAL_COLORS[label],
                xytext=(0, -13 if below else 4), textcoords="offset points", fontsize=9, ha="right",
            )  # fmt: skip
        axis.set_title("mean of the 13" if name == "mean" else name, fontsize=11)
        axis.set(ylim=(-0.04, 1), yticks=[0, 0.5, 1])  # a line at 0 is not to hide behind the frame
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    figure.supxlabel("epoch", fontsize=11)
    figure.supylabel("IoU on the validation part", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    if len(curves) > 1:
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="upper right", ncols=2, frameon=False)
    return figure


def class_dots(tests: dict[str, dict], order: Sequence[str], title: str) -> Figure:
    """IoU of every clothing class with its 95% interval, one dot a trial.

    Args:
        tests: Trial's label to the "test" part of its results.
        order: Clothing classes, top to bottom.
    """
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    offsets = np.linspace(-0.22, 0.22, len(tests)) if len(tests) > 1 else [0]
    for offset, (label, test) in zip(offsets, tests.items(), strict=True):
        for row, name in enumerate(order):
            scores = {"iou": np.nan} | {k: v for k, v in test["classes"][name].items() if v is not None}  # undefined
            low, high = scores.get("iou_interval", (scores["iou"], scores["iou"]))
            axis.plot([low, high], [row + offset] * 2, color=TRIAL_COLORS[label], lw=2.5, alpha=0.45)
            axis.plot(scores["iou"], row + offset, "o", color=TRIAL_COLORS[label], label=label if row == 0 else None)
    images = next(iter(tests.values()))["classes"]
    axis.set_yticks(range(len(order)), [f"{name}  ({images[name]['images']})" for name in order])
    axis.invert_yaxis()
    axis.set(xlim=(-0.02, 1), xlabel="IoU on the test part, with 95% interval over images")
    axis.grid(axis="y", visible=False)
    if len(tests) > 1:
        _above(axis, title)
    else:
        axis.set_title(title)
    return figure


def differences(table: pd.DataFrame, order: Sequence[str], title: str) -> Figure:
    """Change of IoU, precision and recall per class with 95% intervals, three panels.

    Args:
        table: From `statistics.compare_trials`.
        order: Clothing classes, top to bottom.
    """
    figure, axes = plt.subplots(1, 3, figsize=(12, 5), sharey=True, layout="constrained")
    for axis, score in zip(axes, ("iou", "precision", "recall"), strict=True):
        for row, name in enumerate(order):
            value, low, high = (table.loc[name, f"{score}{end}"] for end in ("", "_low", "_high"))
            if np.isnan(value):
                axis.text(0.05, row, "undefined before", va="center", fontsize=8, color="#777777")
                continue
            clear = low > 0 or high < 0
            color = "#555555" if not clear else "#009e73" if value > 0 else "#cc3311"
            axis.plot([low, high], [row, row], color=color, lw=2.5, alpha=0.45)
            axis.plot(value, row, "o", color=color, mfc=color if clear else "white")
        axis.axvline(0, color="black", lw=1)
        axis.set(xlabel=f"change in {'IoU' if score == 'iou' else score}", xlim=(-1, 1))
        axis.grid(axis="y", visible=False)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def trade_offs(
    curve: Mapping[str, np.ndarray], chosen: int, taus: Sequence[float], points: Mapping[str, dict], title: str
) -> Figure:
    """Precision against recall of every clothing class under logit adjustment, with other trials as points.

    Args:
        curve: "precision" and "recall", each ``(taus, 14)``, as `Adjusted.curve` gives them.
        chosen: Position of the tau that validation chose.
        taus: The values of tau.
        points: Trial's label to the "test" part of its results.
    """
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.8), sharex=True, sharey=True, layout="constrained")
    colors = TRIAL_COLORS
    for axis, (label, name) in zip(axes.flat, enumerate(CLOTHING, 1), strict=False):
        recall, precision = curve["recall"][:, label], curve["precision"][:, label]
        axis.plot(recall, precision, "-", color="#999999", lw=2)
        axis.plot(recall[chosen], precision[chosen], "s", color=colors["adjusted cross-entropy"], ms=7)
        for trial, test in points.items():
            scores = test["classes"][name]
            if not scores["support"]:
                axis.text(0.5, 0.5, "not in the\ntest part", ha="center", va="center", fontsize=9, color="#777777")
            elif scores["precision"] is None:  # never predicted
                axis.plot(0, 0, "x", color=colors[trial], ms=8, mew=2, clip_on=False, zorder=5)
            else:
                axis.plot(scores["recall"], scores["precision"], "o", color=colors[trial], ms=7)
        axis.set_title(name, fontsize=11)
        axis.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.flat[-1].axis("off")
    marks = {f"tau from {taus[0]:g} to {taus[-1]:g}": ("#999999", "-", "")}
    marks["adjusted cross-entropy"] = (colors["adjusted cross-entropy"], "", "s")
    marks |= {trial: (colors[trial], "", "o") for trial in points} | {"never predicted": ("#555555", "", "x")}
    handles = [
        plt.Line2D([], [], color=color, ls=line, marker=marker, ms=7, mew=2 if marker == "x" else 1, label=label)
        for label, (color, line, marker) in marks.items()
    ]
    axes.flat[-1].legend(handles=handles, loc="center", frameon=False, fontsize=9)
    figure.supxlabel("recall on the test part", fontsize=11)
    figure.supylabel("precision on the test part", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def trial_dots(table: pd.DataFrame, labels: Sequence[str], reference: str, title: str) -> Figure:
    """Mean IoU of trials with intervals, and their paired difference from one of them, two panels.

    Args:
        table: From `trials.compared`.
        labels: What the figure calls each row.
        reference: What it calls the trial the others are compared with.
    """
    height = 1.2 + 0.4 * len(table)
    figure, axes = plt.subplots(1, 2, figsize=(11, height), sharey=True, layout="constrained")
    for axis, column in zip(axes, ("mean_iou", "change"), strict=True):
        for row, (value, low, high) in enumerate(table[[column, f"{column}_low", f"{column}_high"]].to_numpy()):
            color = "#d55e00" if labels[row] == reference else "#0072b2"
            axis.plot([low, high], [row, row], color=color, lw=2.5, alpha=0.45)
            axis.plot(value, row, "o", color=color)
    axes[0].set_yticks(range(len(table)), labels)
    axes[0].set(xlim=(0, None), xlabel="mean IoU of the 13 classes, test part")
    axes[1].axvline(0, color="black", lw=1)
    axes[1].set(xlabel=f"difference from the {reference}, same photos")
    for axis in axes:
        axis.set_ylim(len(table) - 0.4, -0.6)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axis.grid(axis="y", visible=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def loss_terms(history: pd.DataFrame, terms: Sequence[str], title: str) -> Figure:
    """Value of each loss term, and its share of their sum, against the epoch.

    Args:
        history: One row an epoch with a column a term and "epoch".
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    colors = dict(zip(terms, ("#009e73", "#0072b2", "#cc79a7"), strict=False))
    total = history[list(terms)].sum(axis=1)
    for axis, values in ((axes[0], history[list(terms)]), (axes[1], history[list(terms)].div(total, axis=0))):
        ends = values.iloc[-1].sort_values()
        gap = 0.06 * values.to_numpy().max()  # names are not to touch
        heights = np.maximum.accumulate(ends.to_numpy() - gap * np.arange(len(ends))) + gap * np.arange(len(ends))
        for name, height in zip(ends.index, heights, strict=True):
            axis.plot(history["epoch"], values[name], color=colors[name], lw=2)
            axis.annotate(f" {name}", (history["epoch"].iloc[-1], height), color=colors[name], va="center")
        axis.set(xlabel="epoch", xlim=(1, history["epoch"].max() * 1.18))
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes[0].set_ylabel("mean value in training")
    axes[1].set_ylabel("share of the sum")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


# ------------------------------------------------------------------------------------------ errors

PAIR: dict[str, str] = {"before": "cross-entropy", "after": "combined loss"}
"""The two trials whose errors are compared, by their columns in `errors.answers`."""


def flow_maps(panels: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """The whole confusion in percent, one panel a trial; the cells that are right have a frame.

    Args:
        panels: Trial's label to shares, 16 true labels by 14 classes, from `errors.flow_shares`; cells that
            are NaN are grey.
    """
    size = (8.6, 5.6 * len(panels) + 0.4)
    figure, axes = plt.subplots(len(panels), 1, figsize=size, squeeze=False, layout="constrained")
    for axis, (label, shares) in zip(axes[:, 0], panels.items(), strict=True):
        values = shares.to_numpy()
        axis.imshow(values, cmap="Blues", norm=PowerNorm(0.4, 0, 1), aspect="auto")
        axis.set_facecolor("#d9d9d9")
        for (row, column), value in np.ndenumerate(values):
            if value >= 0.001:  # smaller than what one digit shows
                text = f"{100 * value:.0f}" if value >= 0.0995 else f"{100 * value:.1f}"
                ink = "white" if value > 0.4 else "black"
                axis.text(column, row, text, ha="center", va="center", fontsize=8.5, color=ink)
            if column == (row if row < values.shape[1] else 0):
                frame = {"fill": False, "ec": "#d55e00", "lw": 1.4, "clip_on": False}
                axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **frame))
        axis.axhline(values.shape[1] - 0.5, color="black", lw=1.5)
        axis.set_xticks(range(values.shape[1]), shares.columns, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(values.shape[0]), shares.index)
        axis.tick_params(labelsize=10)
        axis.set_title(label, color=TRIAL_COLORS.get(label, "black"))
        axis.set(xlabel="predicted as", ylabel="in truth")
        axis.grid(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def answer_dots(table: pd.DataFrame, thresholds: Mapping[str, float], title: str) -> Figure:
    """Every question a panel with its own axis, a dot and a 95% interval a trial.

    Args:
        table: From `errors.answers`, with or without `errors.skin_deeper`.
        thresholds: Question to the threshold of a claim about it, drawn as a dashed line.
    """
    rows = -(-len(table) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(9.6, 1.5 * rows + 0.5), squeeze=False, layout="constrained")
    for axis in axes.flat[len(table) :]:
        axis.set_axis_off()
    for axis, (name, row) in zip(axes.flat, table.iterrows(), strict=False):
        ends = [1.0, 100 * thresholds.get(name, 0), 100 * np.nan_to_num(row["limit"])]
        for y, (column, label) in enumerate(PAIR.items()):
            value, low, high = (100 * row[column + end] for end in ("", "_low", "_high"))
            if not np.isfinite(value):
                axis.text(0, y, " undefined", va="center", fontsize=9, color="#777777")
                continue
            low, high = np.nan_to_num([low, high], nan=value)
            color = TRIAL_COLORS[label]
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
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def origin_bars(table: pd.DataFrame, title: str) -> Figure:
    """What false positives are in truth: a bar of shares for every column of `errors.origins`.

    Labels below 3% in every bar are drawn together, as "other".
    """
    large = table[(table >= 0.03).any(axis=1)].index
    shares = table.loc[large].T
    shares["other"] = table.drop(index=large).sum(min_count=1)
    figure, axis = plt.subplots(figsize=(11, 0.62 * len(shares) + 1.5), layout="constrained")
    left = np.zeros(len(shares))
    for name in shares:
        color = COLORS.get(name, "#cccccc")
        widths = 100 * shares[name].fillna(0).to_numpy()
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
    """Highest possible precision of headwear against the leak of hair, at each trial's recall.

    Args:
        table: From `errors.arithmetic`; trials without a recall above 0 have no curve.
    """
    figure, axis = plt.subplots(figsize=(8, 4.2), layout="constrained")
    right = max(0.04, 1.5 * np.nan_to_num(table["leak"].max()))
    leaks = np.linspace(0, right, 200)
    for name, row in table.iterrows():
        if not (row["recall"] > 0 and np.isfinite(row["ceiling"])):
            continue
        color = TRIAL_COLORS[name]
        curve = precision_ceiling(leaks, row["recall"], row["times"])
        axis.plot(100 * leaks, curve, color=color, lw=2, label=f"{name}: ceiling at its recall, {row['recall']:.2f}")
        axis.plot([100 * row["leak"]] * 2, [row["precision"], row["ceiling"]], color=color, lw=1, ls=":")
        axis.plot(100 * row["leak"], row["ceiling"], "o", color=color, label=f"{name}: ceiling at its leak as well")
        axis.plot(100 * row["leak"], row["precision"], "X", color=color, ms=8, label=f"{name}: its precision")
    axis.set(xlim=(0, 100 * right), ylim=(0, 1.02))
    axis.set(xlabel="hair called headwear, percent of all hair", ylabel="precision of headwear")
    if axis.lines:
        axis.legend(loc="best", fontsize=9)
    else:
        axis.text(50 * right, 0.5, "no trial finds headwear", ha="center", color="#777777")
    axis.set_title(title)
    return figure


def skin_panels(takers: Mapping[str, pd.DataFrame], depths: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Which classes skin is called, and how far from true clothing that happens.

    Args:
        takers: Trial's label to `errors.receivers`.
        depths: Trial's label to `errors.depth_table`.
    """
    figure = plt.figure(figsize=(10, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    axes = [figure.add_subplot(part) for part in (grid[:, 0], grid[0, 1], grid[1, 1])]
    order = next(reversed(takers.values())).sort_values("share", ascending=False).index
    for offset, (label, table) in zip((-0.17, 0.17), takers.items(), strict=True):
        values, y = 100 * table.loc[order], np.arange(len(order)) + offset
        axes[0].hlines(y, values["low"], values["high"], color=TRIAL_COLORS[label], lw=2.5, alpha=0.45)
        axes[0].plot(values["share"], y, "o", ms=5, color=TRIAL_COLORS[label], label=label)
    axes[0].set_yticks(range(len(order)), order, fontsize=10)
    axes[0].set_ylim(len(order) - 0.5, -0.5)
    axes[0].set(xlabel="percent of all skin")
    axes[0].set_xlim(left=0, right=None if np.nanmax(axes[0].dataLim.x1, initial=0) > 0.01 else 1)
    axes[0].set_title("What it is called", fontsize=11)
    axes[0].legend(loc="lower right", fontsize=9)
    axes[0].grid(axis="y", visible=False)
    first = next(iter(depths.values()))
    x, bars = np.arange(len(first)), {"all skin": (COLORS["skin"], first["skin"])}
    for shift, (label, table) in zip((-0.1, 0.1), depths.items(), strict=True):
        bars[label] = TRIAL_COLORS[label], table["called"]
        low, high = 100 * table["rate_low"], 100 * table["rate_high"]
        axes[2].vlines(x + shift, low, high, color=TRIAL_COLORS[label], lw=3, alpha=0.45)
        axes[2].plot(x + shift, 100 * table["rate"], "o-", ms=5, color=TRIAL_COLORS[label], lw=1)
    for at, (label, (color, share)) in enumerate(bars.items()):
        axes[1].bar(x + 0.27 * (at - 1), 100 * share, 0.27, color=color, label=label)
    axes[1].set_title("Where skin lies: all of it, and what is called clothing", fontsize=11)
    axes[2].set_title("What share of the skin there is called clothing", fontsize=11)
    axes[2].set_xlabel("pixels from the nearest true clothing")
    for axis in axes[1:]:
        axis.set_xticks(x, [name.replace(" to ", "–").replace("over ", ">") for name in first.index], fontsize=9)
        axis.set(
            ylabel="percent",
            xlim=(-0.6, len(x) - 0.4),
            ylim=(0, 1.25 * axis.dataLim.y1 if axis.dataLim.y1 > 0.01 else 1),
        )
        axis.axvline(0.5, color="black", lw=1, ls="--")
        axis.grid(axis="x", visible=False)
    axes[1].legend(loc="upper center", ncols=3, fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def case_gallery(
    cases: Mapping[str, Sequence[int]],
    pictures: Mapping[int, tuple[np.ndarray | None, np.ndarray, np.ndarray]],
    scores: Mapping[int, float],
    title: str,
) -> Figure:
    """Chosen images side by side: photo (where there is one), truth, prediction, and what is wrong.

    Args:
        cases: Name of a choice to image ids, which may be none; the choices stand side by side, an image a row.
        pictures: Id to photo ``(H, W, 3)`` or None, truth and prediction ``(H, W) uint8``.
        scores: Id to the image's mean IoU, for the titles.
    """
    used = [pictures[i] for ids in cases.values() for i in ids]
    parts = ["photo"] * any(photo is not None for photo, *_ in used) + ["truth", "prediction", "errors"]
    columns, rows = len(parts) * len(cases), max(1, *(len(ids) for ids in cases.values()))
    size = (1.45 * columns, 2.15 * rows + 0.9 if used else 1.2)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
        axis.set_frame_on(False)
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
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    if used:
        label_legend(figure, [part for _, *maps in used for part in maps], columns=7, fontsize=9)
        kinds = [Patch(fc=color, ec="#999999", label=kind) for kind, color in ERROR_KINDS.items() if kind != "ignored"]
        options = {"loc": "upper center", "ncols": 3, "frameon": False, "fontsize": 9, "title_fontsize": 9}
        figure.legend(handles=kinds, bbox_to_anchor=(0.5, -0.55 / size[1]), title="in the maps of errors", **options)
    return figure


# ------------------------------------------------------------------------------ what a data set holds

DATA_COLORS: tuple[str, ...] = ("#222222", "#e69f00", "#009e73", "#cc79a7")
DATA_MARKERS = "osD^"
"""One colour and marker a data set, in the order in which they are shown side by side."""

SCHEME_COLORS: dict[str, str] = {
    "none": "#999999",
    "inverse_sqrt": "#0072b2",
    "median_frequency": "#e69f00",
    "effective_number": "#009e73",
    "inverse": "#d55e00",
}


def _percent(share: float, _: object = None) -> str:
    """0.1 as 10%, 0.0005 as 0.05%, without superfluous digits."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def _above(axis: Axes, title: str) -> None:
    """The title at the left edge, and the legend in one line between it and the axes."""
    handles, labels = axis.get_legend_handles_labels()
    options = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.99), "frameon": False, "fontsize": 10}
    axis.legend(handles, labels, ncols=len(labels), handletextpad=0.3, **options)
    axis.set_title(title, pad=30)


def _halo() -> list[withStroke]:
    """Keeps text readable where a line runs behind it."""
    return [withStroke(linewidth=2.5, foreground="white")]


def share_dots(shares: pd.DataFrame, title: str) -> Figure:
    """Share of all pixels on a log scale, a row a class, a dot a data set; the rarest on average is lowest.

    Args:
        shares: Classes x data sets; a share of 0 has no dot.
    """
    logs = np.log10(shares.where(shares > 0))
    order = logs.mean(axis=1).fillna(-9).sort_values(ascending=False).index
    figure, axis = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
    for row in range(1, len(order), 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f4f4f2", lw=0, zorder=0)
    for number, (offset, data_set) in enumerate(zip(_offsets(len(shares.columns), 0.27), shares, strict=True)):
        seen = shares.loc[order, data_set]
        style = {"marker": DATA_MARKERS[number], "color": DATA_COLORS[number], "ms": 6.5, "mec": "white"}
        axis.plot(seen.where(seen > 0), np.arange(len(order)) + offset, ls="", label=data_set, **style)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(_percent)
    axis.set_xlim(right=1)
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("share of all pixels (log scale)")
    _above(axis, title)
    return figure


def _offsets(number: int, reach: float) -> np.ndarray:
    """Where to draw the marks of several data sets around a row's middle."""
    return np.linspace(-reach, reach, number) if number > 1 else np.zeros(number)


def size_ranges(tables: Mapping[str, pd.DataFrame], small: float, title: str) -> Figure:
    """Object sizes per class on a log scale: the median as a dot, a bar from the 10% to the 90% quantile.

    Args:
        tables: Data set to a table with ``scaled_median``, ``scaled_q10`` and ``scaled_q90``, a row a class.
        small: Pixels below which a class counts as small; a line marks them.
    """
    medians = pd.DataFrame({name: table["scaled_median"] for name, table in tables.items()}).loc[list(CLOTHING)]
    order = np.log(medians).mean(axis=1).sort_values(ascending=False).index
    figure, axis = plt.subplots(figsize=(8.5, 6.4), layout="constrained")
    for row in range(1, len(order), 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f4f4f2", lw=0, zorder=0)
    offsets = _offsets(len(tables), 0.25)
    for number, (offset, (data_set, table)) in enumerate(zip(offsets, tables.items(), strict=True)):
        rows, seen, color = np.arange(len(order)) + offset, table.loc[order], DATA_COLORS[number]
        axis.hlines(rows, seen["scaled_q10"], seen["scaled_q90"], color=color, lw=2.5, alpha=0.4)
        style = {"marker": DATA_MARKERS[number], "color": color, "ms": 6, "mec": "white", "mew": 0.6}
        axis.plot(seen["scaled_median"], rows, ls="", label=data_set, **style)
    axis.axvline(small, color="#555555", lw=1, ls="--")
    style = {"fontsize": 9, "color": "#555555", "ha": "right", "va": "center", "path_effects": _halo()}
    axis.text(0.96 * small, -0.78, f"small: below {small:,} pixels", **style)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.4, -1.1)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("pixels of an object, in a picture of 288x192 (log scale)")
    _above(axis, title)
    return figure


def rarity_maps(tables: Mapping[str, pd.DataFrame], small: float, infrequent: float, title: str) -> Figure:
    """Two kinds of rare: share of images against median object size, one panel a data set, classes named.

    Args:
        tables: Data set to a table with ``image_share`` and ``scaled_median``, a row a class.
        small, infrequent: Pixels and share of images below which the two kinds begin; areas mark them.
    """
    figure, axes = _panels(len(tables), (4.7, 4.4), sharex=True, sharey=True)
    points = {name: table.loc[list(CLOTHING)].dropna(subset=["scaled_median"]) for name, table in tables.items()}
    for axis, (data_set, seen) in zip(axes, points.items(), strict=True):
        axis.axhspan(1, small, color="#0072b2", alpha=0.10, lw=0)
        axis.axvspan(0.001, infrequent, color="#d55e00", alpha=0.10, lw=0)
        axis.set(xscale="log", yscale="log", xlim=(0.03, 1.3), ylim=(50, 20_000))
        style = {"c": [COLORS[name] for name in seen.index], "ec": "#444444", "lw": 0.6}
        axis.scatter(seen["image_share"], seen["scaled_median"], s=45, zorder=3, **style)
        axis.xaxis.set_major_formatter(_percent)
        axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
        axis.set_title(data_set, fontsize=11)
        axis.text(1.2, 53, "small", color="#0072b2", ha="right", va="bottom", fontsize=10)
        axis.text(0.032, 18_500, "infrequent", color="#b34700", va="top", fontsize=10)
    figure.supxlabel("images that show the class (log scale)", fontsize=11)
    figure.supylabel("pixels of the median object, at 288x192 (log scale)", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.canvas.draw()  # the names need the final layout
    for axis, seen in zip(axes, points.values(), strict=True):
        _name_points(axis, seen["image_share"].to_numpy(), seen["scaled_median"].to_numpy(), list(seen.index))
    return figure


def _panels(number: int, size: tuple[float, float], **options: bool) -> tuple[Figure, list[Axes]]:
    """At most two panels side by side, so that they stay readable on a page."""
    columns, rows = min(2, number), -(-number // 2)
    figsize = (columns * size[0], rows * size[1] + 0.4)
    figure, axes = plt.subplots(rows, columns, figsize=figsize, squeeze=False, layout="constrained", **options)
    for axis in axes.flat[number:]:
        axis.set_visible(False)
    for axis in axes[-2:-1, 1:].flat if number % 2 else ():  # the panel below it is empty
        axis.tick_params(labelbottom=True)
    return figure, list(axes.flat[:number])


def _name_points(axis: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> None:
    """Write each point's name beside it, on the side where it covers least of points and other names."""
    points = axis.transData.transform(np.column_stack([x, y]))
    taken = [Bbox.from_bounds(px - 5, py - 5, 10, 10) for px, py in points]
    sides = {(7, 0): ("left", "center"), (-7, 0): ("right", "center"), (0, 7): ("center", "bottom"),
             (0, -7): ("center", "top"), (5, 5): ("left", "bottom"), (5, -5): ("left", "top"),
             (-5, 5): ("right", "bottom"), (-5, -5): ("right", "top")}  # fmt: skip
    for place, name in zip(zip(x, y, strict=True), names, strict=True):
        choices = []
        for side, (ha, va) in sides.items():
            style = {"ha": ha, "va": va, "fontsize": 9, "path_effects": _halo()}
            text = axis.annotate(name, place, side, textcoords="offset points", **style)
            box = text.get_window_extent().padded(2)
            outside = box.width * box.height - _overlap(box, axis.bbox)
            covered = sum(_overlap(box, other) for other in taken) + 10 * outside
            choices.append((covered, len(choices), text, box))
        best = min(choices, key=lambda choice: choice[:2])
        taken.append(best[3])
        for choice in choices:
            if choice is not best:
                choice[2].remove()


def _overlap(first: Bbox, second: Bbox) -> float:
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return max(0.0, width) * max(0.0, height)


def co_occurrence_maps(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Of the images that show the row's class, the percentage that shows the column's; one panel a data set.

    Args:
        tables: Data set to counts of images, classes x classes, the images of one class on the diagonal.
    """
    figure, axes = _panels(len(tables), (5.0, 4.8))
    for axis, (data_set, counts) in zip(axes, tables.items(), strict=True):
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
        axis.set_title(data_set, fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def weight_lines(weights: pd.DataFrame, thresholds: pd.DataFrame, title: str) -> Figure:
    """Weight per class and scheme, and the probability above which the class wins over background.

    Args:
        weights, thresholds: Classes x schemes, background first, in the same order of classes.
    """
    order = weights["inverse"].sort_values().index
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 5.4), sharey=True, layout="constrained")
    for scheme, color in SCHEME_COLORS.items():
        style = {"marker": "o", "ms": 5, "lw": 1.6, "color": color}
        axes[0].plot(weights.loc[order, scheme], range(len(order)), label=scheme.replace("_", " "), **style)
        # Background is not weighed against itself.
        clothing = thresholds[scheme].reindex(order).where(order != "background")
        axes[1].plot(clothing, range(len(order)), **style)
    for axis, text in zip(axes, ("weight (mean 1)", "probability above which the class wins"), strict=True):
        axis.set_xscale("log")
        axis.set_xlabel(f"{text}, log scale")
        axis.grid(axis="y", visible=False)
    axes[0].xaxis.set_major_formatter(lambda weight, _: f"{weight:g}")
    axes[1].xaxis.set_major_formatter(_percent)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].invert_yaxis()
    axes[0].set_title("What the loss multiplies", fontsize=11)
    axes[1].set_title("What that implies against background", fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=10)
    return figure


def highlighted(label_map: np.ndarray, label: int) -> np.ndarray:
    """As `colored`, but all labels except one are lightened: shows how much, or how little, the one is."""
    picture = colored(label_map)
    pale = (255 - (255 - picture.astype(np.float32)) * 0.3).astype(np.uint8)
    return np.where((label_map == label)[..., None], picture, pale)

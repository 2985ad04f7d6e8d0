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
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from modanet_utils.classes import CLOTHING, COLORS, IGNORE, LABELS
from modanet_utils.errors import ERROR_KINDS, error_map, precision_ceiling

IGNORED_COLOR = "#bdbdbd"
PALETTE = np.full((256, 3), 255 * np.array(to_rgb(IGNORED_COLOR)), np.uint8)
PALETTE[: len(LABELS)] = [[round(255 * v) for v in to_rgb(COLORS[name])] for name in LABELS]
ERROR_PALETTE = np.array([[round(255 * v) for v in to_rgb(c)] for c in ERROR_KINDS.values()], np.uint8)

TRIAL_COLORS: dict[str, str] = {"cross-entropy": "#0072b2", "combined loss": "#d55e00"}
"""One colour a trial (Okabe and Ito's colour-blind safe blue and vermilion)."""

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
    display(Image(buffer.getvalue(), format=kind, alt=alt), metadata={f"image/{kind}": {"alt": alt}})


def colored(label_map: np.ndarray) -> np.ndarray:
    """A label map ``(H, W) uint8`` in the labels' colours, ``(H, W, 3) uint8``; 255 is grey."""
    return PALETTE[label_map]


def label_legend(figure: Figure, label_maps: Sequence[np.ndarray], columns: int = 8) -> None:
    """Below the figure, the names of the labels that the maps hold."""
    present = sorted(set().union(*(np.unique(label_map) for label_map in label_maps)))
    handles = [
        Patch(facecolor=PALETTE[v] / 255, edgecolor="#999999", label="ignored" if v == IGNORE else LABELS[v])
        for v in present
    ]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns, frameon=False)


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
        for label, frame in curves.items():
            axis.plot(frame.index, frame[name], color=TRIAL_COLORS[label], lw=2, label=label)
            axis.annotate(
                f"{frame[name].iloc[-1]:.2f}", (frame.index[-1], frame[name].iloc[-1]), color=TRIAL_COLORS[label],
                xytext=(0, 4), textcoords="offset points", fontsize=9, ha="right",
            )  # fmt: skip
        axis.set_title("mean of the 13" if name == "mean" else name, fontsize=11)
        axis.set(ylim=(0, 1), yticks=[0, 0.5, 1])
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
    offsets = np.linspace(-0.14, 0.14, len(tests)) if len(tests) > 1 else [0]
    for offset, (label, test) in zip(offsets, tests.items(), strict=True):
        for row, name in enumerate(order):
            scores = test["classes"][name]
            low, high = scores["iou_interval"] or (scores["iou"], scores["iou"])
            axis.plot([low, high], [row + offset] * 2, color=TRIAL_COLORS[label], lw=2.5, alpha=0.45)
            axis.plot(scores["iou"], row + offset, "o", color=TRIAL_COLORS[label], label=label if row == 0 else None)
    images = next(iter(tests.values()))["classes"]
    axis.set_yticks(range(len(order)), [f"{name}  ({images[name]['images']})" for name in order])
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel="IoU on the test part, with 95% interval over images")
    axis.set_title(title)
    axis.grid(axis="y", visible=False)
    if len(tests) > 1:
        axis.legend(loc="lower right", frameon=True)
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
                axis.text(0, row, "undefined before", ha="center", va="center", fontsize=8, color="#777777")
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


def loss_terms(history: pd.DataFrame, terms: Sequence[str], title: str) -> Figure:
    """Value of each loss term, and its share of their sum, against the epoch.

    Args:
        history: One row an epoch with a column a term and "epoch".
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    colors = dict(zip(terms, ("#009e73", "#0072b2", "#cc79a7"), strict=False))
    total = history[list(terms)].sum(axis=1)
    for axis, values in ((axes[0], history[list(terms)]), (axes[1], history[list(terms)].div(total, axis=0))):
        for name in terms:
            axis.plot(history["epoch"], values[name], color=colors[name], lw=2)
            axis.annotate(
                f" {name}", (history["epoch"].iloc[-1], values[name].iloc[-1]), color=colors[name], va="center"
            )
        axis.set(xlabel="epoch", xlim=(1, history["epoch"].max() * 1.18))
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes[0].set_ylabel("mean value in training")
    axes[1].set_ylabel("share of the sum")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


# ------------------------------------------------------------------------------------------ errors


def flow_maps(panels: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """The whole confusion in percent, one panel a trial; the cells that are right have a frame.

    Args:
        panels: Trial's label to shares, 16 true labels by 14 classes, from `errors.flow_shares`; cells that
            are NaN are grey.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.6 * len(panels), 7.4), squeeze=False, layout="constrained")
    for axis, (label, shares) in zip(axes[0], panels.items(), strict=True):
        values = shares.to_numpy()
        axis.imshow(values, cmap="Blues", norm=PowerNorm(0.4, 0, 1), aspect="auto")
        axis.set_facecolor("#d9d9d9")
        for (row, column), value in np.ndenumerate(values):
            if value >= 0.001:  # smaller than what one digit shows
                text = f"{100 * value:.0f}" if value >= 0.095 else f"{100 * value:.1f}"
                axis.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    color="white" if value > 0.4 else "black",
                )
            if column == (row if row < values.shape[1] else 0):
                axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, ec="#d55e00", lw=1.4))
        axis.axhline(values.shape[1] - 0.5, color="black", lw=1.5)
        axis.set_xticks(range(values.shape[1]), shares.columns, rotation=45, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(values.shape[0]), shares.index)
        axis.set_title(label, color=TRIAL_COLORS.get(label, "black"))
        axis.set(xlabel="predicted as")
        axis.grid(False)
    axes[0, 0].set_ylabel("in truth")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def answer_dots(table: pd.DataFrame, thresholds: Mapping[str, float], title: str) -> Figure:
    """Every question a panel with its own axis, a dot and a 95% interval a trial.

    Args:
        table: From `errors.answers`, with or without `errors.skin_deeper`.
        thresholds: Question to the threshold of a claim about it, drawn as a dashed line.
    """
    rows = -(-len(table) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(13, 1.55 * rows + 0.5), layout="constrained")
    for axis in axes.flat[len(table) :]:
        axis.set_axis_off()
    for axis, (name, row) in zip(axes.flat, table.iterrows(), strict=False):
        ends = [0.0, 100 * thresholds.get(name, 0)]
        for y, (column, label) in enumerate(zip(("before", "after"), TRIAL_COLORS, strict=True)):
            value, low, high = (100 * row[column + end] for end in ("", "_low", "_high"))
            if not np.isfinite(value):
                axis.text(0, y, " undefined", va="center", fontsize=9, color="#777777")
                continue
            low, high = np.nan_to_num([low, high], nan=value)
            axis.plot([low, high], [y, y], color=TRIAL_COLORS[label], lw=3, alpha=0.45, solid_capstyle="butt")
            axis.plot(value, y, "o", color=TRIAL_COLORS[label])
            axis.text(
                value,
                y - 0.2,
                f"{value:.1f}",
                ha="center",
                va="bottom",
                fontsize=9,
                color=TRIAL_COLORS[label],
            )
            ends.append(high)
        if np.isfinite(row["limit"]):
            axis.plot(100 * row["limit"], 1.7, "D", color="#777777", ms=4)
        if name in thresholds:
            axis.axvline(100 * thresholds[name], color="black", lw=1, ls="--")
        axis.set(xlim=(-0.03 * max(ends), min(103, 1.12 * max(*ends, 1))), ylim=(2.1, -0.8))
        axis.set_yticks([0, 1, 1.7], [*TRIAL_COLORS, "resolution alone"] if axis in axes[:, 0] else [], fontsize=9)
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
        axis.plot(100 * leaks, curve, color=color, lw=2)
        axis.text(101 * right, curve[-1], f"recall {row['recall']:.2f}", color=color, va="center", fontsize=10)
        axis.plot([100 * row["leak"]] * 2, [row["precision"], row["ceiling"]], color=color, lw=1, ls=":")
        axis.plot(100 * row["leak"], row["ceiling"], "o", color=color, label=f"{name}: the ceiling its leak sets")
        axis.plot(100 * row["leak"], row["precision"], "X", color=color, ms=8, label=f"{name}: its precision")
    axis.set(xlim=(0, 100 * right), ylim=(0, 1.02))
    axis.set(xlabel="hair called headwear, percent of all hair", ylabel="precision of headwear")
    if axis.lines:
        axis.legend(loc="best", fontsize=9)
    else:
        axis.text(50 * right, 0.5, "no trial finds headwear", ha="center", color="#777777")
    axis.set_title(title)
    return figure


def skin_panels(takers: Mapping[str, pd.DataFrame], depth: pd.DataFrame, title: str) -> Figure:
    """Which classes skin is called, and how far from true clothing that happens.

    Args:
        takers: Trial's label to `errors.receivers`.
        depth: From `errors.depth_table`, of the second trial.
    """
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), width_ratios=[1.2, 1, 1], layout="constrained")
    order = next(reversed(takers.values())).sort_values("share", ascending=False).index
    for offset, (label, table) in zip((-0.17, 0.17), takers.items(), strict=True):
        values = 100 * table.loc[order]
        y = np.arange(len(order)) + offset
        axes[0].hlines(y, values["low"], values["high"], color=TRIAL_COLORS[label], lw=2.5, alpha=0.45)
        axes[0].plot(values["share"], y, "o", ms=5, color=TRIAL_COLORS[label], label=label)
    axes[0].set_yticks(range(len(order)), order, fontsize=10)
    axes[0].invert_yaxis()
    axes[0].set(xlabel="percent of all skin")
    axes[0].set_xlim(left=0)
    axes[0].set_title("called what?", fontsize=11)
    axes[0].legend(loc="lower right", fontsize=9)
    axes[0].grid(axis="y", visible=False)
    x, last = np.arange(len(depth)), list(TRIAL_COLORS)[-1]
    axes[1].bar(x - 0.2, 100 * depth["skin"], 0.4, color=COLORS["skin"], label="all skin")
    axes[1].bar(x + 0.2, 100 * depth["called"], 0.4, color=TRIAL_COLORS[last], label="called clothing")
    axes[1].set(ylabel="percent")
    axes[1].set_title(f"where is it? ({last})", fontsize=11)
    axes[1].legend(fontsize=9)
    low, high = 100 * depth["rate_low"], 100 * depth["rate_high"]
    axes[2].vlines(x, low, high, color=TRIAL_COLORS[last], lw=3, alpha=0.45)
    axes[2].plot(x, 100 * depth["rate"], "o-", color=TRIAL_COLORS[last], lw=1)
    axes[2].set(ylabel="percent of the skin there")
    axes[2].set_title(f"how much of it there? ({last})", fontsize=11)
    for axis in axes[1:]:
        axis.set_xticks(x, [name.replace(" to ", "–").replace("over ", ">") for name in depth.index], fontsize=9)
        axis.set(xlabel="pixels from the nearest true clothing")
        axis.set_ylim(bottom=0)
        axis.axvline(0.5, color="black", lw=1, ls="--")
        axis.grid(axis="x", visible=False)
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
        cases: Name of a choice to image ids; the choices stand side by side, an image a row.
        pictures: Id to photo ``(H, W, 3)`` or None, truth and prediction ``(H, W) uint8``.
        scores: Id to the image's mean IoU, for the titles.
    """
    used = [pictures[i] for ids in cases.values() for i in ids]
    parts = ["photo"] * (used[0][0] is not None) + ["truth", "prediction", "errors"]
    columns, rows = len(parts) * len(cases), max(len(ids) for ids in cases.values())
    size = (1.45 * columns, 2.15 * rows + 0.9)
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
            for axis, part, picture in zip(axes[r, block * len(parts) :], parts, shown, strict=False):
                axis.imshow(picture, interpolation="antialiased")
                axis.set_title(part if r == 0 else "", fontsize=9, loc="center")
            axes[r, block * len(parts)].set_ylabel(f"image {image_id}, IoU {scores[image_id]:.2f}", fontsize=8)
        axes[0, block * len(parts)].set_title(f"{name}\n{parts[0]}", fontsize=9, loc="left")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    label_legend(figure, [part for _, *maps in used for part in maps])
    kinds = [Patch(fc=color, ec="#999999", label=kind) for kind, color in ERROR_KINDS.items() if kind != "ignored"]
    options = {"loc": "upper center", "ncols": len(kinds), "frameon": False, "fontsize": 9}
    figure.legend(handles=kinds, bbox_to_anchor=(0.5, -0.75 / size[1]), title="errors", **options)
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


def _above(figure: Figure, axis: Axes, title: str) -> None:
    """The title at the left edge, and the legend in one line between it and the axes."""
    handles, labels = axis.get_legend_handles_labels()
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), frameon=False, fontsize=10)


def share_dots(shares: pd.DataFrame, title: str) -> Figure:
    """Share of all pixels on a log scale, a row a class, a dot a data set; the rarest on average is lowest.

    Args:
        shares: Classes x data sets; a share of 0 has no dot.
    """
    logs = np.log10(shares.where(shares > 0))
    order = logs.mean(axis=1).fillna(-9).sort_values(ascending=False).index
    figure, axis = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
    for row, name in enumerate(order):
        present = shares.loc[name][shares.loc[name] > 0]
        if len(present):
            axis.plot([present.min(), present.max()], [row, row], color="#c8c8c8", lw=2, zorder=1)
    for number, data_set in enumerate(shares):
        seen = shares.loc[order, data_set]
        style = {"marker": DATA_MARKERS[number], "color": DATA_COLORS[number], "ms": 7, "mec": "white"}
        axis.plot(seen.where(seen > 0), range(len(order)), ls="", label=data_set, **style)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(_percent)
    axis.set_xlim(right=1)
    axis.set_yticks(range(len(order)), order)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("share of all pixels (log scale)")
    _above(figure, axis, title)
    return figure


def size_ranges(tables: Mapping[str, pd.DataFrame], small: float, title: str) -> Figure:
    """Object sizes per class on a log scale: the median as a dot, a bar from the 10% to the 90% quantile.

    Args:
        tables: Data set to a table with ``scaled_median``, ``scaled_q10`` and ``scaled_q90``, a row a class.
        small: Pixels below which a class counts as small; a line marks them.
    """
    medians = pd.DataFrame({name: table["scaled_median"] for name, table in tables.items()}).loc[list(CLOTHING)]
    order = np.log(medians).mean(axis=1).sort_values(ascending=False).index
    figure, axis = plt.subplots(figsize=(8.5, 6.4), layout="constrained")
    offsets = np.linspace(-0.25, 0.25, len(tables)) if len(tables) > 1 else [0.0]
    for number, (offset, (data_set, table)) in enumerate(zip(offsets, tables.items(), strict=True)):
        rows, seen, color = np.arange(len(order)) + offset, table.loc[order], DATA_COLORS[number]
        axis.hlines(rows, seen["scaled_q10"], seen["scaled_q90"], color=color, lw=2.5, alpha=0.4)
        style = {"marker": DATA_MARKERS[number], "color": color, "ms": 6, "mec": "white", "mew": 0.6}
        axis.plot(seen["scaled_median"], rows, ls="", label=data_set, **style)
    axis.axvline(small, color="#555555", lw=1, ls="--")
    style = {"fontsize": 9, "color": "#555555", "ha": "right", "va": "center"}
    axis.text(0.97 * small, -0.75, "small: below a 16x16 square", **style)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.4, -1.1)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("pixels of an object, in a picture of 288x192 (log scale)")
    _above(figure, axis, title)
    return figure


def rarity_maps(tables: Mapping[str, pd.DataFrame], small: float, infrequent: float, title: str) -> Figure:
    """Two kinds of rare: share of images against median object size, one panel a data set, classes named.

    Args:
        tables: Data set to a table with ``image_share`` and ``scaled_median``, a row a class.
        small, infrequent: Pixels and share of images below which the two kinds begin; areas mark them.
    """
    size = (4.6 * len(tables), 4.6)
    figure, axes = plt.subplots(1, len(tables), figsize=size, sharex=True, sharey=True, layout="constrained")
    for axis, (data_set, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        seen = table.loc[list(CLOTHING)].dropna(subset=["scaled_median"])
        axis.axhspan(1, small, color="#0072b2", alpha=0.10, lw=0)
        axis.axvspan(0.01, infrequent, color="#d55e00", alpha=0.10, lw=0)
        axis.set(xscale="log", yscale="log", xlim=(0.03, 1.3), ylim=(50, 12_000))
        style = {"c": [COLORS[name] for name in seen.index], "ec": "#444444", "lw": 0.6}
        axis.scatter(seen["image_share"], seen["scaled_median"], s=45, zorder=3, **style)
        axis.xaxis.set_major_formatter(_percent)
        axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:,.0f}")
        axis.set_title(data_set, fontsize=11)
        axis.set_xlabel("images that show the class")
        axis.text(1.2, 53, "small", color="#0072b2", ha="right", va="bottom", fontsize=10)
        axis.text(0.032, 11_000, "infrequent", color="#b34700", va="top", fontsize=10)
    np.atleast_1d(axes)[0].set_ylabel("pixels of the median object, at 288x192")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.canvas.draw()  # the labels need the final layout
    for axis, table in zip(np.atleast_1d(axes), tables.values(), strict=True):
        seen = table.loc[list(CLOTHING)].dropna(subset=["scaled_median"])
        _name_points(axis, seen["image_share"].to_numpy(), seen["scaled_median"].to_numpy(), list(seen.index))
    return figure


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
            text = axis.annotate(name, place, side, textcoords="offset points", ha=ha, va=va, fontsize=9)
            box = text.get_window_extent()
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
    size = (6.0 * len(tables) + 0.4, 5.6)
    figure, axes = plt.subplots(1, len(tables), figsize=size, layout="constrained")
    for axis, (data_set, counts) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        images = np.diag(counts)
        percent = 100 * counts.to_numpy(float) / np.maximum(1, images)[:, None]
        percent[np.eye(len(counts), dtype=bool) | (images == 0)[:, None]] = np.nan
        options = {"annot_kws": {"fontsize": 8}, "fmt": ".0f", "cbar": False, "cmap": "Blues", "square": True}
        sns.heatmap(percent, annot=True, vmin=0, vmax=100, linewidths=0.5, ax=axis, **options)
        rows = [f"{name} ({number:,})" for name, number in zip(counts.index, images, strict=True)]
        axis.set_yticks(np.arange(len(counts)) + 0.5, rows)
        axis.set_xticks(np.arange(len(counts)) + 0.5, counts.columns)
        axis.tick_params(axis="both", labelsize=9, length=0)
        axis.tick_params(axis="x", rotation=90)
        axis.tick_params(axis="y", rotation=0)
        axis.set_title(data_set, fontsize=11)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def weight_lines(weights: pd.DataFrame, thresholds: pd.DataFrame, title: str) -> Figure:
    """Weight per class and scheme, and the probability above which the class wins over background.

    Args:
        weights, thresholds: Classes x schemes, background first, in the same order of classes.
    """
    order = weights["inverse"].sort_values().index
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.2), sharey=True, layout="constrained")
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
    axes[1].axvline(0.5, color="#bbbbbb", lw=1, ls="--", zorder=0)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].invert_yaxis()
    axes[0].set_title("What the loss multiplies", fontsize=11)
    axes[1].set_title("What that implies against background", fontsize=11)
    _above(figure, axes[0], title)
    return figure


def highlighted(label_map: np.ndarray, label: int) -> np.ndarray:
    """As `colored`, but all labels except one are lightened: shows how much, or how little, the one is."""
    picture = colored(label_map)
    pale = (255 - (255 - picture.astype(np.float32)) * 0.3).astype(np.uint8)
    return np.where((label_map == label)[..., None], picture, pale)

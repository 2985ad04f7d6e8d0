"""How every figure of the report looks, and how it is shown, with alternative text.

A figure has one message and its title says it. A class has the same colour everywhere. Functions that draw
return a matplotlib figure; `show` puts it into the notebook.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from textwrap import wrap

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from PIL import Image as Picture

from modanet_utils.classes import CLASSES, COLORS, HAIR, IGNORE, LABELS
from modanet_utils.metrics import fold_labels
from modanet_utils.thresholds import ALARM_SHARE

PALETTE = np.full((256, 3), 255 * np.array(to_rgb("#bdbdbd")), np.uint8)
PALETTE[: len(LABELS)] = [[round(255 * v) for v in to_rgb(COLORS[name])] for name in LABELS]
HALO = [withStroke(linewidth=2.5, foreground="white")]  # keeps text readable where a line runs behind it
WRONG, ASIDE = "#b3001b", 0.22  # ink of mistakes; room beside a label map for words, as a share of its width
WORDS, PANEL = 7.5, 145  # size of these words, and width of a map with the room beside it, in points
Drawn = tuple[Figure, str]
"""A figure with its alternative text."""
Pictures = Sequence[np.ndarray]

sns.set_theme(style="whitegrid", context="notebook", rc={"axes.titlelocation": "left", "figure.dpi": 110})


def show(figure: Figure, alt: str, photo: bool = False) -> None:
    """Put a figure into the notebook's output, once, and close it; `alt` says in a sentence what it shows."""
    image, metadata = picture(figure, alt, photo)
    display(image, metadata=metadata)


def picture(figure: Figure, alt: str, photo: bool = False) -> tuple[Image, dict[str, dict[str, str]]]:
    """A figure as an image with its metadata, as notebooks keep them; the figure is closed.

    One that holds photographs is stored as JPEG, which is a tenth of the size.
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
    return Image(buffer.getvalue(), format=kind, alt=alt), {f"image/{kind}": {"alt": alt}}


def colored(label_map: np.ndarray) -> np.ndarray:
    """A label map ``(H, W) uint8`` in the labels' colours, ``(H, W, 3) uint8``; 255 is grey."""
    return PALETTE[label_map]


def label_legend(figure: Figure, label_maps: Pictures, columns: int = 8, fontsize: float | None = None) -> None:
    """Below the figure, the names of the labels that the maps hold."""
    present = sorted(set().union(*(np.unique(label_map) for label_map in label_maps)))
    handles = [
        Patch(facecolor=PALETTE[v] / 255, edgecolor="#999999", label="ignored" if v == IGNORE else LABELS[v])
        for v in present
    ]
    options = {"ncols": columns, "frameon": False, "fontsize": fontsize}
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), **options)


def gallery(
    rows: Sequence[Pictures], titles: Sequence[str], row_titles: Sequence[str], label_maps: Pictures, title: str
) -> Figure:
    """Pictures ``(H, W, 3) uint8`` in a grid, a title a column and a row, with a legend of the label maps below."""
    size = {"figsize": (2.1 * len(titles), 3.0 * len(rows) + 0.6), "layout": "constrained"}
    figure, axes = plt.subplots(len(rows), len(titles), squeeze=False, **size)
    for row_axes, row, row_title in zip(axes, rows, row_titles, strict=True):
        for axis, picture in zip(row_axes, row, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_anchor("N")  # of different heights, pictures hang from one line
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
        row_axes[0].set_ylabel(row_title, fontsize=9)
    for axis, heading in zip(axes[0], titles, strict=True):
        axis.set_title(heading, fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    label_legend(figure, label_maps, 2 * len(titles), 9.5)
    return figure


def strip(columns: Mapping[str, Mapping[str, np.ndarray]], title: str, photos: Pictures = ()) -> Figure:
    """Label maps in rows, a column a photo: garments are named where they are, the three gravest `mistakes` in words.

    Args:
        columns: Heading of a photo to its label maps ``(H, W) uint8`` by heading, the ground truth first.
        photos: ``(H, W, 3) uint8``, above the maps; none where they are not to be shown.
    """
    headings = [*["photo"] * bool(len(photos)), *next(iter(columns.values()))]
    truths = [next(iter(maps.values())) for maps in columns.values()]
    tall = min(2.0, max(truth.shape[0] / truth.shape[1] for truth in truths)) / (1 + 2 * ASIDE)
    size = {"figsize": (2.2 * len(columns), 2.1 * tall * len(headings) + 0.8), "layout": "constrained"}
    figure, axes = plt.subplots(len(headings), len(columns), squeeze=False, **size)
    for at, ((name, maps), truth) in enumerate(zip(columns.items(), truths, strict=True)):
        (height, width), there = truth.shape, np.flatnonzero(((truth > 0) & (truth != IGNORE)).any(axis=0))
        middle = np.clip(there[[0, -1]].mean() / width if len(there) else 0.5, 0.5 - ASIDE, 0.5 + ASIDE)
        sides = [(middle + side * (0.5 + ASIDE)) * width for side in (-1, 1)]  # the person stands in the middle
        for axis, heading in zip(axes[:, at], headings, strict=True):
            axis.imshow(photos[at] if heading == "photo" else colored(maps[heading]))
            axis.set(xticks=[], yticks=[], xlim=sides, ylim=(height, 0))
            axis.set_ylabel("\n".join(wrap(heading, 20)) * (at == 0 and len(headings) > 1), fontsize=10)
            axis.set_facecolor(COLORS["background"])
            axis.grid(False)
            axis.set_anchor("N")
            if heading != "photo":
                _put_words(axis, truth, maps[heading])
        axes[0, at].set_title(name, fontsize=9)
    told = "Hair and skin count as background" * any((truth >= HAIR)[truth != IGNORE].any() for truth in truths)
    if len(maps) > 1:
        told += ", so predictions show no heads or legs" * bool(told) + ". Outlined: the three gravest mistakes"
    figure.supxlabel(told.removeprefix(". "), x=0.01, ha="left", fontsize=10)
    return titled(figure, title)


def mistakes(truth: np.ndarray, prediction: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """What is wrong in a predicted label map, in words, each with its region ``(H, W) bool``; gravest first.

    Garments that are lost (less than a tenth is found) or that nobody wears come first, then patches of one percent of
    the picture or more; within each the larger region is graver.

    >>> truth, prediction = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    >>> truth[:3], prediction[4:6] = 2, 12
    >>> [words for words, _ in mistakes(truth, prediction)]
    ['belt missed', 'background called headwear']
    """
    whole, patches = [], []
    for label in range(1, len(CLASSES)):
        there, seen = truth == label, (prediction == label) & (truth != IGNORE)
        if there.any() and lost(truth, prediction, label):
            whole.append((_called(label, np.bincount(prediction[there]).argmax()), _largest(there)))
        if seen.any() and not there.any():
            whole.append((_called(np.bincount(truth[seen]).argmax(), label), _largest(seen)))
    wrong = (fold_labels(truth) != prediction) & (truth != IGNORE)
    for label, other in sorted(set(zip(truth[wrong].tolist(), prediction[wrong].tolist(), strict=True))):
        if other or not lost(truth, prediction, label):  # else it is told already
            words = _called(label, other) if other else f"part of {_called(label, other)}"
            patches.append((words, _largest((truth == label) & (prediction == other))))
    found: dict[str, np.ndarray] = {}
    for some, least in ((whole, ALARM_SHARE), (patches, 0.01)):
        for words, region in sorted(some, key=lambda one: -one[1].sum()):
            if region.mean() > least:
                found.setdefault(words, region)
    return list(found.items())


def made_up(truth: np.ndarray, prediction: np.ndarray) -> int:
    """How many garments a predicted label map names, in more than a few pixels, that nobody wears."""
    named = np.bincount(prediction[truth != IGNORE], minlength=len(CLASSES))[1:] > ALARM_SHARE * truth.size
    return sum(label not in truth for label in 1 + np.flatnonzero(named))


def lost(truth: np.ndarray, prediction: np.ndarray, label: int) -> bool:
    """Whether less than a tenth of a garment is found."""
    return bool((prediction[truth == label] == label).mean() < 0.1)


def _called(label: int | np.integer, other: int | np.integer) -> str:
    return f"{LABELS[label]} called {LABELS[other]}" if other else f"{LABELS[label]} missed"


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected region of a mask that holds something."""
    _, parts, about, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return parts == 1 + about[1:, cv2.CC_STAT_AREA].argmax()


def _middle(region: np.ndarray) -> tuple[int, int]:
    """The point of a region farthest from its edge, x and y."""
    depth = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x) - 1, int(y) - 1


def _put_words(axis: Axes, truth: np.ndarray, label_map: np.ndarray) -> None:
    """Names on the garments that can carry them; beside them those of the others in the truth, or mistakes."""
    (height, width), (left, right) = label_map.shape, axis.get_xlim()
    taken = np.zeros((height, int(right - left) + 1))  # the panel, with what words are to keep off
    inner, point = taken[:, int(-left) : int(-left) + width], (right - left) / PANEL
    inner[:] = (label_map > 0) & (label_map != IGNORE)
    beside = [] if label_map is truth else mistakes(truth, label_map)[:3]
    for _, region in beside:
        inner += region
        grid = np.arange(-1, width + 1), np.arange(-1, height + 1)  # padded: the region may be all there is
        line = axis.contour(*grid, np.pad(region, 1), [0.5], colors="black", linewidths=1)
        line.set_path_effects([withStroke(linewidth=2.8, foreground="white")])  # seen on every colour
    for label in np.unique(label_map[(label_map > 0) & (label_map < len(CLASSES))]):
        region = _largest(label_map == label)
        (x, y), (wide, high) = _middle(region), (int(WORDS * point * n) for n in (0.6 * len(LABELS[label]), 1.2))
        box = np.s_[max(0, y - high // 2) : y + high // 2 + 1, max(0, x - wide // 2) : x + wide // 2 + 1]
        if region[box].mean() > 0.8:
            axis.text(x, y, LABELS[label], ha="center", va="center", fontsize=WORDS, path_effects=HALO)
            inner[box] = 10
        elif label_map is truth:
            beside.append((LABELS[label], region))
    for words, region in sorted(beside, key=lambda one: _middle(one[1])[1]):
        _beside(axis, taken, words, region, "#222222" if label_map is truth else WRONG)


def _beside(axis: Axes, taken: np.ndarray, words: str, region: np.ndarray, color: str) -> None:
    """Words at a side of the panel where they cover least of what is ``taken``, with a line to their region's edge."""
    (left, right), (x, y), lines, (height, across) = axis.get_xlim(), _middle(region), wrap(words, 11), taken.shape
    wide, high = (1 + int(WORDS * across / PANEL * n) for n in (0.6 * max(map(len, lines)), 1.2 * len(lines)))
    starts = {"left": int(0.02 * across), "right": int(0.98 * across) - wide}
    near = "left" if x < (left + right) / 2 else "right"
    costs = {
        (side, top): 4 * height * taken[top : top + high, at : at + wide].mean()  # what is covered, then how far it is
        + abs(top + high / 2 - y) + 0.3 * height * (side != near)
        for side, at in starts.items() for top in range(0, max(1, height - high), 3)
    }  # fmt: skip
    side, top = min(costs, key=costs.__getitem__)
    strip = slice(None, starts[side] + wide) if side == "left" else slice(starts[side], None)
    taken[: top + high, strip] = 10  # the next one stands below, so that lines do not cross
    ends = np.flatnonzero(region[y])
    style = {"ha": side, "va": "top", "fontsize": WORDS, "color": color, "path_effects": HALO, "linespacing": 0.95}
    style["arrowprops"] = {"arrowstyle": "-", "color": color, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    spot = left + starts[side] + wide * (side == "right"), top
    axis.annotate("\n".join(lines), (ends[0 if side == "left" else -1], y), spot, **style)


def titled(figure: Figure, title: str) -> Figure:
    """The figure with its message above all panels, in lines that fit."""
    lines = [part for line in title.split("\n") for part in wrap(line, int(10.5 * figure.get_figwidth()))]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=13)
    return figure


def percent_ticks(share: float, _: object = None) -> str:
    """0.1 as 10%, 0.0005 as 0.05%, without superfluous digits."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def title_above_legend(axis: Axes, title: str) -> None:
    """The title above all, and the legend in one line between it and the axes."""
    handles, labels = axis.get_legend_handles_labels()
    options = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.99), "frameon": False, "fontsize": 10}
    axis.legend(handles, labels, ncols=len(labels), handletextpad=0.3, **options)
    titled(axis.figure, title)  # type: ignore[arg-type]  # no subfigure


def ends_of(table: pd.DataFrame, name: str, unit: float = 1) -> list[np.ndarray]:
    """A column of values and the two of their intervals' ends, ``NAME_low`` and ``NAME_high``, in a unit."""
    return [unit * table[name + end].to_numpy(float) for end in ("", "_low", "_high")]


def dots(
    axis: Axes, table: pd.DataFrame, name: str, offset: float, color: str, label: str, unit: float = 1, form: str = ""
) -> None:
    """A dot with its interval on every row, and above it its number, if a format is given."""
    value, low, high = ends_of(table, name, unit)
    y = np.arange(len(table)) + offset
    axis.hlines(y, low, high, color=color, lw=2.5, alpha=0.45)
    axis.plot(value, y, "o", ms=5, color=color, label=label)
    style = {"textcoords": "offset points", "ha": "center", "size": 8.5, "path_effects": HALO}
    for spot in zip(value, y, strict=True) if form else ():
        axis.annotate(f"{spot[0]:{form}}", spot, (0, 5), **style)


def offsets(number: int, reach: float) -> np.ndarray:
    """Where to draw the marks of several trials or data sets around a row's middle."""
    return np.linspace(-reach, reach, number) if number > 1 else np.zeros(number)


def rows(axis: Axes, names: Sequence[str], label: bool = True) -> None:
    """A row a name, the first on top."""
    axis.set_yticks(range(len(names)), names if label else [], fontsize=10)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)


def legend_below(figure: Figure, axis: Axes, columns: int = 4) -> None:
    """The legend of one of the axes below all."""
    options = {"loc": "outside lower center", "ncols": columns, "frameon": False, "fontsize": 10}
    figure.legend(*axis.get_legend_handles_labels(), **options)

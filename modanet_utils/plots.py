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

from modanet_utils.classes import CLASSES, COLORS, IGNORE, LABELS
from modanet_utils.metrics import fold_labels
from modanet_utils.thresholds import ALARM_SHARE

PALETTE = np.full((256, 3), 255 * np.array(to_rgb("#bdbdbd")), np.uint8)
PALETTE[: len(LABELS)] = [[round(255 * v) for v in to_rgb(COLORS[name])] for name in LABELS]
HALO = [withStroke(linewidth=2.5, foreground="white")]  # keeps text readable where a line runs behind it
WRONG, ASIDE = "#b3001b", 0.18  # ink of mistakes; room beside a label map for words, as a share of its width
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
    """Label maps in rows, a column a photo: garments are named where they are, the five gravest `mistakes` in words.

    Args:
        columns: Heading of a photo to its label maps ``(H, W) uint8`` by heading, the ground truth first.
        photos: ``(H, W, 3) uint8``, above the maps; none where they are not to be shown.
    """
    headings = [*["photo"] * bool(len(photos)), *next(iter(columns.values()))]
    sizes = [next(iter(maps.values())).shape for maps in columns.values()]
    tall = min(2.0, max(height / width for height, width in sizes)) / (1 + 2 * ASIDE)
    size = {"figsize": (2.2 * len(columns), 2.1 * tall * len(headings) + 0.6), "layout": "constrained"}
    figure, axes = plt.subplots(len(headings), len(columns), squeeze=False, **size)
    for at, (name, maps) in enumerate(columns.items()):
        truth, *_ = maps.values()
        for axis, heading in zip(axes[:, at], headings, strict=True):
            height, width = truth.shape
            axis.imshow(photos[at] if heading == "photo" else colored(maps[heading]))
            axis.set(xticks=[], yticks=[], xlim=(-ASIDE * width, (1 + ASIDE) * width), ylim=(height, 0))
            axis.set_ylabel("" if at else "\n".join(wrap(heading, 20)), fontsize=10)
            axis.set_facecolor(COLORS["background"])
            axis.grid(False)
            axis.set_anchor("N")
            if heading == "photo":
                continue
            _name_garments(axis, maps[heading], maps[heading] is truth)
            if maps[heading] is not truth:
                wrong = mistakes(truth, maps[heading])[:5]
                _beside(axis, truth.shape, wrong, WRONG)
                for _, region in wrong:
                    grid = np.arange(-1, width + 1), np.arange(-1, height + 1)  # padded: the region may be all there is
                    axis.contour(*grid, np.pad(region, 1), [0.5], colors=WRONG, linewidths=0.7)
        axes[0, at].set_title(name, fontsize=9)
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


def _name_garments(axis: Axes, label_map: np.ndarray, all_of_them: bool) -> None:
    """Names on what is wide enough to carry them; of the others, where wanted, beside."""
    small = []
    for label in np.unique(label_map[(label_map > 0) & (label_map < len(CLASSES))]):
        region = _largest(label_map == label)
        x, y = _middle(region)
        if region[y].sum() > 0.036 * len(LABELS[label]) * region.shape[1]:
            axis.text(x, y, LABELS[label], ha="center", va="center", fontsize=8, path_effects=HALO)
        elif all_of_them:
            small.append((LABELS[label], region))
    _beside(axis, label_map.shape, small, "#222222")


def _beside(axis: Axes, shape: tuple[int, ...], named: Sequence[tuple[str, np.ndarray]], color: str) -> None:
    """Words at the nearer side, one below the other, each with a line to the edge of its region."""
    height, width = shape
    below = {"left": 0.0, "right": 0.0}
    spots = [(*_middle(region), words, region) for words, region in named]
    for x, y, words, region in sorted(spots, key=lambda one: one[1]):
        side, lines = "left" if x < width / 2 else "right", wrap(words, 12)
        reach = 0.05 * height * len(lines)
        place = min(max(y - reach / 2, below[side]), height - reach)
        below[side] = place + reach + 0.01 * height
        ends = np.flatnonzero(region[y])
        style = {"ha": side, "va": "top", "fontsize": 8, "color": color, "path_effects": HALO, "linespacing": 0.95}
        style["arrowprops"] = {"arrowstyle": "-", "color": color, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
        spot = (-ASIDE + 0.02) * width if side == "left" else (1 + ASIDE - 0.02) * width
        axis.annotate("\n".join(lines), (ends[0 if side == "left" else -1], y), (spot, place), **style)


def titled(figure: Figure, title: str) -> Figure:
    """The figure with its message above all panels, in lines that fit."""
    lines = [part for line in title.split("\n") for part in wrap(line, int(10.5 * figure.get_figwidth()))]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=13)
    return figure


def percent_ticks(share: float, _: object = None) -> str:
    """0.1 as 10%, 0.0005 as 0.05%, without superfluous digits."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def title_above_legend(axis: Axes, title: str) -> None:
    """The title at the left edge, and the legend in one line between it and the axes."""
    handles, labels = axis.get_legend_handles_labels()
    options = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.99), "frameon": False, "fontsize": 10}
    axis.legend(handles, labels, ncols=len(labels), handletextpad=0.3, **options)
    axis.set_title(title, pad=30)


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

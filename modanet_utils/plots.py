"""How every figure of the report looks, and how it is shown, with alternative text.

A figure has one message and its title says it. A class has the same colour everywhere. Functions that draw
return a matplotlib figure; `show` puts it into the notebook.
"""

from collections.abc import Sequence
from io import BytesIO

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

from modanet_utils.classes import COLORS, IGNORE, LABELS

PALETTE = np.full((256, 3), 255 * np.array(to_rgb("#bdbdbd")), np.uint8)
PALETTE[: len(LABELS)] = [[round(255 * v) for v in to_rgb(COLORS[name])] for name in LABELS]
HALO = [withStroke(linewidth=2.5, foreground="white")]  # keeps text readable where a line runs behind it
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
    label_legend(figure, label_maps)
    return figure


def titled(figure: Figure, title: str) -> Figure:
    """The figure with its message above all panels."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
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


def highlighted(label_map: np.ndarray, label: int) -> np.ndarray:
    """As `colored`, but all labels except one are lightened: shows how much, or how little, the one is."""
    picture = colored(label_map)
    pale = (255 - (255 - picture.astype(np.float32)) * 0.3).astype(np.uint8)
    return np.where((label_map == label)[..., None], picture, pale)


def ends_of(table: pd.DataFrame, name: str, unit: float = 1) -> list[np.ndarray]:
    """A column of values and the two of their intervals' ends, ``NAME_low`` and ``NAME_high``, in a unit."""
    return [unit * table[name + end].to_numpy(float) for end in ("", "_low", "_high")]


def dots(axis: Axes, table: pd.DataFrame, name: str, offset: float, color: str, label: str, unit: float = 1) -> None:
    """A dot with its interval on every row."""
    value, low, high = ends_of(table, name, unit)
    y = np.arange(len(table)) + offset
    axis.hlines(y, low, high, color=color, lw=2.5, alpha=0.45)
    axis.plot(value, y, "o", ms=5, color=color, label=label)


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

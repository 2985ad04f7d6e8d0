"""Pictures that differ from a photo in one thing: recoloured hair, a pasted hat, a second person.

Scenes, a photo and its truth, are letterboxed to the network's input, so that a change touches exactly the pixels that
the network sees. Every operation leaves its arguments as they are, and padding is never painted on.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from modanet_utils.augment import Letterbox
from modanet_utils.classes import HAIR, HEADWEAR, IGNORE, SKIN
from modanet_utils.datasets.coco import Dataset
from modanet_utils.errors.places import box_around, labelled
from modanet_utils.training.samples import photo_and_truth

Photo = NDArray[np.uint8]
Colors = NDArray[np.float64]

NEIGHBOURS = 3
"""How near a colour is to a set of colours is the distance to its third nearest: one odd hat decides nothing."""
LEAST_SHARE = 0.002
"""Share of the network's input below which hair or a hat is too little to be recoloured or pasted."""
HAT_WIDTH, HAT_BOTTOM = 1.2, 0.45
"""Width of a pasted hat, and how far below the top of the hair it ends, in widths of the head."""
HEAD_SHARE = 1 / 8
"""Share of a person's height in which the head is looked for, from the top of the hair."""
FEET, TALLEST = 0.97, 0.8
"""Where composed people stand, and the height of the taller one, as shares of the picture's height."""


class Scene(NamedTuple):
    """What the network sees and what is true of it, ``(H, W, 3) uint8`` and ``(H, W) uint8``; padding is 255."""

    photo: Photo
    truth: NDArray[np.uint8]


class Cutout(NamedTuple):
    """A part of a scene: its photo ``(h, w, 3) uint8`` and its labels ``(h, w) uint8``, 0 where it is transparent."""

    photo: Photo
    labels: NDArray[np.uint8]


class Pair(NamedTuple):
    """Two people in one scene; each alone, at the same place and scale; the rear one with the other's silhouette.

    What is seen of either when both are there, ``(H, W) bool``, and the share of the rear one that is covered.
    """

    together: Scene
    rear: Scene
    front: Scene
    silhouette: Scene
    rear_seen: NDArray[np.bool_]
    front_seen: NDArray[np.bool_]
    covered: float


def scene(dataset: Dataset, image_id: int, letterbox: Letterbox) -> Scene:
    """An image of a data set as the network sees it."""
    photo, truth = photo_and_truth(dataset, image_id)
    return Scene(letterbox.image(photo), letterbox.label_map(truth))


def evenly(values: Sequence[int], number: int) -> list[int]:
    """At most ``number`` of the values, evenly spaced: a choice by rule, the same every time."""
    number = min(number, len(values))
    return [values[at * len(values) // number] for at in range(number)]


def to_lab(colors: ArrayLike) -> Colors:
    """RGB ``(..., 3) uint8`` as CIE Lab ``(..., 3)``: L 0-100; a distance of about 2 is just visible."""
    rgb = np.asarray(colors, np.uint8)
    if rgb.size == 0:
        return np.zeros(rgb.shape)
    return cv2.cvtColor(rgb.reshape(1, -1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(rgb.shape) + 0.0


def from_lab(lab: ArrayLike) -> Photo:
    """The nearest RGB bytes of Lab colours ``(..., 3)``; what no screen can show is cut off."""
    lab = np.asarray(lab, np.float32)
    rgb = cv2.cvtColor(lab.reshape(1, -1, 3), cv2.COLOR_Lab2RGB).reshape(lab.shape)
    return np.clip(np.rint(255 * rgb), 0, 255).astype(np.uint8)


def mean_color(photo: Photo, mask: NDArray[np.bool_]) -> Colors:
    """Mean Lab colour of the masked pixels, ``(3,)``; NaN where there are none."""
    return to_lab(photo[mask]).mean(axis=0) if mask.any() else np.full(3, np.nan)


def recolor(photo: Photo, mask: NDArray[np.bool_], direction: ArrayLike, distance: float) -> Photo:
    """Move the mean colour of the masked pixels by a distance in Lab; their differences, the texture, stay.

    Every pixel takes the same step, in a direction ``(3,)`` of any length but 0. Colours that no screen can show are
    cut off, which shortens the way of the mean, so the step is searched for (by halving) that moves the *mean of
    the result* by the distance.
    """
    out, pixels = photo.copy(), to_lab(photo[mask])
    if distance == 0 or len(pixels) == 0:
        return out
    unit = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    start, low, high = pixels.mean(axis=0), 0.0, 4.0 * distance
    for _ in range(11):
        step = (low + high) / 2
        moved = from_lab(pixels + step * unit)
        short = np.linalg.norm(to_lab(moved).mean(axis=0) - start) < distance
        low, high = (step, high) if short else (low, step)
    out[mask] = moved
    return out


def distance_moved(before: Photo, after: Photo, mask: NDArray[np.bool_]) -> float:
    """Distance in Lab between the mean colours that the masked pixels have in two photos."""
    return float(np.linalg.norm(mean_color(after, mask) - mean_color(before, mask)))


def nearness(colors: ArrayLike, palette: Colors) -> NDArray[np.float64]:
    """Distance of colours ``(..., 3)`` from a palette ``(n, 3)``: that to the `NEIGHBOURS`-th nearest, ``(...)``."""
    distances = np.linalg.norm(np.asarray(colors, np.float64)[..., None, :] - palette, axis=-1)
    return np.sort(distances, axis=-1)[..., min(NEIGHBOURS, len(palette)) - 1]


def directions(color: Colors, distance: float, hats: Colors, hairs: Colors) -> tuple[Colors, Colors]:
    """Which way to recolour, toward a colour that hats have and toward one that hair has: ``(3,)`` each, of length 1.

    Of the hats' colours at least ``distance`` away, that toward which the colour looks most like hats and least
    like hair after going that distance; of the hairs' colours likewise that toward which it looks least like hats.
    """
    chosen = []
    for palette, sign in ((hats, 1), (hairs, -1)):
        ways = palette - color
        lengths = np.linalg.norm(ways, axis=1)
        usable = lengths >= distance if (lengths >= distance).any() else lengths == lengths.max()
        units = ways[usable] / lengths[usable, None]
        ends = color + distance * units
        chosen.append(units[np.argmax(sign * (nearness(ends, hairs) - nearness(ends, hats)))])
    return tuple(chosen)


def palette(scenes: Iterable[Scene], label: int) -> Colors:
    """The mean Lab colour of a label in every scene that shows enough of it, ``(scenes, 3)``."""
    enough = (one for one in scenes if (one.truth == label).mean() >= LEAST_SHARE)
    return np.array([mean_color(one.photo, one.truth == label) for one in enough]).reshape(-1, 3)


def cut_out(one: Scene, labels: Sequence[int]) -> Cutout:
    """The pixels of some labels, of which there are some, in their box."""
    mask = np.isin(one.truth, labels)
    box = box_around(mask)
    return Cutout(one.photo[box].copy(), np.where(mask[box], one.truth[box], 0))


def resized(part: Cutout, factor: float) -> Cutout:
    """The cutout, larger or smaller; labels by the nearest pixel, so that none is invented."""
    size = [max(1, round(factor * side)) for side in part.labels.shape[::-1]]
    photo = cv2.resize(part.photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return Cutout(photo, cv2.resize(part.labels, size, interpolation=cv2.INTER_NEAREST_EXACT))


def paste(one: Scene, part: Cutout, top: int, left: int) -> Scene:
    """The scene with a cutout on it, in photo and truth; what falls beside the picture or on padding is dropped."""
    photo, truth = one.photo.copy(), one.truth.copy()
    mask, source = _footprint(truth, part, top, left)
    photo[mask], truth[mask] = part.photo[source], part.labels[source]
    return Scene(photo, truth)


def _footprint(truth: NDArray[np.uint8], part: Cutout, top: int, left: int) -> tuple[NDArray[np.bool_], tuple]:
    """Where a cutout lands: the scene's pixels ``(H, W) bool``, and the cutout's pixels in the same order."""
    (height, width), part_pixels = truth.shape, np.argwhere(part.labels)
    at = part_pixels + (top, left)
    inside = ((at >= 0) & (at < (height, width))).all(axis=1)
    inside[inside] = truth[tuple(at[inside].T)] != IGNORE
    mask = np.zeros(truth.shape, bool)
    mask[tuple(at[inside].T)] = True
    return mask, tuple(part_pixels[inside].T)


def hats(scenes: Iterable[Scene]) -> list[Cutout]:
    """Whole hats to paste: each scene's largest piece of headwear, if it is large enough and off the edges."""
    found = []
    for one in scenes:
        number, pieces, stats, _ = cv2.connectedComponentsWithStats((one.truth == HEADWEAR).astype(np.uint8))
        if number < 2:
            continue
        mask = pieces == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
        framed = np.pad(one.truth == IGNORE, 1, constant_values=True).astype(np.uint8)
        edge = cv2.dilate(framed, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
        if mask.mean() >= LEAST_SHARE and not (mask & edge).any():
            found.append(cut_out(Scene(one.photo, np.where(mask, HEADWEAR, 0).astype(np.uint8)), [HEADWEAR]))
    return found


def head(one: Scene) -> tuple[int, float, int] | None:
    """The head of a person without headwear, in pixels: the row of the hair's top, the middle column, and the width.

    From the hair's top `HEAD_SHARE` of the person's height downwards, the largest connected piece of hair and skin.
    None where hair is too little to be seen, or not on top of the person.
    """
    person, hair = labelled(one.truth), one.truth == HAIR
    if hair.mean() < LEAST_SHARE or (one.truth == HEADWEAR).any():
        return None
    rows, top = box_around(person)[0], int(box_around(hair)[0].start)
    height = rows.stop - rows.start
    if top - rows.start > 0.02 * height:
        return None
    band = np.isin(one.truth[top : top + max(2, round(HEAD_SHARE * height))], (HAIR, SKIN))
    stats = cv2.connectedComponentsWithStats(band.astype(np.uint8))[2][1:]
    left, _, width, *_ = stats[stats[:, cv2.CC_STAT_AREA].argmax()].tolist()
    return top, left + width / 2, width


def wear(one: Scene, hat: Cutout) -> tuple[Scene, Scene, NDArray[np.bool_]] | None:
    """Scenes with a hat worn and with it beside, and where hair stays visible under both, ``(H, W) bool``.

    Beside means on bare background, as high as on the head or nearest to that, and as far to the side as possible.
    None where there is no head, no room, or a third of the hat would be cut off.
    """
    place = head(one)
    if place is None:
        return None
    hair_top, middle, head_width = place
    hat = resized(hat, HAT_WIDTH * head_width / hat.labels.shape[1])
    height, width = hat.labels.shape
    top, left = hair_top + round(HAT_BOTTOM * head_width) - height, round(middle - width / 2)
    whole, (worn, _) = np.count_nonzero(hat.labels), _footprint(one.truth, hat, top, left)
    spot = _bare(one.truth, height, width, top, left)
    if spot is None or worn.sum() < 2 / 3 * whole:
        return None
    return paste(one, hat, top, left), paste(one, hat, *spot), (one.truth == HAIR) & ~worn


def _bare(truth: NDArray[np.uint8], height: int, width: int, top: int, left: int) -> tuple[int, int] | None:
    """Where a box lies on background alone: nearest to a row, then farthest from a column."""
    total = cv2.integral((truth != 0).astype(np.uint8))
    sums = total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
    rows, columns = np.nonzero(sums == 0)
    if len(rows) == 0:
        return None
    best = np.lexsort((-np.abs(columns - left), np.abs(rows - top)))[0]
    return int(rows[best]), int(columns[best])


def without_person(one: Scene, margin: int = 2) -> Scene:
    """The scene's background: in every row the person and a margin are bridged from background to background.

    A row without any takes that of the nearest row that has some. The truth is background but for padding.
    """
    hole = cv2.dilate(labelled(one.truth).astype(np.uint8), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)) > 0
    known = ~hole & (one.truth != IGNORE)
    photo, rows = one.photo.copy(), np.flatnonzero(known.any(axis=1))
    for row in np.flatnonzero(hole.any(axis=1)) if len(rows) else ():
        source = rows[np.abs(rows - row).argmin()]
        at, mine = np.flatnonzero(known[source]), np.flatnonzero(hole[row] & (one.truth[row] != IGNORE))
        for channel in range(3):
            photo[row, mine, channel] = np.rint(np.interp(mine, at, one.photo[source, at, channel]))
    return Scene(photo, np.where(one.truth == IGNORE, IGNORE, 0).astype(np.uint8))


def compose(background: Scene, rear: Cutout, front: Cutout, overlap: float) -> Pair:
    """Two people on one background, the front one at the right.

    One factor scales both so that they fit side by side, the taller one `TALLEST` high at most. The rear one stands
    still; the front one moves toward it until it covers ``overlap`` (0 to 1) of its pixels; with 0 the boxes touch.
    """
    height, width = background.truth.shape
    sides = [part.labels.shape for part in (rear, front)]
    factor = min(TALLEST * height / max(h for h, _ in sides), 0.98 * width / sum(w for _, w in sides))
    rear, front = resized(rear, factor), resized(front, factor)
    left = (width - rear.labels.shape[1] - front.labels.shape[1]) // 2
    tops = [round(FEET * height) - part.labels.shape[0] for part in (rear, front)]
    mine, _ = _footprint(background.truth, rear, tops[0], left)
    for offset in range(rear.labels.shape[1], -front.labels.shape[1], -1):
        yours, _ = _footprint(background.truth, front, tops[1], left + offset)
        covered = float((mine & yours).sum() / max(1, mine.sum()))
        if covered >= overlap:
            break
    alone = paste(background, rear, tops[0], left)
    place = tops[1], left + offset
    silhouette = Scene(alone.photo.copy(), np.where(yours, 0, alone.truth).astype(np.uint8))
    silhouette.photo[yours] = np.rint(front.photo[front.labels > 0].mean(axis=0)).astype(np.uint8)
    pair = paste(alone, front, *place), alone, paste(background, front, *place), silhouette
    return Pair(*pair, mine & ~yours, yours, covered)

"""From the name of a run to a network, and from a photo to labels: no data set need be there."""

import functools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.model import Net
from modanet_utils.photo.pictures import opened
from modanet_utils.project import ProjectError
from modanet_utils.thresholds import ALARM_SHARE, CUT_OFF, DOUBTFUL, PERSON, SECOND_FIGURE, SURE, UPRIGHT, UPRIGHT_MORE
from modanet_utils.training import posthoc
from modanet_utils.training.predict import small_logits
from modanet_utils.training.weights import WEIGHTS, folder_of, load_network, rooms
from modanet_utils.trials import PREFERRED, TrialConfig

SAMPLED = 1_000_000
"""Pixels of a photo, evenly spaced, at which the confidence is measured at the most."""
BAND = 500_000
"""Logits that are enlarged at once, so that a photo of 50 megapixels does not fill the memory."""


class Answer(NamedTuple):
    """What a network sees on a photo."""

    labels: np.ndarray  # (H, W) uint8: 0 background, 1-13 clothing, of a network that knows them 14 hair, 15 skin
    share: np.ndarray  # (outputs,) float64: of the picture
    confidence: np.ndarray  # (outputs,) float64: mean probability where the label wins, NaN where it does nowhere
    notes: list[str]  # sentences on why the answer may be worth little
    photo: np.ndarray  # (H, W, 3) uint8 RGB: as it was looked at

    @property
    def classes(self) -> dict[str, dict[str, float | None]]:
        """Share and confidence of what was found, background left out, largest first."""
        order = [label for label in np.argsort(-self.share, kind="stable") if label and self.share[label]]
        either = [None if math.isnan(value) else round(value, 4) for value in self.confidence.tolist()]
        return {LABELS[i]: {"share": float(self.share[i]), "confidence": either[i]} for i in order}


@dataclass(frozen=True)
class Network:
    """A trained network with the folder of its run, ready for photos of any size."""

    folder: Path
    config: TrialConfig
    net: Net
    offsets: Tensor = torch.zeros(len(CLASSES))
    """Thresholds as `posthoc` chose them: what is added to a class's log probability."""

    @torch.inference_mode()
    def look(self, photo: Any) -> Answer:
        """Label every pixel of a photo: a file, a PIL image or an array, as `pictures.read` takes them."""
        picture, clear = opened(photo)
        height, width = picture.shape[:2]
        letterbox = Letterbox(self.config.image_height, self.config.image_width)
        small = small_logits(self.net, picture, letterbox, fold=False)
        small[:, : len(CLASSES)] += self.offsets.to(small).view(1, -1, 1, 1)
        labels, every = np.empty((height, width), np.uint8), math.ceil(math.sqrt(height * width / SAMPLED))
        pixels, number, total = np.zeros((3, small.shape[1]))
        for rows, logits in _bands(small, height, width):
            labels[rows] = logits.max(0).indices.to("cpu", torch.uint8).numpy()
            pixels += np.bincount(labels[rows].ravel(), minlength=len(pixels))
            best = logits[:, ::every, ::every].softmax(0).max(0)
            winners = best.indices.cpu().numpy().ravel()
            number += np.bincount(winners, minlength=len(number))
            total += np.bincount(winners, best.values.cpu().numpy().ravel(), minlength=len(total))
        share = pixels / labels.size
        with np.errstate(invalid="ignore"):
            cut = _cut_off(labels)
            lies = " and " in (cut or " and ") and self._lies(picture, labels)  # across one edge goes a part, upright
            cut = "" if lies else cut
            notes = _notes(labels, share, total / number, total[1:].sum() / number[1:].sum(), cut, lies)
            notes += ["where it is transparent, the picture was looked at on white"] * clear
            return Answer(labels, share, total / number, notes, picture)

    def _lies(self, picture: np.ndarray, labels: np.ndarray) -> bool:
        """Whether one person was found, not clearly higher than wide, and turned by a right angle clearly more is."""
        rows, columns = (np.flatnonzero((labels > 0).any(axis)) for axis in (1, 0))
        if not len(rows) or np.ptp(rows) >= UPRIGHT * (np.ptp(columns) + 1) or _several(labels):
            return False
        found, side = [], max(self.config.image_height, self.config.image_width)
        for turns in (0, 1, 3):
            square = Letterbox(side, side)  # a turned picture is as large in it as before
            best = small_logits(self.net, np.rot90(picture, turns), square, fold=False).softmax(1).max(1)
            found.append(float((best.values * (best.indices > 0)).mean()))
        return max(found[1:]) > UPRIGHT_MORE * found[0]


def _bands(small: Tensor, height: int, width: int) -> Iterator[tuple[slice, Tensor]]:
    """Logits ``(1, C, h, w)`` enlarged as `predict_logits` does it, some rows ``(C, rows, width)`` at a time."""
    at = ((torch.arange(height, device=small.device) + 0.5) * small.shape[2] / height - 0.5).clamp(min=0)
    above = at.long()
    below, part = (above + 1).clamp(max=small.shape[2] - 1), (at - above)[:, None]
    step = max(1, BAND // (small.shape[1] * width))
    for rows in (slice(start, min(start + step, height)) for start in range(0, height, step)):
        band = small[:, :, above[rows]] * (1 - part[rows]) + small[:, :, below[rows]] * part[rows]
        size = band.shape[2], width
        yield rows, nn.functional.interpolate(band, size, mode="bilinear", align_corners=False)[0]


def _several(labels: np.ndarray) -> bool:
    """Whether the second largest figure is large beside the largest."""
    areas = np.sort(cv2.connectedComponentsWithStats((labels > 0).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA])
    return len(areas) > 1 and bool(areas[-2] >= SECOND_FIGURE * areas[-1])


def _cut_off(labels: np.ndarray) -> str:
    """The edges of the picture, upper and lower, across which a figure goes on; shoes may stand on one."""
    columns, shoes = np.flatnonzero((labels > 0).any(0)), [CLASSES.index("boots"), CLASSES.index("footwear")]
    width, rows = np.ptp(columns) + 1 if len(columns) else math.inf, max(1, round(CUT_OFF[0] * len(labels)))
    edges = {"top": labels[:rows], "bottom": np.where(np.isin(labels[-rows:], shoes), 0, labels[-rows:])}
    return " and ".join(edge for edge, band in edges.items() if band.any(0).sum() >= CUT_OFF[1] * width)


def _notes(labels: np.ndarray, share: np.ndarray, each: np.ndarray, sure: float, cut: str, lies: bool) -> list[str]:
    """What tells that a picture is unlike the photos that networks were trained on: one whole person, upright."""
    height, width = labels.shape
    clothing, trained = share[1 : len(CLASSES)].sum(), "the network was trained on photos of one whole person"
    notes = [f"the person is probably lying on the side, and {trained}, upright: turn the picture"] * lies
    part = [f"only a part of a person may be there, cut off at the {cut}, and {trained}: take a whole one"] * bool(cut)
    if not PERSON[0] <= clothing <= PERSON[1]:
        found = "almost no clothing was found" if clothing < PERSON[0] else "clothing was found nearly everywhere"
        found += f" ({clothing:.1%} of the picture), and {trained}: this is outside of what it knows"
        return [*notes, found, *part]
    if _several(labels):
        notes.append(f"there may be several people, and {trained}: cut out one at a time")
    notes += part
    if width > height and not lies and not cut:
        notes.append(f"the picture is wider than high, and {trained}, upright: cut it out for a finer answer")
    if sure < SURE:
        notes.append(f"the network is unsure ({sure:.0%} on average where it found something): look before trusting it")
    elif names := [i for i in np.argsort(each) if i and share[i] >= ALARM_SHARE and each[i] < DOUBTFUL]:
        told = ", ".join(f"{LABELS[i]} ({each[i]:.0%})" for i in names[:3])
        told += f" and {len(names) - 3} more" * (len(names) > 3)
        notes.append(f"the network is unsure where it says {told}: look there before trusting it")
    return notes


def segment(photo: Any, run: str | Path | None = None) -> np.ndarray:
    """Labels of a photo's pixels, ``(H, W) uint8`` at its own size: 0 background, 1-13 clothing, 14 hair, 15 skin.

    ``photo`` is what `pictures.read` takes; ``run`` the folder of a run, or its name in ``runs/`` or
    ``reports/*/runs``, None for the first of `PREFERRED`. ProjectError where one of them cannot be used.
    """
    return open_network(run).look(photo).labels


def open_network(run: str | Path | None = None) -> Network:
    """The network of a run, named and refused as for `segment`; it is read once."""
    if run is None and not any((room / name / "config.json").is_file() for room in rooms() for name in PREFERRED):
        raise ProjectError(f"No trained network is here: give the folder of a run that holds {WEIGHTS}.")
    return _open(folder_of(*(PREFERRED if run is None else (run,))))


@functools.lru_cache(maxsize=2)
def _open(folder: Path) -> Network:
    try:
        config = TrialConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise ProjectError(f"{folder / 'config.json'} is damaged ({why}): copy the run's folder anew.") from None
    net = load_network(config, folder / WEIGHTS)
    net, kept = net.to("cuda" if torch.cuda.is_available() else "cpu"), posthoc.measured(folder)
    return Network(folder, config, net, torch.from_numpy(kept["offsets"])) if kept else Network(folder, config, net)

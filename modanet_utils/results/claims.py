"""One form for every claim: what is stated, how it is measured, and the threshold that its interval is held against."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.metrics import clothing_mean_iou
from modanet_utils.results.text import few
from modanet_utils.statistics import Measure, paired_comparison, verdict
from modanet_utils.thresholds import FEW_PHOTOS

Ends = Sequence[float]
"""A value, and the low and high end of its 95% interval; NaN where undefined."""

LATER = "added after the results were seen"


@dataclass(frozen=True)
class Claim:
    """A claim of the original report, or one that follows from it; of ``above`` and ``below`` one is its threshold."""

    id: str  # short and stable, such as headwear-precision
    statement: str
    measured: str  # what the number is, without the threshold; may name what was found, as in {found.name}
    estimate: Callable[[Any], Ends | None]  # from what the notebook has found; None where it cannot be decided
    above: float | None = None
    below: float | None = None
    percent: bool = False  # whether the threshold is named in percent
    undecided: str = ""  # why it may stay undecided; stands in place of the measure then
    later: bool = False  # it was written down after its number, or those that decide it, had been seen

    @property
    def measure(self) -> str:
        """How it is measured, with its threshold: the words follow from the number that decides."""
        side, threshold = ("below", self.below) if self.above is None else ("above", self.above)
        text = f"{self.measured}; {side} {f'{threshold:.0%}' if self.percent else f'{threshold:g}'}"
        return f"{text}; {LATER}" if self.later else text

    def decide(self, found: Any) -> dict[str, Any]:
        """The claim as ``results.json`` keeps it, without its notebook: undefined is None, the verdict follows."""
        ends = self.estimate(found)
        value, low, high = (np.nan,) * 3 if ends is None else (float(end) for end in ends)
        interval = None if np.isnan([low, high]).any() else (low, high)
        measure = f"not decided: {self.undecided}" if ends is None and self.undecided else self.measure
        photos, classes = shown(found)
        if classes < len(CLOTHING):
            measure = re.sub(r"\b13( classes)?", f"{classes} class{'es' * (classes != 1)} in these data", measure)
        fixed = photos < FEW_PHOTOS and high - low < 5e-4  # three digits alike: so few need not show what others would
        return {
            "id": self.id,
            "statement": self.statement,
            "measure": measure.format(found=found) + few(photos) * (ends is not None),
            "value": None if np.isnan(value) else value,
            "interval": interval,
            "verdict": verdict(None if fixed else interval, above=self.above, below=self.below),
        }


@dataclass(frozen=True)
class Trained:
    """Trial's name to its counts ``(images, 16, 14) int64``, all on the same test images."""

    counts: Mapping[str, NDArray]

    @property
    def truth(self) -> NDArray:
        return next(iter(self.counts.values())).sum(axis=-1)

    def change(
        self, before: str = "cross_entropy", after: str = "combined", measure: Measure = clothing_mean_iou
    ) -> Ends | None:
        """A score of one trial minus another's, paired over photos; None where one is not there."""
        if not {before, after} <= self.counts.keys():
            return None
        return paired_comparison(self.counts[before], self.counts[after], measure)[:3]


def shown(found: Any) -> tuple[int, int]:
    """Photos that the evidence is of, and clothing classes on them, by ``truth`` ``(photos, labels)``, its pixels."""
    pixels = getattr(found, "truth", np.ones((FEW_PHOTOS, len(CLASSES))))
    return len(pixels), int((pixels[:, 1 : len(CLASSES)] > 0).any(axis=0).sum())


def decide(claims: Iterable[Claim], found: Any) -> list[dict[str, Any]]:
    """Every claim, decided on what a notebook has found."""
    return [claim.decide(found) for claim in claims]

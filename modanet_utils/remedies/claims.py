"""The claims of notebook 06. All were written down after trainings of the kind had been seen, and say so."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.results.claims import Claim, Ends
from modanet_utils.statistics import Measure


@dataclass(frozen=True)
class Evidence:
    """What the claims are decided on: trial's name to its counts ``(images, 16, 14) int64``, on the same images."""

    counts: Mapping[str, NDArray]

    @property
    def truth(self) -> NDArray:
        return next(iter(self.counts.values())).sum(axis=-1)

    def change(self, before: str, after: str, measure: Measure = metrics.clothing_mean_iou) -> Ends | None:
        """A score of one trial minus another's, paired over photos; None where one is not there."""
        if not {before, after} <= self.counts.keys():
            return None
        return statistics.paired_comparison(self.counts[before], self.counts[after], measure)[:3]

    def gap(self) -> Ends | None:
        """The combined loss's lead over cross-entropy after three times the training, minus that after one."""
        names = ("combined", "cross_entropy_long"), ("cross_entropy", "combined_long")
        if not {name for pair in names for name in pair} <= self.counts.keys():
            return None
        before, after = (np.stack([self.counts[name] for name in pair]) for pair in names)
        # A stack's score is the mean of its two, so the difference is half of what is asked for.
        return [2 * end for end in statistics.paired_comparison(before, after, metrics.clothing_mean_iou)[:3]]


ONE = "one training each"
CLAIMS: tuple[Claim, ...] = (
    Claim("longer-closes-the-gap", "With three times the training, cross-entropy catches up with the combined loss.",
          f"change of the lead in mean IoU, {ONE}", lambda e: e.gap(), below=0, later=True,
          undecided="the longer trainings are not there"),
    Claim("body-outputs-spare-hair", "Hair and skin as outputs of their own keep hair from being called headwear.",
          f"change of the share of hair called headwear, {ONE}",
          lambda e: e.change("combined", "combined_body", metrics.hair_as_headwear), below=0, later=True,
          undecided="the network with hair and skin as outputs is not there"),
    Claim("class-aware-sampling-helps", "Class-aware sampling helps: rare photos are drawn more often.",
          f"change of the mean IoU over 13 classes, {ONE}",
          lambda e: e.change("combined_body", "combined_body_repeat"), above=0, later=True,
          undecided="the training with repeated photos is not there"),
    Claim("tagged-photos-help", "Photos with tags only, labelled by a trained network, help.",
          f"change of the mean IoU over 13 classes, {ONE}",
          lambda e: e.change("combined_body", "combined_body_tagged"), above=0, later=True,
          undecided="the training with tagged photos is not there"),
    Claim("tagged-photos-spare-hair", "Photos with tags only keep hair from being called headwear.",
          f"change of the share of hair called headwear, {ONE}",
          lambda e: e.change("combined_body", "combined_body_tagged", metrics.hair_as_headwear), below=0, later=True,
          undecided="the training with tagged photos is not there"),
    Claim("recommended-beats-combined", "The recommended recipe is better than the combined loss.",
          f"change of the mean IoU over 13 classes, {ONE}", lambda e: e.change("combined", "recommended"), above=0,
          later=True, undecided="the recommended training is not there"),
)  # fmt: skip

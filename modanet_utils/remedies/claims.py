"""The claims of notebook 06. Those written down after trainings of the kind had been seen say so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from modanet_utils import metrics, statistics
from modanet_utils.results.claims import Claim, Ends, Trained


@dataclass(frozen=True)
class Evidence(Trained):
    """What the claims are decided on; ``validation`` is the mean IoU that a trial was chosen by."""

    validation: Mapping[str, float] = field(default_factory=dict)

    def tuned(self, before: str, *others: str) -> Ends | None:
        """The change from one trial to the one of others that validation prefers; None where one is not there."""
        if not set(others) <= self.validation.keys():
            return None
        return self.change(before, max(others, key=lambda name: self.validation[name]))

    def gap(self) -> Ends | None:
        """The combined loss's lead over cross-entropy after three times the training, minus that after one."""
        names = ("combined", "cross_entropy_long"), ("cross_entropy", "combined_long")
        if not {name for pair in names for name in pair} <= self.counts.keys():
            return None
        before, after = (np.stack([self.counts[name] for name in pair]) for pair in names)
        # A stack's score is the mean of its two, so the difference is half of what is asked for.
        return [2 * end for end in statistics.paired_comparison(before, after, metrics.clothing_mean_iou)[:3]]


ONE = "one training each"
SELDOM = ["boots", "shorts", "scarf & tie", "headwear"]  # as the notebook's method named them before the training


def _raises(id: str, statement: str, before: str, after: str, missing: str, later: bool = True) -> Claim:
    """The claim that one trial has a higher mean IoU than another."""
    measured, undecided = f"change of the mean IoU over 13 classes, {ONE}", f"the {missing} is not there"
    return Claim(id, statement, measured, lambda e: e.change(before, after), above=0, later=later, undecided=undecided)


CLAIMS: tuple[Claim, ...] = (
    Claim("longer-closes-the-gap", "With three times the training, cross-entropy catches up with the combined loss.",
          f"change of the lead in mean IoU, {ONE}", lambda e: e.gap(), below=0, later=True,
          undecided="the longer trainings are not there"),
    Claim("body-outputs-spare-hair", "Hair and skin as outputs of their own keep hair from being called headwear.",
          f"change of the share of hair called headwear, {ONE}",
          lambda e: e.change("combined", "combined_body", metrics.hair_as_headwear), below=0, later=True,
          undecided="the network with hair and skin as outputs is not there"),
    _raises("class-aware-sampling-helps", "Class-aware sampling helps: rare photos are drawn more often.",
            "combined_body", "combined_body_repeat", "training with repeated photos"),
    Claim("class-aware-sampling-raises-the-few", "Class-aware sampling raises the classes that few photos show.",
          f"change of the mean IoU of {', '.join(SELDOM[:-1])} and {SELDOM[-1]}, {ONE}",
          lambda e: e.change("combined_body", "combined_body_repeat", metrics.mean_over(SELDOM, "iou")), above=0,
          later=True, undecided="the training with repeated photos is not there"),
    _raises("class-aware-augmentation-helps",
            "Class-aware augmentation helps: rare garments of other photos are pasted on.",
            "combined_body", "combined_body_pasted", "training with pasted garments", later=False),
    Claim("tuning-gamma-helps", "Tuning the focal loss's gamma helps: 0, 1 or 3 in place of 2.",
          f"change of the mean IoU over 13 classes, by the one that validation prefers, {ONE}",
          lambda e: e.tuned("combined_body", *(f"combined_body_gamma{gamma}" for gamma in (0, 1, 3))), above=0,
          undecided="the trainings with other gammas are not there"),
    Claim("tuning-weights-helps", "Tuning the classes' weights helps: none, or the raw inverse, for the inverse root.",
          f"change of the mean IoU over 13 classes, by the one that validation prefers, {ONE}",
          lambda e: e.tuned("combined", "combined_unweighted", "combined_inverse"), above=0, later=True,
          undecided="the trainings with other weights are not there"),
    _raises("larger-encoder-helps", "A larger encoder helps, EfficientNet-Lite2 at equal training time.",
            "combined_body", "combined_body_lite2", "training with the larger encoder", later=False),
    _raises("punishing-absent-classes-helps", "A term on classes predicted where they are absent helps.",
            "combined_body", "combined_body_absent", "training with that term", later=False),
    _raises("averaged-weights-help", "Weights averaged over the steps of a training help.",
            "combined_body", "combined_body_averaged", "training with averaged weights", later=False),
    _raises("tagged-photos-help", "Photos with tags only, labelled by a trained network, help.",
            "combined_body", "combined_body_tagged", "training with tagged photos"),
    Claim("tagged-photos-spare-hair", "Photos with tags only keep hair from being called headwear.",
          f"change of the share of hair called headwear, {ONE}",
          lambda e: e.change("combined_body", "combined_body_tagged", metrics.hair_as_headwear), below=0, later=True,
          undecided="the training with tagged photos is not there"),
    _raises("recommended-beats-combined", "The recommended recipe is better than the combined loss.",
            "combined", "recommended", "recommended training"),
)  # fmt: skip

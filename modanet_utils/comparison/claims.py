"""The claims of notebooks 02 and 03."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.tables import CELLS, stacks
from modanet_utils.datasets.weights import rare_classes
from modanet_utils.results.claims import Claim, Ends, Trained
from modanet_utils.statistics import Measure, bootstrap
from modanet_utils.thresholds import FOUND

FOUR = "the four trials of loss and weights are not all there"
LONG, NOT_LONG = ("combined_unweighted_long", "combined_long"), "the longer trainings are not there"
RANKS = "rank correlation of a class's IoU with its share of the training pixels, over the 13 classes"


@dataclass(frozen=True)
class Evidence(Trained):
    """What the claims are decided on.

    Attributes:
        pixels: Training pixels per image and class ``(images, 14) int64``.
        seeds: Trial's name to its counts, one a training.
    """

    pixels: NDArray
    seeds: Mapping[str, Sequence[NDArray]] = field(default_factory=dict)

    @property
    def known(self) -> list[str]:
        return [name for label, name in enumerate(CLOTHING, 1) if self.pixels[:, label].any()]

    @property
    def rare(self) -> list[str]:
        return [name for name in rare_classes(self.pixels) if name in self.known]

    @property
    def common(self) -> list[str]:
        return [name for name in self.known if name not in self.rare]

    @property
    def number(self) -> dict[str, int]:
        """How many rare and common classes there are, and trainings of each trial."""
        return {name: len(found) for name, found in {"rare": self.rare, "common": self.common, **self.seeds}.items()}

    def ranks(self, trial: str) -> Ends | None:
        """Rank correlation of IoU and pixel share, with its interval over the classes; None of fewer than four."""
        shares, iou = self.pixels.sum(axis=0)[1:], metrics.clothing_iou(self.counts[trial].sum(axis=0))
        both = pd.DataFrame({"share": shares, "iou": np.nan_to_num(iou)})[shares > 0]
        value = float(both.corr("spearman").loc["iou", "share"])  # NaN where all are equal
        return (value, *statistics.rank_correlation_interval(value, len(both))) if len(both) > 3 else None

    def beyond_seeds(self, rival: str) -> Ends | None:
        """Gain of the combined loss over a rival, with its interval over trainings; None without several of each."""
        trainings = (self.seeds.get(name, ()) for name in (rival, "combined"))
        before, after = ([float(metrics.clothing_mean_iou(one.sum(axis=0))) for one in each] for each in trainings)
        return statistics.difference_over_seeds(before, after) if min(len(before), len(after)) > 1 else None

    def factor(self, position: int, with_it: str, measure: Measure) -> Ends | None:
        """What the loss (0) or the weights (1) change, on average over both settings of the other."""
        if not set(CELLS.values()) <= self.counts.keys():
            return None
        return statistics.paired_comparison(*stacks(self.counts, position, with_it), measure)[:3]

    def focal_leak(self) -> Ends | None:
        """Hair called headwear with the focal term minus without; None where it cannot be told."""
        ends = self.change("combined_without_focal", measure=metrics.hair_as_headwear)
        return ends if ends and np.isfinite(ends).all() else None


def _gain(rival: str, label: str, later: bool = False) -> Claim:
    """The claim that the gain over a rival outlasts another seed."""
    return Claim(
        f"gain-over-{rival.replace('_', '-')}-beyond-seeds",
        f"The gain over {label} is more than the luck of a seed.",
        "change of the mean IoU over 13 classes, mean over trainings "
        f"({{found.number[combined]}} against {{found.number[{rival}]}}), interval over trainings",
        lambda e: e.beyond_seeds(rival), above=0, later=later,
        undecided="both trials have to be trained with several seeds",
    )  # fmt: skip


BASELINE: tuple[Claim, ...] = (
    Claim("rare-at-zero", "Cross-entropy leaves the rare classes at zero.",
          "mean IoU of the {found.number[rare]} rare classes",
          lambda e: bootstrap(e.counts["cross_entropy"], metrics.mean_over(e.rare)), below=FOUND),
    Claim("rare-not-found", "Cross-entropy finds next to nothing of the rare classes.",
          "mean recall of the {found.number[rare]} rare classes",
          lambda e: bootstrap(e.counts["cross_entropy"], metrics.mean_over(e.rare, "recall")), below=FOUND),
    Claim("adjustment-helps", "Logit adjustment alone improves cross-entropy.",
          "change of the mean IoU by logit adjustment, tau chosen on validation",
          lambda e: e.change(after="cross_entropy_adjusted"), above=0),
    Claim("low-support-low-score", "Classes with low support score low.", RANKS,
          lambda e: e.ranks("cross_entropy"), above=0),
)  # fmt: skip

COMBINED: tuple[Claim, ...] = (
    Claim("combined-beats-cross-entropy", "The combined loss is better than cross-entropy.",
          "change of the mean IoU over 13 classes (primary)", lambda e: e.change(), above=0),
    Claim("combined-beats-adjusted",
          "The combined loss is better than logit adjustment of cross-entropy, which costs no training.",
          "change of the mean IoU over 13 classes",
          lambda e: e.change("cross_entropy_adjusted"), above=0),
    _gain("cross_entropy", "cross-entropy"),
    _gain("cross_entropy_adjusted", "adjusted cross-entropy", later=True),
    Claim("focal-makes-hair-headwear",
          "Without its weighted focal term the combined loss takes less hair for headwear.",
          "share of the hair called headwear, combined loss minus combined without focal, one training each",
          lambda e: e.focal_leak(), above=0, later=True,
          undecided="the combined loss without focal has not been trained, or no hair is known"),
    Claim("rare-appear", "The rare classes appear.", "change of the mean IoU of the {found.number[rare]} rare classes",
          lambda e: e.change(measure=metrics.mean_over(e.rare)), above=0),
    Claim("precision-pays", "The gain is paid for with precision.",
          "change of the share of the pixels called a garment that are that garment",
          lambda e: e.change(measure=metrics.clothing_precision), below=0),
    Claim("precision-pays-common", "Even the common classes lose precision.",
          "change of the mean precision of the {found.number[common]} common classes",
          lambda e: e.change(measure=metrics.mean_over(e.common, "precision")), below=0),
    Claim("low-support-stays-low", "Classes with low support stay low.", RANKS, lambda e: e.ranks("combined"), above=0),
    Claim("loss-brings-iou", "The combined loss helps without class weights, too: its terms, not its weights alone.",
          "change of the mean IoU by the loss, averaged over both weightings, one training each",
          lambda e: e.factor(0, "combined loss", metrics.clothing_mean_iou), above=0, later=True, undecided=FOUR),
    Claim("weights-cost-precision", "It is the class weights that cost precision.",
          "change of the precision of clothing by the weights, averaged over both losses, one training each",
          lambda e: e.factor(1, "weights", metrics.clothing_precision), below=0, later=True, undecided=FOUR),
    Claim("weights-help-when-long", "With three times the training, the classes' weights still raise the mean IoU.",
          "change of the mean IoU over 13 classes, one training each",
          lambda e: e.change(*LONG), above=0, later=True, undecided=NOT_LONG),
    Claim("weights-cost-precision-when-long",
          "With three times the training, the classes' weights still cost precision.",
          "change of the precision of clothing, one training each",
          lambda e: e.change(*LONG, metrics.clothing_precision), below=0, later=True, undecided=NOT_LONG),
)  # fmt: skip

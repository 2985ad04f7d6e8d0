"""The claims of notebooks 04 and 05: strengths and drawbacks that the original report lists, and other explanations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLOTHING
from modanet_utils.errors.sources import Source
from modanet_utils.errors.tables import estimate, fineness, growth_of, small_missed
from modanet_utils.metrics import ratio
from modanet_utils.results.claims import Claim, Ends, decide
from modanet_utils.statistics import bootstrap, paired_comparison
from modanet_utils.thresholds import ACCURATE, FOUND_SHARE, SHIFT, SMALL_SHARE, WIDTH

FINE = ("dress", "pants")


@dataclass(frozen=True)
class Evidence:
    """What the claims are decided on; those of notebook 04 on the first two. Counts are ``(images, 16, 14)``."""

    source: Source  # what the notebook recorded: its tables
    after: NDArray  # of the combined loss
    unweighted: NDArray | None = None  # of that without class weights, None where it was not trained
    rare: Sequence[str] = ()  # classes, see `weights.rare_classes`
    outlines: NDArray = field(default_factory=lambda: np.zeros((0, 16, 14), np.int64))  # see `places.of_the_shapes`

    def cell(self, table: str, row: Any, column: str) -> Ends:
        """A number of a table with its interval; an integer is a row's place."""
        one = self.source.table(table)
        values = one.iloc[row] if isinstance(row, int) else one.loc[row]
        return [float(values[column + end]) for end in ("", "_low", "_high")]

    @property
    def truth(self) -> NDArray:
        return self.after.sum(axis=-1)

    def slope(self) -> Ends | None:
        """The slope of the leak by distance in colour; None where there is none."""
        ends = self.cell("leak_model", "distance", "slope")
        return None if np.isnan(ends[0]) else ends

    def dose(self, column: str) -> Ends | None:
        """The effect of the farthest recolouring; None where no hair is called headwear in any colour."""
        called = (self.source.table("recoloring")[["hat", "hair"]] > 0).any(axis=None)
        return self.cell("recoloring", -1, column) if called else None

    def rare_minus_common(self) -> Ends:
        """Mean IoU of the rare classes minus that of the others."""
        known = [name for label, name in enumerate(CLOTHING, 1) if self.truth[:, label].any()]
        parts = [[name for name in known if (name in self.rare) is rare] for rare in (True, False)]
        rare, common = map(metrics.mean_over, parts)
        return bootstrap(self.after, lambda counts: rare(counts) - common(counts))

    def weights_alone(self) -> Ends | None:
        """Precision with class weights minus without."""
        counts = self.unweighted
        return None if counts is None else paired_comparison(counts, self.after, metrics.clothing_precision)[:3]


def accurate_share(counts: NDArray) -> NDArray[np.float64]:
    """Share of the clothing classes with an IoU above `ACCURATE`, undefined ones left out: ``(...)``."""
    iou = metrics.clothing_iou(counts)
    return ratio((np.nan_to_num(iou) > ACCURATE).sum(axis=-1), np.isfinite(iou).sum(axis=-1))


def share_of(parts: NDArray, wholes: NDArray) -> Ends:
    """The sum of the parts over that of the wholes, ``(images,)`` whole numbers, with interval over images."""
    return estimate(np.stack([parts, wholes - parts], axis=-1)[:, None], lambda summed: metrics.leak(summed, 0, 0))


def accurate_pieces(counts: NDArray) -> Ends:
    """Share of the pieces, each a class in a photo's truth, with an IoU above `ACCURATE`, with interval over photos."""
    there = metrics.fold_body(counts).sum(axis=2)[:, 1:] > 0
    accurate = there & (metrics.clothing_iou(counts) > ACCURATE)
    return share_of(accurate.sum(axis=1), there.sum(axis=1))


def mean_of_images(counts: NDArray) -> Ends:
    """Mean over images of their own mean IoU, with interval; see `metrics.image_mean_iou`."""
    own = metrics.image_mean_iou(counts)
    own = own[np.isfinite(own)]
    # In millionths, as counts are whole numbers: the mean is then a share of a sum.
    return share_of(np.rint(1e6 * own).astype(np.int64), np.full(len(own), 10**6))


def _asked(id: str, statement: str, measured: str, question: str, above: float) -> Claim:
    value = f"{measured}, combined loss"
    return Claim(id, statement, value, lambda e: e.cell("answers", question, "after"), above=above, percent=True)


HAIR_AND_SKIN: dict[str, tuple[Claim, ...]] = {
    "Hair": (
        _asked("hair-as-headwear", "The combined loss takes hair for headwear.", "hair pixels called headwear",
               "hair_as_headwear", 0.01),
        _asked("headwear-false-positives-on-hair", "The combined loss's false hats lie mostly on hair.",
               "headwear's false positives, share on hair", "headwear_false_positives_on_hair", 0.5),
        Claim("combined-loss-leak", "The combined loss makes more hair into headwear than cross-entropy does.",
              "hair pixels called headwear, combined loss minus cross-entropy",
              lambda e: e.cell("answers", "hair_as_headwear", "difference"), above=0),
    ),
    "Skin": (
        _asked("skin-as-clothing", "The combined loss over-segments the body: it calls skin clothing.",
               "skin pixels called clothing", "skin_as_clothing", 0.05),
        _asked("skin-beyond-the-edge", "What it calls clothing on skin is more than uncertain edges.",
               f"skin called clothing, share over {SHIFT} pixels from any true clothing", "skin_deeper", 0.5),
        _asked("skin-beyond-the-networks-edge",
               "What it calls clothing on skin is more than the coarse edges of its resolution.",
               f"skin called clothing, share over {SHIFT} of the network's pixels from any true clothing",
               "skin_deeper_coarse", 0.5),
    ),
    "Is it the colour?": (
        Claim("alike-colours-observed", "The more alike hair and hats are in colour, the more hair is taken for a hat.",
              "change of the share of hair called headwear with one standard deviation of distance in colour, at equal "
              "area and height", Evidence.slope, below=0,
              undecided="too few photos, or no hair is called headwear in any"),
        Claim("alike-colours-cause", "Hair that comes nearer to hats in colour is called headwear more often.",
              "hair called headwear after the farthest recolouring, toward hats minus toward other hair",
              lambda e: e.dose("difference"), above=0, undecided="no hair is called headwear in any colour"),
        Claim("not-just-any-colour",
              "Hair is taken for headwear because the colours are alike, not because any colours are strange.",
              "hair called headwear after the farthest recolouring, of hair toward hats minus of the background",
              lambda e: e.dose("against_background"), above=0, later=True,
              undecided="no hair is called headwear in any colour"),
    ),
}  # fmt: skip
"""Of notebook 04, by what they are about. The first six were written down with their thresholds before the combined
loss was scored on real photos; the others, and those of notebook 05, when both trials had been scored, before their own
numbers were computed, but for those that are marked as later.
"""
OTHERS: dict[str, tuple[Claim, ...]] = {
    "Several people": (
        Claim("strong-on-single-persons", "The combined loss is strong on single persons.",
              "mean over photos, one annotated person each, of their own mean IoU",
              lambda e: mean_of_images(e.after), above=ACCURATE),
        Claim("complex-scenes", "Several people in a picture confuse the network.",
              "mean IoU of two composed people, the rear one covered by 30%, minus that of the same people alone",
              lambda e: e.cell("crowd", -1, "both"), below=0),
        Claim("people-not-things", "It is another person that confuses the network, not just anything in front.",
              "mean IoU of the rear person behind another minus behind a plain silhouette, at 30%",
              lambda e: e.cell("crowd", -1, "person"), below=0),
        Claim("people-apart", "Several people confuse the network even where nobody is covered.",
              "mean IoU of two composed people side by side minus that of the same people alone",
              lambda e: e.cell("crowd", 0, "both"), below=0, later=True),
        Claim("people-apart-not-things", "Beside somebody it is another person that confuses, not just anything.",
              "mean IoU of a person beside another minus beside a plain silhouette, nobody covered",
              lambda e: e.cell("crowd", 0, "person"), below=0, later=True),
        Claim("clear-persons", "The combined loss is strong on persons who are clear to see.", "",
              lambda e: None, above=0, undecided="no ground truth says how clear a person is"),
    ),
    "Outlines and size": (
        Claim("fine-boundaries", "The combined loss gives dress and pants fine boundaries.",
              f"boundary IoU at {WIDTH} pixels minus that of the ground truth shifted by a pixel",
              lambda e: fineness(e.outlines, FINE, "pixel"), above=0),
        Claim("fine-for-the-network", "Those boundaries are fine for the network's resolution.",
              "the same, minus that of the ground truth shifted by a pixel of the network",
              lambda e: fineness(e.outlines, FINE, "network_pixel"), above=0),
        Claim("small-parts-missed", "The combined loss misses small parts.",
              f"instances of which less than {FOUND_SHARE:.0%} is found, share among those below {SMALL_SHARE:.2%} of "
              "the picture minus among larger ones", lambda e: small_missed(e.after), above=0),
        Claim("clothing-grows", "The combined loss calls more clothing than there is.",
              "pixels called clothing, divided by those that are",
              lambda e: [part[-1] for part in bootstrap(e.after, growth_of)], above=1),
    ),
    "Classes": (
        Claim("accurate-on-most-classes", "The combined loss is accurate on most classes.",
              f"clothing classes with an IoU above {ACCURATE}, of all 13",
              lambda e: bootstrap(e.after, accurate_share), above=0.5, percent=True),
        Claim("accurate-on-most-items", "The combined loss is accurate on most instances.",
              f"instances (a class in a photo) with an IoU above {ACCURATE}, of all",
              lambda e: accurate_pieces(e.after), above=0.5, percent=True, later=True),
        Claim("rare-classes-weak", "Rare classes are weak with the combined loss.",
              "mean IoU of the rare classes minus that of the others", Evidence.rare_minus_common, below=0),
        Claim("precision-because-of-weights", "Precision drops because of the focus on minority classes.",
              "share of the pixels called a garment that are that garment, combined loss with class weights minus "
              "without", Evidence.weights_alone, below=0,
              undecided="the combined loss without class weights has not been trained on these data"),
        Claim("womens-clothing", "The network works mainly for women's clothing.", "", lambda e: None, above=0,
              undecided="no ground truth says who wears a garment, and the 13 classes are the same for all"),
    ),
}  # fmt: skip
"""Of notebook 05."""


def decided(groups: Mapping[str, Sequence[Claim]], evidence: Evidence) -> list[dict[str, Any]]:
    """The claims of all groups, as results.json keeps them."""
    return decide((claim for group in groups.values() for claim in group), evidence)

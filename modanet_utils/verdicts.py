"""Every strength and drawback that the original report lists, as a claim with a number and a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import breakdown, errors, metrics
from modanet_utils.classes import CLOTHING
from modanet_utils.errors import image_mean_iou
from modanet_utils.metrics import ratio
from modanet_utils.results import LATER
from modanet_utils.statistics import bootstrap, paired_comparison, verdict

Ends = Sequence[float]
ACCURATE = 0.5
"""IoU above which a class, or an image, counts as segmented accurately: the customary bar for a match."""
FINE = ("dress", "pants")


@dataclass(frozen=True)
class Evidence:
    """What the claims are decided on.

    Attributes:
        before, after: Counts ``(images, 16, 14)`` of cross-entropy and of the combined loss.
        unweighted: Those of the combined loss without class weights; None where it was not trained.
        rare: The rare classes; see `weights.rare_classes`.
        outlines: Of the combined loss, from `breakdown.examine`.
        slopes: From `experiments.explain_leak`.
        dose: "called" of `experiments.dose_response`.
        probes: From `experiments.probe_table`.
        crowd: From `experiments.crowd_table`.
    """

    before: NDArray
    after: NDArray
    unweighted: NDArray | None
    rare: Sequence[str]
    outlines: NDArray
    slopes: pd.DataFrame
    dose: pd.DataFrame
    probes: pd.DataFrame
    crowd: pd.DataFrame


class Claim(NamedTuple):
    """A claim: how it is measured, what decides it, and why it may stay undecided."""

    id: str
    statement: str
    measure: str
    estimate: Callable[[Evidence], Ends | None]
    above: float | None = None
    below: float | None = None
    undecided: str = ""


def accurate_share(counts: NDArray) -> NDArray[np.float64]:
    """Share of the clothing classes with an IoU above `ACCURATE`, undefined ones left out: ``(...)``."""
    iou = metrics.clothing_iou(counts)
    return ratio((np.nan_to_num(iou) > ACCURATE).sum(axis=-1), np.isfinite(iou).sum(axis=-1))


def _share(parts: NDArray, wholes: NDArray) -> Ends:
    """The sum of the parts over that of the wholes, ``(images,)`` whole numbers, with interval over images."""
    if len(wholes) == 0:
        return (np.nan,) * 3
    return bootstrap(np.stack([parts, wholes - parts], axis=-1)[:, None], lambda summed: metrics.leak(summed, 0, 0))


def accurate_pieces(counts: NDArray) -> Ends:
    """Share of the pieces, each a class in a photo's truth, with an IoU above `ACCURATE`, with interval over photos."""
    there = metrics.fold_body(counts).sum(axis=2)[:, 1:] > 0
    accurate = there & (metrics.clothing_iou(counts) > ACCURATE)
    return _share(accurate.sum(axis=1), there.sum(axis=1))


def mean_of_images(counts: NDArray) -> Ends:
    """Mean over images of their own mean IoU, with interval; see `errors.image_mean_iou`."""
    own = image_mean_iou(counts)
    own = own[np.isfinite(own)]
    # In millionths, as counts are whole numbers: the mean is then a share of a sum.
    return _share(np.rint(1e6 * own).astype(np.int64), np.full(len(own), 10**6))


def rare_minus_common(rare: Sequence[str]) -> Callable[[NDArray], NDArray]:
    """A measure: mean IoU of the rare classes minus that of the others."""
    common = [name for name in CLOTHING if name not in rare]
    if not rare or not common:
        return lambda counts: np.full(counts.shape[:-2], np.nan)
    return lambda counts: metrics.mean_over(rare)(counts) - metrics.mean_over(common)(counts)


def _row(table: pd.DataFrame, row: Any, column: str) -> Ends:
    return [float(table.loc[row, column + end]) for end in ("", "_low", "_high")]


def _weights_alone(e: Evidence) -> Ends | None:
    if e.unweighted is None:
        return None
    return paired_comparison(e.unweighted, e.after, metrics.clothing_precision)[:3]


def _dose(e: Evidence, column: str = "difference") -> Ends | None:
    """The effect of the farthest recolouring; nothing can be said where no hair is called headwear in any colour."""
    if not (e.dose[["hat", "hair"]] > 0).any(axis=None):
        return None
    return _row(e.dose, e.dose.index[-1], column)


def _slope(e: Evidence) -> Ends | None:
    ends = _row(e.slopes, "distance", "slope")
    return None if np.isnan(ends[0]) else ends


CLAIMS: tuple[Claim, ...] = (
    Claim("accurate-on-most-classes", "It is accurate on most classes.",
          f"clothing classes with an IoU above {ACCURATE}, of all 13; above 50%",
          lambda e: bootstrap(e.after, accurate_share), above=0.5),
    Claim("accurate-on-most-items", "It is accurate on most items.",
          f"items (a class in a photo) with an IoU above {ACCURATE}, of all; above 50%; {LATER}",
          lambda e: accurate_pieces(e.after), above=0.5),
    Claim("strong-on-single-persons", "It is strong on single persons.",
          f"mean over photos, one annotated person each, of their own mean IoU; above {ACCURATE}",
          lambda e: mean_of_images(e.after), above=ACCURATE),
    Claim("clear-persons", "It is strong on persons who are clear to see.",
          "not decided: no truth says how clear a person is", lambda e: None, above=0.0),
    Claim("fine-boundaries", "Dress and pants have fine boundaries.",
          f"boundary IoU at {breakdown.WIDTH} pixels minus that of the truth shifted by a pixel; above 0",
          lambda e: breakdown.fineness(e.outlines, FINE, "pixel"), above=0.0),
    Claim("fine-for-the-network", "Dress and pants have boundaries that are fine for the network's resolution.",
          "the same, minus that of the truth shifted by a pixel of the network; above 0",
          lambda e: breakdown.fineness(e.outlines, FINE, "network_pixel"), above=0.0),
    Claim("rare-classes-weak", "Rare classes are weak.",
          "mean IoU of the rare classes minus that of the others; below 0",
          lambda e: bootstrap(e.after, rare_minus_common(e.rare)), below=0.0),
    Claim("clothing-grows", "Over-segmentation: more is called clothing than there is.",
          "pixels called clothing, divided by those that are; above 1",
          lambda e: [part[-1] for part in bootstrap(e.after, breakdown.growth)], above=1.0),
    Claim("alike-colours-observed", "The more alike hair and hats are in colour, the more hair is taken for a hat.",
          "change of the share of hair called headwear with one standard deviation of distance in colour, at equal "
          "area and height; below 0", _slope, below=0.0,
          undecided="not decided: too few photos, or no hair is called headwear in any"),
    Claim("alike-colours-cause", "Hair that comes nearer to hats in colour is called headwear more often.",
          "hair called headwear after the farthest recolouring, toward hats minus toward other hair; above 0",
          _dose, above=0.0, undecided="not decided: no hair is called headwear in any colour"),
    Claim("not-just-any-colour", 
          "Hair is taken for headwear because the colours are alike, not because any colours are strange.",
          "hair called headwear after the farthest recolouring, of hair toward hats minus of the background; above 0; "
          f"{LATER}", lambda e: _dose(e, "against_background"), above=0.0,
          undecided="not decided: no hair is called headwear in any colour"),
    Claim("decision-at-fault", "Hair and headwear are separate in the features, and mixed up by the decision.",
          "balanced accuracy of a logistic regression on the last features minus that of the network's decision; "
          "above 0",
          lambda e: _row(e.probes, "gain", "balanced"), above=0.0),
    Claim("complex-scenes", "Several people in a picture confuse it.",
          "mean IoU of two composed people, the rear one covered by 30%, minus that of the same people alone; below 0",
          lambda e: _row(e.crowd, e.crowd.index[-1], "both"), below=0.0),
    Claim("people-not-things", "It is another person that confuses, not just anything in front.",
          "mean IoU of the rear person behind another minus behind a plain silhouette, at 30%; below 0",
          lambda e: _row(e.crowd, e.crowd.index[-1], "person"), below=0.0),
    Claim("people-apart", "Several people in a picture confuse it even where nobody is covered.",
          f"mean IoU of two composed people side by side minus that of the same people alone; below 0; {LATER}",
          lambda e: _row(e.crowd, e.crowd.index[0], "both"), below=0.0),
    Claim("people-apart-not-things", "Beside somebody it is another person that confuses, not just any thing.",
          f"mean IoU of a person beside another minus beside a plain silhouette, nobody covered; below 0; {LATER}",
          lambda e: _row(e.crowd, e.crowd.index[0], "person"), below=0.0),
    Claim("small-parts-missed", "Small parts are missed.",
          f"items of which less than {errors.FOUND_SHARE:.0%} is found, share among those below "
          f"{breakdown.SMALL_SHARE:.2%} of the picture minus among larger ones; above 0",
          lambda e: breakdown.small_missed(e.after), above=0.0),
    Claim("precision-because-of-weights", "Precision drops because of the focus on minority classes.",
          "share of the pixels called a garment that are that garment, combined loss with class weights minus without; "
          "below 0",
          _weights_alone, below=0.0,
          undecided="not decided: the combined loss without class weights has not been trained on these data"),
    Claim("womens-clothing", "It works mainly for women's clothing.",
          "not decided: no truth says who wears a garment, and the 13 classes are the same for all",
          lambda e: None, above=0.0),
)  # fmt: skip
"""Further claims of the notebook; what is said of hair and skin in general is in `errors.CLAIMS`.

The claims and their thresholds were written down when both trials had been scored on real photos, before their own
numbers were computed, but for those whose measure ends with `LATER`.
"""


def claims(evidence: Evidence) -> list[dict[str, Any]]:
    """The claims as ``Workspace.record_claim`` takes them, with verdicts; undecided ones give their reason."""
    found = []
    for claim in CLAIMS:
        ends = claim.estimate(evidence)
        value, low, high = (np.nan,) * 3 if ends is None else (float(end) for end in ends)
        entry = {"id": claim.id, "statement": claim.statement, "value": None if np.isnan(value) else value}
        entry["measure"] = claim.undecided if ends is None and claim.undecided else claim.measure
        entry["interval"] = None if np.isnan([low, high]).any() else (low, high)
        entry["verdict"] = verdict(entry["interval"], above=claim.above, below=claim.below)
        found.append(entry)
    return found


def claim_table() -> pd.DataFrame:
    """All claims before their results: statement and measure."""
    return pd.DataFrame({"measure": {claim.statement: claim.measure for claim in CLAIMS}})

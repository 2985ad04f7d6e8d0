"""The answer of the whole report, for README and site alike."""

from collections.abc import Mapping
from typing import Any

from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.text import at_zero, free, longer, reached, trainings
from modanet_utils.errors.sources import Source
from modanet_utils.errors.text import by_place, length_effect
from modanet_utils.results.text import PENDING, first_of, listed, on_real_photos, row_text
from modanet_utils.trials import headline

Results = Mapping[str, Any]


def points(results: Results) -> list[str]:
    """Markdown: what cross-entropy leaves at zero, which loss to use and its price, why hair, the best network."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return [PENDING.data]
    zero = f"{on_real_photos(results)} {at_zero(results)} {longer(results)}".strip()
    verdicts = {claim["id"]: claim["verdict"] for claim in results.get("claims", [])}
    weights = " It is the class weights that cost precision." * (verdicts.get("weights-cost-precision") == "supported")
    said = zero, (free(results) or reached(results)) + weights, _hair(results), _recommended(results)
    return [point for point in said if point]


def _hair(results: Results) -> str:
    """How much hair is called headwear, and why; empty where none is."""
    if not any(test["body"]["hair_as_headwear"]["value"] for test in trainings(results, "combined")):
        return ""
    place = " It knows hats by their place, on a head." * by_place(Source(results))
    return f"{length_effect(results['trials'])}{place}"


def _recommended(results: Results) -> str:
    """The network that a reader's own photo is segmented with."""
    if not (found := trainings(results, "recommended")):
        return ""
    best, base = found[0], results["trials"]["cross_entropy"]["test"]["classes"]
    falls = [name for name in CLOTHING if (best["classes"][name]["iou"] or 0) < (base[name]["iou"] or 0)]
    behind = f"; in {listed(falls)} it stays behind plain cross-entropy" * bool(falls)
    reached, once = row_text(best, "mean_iou"), first_of(results, "recommended")
    return f"The recommended recipe (notebook 06) reaches a mean IoU of {reached} ({once}){behind}."

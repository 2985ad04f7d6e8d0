"""The answer of the whole report, for README and site alike."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.text import at_zero, free, longer, price, reached
from modanet_utils.errors.sources import Source
from modanet_utils.errors.text import by_place, length_effect
from modanet_utils.results.text import PENDING, listed, mean_iou, mean_of, on_real_photos, row_text, trainings
from modanet_utils.results.workspace import NOTEBOOKS
from modanet_utils.trials import headline

Results = Mapping[str, Any]


def points(results: Results, link: str = "") -> list[str]:
    """Markdown: what is at zero, which loss and its price, why hair, the best network; ``link`` as in ``{}.html``."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return [PENDING.data]
    zero = f"{on_real_photos(results)} {at_zero(results)} {longer(results)}".strip()
    loss = f"{free(results) or reached(results)} {price(results)}.".removesuffix(" .")
    said = zero, loss, _hair(results), _recommended(results)
    pages = [f" ([{name[:2]}]({link.format(name)}))" if link else "" for name in (*NOTEBOOKS[1:4], NOTEBOOKS[5])]
    return [point + page for point, page in zip(said, pages, strict=True) if point]


def _hair(results: Results) -> str:
    """How much hair is called headwear, and why; empty where none is."""
    if not any(test["body"]["hair_as_headwear"]["value"] for test in trainings(results, "combined")):
        return ""
    place = " The network knows hats by their place, on a head." * by_place(Source(results))
    return f"{length_effect(results['trials'])}{place}"


def _recommended(results: Results) -> str:
    """The network that a reader's own photo is segmented with."""
    reached, number = mean_iou(results, "recommended")
    means = [_by_class(results, name) for name in ("cross_entropy", "recommended")]
    falls = [name for name, first, second in zip(CLOTHING, *means, strict=True) if second < first]
    behind = f"; in {listed(falls)} it does no better than plain cross-entropy" * bool(falls)
    return f"The recommended recipe reaches a mean IoU of {reached:.3f} ({mean_of(number)}){behind}." * (number > 0)


def _by_class(results: Results, trial: str) -> list[float]:
    """IoU of each class of clothing over a trial's trainings, 0 where it is undefined."""
    each = [[test["classes"][name]["iou"] or 0 for name in CLOTHING] for test in trainings(results, trial)]
    return np.mean(each, axis=0).tolist() if each else [0.0] * len(CLOTHING)


def score(results: Results, trial: str) -> tuple[float, str]:
    """The mean IoU of a trial over its trainings, and in words its interval and how many these are."""
    value, number = mean_iou(results, trial)
    over = results.get("remedies", {}).get("trainings", {}).get(trial, {}).get("mean IoU")
    ends = row_text(over, "value") if over else row_text(trainings(results, trial)[0], "mean_iou")
    return value, f"{ends.partition(' ')[2]}, {mean_of(number)}".removeprefix(", ")

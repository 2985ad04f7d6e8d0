"""What is drawn without matplotlib: the picture of the answer, as an SVG that is the same bytes everywhere."""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader

from modanet_utils.classes import CLOTHING
from modanet_utils.results.text import value_text
from modanet_utils.trials import color_of, headline, label_of


def order(results: Mapping[str, Any]) -> list[str]:
    """The clothing classes, the commonest first."""
    share = results["dataset"]["class_share"]
    return sorted(CLOTHING, key=lambda name: -(share[name] or 0))


def threshold(measure: str) -> tuple[str, float | None]:
    """The side and the number that a claim's measure names; none where it names none.

    >>> threshold("hair pixels called headwear; above 1%"), threshold("not decided: no truth says it")
    (('above', 0.01), ('', None))
    """
    found = re.search(r"; (above|below) (-?[\d.]+)(%?)", measure)
    return (found[1], float(found[2]) / (100 if found[3] else 1)) if found else ("", None)


def classes(results: Mapping[str, Any], alone: bool = False) -> str:
    """IoU per class of the headline's trials with 95% intervals, as SVG.

    alone: As a file with a ground of its own; else for a page, in the page's colours.
    """
    tests = {label_of(name): results["trials"][name]["test"] for name in headline()}
    rows = []
    for name in order(results):
        found = [(label, test["classes"][name]) for label, test in tests.items()]
        ends = [(one["iou"], *(one["iou_interval"] or (None, None)), color_of(label)) for label, one in found]
        rows.append((name, ends))
    means = ", ".join(f"{label} {value_text(test['mean_iou'])}" for label, test in tests.items())
    alt = f"IoU of the 13 clothing classes with 95% intervals, the commonest on top; their means: {means}"
    trials = [(label, color_of(label)) for label in tests]
    environment = Environment(loader=PackageLoader("modanet_utils.report"), autoescape=True)
    return environment.get_template("chart.svg.j2").render(rows=rows, trials=trials, alt=alt, alone=alone)

"""The templates of the pages, and the words that they know."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader

from modanet_utils.comparison.text import losses_shown, own_loss, zero_classes
from modanet_utils.results.tables import claims_table
from modanet_utils.results.text import common_first, row_text, value_text
from modanet_utils.trials import color_of, label_of

TEMPLATES = PackageLoader("modanet_utils.report")


def threshold(measure: str) -> tuple[str, float | None]:
    """The side and the number that a claim's measure names; none where it names none.

    >>> threshold("hair pixels called headwear; above 1%"), threshold("not decided: no truth says it")
    (('above', 0.01), ('', None))
    """
    found = re.search(r"; (above|below) (-?[\d.]+)(%?)", measure)
    return (found[1], float(found[2]) / (100 if found[3] else 1)) if found else ("", None)


_pages = Environment(loader=TEMPLATES, autoescape=True, trim_blocks=True, keep_trailing_newline=True)
_pages.filters.update(told=row_text, number=value_text, label=label_of, zero=zero_classes, threshold=threshold)
_pages.filters.update(common_first=common_first, losses_shown=losses_shown, own_loss=own_loss)
_pages.filters["color"] = lambda name: color_of(label_of(name))
_pages.filters["values"] = lambda results: list(claims_table(results)["value [95% interval]"])


def rendered(template: str, **context: Any) -> str:
    """A template, with what is put into it escaped.

    ``chart.svg.j2`` draws IoU per class without and with the combined loss from ``results``, the same bytes everywhere:
    ``alone`` as a file with a ground of its own, else for a page, in the page's colours.
    """
    return _pages.get_template(template).render(**context)

"""The generated parts of README.md, and the model cards."""

from collections.abc import Callable

import pandas as pd

from modanet_utils.comparison.text import combined, comparison, cross_entropy, over_seeds, parts, seeds
from modanet_utils.photo.card import cards
from modanet_utils.project import ROOT, ProjectError, write_whole
from modanet_utils.report import speed
from modanet_utils.results.tables import caption, claims_table, class_table, headline_table
from modanet_utils.results.text import NOTHING, markdown
from modanet_utils.results.workspace import recorded


def _headline() -> str:
    results = recorded()
    tables = [markdown(headline_table(results)), markdown(class_table(results))]
    told = [said(results).data for said in (cross_entropy, combined, over_seeds)]
    return "\n\n".join([*told, *tables, caption(results)])


def _comparison() -> str:
    results = recorded()
    texts = [
        markdown(one.rename_axis(columns="trial")) if isinstance(one, pd.DataFrame) else one.data
        for one in (parts(results), comparison(results), seeds(results))
        if one is not NOTHING
    ]
    return "\n\n".join(texts) or "Not recorded yet."


README_PARTS: dict[str, Callable[[], str]] = {
    "headline": _headline,
    "comparison": _comparison,
    "claims": lambda: markdown(claims_table(recorded())),
    "bench": lambda: speed.text(speed.recorded(ROOT / "reports" / "bench.json")),
}
"""The generated parts of README.md, each between two comments, ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``."""


def up_to_date(readme: str) -> str:
    """The text of README.md with its generated parts made anew; ProjectError if their comments are not in order."""
    for name, part in README_PARTS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if (readme.count(begin), readme.count(end)) != (1, 1) or readme.index(end) < readme.index(begin):
            raise ProjectError(f"README.md must hold {begin} and, after it, {end}, once each: write them into it.")
        before, after = readme[: readme.index(begin)], readme[readme.index(end) :]
        readme = f"{before}{begin}\n{part()}\n{after}"
    return readme


def update_readme() -> None:
    """Write the generated parts of README.md, and the model card beside every kept weights file, anew."""
    path = ROOT / "README.md"
    if not path.exists():
        raise ProjectError("README.md is not there: write it first, with the comments around its generated parts.")
    write_whole(path, up_to_date(path.read_text(encoding="utf-8")))
    for file, text in cards().items():
        write_whole(file, text)

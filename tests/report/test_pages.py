"""Pages that stand alone."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from reporting import complete_results

from modanet_utils.report.execute import RunError
from modanet_utils.report.pages import equation, fetched, title_and_question, write_pages
from modanet_utils.results.workspace import NOTEBOOKS


def test_equations_become_mathml() -> None:
    assert equation(r"\frac{1}{2}").startswith("<math")
    aligned = equation(r"\begin{aligned} a &= 1 \\ b &= 2 \end{aligned}", "block")
    assert aligned.count("<mtr>") == 2 and "<mi>&" not in aligned


@pytest.mark.parametrize("tex", [r"\frac{", r"\unheardof{x} < 1"])
def test_what_is_no_equation_stays_readable(tex: str) -> None:
    assert equation(tex) == f"<code>{tex.replace('<', '&lt;')}</code>"


@pytest.mark.parametrize(
    ("page", "addresses"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ("<link rel=stylesheet href='//cdn.example/x.css'>", ["//cdn.example/x.css"]),
        ('<img alt="a" src="http://example.org/a.png">', ["http://example.org/a.png"]),
        ("<style>@import url(https://fonts.example/a);</style>", ["https://fonts.example/a"]),
        ("import mermaid from 'https://cdn.example/m.mjs'", ["https://cdn.example/m.mjs"]),
        ('<a href="https://example.org">paper</a> <img src="data:image/png;base64,aa//bb">', []),
    ],
)
def test_what_a_page_would_fetch_is_seen(page: str, addresses: list[str]) -> None:
    assert fetched(page) == addresses


def test_a_page_that_fetches_is_refused(tmp_path: Path) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# A\n\n![chart](https://example.org/a.png)")])
    with pytest.raises(RunError, match="would load https://example.org/a.png from the network"):
        write_pages(tmp_path, {NOTEBOOKS[0]: notebook}, complete_results())
    assert not list(tmp_path.iterdir())


def test_title_and_question() -> None:
    cells = [new_markdown_cell("# How *rare*?\nIs it [very](x) `rare`\nor not?\n\nMore."), new_code_cell("1")]
    assert title_and_question(new_notebook(cells=cells)) == ("How rare?", "Is it very rare or not?")

"""Pages that stand alone."""

import re
from html import escape
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from reporting import CLAIM, complete_results

from modanet_utils.report.execute import RunError
from modanet_utils.report.pages import equation, title_and_question, write_pages
from modanet_utils.report.safety import Inspector
from modanet_utils.results.tables import caption
from modanet_utils.results.text import on_real_photos
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
        ("<script>import mermaid from 'https://cdn.example/m.mjs'</script>", ["https://cdn.example/m.mjs"]),
        ("<script>fetch(`//cdn.example/a.json`)</script>", ["//cdn.example/a.json"]),
        ('<script>new WebSocket("wss://cdn.example/live")</script>', ["wss://cdn.example/live"]),
        ('<meta http-equiv="Refresh" content="0; url=https://example.org/">', ["https://example.org/"]),
        ('<svg><image href="https://example.org/a.png"/></svg>', ["https://example.org/a.png"]),
        ('<svg><use xlink:href="//example.org/a.svg#b"/></svg>', ["//example.org/a.svg#b"]),
        ("<p style=\"background: url('http://example.org/a.png')\">", ["http://example.org/a.png"]),
        ('<video poster="https://example.org/a.png"></video>', ["https://example.org/a.png"]),
        ('<img alt="a" src="beside.png">', ["beside.png"]),
        ('<svg><use href="#b"/></svg> <code>fetch("https://example.org")</code>', []),
        ('<a href="https://example.org">paper</a> <img src="data:image/png;base64,aa//bb">', []),
    ],
)
def test_what_a_page_would_fetch_is_seen(page: str, addresses: list[str]) -> None:
    assert Inspector(page).addresses == addresses


@pytest.mark.reliability("hostile names and outputs")
@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("<script>alert(1)</script>", ["a script (alert(1))"]),
        ('<script src="data:,alert(1)"></script>', ["<script>"]),
        ('<img src="data:," onerror="alert(1)">', ["onerror of <img>"]),
        ("<svg/onload=alert(1)>", ["onload of <svg>"]),
        ('<a href=" java\nscript:alert(1)">a</a>', ["a link of <a>"]),
        ('<iframe srcdoc="a"></iframe>', ["<iframe>"]),
        ("&lt;script&gt;alert(1)&lt;/script&gt; <a href='#a'>a</a>", []),
    ],
)
def test_what_a_page_would_run_is_seen(page: str, run: list[str]) -> None:
    assert Inspector(page).run == run


@pytest.mark.reliability("hostile names and outputs")
@pytest.mark.parametrize(
    "data", [{"text/html": "<b>a</b><script>draw()</script>"}, {"application/javascript": "draw()"}]
)
def test_a_script_in_an_output_is_refused(tmp_path: Path, data: dict[str, str]) -> None:
    cell = new_code_cell("draw()", outputs=[new_output("display_data", data)])
    with pytest.raises(RunError, match=r"01_\w+.html would run a script \(.*draw\(\)\)"):
        write_pages(tmp_path, {NOTEBOOKS[0]: new_notebook(cells=[cell])}, complete_results())
    assert not list(tmp_path.iterdir())


@pytest.mark.reliability("hostile names and outputs")
@pytest.mark.parametrize("name", ['<img src="data:," onerror=alert(1)>', "**a** [b](c)"])
def test_a_data_set_is_shown_by_its_name_whatever_that_is(tmp_path: Path, name: str) -> None:
    results = complete_results()
    results["dataset"]["name"] = name
    told = {"text/markdown": on_real_photos(results), "text/plain": name}
    cells = [new_markdown_cell("# A"), new_code_cell("answer", outputs=[new_output("display_data", told)])]
    for page in write_pages(tmp_path, {NOTEBOOKS[1]: new_notebook(cells=cells)}, results):
        assert escape(name, quote=False) in (tmp_path / page).read_text().replace("&#34;", '"').replace("&quot;", '"')
    assert re.sub(r"\\(.)", r"\1", caption(results)).startswith(f"{name}: ")
    assert not re.search(r"(?<!\\)[<*\[]", caption(results).split(":")[0])


def test_trials_and_claims_have_a_page_each(tmp_path: Path) -> None:
    row = {"mean_iou": 0.25, "mean_iou_low": 0.2, "mean_iou_high": 0.5, "precision": None, "recall": 0.1, "found": 3}
    row |= {"change": -0.1, "change_low": -0.2, "change_high": 0.1, "validation": None}
    row |= {"headwear_recall": 0.0, "hair_as_headwear": 0.0}
    claims = [CLAIM, CLAIM | {"id": "b", "measure": "a share; above 40%", "value": None, "interval": None}]
    claims[0] = CLAIM | {"measure": "mean IoU; below 0.4", "value": 0.1, "interval": [0.0, 0.2], "verdict": "supported"}
    results = complete_results() | {"claims": claims, "comparison": {"trials": {"combined_without_dice": row}}}
    write_pages(tmp_path, {NOTEBOOKS[1]: new_notebook(cells=[new_markdown_cell("# A")])}, results)
    trials, told = ((tmp_path / f"{name}.html").read_text() for name in ("trials", "claims"))
    assert "combined without Dice" in trials and "-0.100 [-0.200, +0.100]" in trials
    assert "our loss" not in trials
    assert '<line class="ends" x1="40.80%" x2="96.00%"' in trials  # from 0 to the highest end, 4% from either edge
    assert told.count("<tr data-verdict") == 2 and told.count('<svg class="interval"') == 1
    # The scale reaches from the interval's lower end to the threshold.
    assert '<line class="mark" x1="96.00%"' in told and '<line class="ends" x1="4.00%" x2="50.00%"' in told
    assert '<circle cx="27.00%"' in told


def test_what_the_labels_can_say_is_a_page(tmp_path: Path) -> None:
    second = {"pixels": 0.0031, "photos": 18, "pants": 0.42, "boots": 0.5, "again": 0.325, "mean_iou": 0.322}
    results = complete_results() | {"remedies": {"second_reading": {"combined": second}}}
    write_pages(tmp_path, {NOTEBOOKS[3]: new_notebook(cells=[new_markdown_cell("# A")])}, results)
    page, first = ((tmp_path / f"{name}.html").read_text() for name in ("labels", "index"))
    assert first.count('href="labels.html"') == 2 and '<a href="labels.html" aria-current="page">' in page
    assert "0.31% of the pixels" in page and "its mean IoU is 0.325 instead of 0.322" in page
    assert page.count("<li><strong>") == 5 and f'href="{NOTEBOOKS[3]}.html"' in page and "modanet readme" not in page
    assert '<li><a href="#59-labels-in-13-classes">59 labels in 13 classes</a></li>' in page
    (option,) = re.findall("<option value=.*?</option>", (tmp_path / "claims.html").read_text())[1:]
    assert option == f'<option value="{NOTEBOOKS[3]}.html">A</option>'


def test_an_own_loss_stands_on_the_page_of_trials_with_what_it_is(tmp_path: Path) -> None:
    row = {"mean_iou": 0.25, "mean_iou_low": 0.2, "mean_iou_high": 0.5, "precision": None, "recall": 0.1, "found": 3}
    row |= {"change": -0.1, "change_low": -0.2, "change_high": 0.1, "validation": None, "headwear_recall": 0.0}
    results = complete_results() | {"comparison": {"trials": {"own_loss": row | {"hair_as_headwear": 0.0}}}}
    config = {"loss": "dice", "class_weights": {"scarf & tie": 2.0}}
    results["trials"]["own_loss"] = results["trials"]["combined"] | {"config": config}
    write_pages(tmp_path, {NOTEBOOKS[1]: new_notebook(cells=[new_markdown_cell("# A")])}, results)
    page = (tmp_path / "trials.html").read_text()
    assert page.count('<th scope="row">your loss</th>') == 2
    assert "sorts by it. Your loss: dice, class_weights scarf &amp; tie=2.</p>" in page


def test_the_contents_name_the_sections(tmp_path: Path) -> None:
    cells = [new_markdown_cell("# A\n\nWhy?\n\n## Which *loss* & why\n\n### Deeper\n\n## End")]
    notebooks = {name: new_notebook(cells=cells) for name in NOTEBOOKS[:2]}
    write_pages(tmp_path, notebooks, complete_results())
    page = (tmp_path / f"{NOTEBOOKS[0]}.html").read_text()
    sections = re.findall(r'<li><a href="#([^"]*)">(.*?)</a></li>', page)
    assert [text for _, text in sections] == ["Which loss &amp; why", "End"]
    assert all(f'id="{anchor}"' in page for anchor, _ in sections)
    assert f'rel="next" href="{NOTEBOOKS[1]}.html"' in page and 'rel="prev" href="index.html"' in page


def test_a_page_that_fetches_is_refused(tmp_path: Path) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# A\n\n![chart](https://example.org/a.png)")])
    with pytest.raises(RunError, match="would load https://example.org/a.png from outside"):
        write_pages(tmp_path, {NOTEBOOKS[0]: notebook}, complete_results())
    assert not list(tmp_path.iterdir())


def test_title_and_question() -> None:
    cells = [new_markdown_cell("# How *rare*?\nIs it [very](x) `rare`\nor not?\n\nMore."), new_code_cell("1")]
    assert title_and_question(new_notebook(cells=cells)) == ("How rare?", "Is it very rare or not?")

"""Executed notebooks and their results as a site that stands alone: nothing is loaded from elsewhere.

Equations become MathML, which browsers draw by themselves; figures keep their alternative text. What the pages look
like stands in ``templates/``.
"""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from latex2mathml.converter import convert as mathml
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from modanet_utils.comparison.text import losses_shown
from modanet_utils.project import write_whole
from modanet_utils.remedies.text import every_presence, every_remedy, trainings
from modanet_utils.report import safety
from modanet_utils.report.answer import points, score
from modanet_utils.report.execute import RunError
from modanet_utils.report.templating import TEMPLATES, rendered
from modanet_utils.results.text import with_index

Notebooks = Mapping[str, NotebookNode]
Results = Mapping[str, Any]
OTHERS = [("trials.html", "All trials"), ("claims.html", "All claims"), ("labels.html", "What the labels can say")]


def equation(tex: str, display: str = "inline") -> str:
    """TeX without its dollar signs as MathML, inline or block; what cannot be converted stays TeX, set as code."""
    # The converter knows align* but not aligned, which means the same here.
    source = tex.replace("{aligned}", "{align*}")
    try:
        converted = mathml(source, display=display)
    except Exception:  # its errors have no common base, and a page must not fail on a formula
        converted = ""
    if not converted or "<mi>\\" in converted or "<mi>&</mi>" in converted:
        return f"<code>{html.escape(tex.strip())}</code>"
    return converted


class _Renderer(IPythonRenderer):
    """Markdown to HTML with equations as MathML."""

    def block_math(self, body: str) -> str:
        return equation(body, "block")

    def inline_math(self, body: str) -> str:
        return equation(body)

    def latex_environment(self, name: str, body: str) -> str:
        return equation(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


class _Exporter(HTMLExporter):
    """nbconvert's classic page, which keeps alternative text, without its scripts."""

    def markdown2html(self, source: str) -> str:
        return MarkdownWithMath(renderer=_Renderer(escape=False)).render(source)


def _markdown(text: str) -> Markup:
    """Markdown of our own sentences; HTML in it is shown, not obeyed."""
    return Markup(MarkdownWithMath(renderer=_Renderer(escape=True)).render(text))


def _table(table: pd.DataFrame) -> Markup:
    """A table of texts that scrolls by itself where the screen is narrow."""
    return Markup(f'<div class="wide">{with_index(table).to_html(index=False, border=0, justify="left")}</div>')


def _page(here: str, template: str, notebooks: Notebooks, results: Results, **more: Any) -> str:
    """One page: a template within the layout that all share."""
    names = {f"{name}.html": title_and_question(notebook)[0] or name for name, notebook in notebooks.items()}
    site = [("index.html", "Start"), *names.items(), *OTHERS]
    own = {"style": safety.part("style.css"), "script": safety.part("site.js"), "policy": safety.policy()}
    return rendered(template, here=here, site=site, results=results, **own, **more)


def notebook_page(name: str, notebooks: Notebooks, results: Results) -> str:
    """An executed notebook as a page; links between notebooks lead to their pages."""
    exporter = _Exporter(template_name="basic", template_file="body.html.j2", extra_loaders=[TEMPLATES])
    body, _ = exporter.from_notebook_node(notebooks[name])
    return _read_page(f"{name}.html", "notebook.html.j2", body, notebooks, results)


def _read_page(here: str, template: str, body: str, notebooks: Notebooks, results: Results) -> str:
    """A page of text: links to notebooks lead to their pages, and its headings stand in the contents."""
    body = re.sub(r'href="(?:\./)?(\d\d_\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', body)
    heads = re.findall(r'<h2 id="([^"]*)">(.*?)<a class="anchor-link"', body, re.DOTALL)
    sections = [(html.unescape(anchor), html.unescape(re.sub("<[^>]*>", "", text))) for anchor, text in heads]
    return _page(here, template, notebooks, results, body=body, sections=sections)


def title_and_question(notebook: NotebookNode) -> tuple[str, str]:
    """A notebook's first heading and the first paragraph after it, as plain text."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = [part.strip() for part in re.split(r"\n\s*\n", re.sub(r"^(#+ .*)$", r"\1\n", text, flags=re.MULTILINE))]
    title = next((part.lstrip("# ") for part in parts if part.startswith("#")), "")
    question = _plain(next((part for part in parts if part and not part.startswith("#")), ""))
    question = question.removeprefix("Question: ")
    return _plain(title), question[:1].upper() + question[1:]


def _plain(text: str) -> str:
    """Markdown without its emphasis and links."""
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*_`]", "", text)).split())


def _picture(notebook: NotebookNode) -> str:
    """A notebook's first picture, as an address that holds it; empty where it has none."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [(kind, data) for output in outputs for kind, data in output.get("data", {}).items()]
    found = (f"data:{kind};base64,{data}" for kind, data in pictures if kind in ("image/png", "image/jpeg"))
    return next(found, "").replace("\n", "")


def index_page(notebooks: Notebooks, results: Results) -> str:
    """The first page of a report: question, answer, picture, a card a notebook, claims, numbers."""
    cards = [(f"{name}.html", *title_and_question(one), _picture(one)) for name, one in notebooks.items()]
    answers = [_markdown(text) for text in points(results, "{}.html")]
    shown = [name for name in (*losses_shown(results), "recommended") if name in results["trials"]]
    scores = {name: score(results, name) for name in shown}
    return _page("index.html", "index.html.j2", notebooks, results, cards=cards, answers=answers, scores=scores)


def write_pages(folder: Path, notebooks: Notebooks, results: Results) -> list[str]:
    """Write a page a notebook, of all trials, all claims and the labels, and the first; returns their names.

    RunError if one would load something from elsewhere, or run a script that is not the site's.
    """
    pages = {f"{name}.html": notebook_page(name, notebooks, results) for name in notebooks}
    more = {"spread": trainings, "remedies": every_remedy, "presence": every_presence}
    found = {name: of(results) for name, of in more.items()}
    told = {n: _table(t.rename_axis(columns="trial")) for n, t in found.items() if isinstance(t, pd.DataFrame)}
    pages["trials.html"] = _page("trials.html", "trials.html.j2", notebooks, results, **dict.fromkeys(more, "") | told)
    pages["claims.html"] = _page("claims.html", "claims.html.j2", notebooks, results)
    labels = _markdown(rendered("labels.md.j2", results=results, page=True))
    pages["labels.html"] = _read_page("labels.html", "labels.html.j2", labels, notebooks, results)
    pages["index.html"] = index_page(notebooks, results)
    for name, page in pages.items():
        seen = safety.Inspector(page)
        if seen.addresses:
            raise RunError(f"{name} would load {seen.addresses[0]} from outside the page: take it out of the notebook.")
        if seen.run:
            raise RunError(f"{name} would run {seen.run[0]}: take it out, pages run no script of others.")
    for name, page in pages.items():
        write_whole(folder / name, page)
    return list(pages)

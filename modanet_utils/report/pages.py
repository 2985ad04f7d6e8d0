"""Executed notebooks as HTML pages that stand alone: no script, nothing loaded from elsewhere.

Equations become MathML, which browsers draw by themselves; figures keep their alternative text.
"""

import html
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader
from latex2mathml.converter import convert as mathml
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from modanet_utils.comparison.text import combined, cross_entropy
from modanet_utils.project import write_whole
from modanet_utils.report.execute import RunError
from modanet_utils.results.tables import caption, claims_table, class_table, headline_table
from modanet_utils.results.text import with_index

TEMPLATES = PackageLoader("modanet_utils.report")

# Attributes, style rules and imports with which a page makes a browser fetch something. Links are not meant:
# they fetch nothing until they are followed.
_FETCH = re.compile(
    r"""<(?:script|link|iframe|object|embed|img|source|video|audio)\b[^>]*?\b(?:src|href|data|srcset)\s*=\s*["']?"""
    r"""\s*((?:https?:)?//[^"'\s>]+)|(?:url\(\s*["']?|@import\s*["']|\bimport\b[^;"'(]*["'])((?:https?:)?//[^"')\s]+)""",
    re.IGNORECASE,
)


def fetched(page: str) -> list[str]:
    """The network addresses that a browser would load to show a page.

    >>> fetched('<script src="//cdn.example/x.js"></script> <a href="https://example.org">paper</a>')
    ['//cdn.example/x.js']
    """
    return [first or second for first, second in _FETCH.findall(page)]


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


def _style() -> str:
    return (files("modanet_utils.report") / "templates" / "style.css").read_text(encoding="utf-8")


def notebook_page(notebook: NotebookNode) -> str:
    """An executed notebook as a page; links between notebooks lead to their pages."""
    exporter = _Exporter(
        template_name="basic",
        template_file="page.html.j2",
        extra_loaders=[TEMPLATES],
        config=Config({"CSSHTMLHeaderPreprocessor": {"enabled": True, "style": "default"}}),
    )
    title, _ = title_and_question(notebook)
    page, _ = exporter.from_notebook_node(notebook, {"page_title": title, "page_style": _style()})
    return re.sub(r'href="(?:\./)?(\d\d_\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', page)


def title_and_question(notebook: NotebookNode) -> tuple[str, str]:
    """A notebook's first heading and the first paragraph after it, as plain text."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = [part.strip() for part in re.split(r"\n\s*\n", re.sub(r"^(#+ .*)$", r"\1\n", text, flags=re.MULTILINE))]
    title = next((part.lstrip("# ") for part in parts if part.startswith("#")), "")
    question = next((part for part in parts if part and not part.startswith("#")), "")
    return _plain(title), _plain(question)


def _plain(text: str) -> str:
    """Markdown without its emphasis and links."""
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*_`]", "", text)).split())


def _bold(text: str) -> Markup:
    return Markup(re.sub(r"[*]{2}(.+?)[*]{2}", r"<strong>\1</strong>", html.escape(text)))


def _table(table: pd.DataFrame) -> Markup:
    """A table of texts that scrolls by itself where the screen is narrow."""
    return Markup(f'<div class="wide">{with_index(table).to_html(index=False, border=0, justify="left")}</div>')


def index_page(results: Mapping[str, Any], notebooks: Mapping[str, NotebookNode]) -> str:
    """The first page of a report: the headline table, a line a notebook, claims, classes, provenance."""
    answers = [cross_entropy(results).data, combined(results).data]
    if results["profile"] == "synthetic":
        answers = [
            "**Drawn figures.** This report shows that everything runs. It says nothing about photos: what was found "
            "on real ones stands in the notebooks beside what was found here, and in the project's README."
        ]
    made = results["provenance"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    environment = Environment(loader=TEMPLATES, autoescape=True, keep_trailing_newline=True)
    environment.filters |= {"bold": _bold, "table": _table}
    return environment.get_template("index.html.j2").render(
        data=results["dataset"]["name"],
        style=_style(),
        answers=answers,
        headline=headline_table(results),
        caption=caption(results),
        notebooks=[(name, *title_and_question(notebook)) for name, notebook in notebooks.items()],
        claims=claims_table(results),
        classes=class_table(results),
        made=f"Made from commit {made['commit']} on {made['device']} with {versions}.",
    )


def write_pages(folder: Path, notebooks: Mapping[str, NotebookNode], results: Mapping[str, Any]) -> None:
    """Write a page a notebook and ``index.html``; RunError if one would load something from the network."""
    pages = {f"{name}.html": notebook_page(notebook) for name, notebook in notebooks.items()}
    pages["index.html"] = index_page(results, notebooks)
    for name, page in pages.items():
        if addresses := fetched(page):
            raise RunError(f"{name} would load {addresses[0]} from the network: take it out of the notebook.")
        write_whole(folder / name, page)

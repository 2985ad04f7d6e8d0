"""Executed notebooks as HTML pages that stand alone: no script, nothing loaded from elsewhere.

Equations become MathML, which browsers draw by themselves; figures keep their alternative text.
"""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import DictLoader
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from modanet_utils import answers
from modanet_utils.results import caption, claims_table, class_table, headline_table, with_index

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1c1c1c; background: #fff;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.25rem; } h3 { font-size: 1.05rem; }
a { color: #0b5394; }
a.anchor-link { visibility: hidden; text-decoration: none; } :hover > a.anchor-link { visibility: visible; }
nav { font-size: .9rem; margin-bottom: 1rem; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; margin: 0; font-size: .85rem; line-height: 1.4; }
.cell { margin: .8rem 0; } .prompt { display: none; }
.input_area { background: #f6f6f4; border-left: 3px solid #c9c9c4; padding: .5rem .7rem; }
.output_area { overflow-x: auto; margin: .5rem 0; }
.output_stderr, .output_error { background: #fff1f0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #888; } tbody th { font-weight: 500; }
math[display=block] { margin: .8rem 0; overflow-x: auto; }
footer { margin-top: 2rem; font-size: .85rem; color: #555; }
"""

_PAGE = """{%- extends 'base.html.j2' -%}
{%- block header -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ resources.page_title | e }}</title>
{%- for css in resources.inlining.css %}
<style>{{ css }}</style>
{%- endfor %}
<style>{{ resources.page_style }}</style>
</head>
<body>
<nav><a href="index.html">All notebooks</a></nav>
<main>
{%- endblock header -%}
{%- block footer -%}
</main>
</body>
</html>
{% endblock footer %}
"""

# Attributes, style rules and imports with which a page makes a browser fetch something. Links are not meant:
# they fetch nothing until they are followed.
_FETCH = re.compile(
    r"""<(?:script|link|iframe|object|embed|img|source|video|audio)\b[^>]*?\b(?:src|href|data|srcset)\s*=\s*["']?"""
    r"""\s*((?:https?:)?//[^"'\s>]+)|(?:url\(\s*["']?|@import\s*["']|\bimport\b[^;"'(]*["'])((?:https?:)?//[^"')\s]+)""",
    re.IGNORECASE,
)


def fetched(page: str) -> list[str]:
    """The network addresses that a browser would load to show a page."""
    return [first or second for first, second in _FETCH.findall(page)]


def equation(tex: str, display: str = "inline") -> str:
    """TeX as MathML; what cannot be converted stays TeX, set as code.

    Args:
        tex: Without its dollar signs.
        display: ``inline`` or ``block``.
    """
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


def notebook_page(notebook: NotebookNode) -> str:
    """An executed notebook as a page; links between notebooks lead to their pages."""
    exporter = _Exporter(
        template_name="basic",
        template_file="page.html.j2",
        extra_loaders=[DictLoader({"page.html.j2": _PAGE})],
        config=Config({"CSSHTMLHeaderPreprocessor": {"enabled": True, "style": "default"}}),
    )
    title, _ = title_and_question(notebook)
    page, _ = exporter.from_notebook_node(notebook, {"page_title": title, "page_style": STYLE})
    return re.sub(r'href="(?:\./)?(\d\d_\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', page)


def title_and_question(notebook: NotebookNode) -> tuple[str, str]:
    """A notebook's first heading and the first paragraph after it, as plain text."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = [part.strip() for part in re.split(r"\n\s*\n", re.sub(r"^(#+ .*)$", r"\1\n", text, flags=re.M))]
    title = next((part.lstrip("# ") for part in parts if part.startswith("#")), "")
    question = next((part for part in parts if part and not part.startswith("#")), "")
    return _plain(title), _plain(question)


def _plain(text: str) -> str:
    """Markdown without its emphasis and links."""
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*_`]", "", text)).split())


def index_page(results: Mapping[str, Any], notebooks: Sequence[tuple[str, NotebookNode]]) -> str:
    """The first page of a report: the headline table, a line a notebook, claims, classes, provenance.

    Args:
        results: The content of the report's ``results.json``.
        notebooks: Name without suffix and executed notebook, in order.
    """
    entries = []
    for name, notebook in notebooks:
        title, question = map(html.escape, title_and_question(notebook))
        links = f'<a href="{name}.html">{title or name}</a> (<a href="{name}.ipynb">notebook</a>)'
        entries.append(f"<li>{links}<br>{question}</li>")
    provenance = results["provenance"]
    versions = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    texts = [answers.cross_entropy(results).data, answers.combined(results).data]
    if results["profile"] == "synthetic":
        texts = [
            "**Drawn figures.** This report shows that everything runs. It says nothing about photos: what was found "
            "on real ones stands in the notebooks beside what was found here, and in the project's README."
        ]
    bold = [re.sub(r"[*]{2}(.+?)[*]{2}", r"<strong>\1</strong>", html.escape(text)) for text in texts]
    answer = "\n".join(f"<p>{text}</p>" for text in bold)
    made = f"Made from commit {provenance['commit']} on {provenance['device']} with {versions}."
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Clothing segmentation under class imbalance: {html.escape(results["dataset"]["name"])}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Clothing segmentation under class imbalance</h1>
{answer}
{_table(headline_table(results))}
<p>{html.escape(caption(results))}</p>
<h2>Notebooks</h2>
<ul>
{chr(10).join(entries)}
</ul>
<h2>Claims</h2>
{_table(claims_table(results))}
<h2>Classes</h2>
{_table(class_table(results))}
</main>
<footer>{html.escape(made)} All numbers: <a href="results.json">results.json</a>.</footer>
</body>
</html>
"""


def _table(table: pd.DataFrame) -> str:
    """A table of texts that scrolls by itself where the screen is narrow."""
    return f'<div class="wide">{with_index(table).to_html(index=False, border=0, justify="left")}</div>'


def write_pages(
    folder: Path, names: Sequence[str], notebooks: Sequence[NotebookNode], results: Mapping[str, Any]
) -> None:
    """Write a page for every notebook, and ``index.html``, into a folder.

    Raises:
        ValueError: A page would load something from the network.
    """
    pages = {f"{name}.html": notebook_page(notebook) for name, notebook in zip(names, notebooks, strict=True)}
    pages["index.html"] = index_page(results, list(zip(names, notebooks, strict=True)))
    for name, page in pages.items():
        if addresses := fetched(page):
            raise ValueError(f"{name} would load {addresses[0]} from the network: take it out of the notebook.")
        (folder / name).write_text(page, encoding="utf-8")

"""Policy: what a notebook in notebooks/ or reports/ must and must not be, checked without executing it."""

import ast
import io
import json
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode
from papermill import inspect_notebook

from modanet_utils.report.execute import notebook_parameters, unfinished
from modanet_utils.results.schema import check_results
from modanet_utils.results.workspace import GUIDES, NOTEBOOKS

ROOT = Path(__file__).resolve().parent.parent
ALL = (*NOTEBOOKS, *GUIDES)
SERIES = [ROOT / "notebooks" / f"{name}.ipynb" for name in ALL]
FOLDERS = sorted(path for path in (ROOT / "reports").glob("*/") if path.is_dir() and path.name not in ("ccp", "bench"))
REPORTS = [ROOT / "reports" / "ccp", *(path for path in FOLDERS if list(path.glob("*.ipynb")))]
NUMBERS = [path for path in FOLDERS if path not in REPORTS]
"""Folders without notebooks: recorded numbers of data whose annotations alone are at hand."""
EXECUTED = [folder / f"{name}.ipynb" for folder in REPORTS for name in ALL]

MAX_BYTES = 1_500_000
MAX_LINES = 15
ABSOLUTE = re.compile(
    r"(?<![\w.:/~-])/(?:home|Users|root|work|tmp|mnt|opt|usr|var|srv|data|content|private|Volumes|scratch)/[\w.]"
    r"|(?<!\w)[A-Za-z]:\\\w"
    r"|file://"
)
PATH_LITERAL = re.compile(
    r"^(?:~|\.{1,2})?/\w|^(?:\.\./)+\w|(?:^|/)(?:data|runs|build|reports|notebooks|profiles|images|photos)/"
    r"|\w\.(?:json|ya?ml|csv|npy|npz|png|jpe?g|ipynb|safetensors|pth?)$"
)


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_notebook = pytest.mark.parametrize("path", SERIES + EXECUTED, ids=label)
every_source = pytest.mark.parametrize("path", SERIES, ids=label)
every_report = pytest.mark.parametrize("folder", REPORTS, ids=label)


def read(path: Path) -> NotebookNode:
    if not path.exists():
        pytest.fail(f"{label(path)} is missing")
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def has_tag(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook: NotebookNode) -> Iterator[str]:
    """Every source, and every output that is text."""
    for cell in notebook.cells:
        yield cell.source
    for output in outputs(notebook):
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        yield from (value for kind, value in output.get("data", {}).items() if kind.startswith("text/"))


def text_of(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def nodes(notebook: NotebookNode) -> Iterator[ast.AST]:
    for cell in code_cells(notebook):
        yield from ast.walk(ast.parse(cell.source))


def test_there_are_no_other_notebooks() -> None:
    known = {path.name for path in SERIES}
    folders = [ROOT / "notebooks", *REPORTS]
    found = {path.name for folder in folders for path in folder.glob("*.ipynb")}
    assert found == known


@every_notebook
def test_it_was_executed_in_order_to_its_end_without_an_error(path: Path) -> None:
    notebook = read(path)
    assert unfinished(notebook) == []
    assert len(code_cells(notebook)) > 3


@every_notebook
def test_nothing_was_written_to_the_error_stream(path: Path) -> None:
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert [one.text for one in outputs if one.output_type == "stream" and one.name == "stderr"] == []


@every_notebook
def test_it_holds_no_absolute_path(path: Path) -> None:
    for text in texts(read(path)):
        found = ABSOLUTE.search(text_of(text))
        assert not found, text_of(text)[max(0, found.start() - 60) : found.end() + 60]
    assert str(ROOT) not in path.read_text(encoding="utf-8")


@every_notebook
def test_it_is_small_enough_to_be_shown(path: Path) -> None:
    assert path.stat().st_size < MAX_BYTES


@every_notebook
def test_cells_are_short(path: Path) -> None:
    for cell in code_cells(read(path)):
        if not has_tag(cell, "injected-parameters"):
            assert len(cell.source.strip().splitlines()) <= MAX_LINES, cell.source


@every_source
def test_cells_choose_and_show_but_define_nothing(path: Path) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While)
    found = [node for node in nodes(read(path)) if isinstance(node, defined)]
    assert not found, ast.unparse(found[0])


@every_source
def test_no_cell_loops_over_batches_or_epochs(path: Path) -> None:
    loops = [node for node in nodes(read(path)) if isinstance(node, ast.For | ast.comprehension)]
    found = [
        loop for loop in loops if re.search("batch|loader|epoch", ast.unparse(loop.target) + ast.unparse(loop.iter))
    ]
    assert not found, ast.unparse(found[0].iter)


@every_source
def test_no_cell_installs_or_runs_a_command(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert not re.search(
            r"^\s*[!%]|\b(?:pip|conda|mamba)\b.*\binstall\b|\bos\.system|\bsubprocess\b", cell.source, re.M
        )


@every_source
def test_no_cell_names_a_path(path: Path) -> None:
    strings = [n.value for n in nodes(read(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert not [text for text in strings if PATH_LITERAL.search(text)]


@every_source
def test_parameters_are_literals_with_one_comment_each(path: Path) -> None:
    notebook = read(path)
    parameters = notebook_parameters(notebook)  # raises on anything but literals
    (cell,) = [cell for cell in notebook.cells if has_tag(cell, "parameters")]
    lines = cell.source.strip().splitlines()
    assert len(lines) == len(parameters)
    for line in lines:
        tokens = list(tokenize.generate_tokens(io.StringIO(line).readline))
        comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        assert len(comments) == 1 and len(comments[0].lstrip("# ")) > 3, line
        assert not line.startswith("#"), line
    assert list(inspect_notebook(str(path))) == list(parameters), "papermill reads each, and says what it is"


@pytest.mark.parametrize("path", SERIES[: len(NOTEBOOKS)], ids=label)
def test_defaults_are_those_of_the_synthetic_profile(path: Path) -> None:
    profile = yaml.safe_load((ROOT / "profiles" / "synthetic.yaml").read_text())
    defaults = notebook_parameters(read(path))
    assert {key: defaults.get(key, "missing") for key in profile} == profile


@every_source
def test_at_least_three_cells_are_compared(path: Path) -> None:
    compared = [cell for cell in code_cells(read(path)) if has_tag(cell, "nbval-check-output")]
    assert len(compared) >= 3
    assert all(cell.outputs for cell in compared)


@every_notebook
def test_every_picture_has_alternative_text(path: Path) -> None:
    for output in outputs(read(path)):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                assert len(output.metadata.get(kind, {}).get("alt", "").strip()) > 10


@every_notebook
def test_it_leads_to_its_neighbours(path: Path) -> None:
    prose = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    if path.stem in GUIDES:  # they stand aside
        assert any(f"]({name}.ipynb)" in prose for name in NOTEBOOKS)
        return
    number = NOTEBOOKS.index(path.stem)
    for neighbour in NOTEBOOKS[max(0, number - 1) : number + 2]:
        assert neighbour == path.stem or f"]({neighbour}.ipynb)" in prose


@every_notebook
def test_it_starts_with_a_title_and_a_question(path: Path) -> None:
    assert read(path).cells[0].source.startswith("# ")
    assert "?" in read(path).cells[0].source


@every_report
def test_a_report_shows_no_photo(folder: Path) -> None:
    for name in ALL:
        notebook = read(folder / f"{name}.ipynb")
        injected = [cell.source for cell in notebook.cells if has_tag(cell, "injected-parameters")]
        assert ["show_photos = False" in source for source in injected] == [True] * (name in NOTEBOOKS)
        assert name in NOTEBOOKS or notebook_parameters(notebook)["photo"] is None, "a guide shows what is drawn"
        kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
        assert "image/jpeg" not in kinds
        assert "data:image/jpeg" not in (folder / f"{name}.ipynb").read_text(encoding="utf-8")
        assert not any("attachments" in cell for cell in notebook.cells)


@every_report
def test_a_report_comes_from_the_notebooks_beside_it(folder: Path) -> None:
    for name in ALL:
        executed = [c.source for c in read(folder / f"{name}.ipynb").cells if not has_tag(c, "injected-parameters")]
        assert executed == [cell.source for cell in read(ROOT / "notebooks" / f"{name}.ipynb").cells], name


@every_report
def test_a_report_has_complete_results(folder: Path) -> None:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    check_results(results)
    assert results["profile"] == folder.name


@pytest.mark.parametrize("folder", NUMBERS, ids=label)
def test_numbers_without_notebooks_follow_the_schema(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["results.json"]
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    check_results(results, complete=False)
    assert results["profile"] == folder.name
    assert {"dataset", "exploration", "claims", "provenance"} <= results.keys()


def test_no_photo_is_under_version_control() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    files = [Path(name) for name in listed.stdout.split("\0") if name]
    pictures = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".mat"}
    # Drawn scenes, which test_readme compares with what the command draws, and label maps of test photos.
    found = [file for file in files if file.suffix.lower() in pictures]
    assert found == [Path("reports/ccp/figures") / name for name in ("drawn.png", "strip.png")]
    assert not [file for file in files if file.name == "annotations.json" or file.name.startswith("instances_")]

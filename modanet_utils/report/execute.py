"""Notebooks executed: kernels that start alike wherever they run, and what counts as run to the end."""

import ast
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from modanet_utils.project import ROOT, ProjectError, write_whole
from modanet_utils.results.workspace import RESULTS_VARIABLE
from modanet_utils.trials import OWN

TIMES = "times.json"
"""Beside an executed series: how long each cell took."""


class RunError(ProjectError):
    """A series that did not finish; the report that was there before is untouched."""

    exit_code = 1


def notebook_parameters(notebook: NotebookNode) -> dict[str, Any]:
    """The defaults in a notebook's one cell tagged ``parameters``; ProjectError if it holds more than literals."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ProjectError(f"{len(cells)} cells are tagged 'parameters', not one")
    parameters: dict[str, Any] = {}
    for statement in ast.parse(cells[0].source).body:
        try:
            match statement:
                case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                    parameters[name] = ast.literal_eval(value)
                case _:
                    raise ValueError
        except ValueError:
            line = ast.unparse(statement).splitlines()[0]
            raise ProjectError(f"the cell tagged 'parameters' holds {line!r}, which is no 'name = literal'") from None
    return parameters


def run_all(series: Mapping[str, NotebookNode], parameters: dict[str, Any], staging: Path) -> Iterator[NotebookNode]:
    """Execute notebooks one after the other, each in a kernel that started while the one before it ran."""
    from modanet_utils.report.engine import kernels  # loads papermill

    with contextlib.closing(kernels(staging, [*series.values()])) as ready:
        for (name, notebook), kernel in zip(series.items(), ready, strict=True):
            yield run_one(notebook, name, parameters, staging, kernel)


def run_one(
    notebook: NotebookNode, name: str, parameters: dict[str, Any], staging: Path, kernel: Any = None
) -> NotebookNode:
    """Execute one notebook, saying how it goes; in a kernel that is there, or in a new one."""
    print(f"{name} ...", end=" ", flush=True)
    start = time.monotonic()
    try:
        executed = _execute(notebook, parameters, staging / f"{name}.ipynb", kernel)
    except RunError as error:
        print("failed", flush=True)
        raise RunError(f"{name} {error}") from None
    print(f"{time.monotonic() - start:.0f} s", flush=True)
    for output in (output for cell in executed.cells for output in cell.get("outputs", [])):
        if output.output_type == "stream" and output.name == "stderr" and output.text.strip():
            print(f"  it wrote to the error stream: {output.text.strip().splitlines()[0]}", flush=True)
    return executed


@contextlib.contextmanager
def kernel_environment(results_path: Path) -> Iterator[None]:
    """The environment in which kernels start: this interpreter, inline figures, results beside the run."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        # A kernel named python3 that the user installed elsewhere would come first without this.
        kernel = Path(folder) / "kernels" / "python3"
        kernel.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "--log-level=50", "-f", "{connection_file}"]
        specification = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (folder, before.get("JUPYTER_PATH"))))
        os.environ[RESULTS_VARIABLE] = str(results_path)
        os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
        os.environ.pop("MPLBACKEND", None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _execute(notebook: NotebookNode, parameters: dict[str, Any], path: Path, kernel: Any = None) -> NotebookNode:
    """Execute one notebook into a file, and check that all of it ran."""
    from papermill import PapermillExecutionError, execute_notebook

    from modanet_utils.report.engine import keep_times  # with it comes the engine; both load papermill

    taken = notebook_parameters(notebook)
    names = [*taken, *OWN[1:]] if "loss" in taken else taken  # what goes with a loss has no line of its own there
    ordered = {name: parameters[name] for name in names if name in parameters}
    target = str(path).replace("{", "{{").replace("}", "}}")  # papermill formats the path
    settings: dict[str, Any] = {"kernel_name": "python3", "cwd": path.parent, "progress_bar": False}
    settings |= {"engine_name": "watched", "name": path.stem, "kernel": kernel}
    try:
        execute_notebook(notebook, target, parameters=ordered, **settings)
    except PapermillExecutionError as error:
        if error.ename == "KeyboardInterrupt":  # the kernel got the user's Ctrl-C first
            raise KeyboardInterrupt from None
        raise RunError(f"stopped in cell [{error.exec_count}]: {error.ename}: {_last_line(error.evalue)}") from None
    except Exception as error:  # a kernel that died or did not start, a file that could not be written
        raise RunError(f"stopped: {_last_line(str(error)) or type(error).__name__}") from None
    executed = nbformat.read(path, as_version=4)
    keep_times(executed, path.stem, path.parent / TIMES)
    clean(executed)
    if complaint := next(iter(unfinished(executed)), None):
        raise RunError(f"did not run to its end: {complaint}")
    nbformat.write(executed, path)
    return executed


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def keep_failed(staging: Path, out: Path, name: str) -> str:
    """Move a notebook that failed beside the report; returns where it is, for the message."""
    path, kept = staging / f"{name}.ipynb", out / f"{name}.failed.ipynb"
    if not path.exists():
        return ""
    notebook = nbformat.read(path, as_version=4)
    clean(notebook)
    write_whole(kept, nbformat.writes(notebook))
    return f" (kept as {kept})"


def clean(notebook: NotebookNode) -> None:
    """Take out of an executed notebook what only says where and when it ran: times and absolute paths."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.metadata.get("tags") == []:  # papermill gives every cell a list
            del cell.metadata["tags"]
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # random otherwise
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = _without_project(output["text"])
            for kind in output.get("data", {}):
                if kind.startswith("text/"):
                    output["data"][kind] = _without_project(output["data"][kind])
            if "traceback" in output:
                output["traceback"] = [_without_project(line) for line in output["traceback"]]


def _without_project(text: str) -> str:
    return text.replace(f"{ROOT}{os.sep}", "").replace(str(ROOT), ".")


def unfinished(notebook: NotebookNode) -> list[str]:
    """What shows that an executed notebook did not run from its first cell to its last, in order."""
    complaints = []
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for at, cell in enumerate(cells, 1):
        complaints += [f"code cell {at} has execution count {cell.execution_count}"] * (cell.execution_count != at)
        complaints += [f"code cell {at} ended with {one.ename}" for one in cell.outputs if one.output_type == "error"]
    return complaints

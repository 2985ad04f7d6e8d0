"""Executes the series of notebooks on a data set, whole or not at all.

What is wrong with the request is said before the first notebook starts. The executed notebooks, their results
and pages come into being beside the report that is there, and replace it once all four have succeeded.
"""

import ast
import contextlib
import difflib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from modanet_utils import adjustment, trials
from modanet_utils.datasets import open_dataset
from modanet_utils.datasets.coco import ANNOTATIONS
from modanet_utils.results import ResultsError, check_results, read_results
from modanet_utils.splits import split
from modanet_utils.training import run_trial
from modanet_utils.weights import image_pixels
from modanet_utils.workspace import NOTEBOOKS, PROJECT, RESULTS_VARIABLE, find_data, shown

# Parameters that every profile gives and every notebook takes, with the values that make sense.
_TEXT = (lambda v: isinstance(v, str) and v != "", "a text")
_PATH = (lambda v: v is None or (isinstance(v, str) and v != ""), "a folder, or null")
_SIDE = (
    lambda v: type(v) is int and v > 0 and v % 32 == 0,
    "a multiple of 32, as the encoder halves it five times",
)
_POSITIVE = (lambda v: type(v) is int and v > 0, "a whole number above 0")
_COUNT = (lambda v: type(v) is int and v >= 0, "a whole number, 0 or more")
_RATE = (
    lambda v: type(v) is float and 0 < v < 1,
    "a number between 0 and 1, written with a point as in 1.0e-3",
)
_PRECISION = (
    lambda v: v in ("no", "bf16", "fp16") and v is not False,
    '"no" (with the quotes), bf16 or fp16',
)
PARAMETERS: dict[str, tuple] = {
    "profile": _TEXT,
    "data_root": _PATH,
    "out_dir": _PATH,
    "show_photos": (lambda v: isinstance(v, bool), "true or false"),
    "image_height": _SIDE,
    "image_width": _SIDE,
    "encoder": _TEXT,
    "epochs": _POSITIVE,
    "batch_size": _POSITIVE,
    "learning_rate": _RATE,
    "workers": _COUNT,
    "mixed_precision": _PRECISION,
    "seed": _COUNT,
    "processes": _POSITIVE,
}


class ReportError(ValueError):
    """Something the user can put right before or after a run; the message is one sentence."""


class RunError(ReportError):
    """A series that did not finish; the report that was there before is untouched."""


# ------------------------------------------------------------------------------- checks before a run


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1, 0.4)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."


def read_profile(name: str) -> dict[str, Any]:
    """The parameters that ``profiles/NAME.yaml`` gives.

    Raises:
        ReportError: There is no such profile, or it gives an unknown, missing or senseless parameter.
    """
    known = sorted(path.stem for path in (PROJECT / "profiles").glob("*.yaml"))
    if name not in known:
        raise ReportError(f"Profile {name!r} is unknown: {_nearest(name, known)}")
    where = f"profiles/{name}.yaml"
    try:
        parameters = yaml.safe_load((PROJECT / where).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ReportError(f"{where} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(parameters, dict):
        raise ReportError(f"{where} must give parameters, one a line, as in 'epochs: 15'.")
    for key, value in parameters.items():
        if key not in PARAMETERS:
            raise ReportError(f"Parameter {key!r} in {where} is unknown: {_nearest(str(key), list(PARAMETERS))}")
        sensible, wanted = PARAMETERS[key]
        if not sensible(value):
            raise ReportError(f"Parameter {key} in {where} is {value!r}: it must be {wanted}.")
    for key in PARAMETERS:
        if key not in parameters:
            raise ReportError(f"Parameter {key!r} is missing in {where}.")
    if parameters["profile"] != name:
        raise ReportError(f"Parameter profile in {where} is {parameters['profile']!r}: it must be the file's name.")
    return parameters


def notebook_parameters(notebook: NotebookNode) -> dict[str, Any]:
    """The defaults in a notebook's cell tagged ``parameters``.

    Raises:
        ReportError: There is not exactly one such cell, or it holds more than ``name = literal`` lines.
    """
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ReportError(f"{len(cells)} cells are tagged 'parameters', not one")
    parameters = {}
    for statement in ast.parse(cells[0].source).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        try:
            (target,) = targets
            parameters[target.id] = ast.literal_eval(statement.value)
        except (ValueError, AttributeError, TypeError):
            line = ast.unparse(statement).splitlines()[0]
            raise ReportError(f"the cell tagged 'parameters' holds {line!r}, which is no 'name = literal'") from None
    return parameters


def _read_notebooks(folder: Path, parameters: Mapping[str, Any]) -> list[NotebookNode]:
    """The four notebooks, each of which takes all the parameters."""
    notebooks = []
    for name in NOTEBOOKS:
        path = folder / f"{name}.ipynb"
        if not path.is_file():
            raise ReportError(f"Notebook {name}.ipynb is not in {folder}: run from a complete checkout.")
        notebooks.append(nbformat.read(path, as_version=4))
        try:
            taken = notebook_parameters(notebooks[-1])
        except ReportError as error:
            raise ReportError(f"Notebook {name}: {error}.") from None
        for key in parameters:
            if key not in taken:
                raise ReportError(f"Notebook {name} does not take parameter {key!r}: add it to its parameters cell.")
    return notebooks


def _prepare_data(profile: str, data_root: Path | None) -> Path:
    """The data set folder to use, converted first where it has Clothing Co-Parsing's original layout."""
    if data_root is None:
        return find_data(profile, None)
    if not data_root.is_dir():
        raise ReportError(f"Data root {data_root} does not exist or is no folder: give the folder that holds the data.")
    original = (data_root / "photos").is_dir() and (data_root / "annotations" / "pixel-level").is_dir()
    if profile == "ccp" and not original and not (data_root / ANNOTATIONS).exists():
        raise ReportError(
            f"Data root {data_root} holds neither Clothing Co-Parsing's original layout (photos/, "
            f"annotations/pixel-level/) nor a converted data set ({ANNOTATIONS}): give the folder that does."
        )
    if profile != "ccp" or not original:
        return data_root
    from modanet_utils.datasets import ccp  # needed for this layout only

    destination = PROJECT / "data" / "ccp"
    maps = len(list((data_root / "annotations" / "pixel-level").glob("*.mat")))
    with contextlib.suppress(OSError, ValueError):
        if maps and len(open_dataset(destination).ids) == maps:
            print(f"Using {shown(destination)}, converted before.")
            return destination
    print(f"Converting {maps} images into {shown(destination)} ...", flush=True)
    ccp.convert(data_root, destination)
    return destination


def _check_encoder(name: str) -> None:
    """Build the network once, without weights: an unknown name must not wait for the second notebook."""
    from modanet_utils import model

    model.build(name, weights=None)


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise ReportError(f"{out} is a file: give --out a folder.")
    if out in (PROJECT, PROJECT / "notebooks") or out in PROJECT.parents:
        raise ReportError(
            f"{out} holds the project itself: give --out a folder for the report, as in build/report/mine."
        )


def _prepare(profile: str, data_root: Path | None, out: Path | None) -> tuple[dict[str, Any], Path, Path]:
    """The profile's parameters, the data set folder and the folder of the report, all checked."""
    parameters = read_profile(profile)
    if data_root is None and parameters["data_root"] is not None:
        data_root = find_data(profile, parameters["data_root"])
    if data_root is not None:
        data_root = Path(os.path.abspath(data_root))  # a link stays the link that was named
    default = PROJECT / (parameters["out_dir"] or f"build/report/{profile}")
    out = Path(os.path.abspath(default if out is None else out))
    _check_out(out)
    root = _prepare_data(profile, data_root)
    open_dataset(root)  # so that what is wrong with the data is said now
    _check_encoder(parameters["encoder"])
    return parameters, root, out


# ------------------------------------------------------------------------------------------- a run


def run(profile: str, data_root: Path | None = None, out: Path | None = None, notebooks: Path | None = None) -> Path:
    """Execute the series and write the report.

    Args:
        profile: Name of a profile.
        data_root: Data set folder, or for profile ccp its original layout; None for the profile's own.
        out: Folder of the report; None for the profile's own.
        notebooks: Folder of the notebooks; None for the project's.

    Returns:
        The folder of the report, which changes only if everything succeeded.

    Raises:
        ReportError, OSError, ValueError: With one sentence; before or during the run.
    """
    series = _read_notebooks(notebooks or PROJECT / "notebooks", read_profile(profile))  # before data are converted
    parameters, root, out = _prepare(profile, data_root, out)
    # Relative to the project's folder, so that an executed notebook says the same wherever the project lies.
    if root != PROJECT / "data" / profile:
        parameters["data_root"] = shown(root)
    if out != PROJECT / (parameters["out_dir"] or f"build/report/{profile}"):
        parameters["out_dir"] = shown(out)
    created = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=out))
    try:
        _execute_series(series, parameters, staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in created:  # a run that left nothing leaves no empty folder either
            with contextlib.suppress(OSError):
                folder.rmdir()
    return out


def train(profile: str, data_root: Path | None = None, out: Path | None = None) -> None:
    """Train what the report's plan of trials still lacks, one after another, and keep each beside the report.

    Interrupted, it goes on from the last finished epoch. Arguments and errors as for `run`.
    """
    parameters, root, out = _prepare(profile, data_root, out)
    dataset = open_dataset(root)
    planned = trials.plan(root, **{name: parameters[name] for name in trials.SETTINGS})
    there = trials.finished(planned, dataset)
    for name, found in there.items():
        trials.keep_run(name, found, out)
    left = trials.remaining(planned, there, dataset)
    print(f"{len(there)} of {len(planned)} trainings are finished and kept in {shown(out)}/runs.", flush=True)
    seconds = [found.provenance["seconds_per_epoch"] for found in there.values()]
    for one, epochs in left:
        time_left = f", about {epochs * median(seconds) / 60:.0f} min" if seconds else ""
        print(f"  {one.name}: {epochs} epochs to go{time_left}", flush=True)
    for number, (one, _) in enumerate(left, 1):
        print(f"{number} of {len(left)}: {one.name}", flush=True)
        run = run_trial(one.config)
        if one.config.loss == "cross_entropy" and one.name.split("-seed")[0] in trials.FINALISTS:
            parts = split(dataset, one.config.split_seed)
            pixels = image_pixels(dataset, parts["train"]).sum(axis=0)
            adjustment.adjust(run, dataset, parts, pixels / pixels.sum())  # while its weights are there
        trials.keep_run(one.name, run, out)


def refresh() -> None:
    """Execute the project's own notebooks with their defaults and store their outputs, all or none.

    Raises:
        RunError: One did not run to its end.
    """
    folder = PROJECT / "notebooks"
    series = _read_notebooks(folder, read_profile("synthetic"))
    with (
        tempfile.TemporaryDirectory() as staging,
        _kernel_environment(PROJECT / "build" / "report" / "synthetic" / "results.json"),
    ):
        executed = [
            _run_one(notebook, name, {}, Path(staging)) for name, notebook in zip(NOTEBOOKS, series, strict=True)
        ]
    for name, notebook in zip(NOTEBOOKS, executed, strict=True):
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _run_one(notebook: NotebookNode, name: str, parameters: dict[str, Any], staging: Path) -> NotebookNode:
    """Execute one notebook, saying how it goes."""
    print(f"{name} ...", end=" ", flush=True)
    start = time.monotonic()
    try:
        executed = _execute(notebook, parameters, staging / f"{name}.ipynb")
    except RunError as error:
        print("failed", flush=True)
        raise RunError(f"{name} {error}") from None
    print(f"{time.monotonic() - start:.0f} s", flush=True)
    for line in warnings(executed):
        print(f"  it wrote to the error stream: {line}", flush=True)
    return executed


def _execute_series(series: list[NotebookNode], parameters: dict[str, Any], staging: Path, out: Path) -> None:
    executed = []
    with _kernel_environment(staging / "results.json"):
        for name, notebook in zip(NOTEBOOKS, series, strict=True):
            try:
                executed.append(_run_one(notebook, name, parameters, staging))
            except RunError as error:
                raise RunError(f"{error}{_keep_failed(staging, out, name)}") from None
    try:
        results = read_results(staging / "results.json")
        check_results(results)
    except ResultsError as error:
        raise RunError(f"The notebooks ran, but did not record everything: {error}") from None
    from modanet_utils import pages  # pulls in nbconvert, which only this step needs

    pages.write_pages(staging, NOTEBOOKS, executed, results)
    for stale in out.glob("*.failed.ipynb"):
        stale.unlink()
    names = [f"{name}{suffix}" for name in NOTEBOOKS for suffix in (".ipynb", ".html")]
    for name in (*names, "index.html", "results.json"):
        (staging / name).replace(out / name)


@contextlib.contextmanager
def _kernel_environment(results_path: Path) -> Iterator[None]:
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


def _execute(notebook: NotebookNode, parameters: dict[str, Any], path: Path) -> NotebookNode:
    """Execute one notebook into a file, and check that all of it ran."""
    from papermill import PapermillExecutionError, execute_notebook

    try:
        execute_notebook(
            notebook,
            str(path).replace("{", "{{").replace("}", "}}"),  # papermill formats the path
            parameters=parameters,
            kernel_name="python3",
            cwd=path.parent,
            progress_bar=False,
        )
    except PapermillExecutionError as error:
        if error.ename == "KeyboardInterrupt":  # the kernel got the user's Ctrl-C first
            raise KeyboardInterrupt from None
        raise RunError(f"stopped in cell [{error.exec_count}]: {error.ename}: {_last_line(error.evalue)}") from None
    except Exception as error:  # a kernel that died or did not start, a file that could not be written
        raise RunError(f"stopped: {_last_line(str(error)) or type(error).__name__}") from None
    executed = nbformat.read(path, as_version=4)
    clean(executed)
    if complaint := next(iter(unfinished(executed)), None):
        raise RunError(f"did not run to its end: {complaint}")
    nbformat.write(executed, path)
    return executed


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _keep_failed(staging: Path, out: Path, name: str) -> str:
    """Move a notebook that failed beside the report; returns where it is, for the message."""
    path = staging / f"{name}.ipynb"
    if not path.exists():
        return ""
    notebook = nbformat.read(path, as_version=4)
    clean(notebook)
    kept = out / f"{name}.failed.ipynb"
    nbformat.write(notebook, kept)
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
    return text.replace(f"{PROJECT}{os.sep}", "").replace(str(PROJECT), ".")


def unfinished(notebook: NotebookNode) -> list[str]:
    """What shows that an executed notebook did not run from its first cell to its last, in order."""
    complaints = []
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for expected, cell in enumerate(cells, 1):
        if cell.get("execution_count") != expected:
            complaints.append(f"code cell {expected} has execution count {cell.get('execution_count')}")
        errors = [output.ename for output in cell.get("outputs", []) if output.output_type == "error"]
        complaints += [f"code cell {expected} ended with {name}" for name in errors]
    return complaints


def warnings(notebook: NotebookNode) -> list[str]:
    """The first lines of what cells wrote to the error stream."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    return [text.strip().splitlines()[0] for text in texts if text.strip()]

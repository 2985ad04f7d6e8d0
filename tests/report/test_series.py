"""The series of notebooks, executed; throw-away notebooks on a tiny data set."""

import contextlib
import copy
import io
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from reporting import DEFAULTS, complete_results, parameters_cell, tree, write_dataset, write_notebooks

from modanet_utils import model, trials
from modanet_utils.__main__ import main
from modanet_utils.datasets import ccp, writing
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.project import ROOT, ProjectError
from modanet_utils.report import series
from modanet_utils.report.execute import (
    RunError,
    _execute,
    kernel_environment,
    notebook_parameters,
    run_all,
    run_one,
    unfinished,
)
from modanet_utils.report.pages import notebook_page
from modanet_utils.report.safety import Inspector
from modanet_utils.results.schema import check_results, read_results
from modanet_utils.results.workspace import GUIDES, NOTEBOOKS, open_workspace
from modanet_utils.trials import plan


def test_notebook_parameters_are_literals() -> None:
    notebook = new_notebook(cells=[parameters_cell(), new_code_cell("x = 1")])
    assert notebook_parameters(notebook) == DEFAULTS
    for source in ("import os", "a = b = 1", "a = 2 * b", "a[0] = 1", "a, b = 1, 2"):
        notebook.cells[0].source = source
        with pytest.raises(ProjectError, match="which is no 'name = literal'"):
            notebook_parameters(notebook)
    with pytest.raises(ProjectError, match="0 cells are tagged"):
        notebook_parameters(new_notebook())


# ------------------------------------------------------------------------- what is refused beforehand


def no_photos(folder: Path) -> Path:
    shutil.rmtree(folder / "images")
    (folder / "images").mkdir()
    return folder


def not_json(folder: Path) -> Path:
    (folder / "annotations.json").write_text("{")
    return folder


def not_coco(folder: Path) -> Path:
    (folder / "annotations.json").write_text("{}")
    return folder


def no_annotations(folder: Path) -> Path:
    (folder / "annotations.json").unlink()
    return folder


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: folder / "elsewhere", "does not exist"),
        (lambda folder: folder / "annotations.json", "is no folder"),
        (no_annotations, "holds neither Clothing Co-Parsing's original layout"),
        (no_photos, "holds none of the 4 photos"),
        (not_json, "is not JSON"),
        (not_coco, "is not a COCO file"),
    ],
)
def test_unusable_data_get_one_sentence_and_nothing_is_written(
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    spoil: Callable[[Path], Path],
    message: str,
) -> None:
    root = spoil(write_dataset(tmp_path / "photos"))
    before = tree(tmp_path)
    code = main(["report", "--profile", "ccp", "--data-root", str(root), "--out", str(tmp_path / "out")])
    said = capsys.readouterr()
    assert code == 2
    assert message in said.err and len(said.err.strip().splitlines()) == 1
    assert tree(tmp_path) == before and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "cpp"], "did you mean 'ccp'?"),
        (["--profile", "ccp"], "Profile ccp has no data yet"),
        (["--profile", "synthetic", "--out", "{project}"], "holds the project itself"),
        (["--profile", "synthetic", "--out", "{project}/notebooks"], "holds the project itself"),
        (["--profile", "synthetic", "--out", "{project}/profiles/ccp.yaml"], "is a file"),
    ],
)
def test_bad_arguments_get_one_sentence_and_nothing_is_written(
    project: Path, capsys: pytest.CaptureFixture, arguments: list[str], message: str
) -> None:
    before = tree(project)
    assert main(["report", *[argument.format(project=project) for argument in arguments]]) == 2
    said = capsys.readouterr().err
    assert message in said and len(said.strip().splitlines()) == 1
    assert tree(project) == before


def test_an_unknown_encoder_is_refused_before_the_first_notebook(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = project / "profiles" / "ccp.yaml"
    file.write_text(file.read_text().replace("tu-tf_efficientnet_lite0", "resnet19"))
    root = write_dataset(tmp_path / "photos")
    assert main(["report", "--profile", "ccp", "--data-root", str(root), "--out", str(tmp_path / "out")]) == 2
    assert "encoder 'resnet19' is unknown: did you mean 'resnet18'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_own_loss_is_in_the_plan_of_trials_and_given_to_the_notebooks(
    project: Path, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project / "profiles" / "ccp.yaml").open("a") as profile:
        profile.write("loss: focal\nclass_weights: {belt: 5}\ngamma: null\n")
    asked: list[Any] = []
    monkeypatch.setattr(series, "_trained", lambda one, *_: asked.append(one))
    monkeypatch.setattr(series, "keep_run", lambda *_: None)
    series.train("ccp", street, tmp_path / "out")
    assert asked[0].name == "own_loss" and asked[0].config.class_weights == {"belt": 5.0} and len(asked) > 5
    monkeypatch.setattr(series, "_execute_series", lambda _, parameters, *__: asked.append(parameters))
    series.run("ccp", street, tmp_path / "out")  # notebooks that do not take it are none to be refused
    own = {"loss": "focal", "class_weights": {"belt": 5.0}, "gamma": None}
    assert {key: asked[-1].get(key, "not given") for key in (*own, "dice")} == own | {"dice": "not given"}


@pytest.mark.parametrize(("takes", "passed"), [("loss = None", {"loss": "focal", "gamma": 3}), ("epochs = 1", {})])
def test_what_goes_with_a_loss_reaches_the_notebook_that_takes_one(
    takes: str, passed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, parameters: dict[str, Any], **__: Any) -> None:
        raise RuntimeError(str(parameters))

    monkeypatch.setattr("papermill.execute_notebook", stopped)
    cell = new_code_cell(f"{takes}  # as it is", metadata={"tags": ["parameters"]})
    with pytest.raises(RunError, match=re.escape(str(passed))):
        run_one(new_notebook(cells=[cell]), "one", {"loss": "focal", "gamma": 3}, tmp_path)


def test_every_notebook_must_take_every_parameter(project: Path, capsys: pytest.CaptureFixture) -> None:
    path = project / "notebooks" / f"{NOTEBOOKS[2]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace("epochs =", "epoch =")
    nbformat.write(notebook, path)
    assert main(["report"]) == 2
    assert "03_combined_loss does not take parameter 'epochs'" in capsys.readouterr().err
    path.unlink()
    assert main(["report"]) == 2
    assert "03_combined_loss.ipynb is not in" in capsys.readouterr().err


def test_the_original_layout_of_ccp_is_converted_once_and_again_when_it_has_changed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "clone"
    (source / "photos").mkdir(parents=True)
    (source / "annotations" / "pixel-level").mkdir(parents=True)
    for i in range(1, 5):
        (source / "annotations" / "pixel-level" / f"{i}.mat").touch()
    (source / "label_list.mat").touch()
    conversions = []

    def convert(source: Path, destination: Path, quiet: bool = True) -> Path:
        conversions.append((source, destination))
        shutil.rmtree(destination, ignore_errors=True)
        (write_dataset(destination) / writing.MADE_FROM).write_text(ccp.state(source))
        return destination

    monkeypatch.setattr(ccp, "convert", convert)
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert conversions == [(source, project / "data" / "ccp")]
    (source / "annotations" / "pixel-level" / "3.mat").write_text("corrected")
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert len(conversions) == 2
    (project / "data" / "ccp" / writing.MADE_FROM).unlink()  # by an earlier version: nobody knows what it shows
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert len(conversions) == 3
    assert series._prepare_data("modanet", source) == source


# ------------------------------------------------------------------------------------------- a run


RECORD = """
from modanet_utils.datasets import class_pixels
from modanet_utils.results.workspace import open_workspace
workspace = open_workspace(profile, data_root, out_dir)
ids = workspace.dataset.ids
parts = {"train": ids[:2], "val": ids[2:3], "test": ids[3:]}
workspace.record_dataset(parts, class_pixels(workspace.dataset))
workspace
"""
REST = """
import json, os, pathlib
recorded = pathlib.Path(os.environ["MODANET_UTILS_RESULTS"])
recorded.write_text(json.dumps(json.loads(recorded.read_text()) | {rest!r}))
"""
FIGURE = """
import matplotlib.pyplot as plt
from IPython.display import display
display({"image/png": PNG}, raw=True, metadata={"image/png": {"alt": "a red & white dot"}})
import os, sys
print(os.environ["TEST_ROOT"] + "/x.py", sys.executable == os.environ["TEST_PYTHON"])
"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, Path, Callable[..., Path]]]:
    """A report made of throw-away notebooks: its folder, the notebooks' folder, and what makes it again."""
    folder, complete = tmp_path_factory.mktemp("run {with} braces"), complete_results()
    data = write_dataset(folder / "photos")
    rest = {"trials": complete["trials"], "claims": complete["claims"]}
    codes = {
        0: [RECORD],
        1: [REST.format(rest=rest)],
        2: [FIGURE.replace("PNG", repr(DOT))],
    }
    notebooks = write_notebooks(folder / "notebooks", codes)
    hostile = folder / "jupyter" / "kernels" / "python3"  # a kernel of that name which the user has elsewhere
    hostile.mkdir(parents=True)
    (hostile / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))

    def make() -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model, "build", lambda *arguments, **more: None)
            return series.run("synthetic", data, folder / "out", notebooks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        patch.setenv("TEST_ROOT", str(ROOT))
        patch.setenv("TEST_PYTHON", sys.executable)
        yield make(), notebooks, make


def test_a_run_writes_notebooks_results_and_pages(finished: tuple) -> None:
    names = [f"{name}{suffix}" for name in (*NOTEBOOKS, *GUIDES) for suffix in (".html", ".ipynb")]
    assert sorted(tree(finished[0])) == sorted(
        [*names, "index.html", "trials.html", "claims.html", "labels.html", "results.json", "times.json"]
    )
    found = read_results(finished[0] / "results.json")
    check_results(found)
    assert (found["dataset"]["name"], found["profile"]) == ("tiny", "synthetic")


def test_executed_notebooks_say_nothing_about_the_machine(finished: tuple) -> None:
    for name in NOTEBOOKS:
        text = (finished[0] / f"{name}.ipynb").read_text()
        assert "papermill" not in text and "iopub" not in text
        assert str(ROOT) not in text
        assert not re.search(r'["\' ]/(?:tmp|home|root|work|var)/', text)
        assert unfinished(nbformat.reads(text, as_version=4)) == []


def test_parameters_are_injected_and_lead_back_to_the_data(finished: tuple) -> None:
    notebook = nbformat.read(finished[0] / f"{NOTEBOOKS[3]}.ipynb", as_version=4)
    (injected,) = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    values: dict[str, Any] = {}
    exec(injected.source, values)
    assert {key: values[key] for key in DEFAULTS if key not in ("data_root", "out_dir")} == {
        key: value for key, value in DEFAULTS.items() if key not in ("data_root", "out_dir")
    }
    assert not Path(values["data_root"]).is_absolute()
    reopened = open_workspace("synthetic", values["data_root"], values["out_dir"])
    assert reopened.dataset.name == "tiny"
    assert reopened.results_path.resolve() == finished[0].with_name(f"{finished[0].name}-alone") / "results.json"


def test_notebooks_run_in_this_interpreter(finished: tuple) -> None:
    assert "x.py True" in (finished[0] / f"{NOTEBOOKS[2]}.ipynb").read_text()


def test_a_file_gets_a_line_a_notebook_as_it_starts_and_as_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    cells = [parameters_cell({}), new_code_cell(f"assert open({str(log)!r}).read() == 'one ... '")]
    with log.open("w") as stream, contextlib.redirect_stdout(stream), kernel_environment(tmp_path / "results.json"):
        run_one(new_notebook(cells=cells), "one", {}, tmp_path)
        assert re.fullmatch(r"one \.\.\. \d+ s\n", log.read_text())


def test_a_terminal_shows_the_cell_and_the_times_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    cells = [
        parameters_cell({}),
        new_markdown_cell("# One\n\n## Counting\n"),
        new_code_cell("import time\ntime.sleep(0.3)"),
    ]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with kernel_environment(tmp_path / "results.json"):
        run_one(new_notebook(cells=cells), "one", {}, tmp_path)
    lines = terminal.getvalue().split("\r\033[K")
    assert "one ... cell 3 of 3: Counting" in lines and lines[-1] == "one ... "
    times = json.loads((tmp_path / "times.json").read_text())["one"]
    assert list(times)[-1] == "[1] import time" and 0.3 <= times["[1] import time"] < 60


def test_the_next_kernel_loads_what_its_notebook_imports_before_it_begins(tmp_path: Path) -> None:
    cells = [
        parameters_cell({}),
        new_code_cell("import sys\nprint('wave' in sys.modules)"),
        new_code_cell("import wave"),
    ]
    series = {name: new_notebook(cells=copy.deepcopy(cells)) for name in ("one", "two")}
    with kernel_environment(tmp_path / "results.json"):
        said = [one.cells[-2].outputs[0].text for one in run_all(series, {}, tmp_path)]
    assert said == ["False\n", "True\n"]


def test_a_series_that_stops_leaves_no_kernel(tmp_path: Path) -> None:
    cells = [parameters_cell({}), new_code_cell("raise ValueError")]
    series = {name: new_notebook(cells=cells) for name in ("one", "two")}
    before = {*psutil.Process().children()}
    with kernel_environment(tmp_path / "results.json"), pytest.raises(RunError):
        list(run_all(series, {}, tmp_path))
    assert {*psutil.Process().children()} <= before


def test_pages_stand_alone(finished: tuple) -> None:
    for page in finished[0].glob("*.html"):
        text = page.read_text()
        assert (seen := Inspector(text)).addresses == seen.run == []
        assert text.count("<script") == 1 and "default-src &#39;none&#39;" in text
        assert 'name="viewport"' in text
    third = (finished[0] / f"{NOTEBOOKS[2]}.html").read_text()
    assert 'alt="a red &amp; white dot"' in third
    assert f'href="{NOTEBOOKS[3]}.html"' in third
    assert "<msubsup><mi>x</mi>" in third and 'display="block"' in third
    index = (finished[0] / "index.html").read_text()
    for name in (*NOTEBOOKS, *GUIDES):
        assert f'href="{name}.html"' in index
    assert "Is it rare, or common?" in index
    assert '<ul class="tiles">' in index and "<small>mean IoU " in index


def test_executing_again_gives_the_same_files(finished: tuple, tmp_path: Path) -> None:
    out, notebooks, _ = finished
    name = NOTEBOOKS[2]
    executed = nbformat.read(out / f"{name}.ipynb", as_version=4)
    values = notebook_parameters(new_notebook(cells=[parameters_cell()]))
    (injected,) = [cell for cell in executed.cells if cell.id == "injected-parameters"]
    exec(injected.source, values)
    values = {key: values[key] for key in DEFAULTS}
    with kernel_environment(tmp_path / "results.json"):
        again = _execute(nbformat.read(notebooks / f"{name}.ipynb", 4), values, tmp_path / f"{name}.ipynb")
    assert (tmp_path / f"{name}.ipynb").read_bytes() == (out / f"{name}.ipynb").read_bytes()
    series = {one: nbformat.read(out / f"{one}.ipynb", as_version=4) for one in (*NOTEBOOKS, *GUIDES)}
    results = read_results(out / "results.json")
    assert notebook_page(name, series | {name: again}, results) == (out / f"{name}.html").read_text()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "print('half')\nraise ValueError('first\\nencoder is unknown')",
            r"cell \[3\]: ValueError: encoder is unknown",
        ),
        ("import sys\nsys.exit(0)", "did not run to its end: code cell 3 ended with SystemExit"),
    ],
)
def test_a_failed_run_leaves_the_report_as_it_was(finished: tuple, tmp_path: Path, code: str, message: str) -> None:
    _, notebooks, make = finished
    out = notebooks.parent / "out"
    before = tree(out)
    path = notebooks / f"{NOTEBOOKS[0]}.ipynb"
    content = path.read_text()
    notebook = nbformat.reads(content, as_version=4)
    cells = [new_code_cell(code)] if "raise" in code else [new_code_cell(code), new_code_cell("1")]
    nbformat.write(new_notebook(cells=[parameters_cell(), *cells], metadata=notebook.metadata), path)
    try:
        with pytest.raises(RunError, match=message) as failure:
            make()
    finally:
        path.write_text(content)
    after = tree(out)
    failed = f"{NOTEBOOKS[0]}.failed.ipynb"
    assert set(after) - set(before) == {failed}
    assert {name: after[name] for name in before} == before
    assert NOTEBOOKS[0] in str(failure.value) and failed in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1
    (out / failed).unlink()


def whole_report(step: str, staging: Path) -> None:
    for name in ("index.html", "results.json"):
        (staging / name).write_text(step)


@pytest.mark.reliability("interrupted reports")
def test_a_report_is_exchanged_as_one_whenever_it_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at every change of a file, one after another: what a reader finds is the old report or the new one."""
    out = tmp_path / "reports" / "mine"
    kept = {"runs/one/counts.npz": b"kept", ".git/config": b"theirs"}
    for name, content in kept.items():
        (out / name).parent.mkdir(parents=True)
        (out / name).write_bytes(content)
    whole_report("0", out)
    monkeypatch.setattr(series, "_read_notebooks", lambda *_: {})
    monkeypatch.setattr(series, "_prepare", lambda *_: ({"out_dir": None}, tmp_path / "data", out))
    seen = []
    for step in range(1, 200):
        monkeypatch.setattr(series, "_execute_series", lambda *given, s=step: whole_report(str(s), given[2]))
        if (child := os.fork()) == 0:
            left = [step]

            def count(event: str, _: tuple, left: list[int] = left) -> None:
                if event in ("os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "ctypes.dlsym", "open"):
                    left[0] -= 1
                    if not left[0]:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            series.run("synthetic")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        found = tree(out)
        assert {name: found.pop(name) for name in kept} == kept
        assert set(found) == {"index.html", "results.json"} and len(set(found.values())) == 1
        seen.append(int(found["index.html"]) == step)
        if status == 0:
            break
    assert status == 0 and 10 < seen.index(True) < len(seen) - 1, "killed before and after the exchange"
    assert [one.name for one in out.parent.iterdir()] == ["mine"], "what the killed ones left is cleared"


def test_notebooks_are_refreshed_in_place_all_or_none(project: Path, capsys: pytest.CaptureFixture) -> None:
    folder = project / "notebooks"
    paths = [folder / f"{name}.ipynb" for name in (*NOTEBOOKS, *GUIDES)]
    sources = [[cell.source for cell in nbformat.read(path, 4).cells] for path in paths]
    assert main(["refresh"]) == 0
    refreshed = [nbformat.read(path, 4) for path in paths]
    assert [[cell.source for cell in notebook.cells] for notebook in refreshed] == sources
    assert [unfinished(notebook) for notebook in refreshed] == [[]] * len(paths)
    assert all(set(cell.metadata) <= {"tags"} for notebook in refreshed for cell in notebook.cells)
    before = tree(folder)
    refreshed[0].cells[-1].source = "undefined"
    nbformat.write(refreshed[0], paths[0])
    assert main(["refresh"]) == 1
    assert "NameError" in capsys.readouterr().err
    assert {name: content for name, content in tree(folder).items() if name[:2] != "01"} == {
        name: content for name, content in before.items() if name[:2] != "01"
    }


def test_unfinished_sees_what_a_run_left_out() -> None:
    def cells(*numbers: int | None) -> nbformat.NotebookNode:
        return new_notebook(cells=[new_code_cell("1", execution_count=number) for number in numbers])

    assert unfinished(cells(1, 2, 3)) == []
    assert unfinished(cells(1, None)) == ["code cell 2 has execution count None"]
    assert len(unfinished(cells(2, 1))) == 2
    failed = cells(1)
    failed.cells[0].outputs = [new_output("error", ename="KeyError", evalue="x", traceback=[])]
    assert unfinished(failed) == ["code cell 1 ended with KeyError"]


def test_a_trial_that_goes_on_from_another_is_left_out_without_it(street: Path, project: Path) -> None:
    dataset, small = open_dataset(street), {"image_height": 64, "image_width": 32, "batch_size": 4, "epochs": 1}
    reasons = {one.name: series._no_start(one, dataset) for one in plan(street, "remedies", **small)}
    assert reasons["combined_body"] is None
    first = trials.TRIALS["recommended"].after
    assert reasons["recommended-seed1"] == (
        f"it goes on from the network of {first}-seed1, which is not in runs/ with its weights: train that first."
    )

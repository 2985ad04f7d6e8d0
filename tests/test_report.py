"""The report runner, results.json and what is made of it; throw-away notebooks on a tiny data set."""

import copy
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import nbformat
import numpy as np
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from modanet_utils import answers, pages, report, results, series, workspace
from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.datasets import DatasetError, ccp, open_dataset
from modanet_utils.datasets.writing import CATEGORIES
from modanet_utils.statistics import test_summary as summary_of

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = yaml.safe_load((ROOT / "profiles" / "synthetic.yaml").read_text())


# ---------------------------------------------------------------------------------------- material


def write_dataset(folder: Path, images: int = 4) -> Path:
    """A data set of grey 32x32 pictures with a bag of 4x4 pixels and hair of 2x2 pixels on each."""
    (folder / "images").mkdir(parents=True)
    records, annotations = [], []
    for i in range(1, images + 1):
        cv2.imwrite(str(folder / "images" / f"{i}.png"), np.full((32, 32, 3), 128, np.uint8))
        records.append({"id": i, "file_name": f"{i}.png", "width": 32, "height": 32})
        for category, side in ((1, 4), (14, 2)):
            left = 10 * (category > 1)
            box = [left, 0, left + side, 0, left + side, side, left, side]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i, "category_id": category, "segmentation": [box]}
            )
    coco = {"info": {"name": "tiny"}, "images": records, "annotations": annotations, "categories": CATEGORIES}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def parameters_cell(parameters: dict[str, Any] = DEFAULTS) -> nbformat.NotebookNode:
    cell = new_code_cell("\n".join(f"{key} = {value!r}  # said here" for key, value in parameters.items()))
    cell.metadata["tags"] = ["parameters"]
    return cell


def write_notebooks(folder: Path, codes: dict[int, list[str]]) -> Path:
    """The four notebooks with a title, parameters and the given code cells (by index)."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(report.NOTEBOOKS):
        neighbour = report.NOTEBOOKS[(i + 1) % 4]
        title = f"# Title {i + 1}\n\nIs it *rare*, or `common`?\n\n$$x_i^2$$\n\n[Next]({neighbour}.ipynb)"
        cells = [new_markdown_cell(title), parameters_cell(), *map(new_code_cell, codes.get(i, ["1 + 1"]))]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def counts(images: int = 12) -> np.ndarray:
    """Counts ``(images, 16, 14)`` in which every class is found and hair leaks into headwear."""
    values = np.random.default_rng(0).integers(0, 5, (images, 16, 14))
    values[:, range(14), range(14)] += 50
    return values


def trial() -> dict[str, Any]:
    entry = {
        "config": {"loss": "cross_entropy"},
        "config_hash": "0" * 12,
        "epochs": 3,
        "seconds_per_epoch": 1.5,
    }
    return entry | {"seeds": [0], "test": summary_of(counts(), resamples=100)}


CLAIM = {
    "id": "rare",
    "statement": "Rare classes are missed.",
    "measure": "mean IoU",
    "value": 0.1,
    "interval": [0.05, 0.2],
    "verdict": "supported",
    "notebook": report.NOTEBOOKS[1],
}


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    """Results that lack nothing."""
    shares = {name: 0.0 for name in CLASSES} | {"background": 0.75, "bag": 0.25}
    dataset = {"name": "tiny", "images": 10, "fingerprint": "ab", "split": {"train": 6, "val": 2, "test": 2}}
    return {
        "profile": "ccp",
        "dataset": dataset | {"class_share": shares},
        "trials": {"cross_entropy": trial(), "cross_entropy_adjusted": trial(), "combined": trial()},
        "claims": [CLAIM],
        "provenance": {"commit": "unknown", "versions": {"python": "3.11.0"}, "device": "CPU, 2 cores"},
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own, with the real profiles and tiny notebooks, instead of this one."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    write_notebooks(folder / "notebooks", {})
    for module in (report, series, workspace):
        monkeypatch.setattr(module, "PROJECT", folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---------------------------------------------------------------------------------------- profiles


@pytest.mark.parametrize("name", ["synthetic", "ccp", "modanet"])
def test_shipped_profiles_give_every_parameter(name: str) -> None:
    parameters = series.read_profile(name)
    assert list(parameters) == list(series.PARAMETERS)
    assert parameters["profile"] == name
    assert isinstance(parameters["learning_rate"], float)


def test_photos_of_people_are_shown_only_to_who_asks() -> None:
    assert not series.read_profile("ccp")["show_photos"]
    assert not series.read_profile("modanet")["show_photos"]


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(series.ReportError, match="Profile 'syntetic' is unknown: did you mean 'synthetic'?"):
        series.read_profile("syntetic")
    with pytest.raises(series.ReportError, match="known are ccp, modanet, synthetic"):
        series.read_profile("../x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("epoch: 3", "Parameter 'epoch' in profiles/ccp.yaml is unknown: did you mean 'epochs'?"),
        ("learning_rate: 1e-3", "learning_rate .* is '1e-3': .* as in 1.0e-3"),
        ("mixed_precision: no", 'mixed_precision .* is False: it must be "no" \\(with the quotes\\)'),
        ("image_height: 100", "image_height .* is 100: it must be a multiple of 32"),
        ("epochs: 0", "epochs .* is 0"),
        ("epochs: true", "epochs .* is True"),
        ("workers: -1", "workers .* is -1"),
        ("encoder:", "encoder .* is None: it must be a text"),
        ("show_photos: 1", "show_photos .* is 1"),
        ("profile: other", "profile .* is 'other': it must be the file's name"),
        ("[", "profiles/ccp.yaml is not YAML"),
    ],
)
def test_a_senseless_parameter_is_refused(project: Path, line: str, message: str) -> None:
    file = project / "profiles" / "ccp.yaml"
    key = line.split(":")[0] + ":"
    kept = [other for other in file.read_text().splitlines() if not other.startswith(key)]
    file.write_text("\n".join([*kept, line]))
    with pytest.raises(series.ReportError, match=message):
        series.read_profile("ccp")


def test_a_missing_parameter_is_refused(project: Path) -> None:
    (project / "profiles" / "ccp.yaml").write_text("profile: ccp\n")
    with pytest.raises(series.ReportError, match="Parameter 'data_root' is missing in profiles/ccp.yaml"):
        series.read_profile("ccp")


def test_notebook_parameters_are_literals() -> None:
    notebook = new_notebook(cells=[parameters_cell(), new_code_cell("x = 1")])
    assert series.notebook_parameters(notebook) == DEFAULTS
    for source in ("import os", "a = b = 1", "a = 2 * b", "a[0] = 1", "a, b = 1, 2"):
        notebook.cells[0].source = source
        with pytest.raises(series.ReportError, match="which is no 'name = literal'"):
            series.notebook_parameters(notebook)
    with pytest.raises(series.ReportError, match="0 cells are tagged"):
        series.notebook_parameters(new_notebook())


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
    code = report.main(["--profile", "ccp", "--data-root", str(root), "--out", str(tmp_path / "out")])
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
    assert report.main([argument.format(project=project) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and len(said.strip().splitlines()) == 1
    assert tree(project) == before


def test_an_unknown_encoder_is_refused_before_the_first_notebook(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = project / "profiles" / "ccp.yaml"
    file.write_text(file.read_text().replace("tu-tf_efficientnet_lite0", "resnet19"))
    root = write_dataset(tmp_path / "photos")
    assert report.main(["--profile", "ccp", "--data-root", str(root), "--out", str(tmp_path / "out")]) == 2
    assert "encoder 'resnet19' is unknown; did you mean" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_every_notebook_must_take_every_parameter(project: Path, capsys: pytest.CaptureFixture) -> None:
    path = project / "notebooks" / f"{report.NOTEBOOKS[2]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace("epochs =", "epoch =")
    nbformat.write(notebook, path)
    assert report.main([]) == 2
    assert "03_combined_loss does not take parameter 'epochs'" in capsys.readouterr().err
    path.unlink()
    assert report.main([]) == 2
    assert "03_combined_loss.ipynb is not in" in capsys.readouterr().err


def test_the_original_layout_of_ccp_is_converted_once(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "clone"
    (source / "photos").mkdir(parents=True)
    (source / "annotations" / "pixel-level").mkdir(parents=True)
    for i in range(1, 5):
        (source / "annotations" / "pixel-level" / f"{i}.mat").touch()
    conversions = []

    def convert(source: Path, destination: Path) -> Path:
        conversions.append((source, destination))
        return write_dataset(destination)

    monkeypatch.setattr(ccp, "convert", convert)
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert series._prepare_data("ccp", source) == project / "data" / "ccp"
    assert conversions == [(source, project / "data" / "ccp")]
    assert series._prepare_data("modanet", source) == source


# ------------------------------------------------------------------------------------------- a run


RECORD = """
from modanet_utils import report, results
from modanet_utils.datasets import class_pixels
workspace = report.open_workspace(profile, data_root, out_dir)
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
    tmp_path_factory: pytest.TempPathFactory, complete: dict[str, Any]
) -> Iterator[tuple[Path, Path, Callable[..., Path]]]:
    """A report made of throw-away notebooks: its folder, the notebooks' folder, and what makes it again."""
    folder = tmp_path_factory.mktemp("run {with} braces")
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
            patch.setattr(series, "_check_encoder", lambda name: None)
            return series.run("synthetic", data, folder / "out", notebooks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        patch.setenv("TEST_ROOT", str(ROOT))
        patch.setenv("TEST_PYTHON", sys.executable)
        yield make(), notebooks, make


def test_a_run_writes_notebooks_results_and_pages(finished: tuple) -> None:
    names = [f"{name}{suffix}" for name in report.NOTEBOOKS for suffix in (".html", ".ipynb")]
    assert sorted(tree(finished[0])) == sorted([*names, "index.html", "results.json"])
    found = results.read_results(finished[0] / "results.json")
    results.check_results(found)
    assert (found["dataset"]["name"], found["profile"]) == ("tiny", "synthetic")


def test_executed_notebooks_say_nothing_about_the_machine(finished: tuple) -> None:
    for name in report.NOTEBOOKS:
        text = (finished[0] / f"{name}.ipynb").read_text()
        assert "papermill" not in text and "iopub" not in text
        assert str(ROOT) not in text
        assert not re.search(r'["\' ]/(?:tmp|home|root|work|var)/', text)
        assert series.unfinished(nbformat.reads(text, as_version=4)) == []


def test_parameters_are_injected_and_lead_back_to_the_data(finished: tuple) -> None:
    notebook = nbformat.read(finished[0] / f"{report.NOTEBOOKS[3]}.ipynb", as_version=4)
    (injected,) = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    values: dict[str, Any] = {}
    exec(injected.source, values)
    assert {key: values[key] for key in DEFAULTS if key not in ("data_root", "out_dir")} == {
        key: value for key, value in DEFAULTS.items() if key not in ("data_root", "out_dir")
    }
    assert not Path(values["data_root"]).is_absolute()
    reopened = report.open_workspace("synthetic", values["data_root"], values["out_dir"])
    assert reopened.dataset.name == "tiny"
    assert reopened.results_path.resolve() == finished[0] / "results.json"


def test_notebooks_run_in_this_interpreter(finished: tuple) -> None:
    assert "x.py True" in (finished[0] / f"{report.NOTEBOOKS[2]}.ipynb").read_text()


def test_pages_stand_alone(finished: tuple) -> None:
    for page in finished[0].glob("*.html"):
        text = page.read_text()
        assert pages.fetched(text) == []
        assert "<script" not in text
        assert 'name="viewport"' in text
    third = (finished[0] / f"{report.NOTEBOOKS[2]}.html").read_text()
    assert 'alt="a red &amp; white dot"' in third
    assert f'href="{report.NOTEBOOKS[3]}.html"' in third
    assert "<msubsup><mi>x</mi>" in third and 'display="block"' in third
    index = (finished[0] / "index.html").read_text()
    for name in report.NOTEBOOKS:
        assert f'href="{name}.html"' in index
    assert "Is it rare, or common?" in index
    assert "mean IoU, 13 clothing classes" in index


def test_executing_again_gives_the_same_files(finished: tuple, tmp_path: Path) -> None:
    out, notebooks, _ = finished
    name = report.NOTEBOOKS[2]
    executed = nbformat.read(out / f"{name}.ipynb", as_version=4)
    values = series.notebook_parameters(new_notebook(cells=[parameters_cell()]))
    (injected,) = [cell for cell in executed.cells if cell.id == "injected-parameters"]
    exec(injected.source, values)
    values = {key: values[key] for key in DEFAULTS}
    with series._kernel_environment(tmp_path / "results.json"):
        again = series._execute(nbformat.read(notebooks / f"{name}.ipynb", 4), values, tmp_path / f"{name}.ipynb")
    assert (tmp_path / f"{name}.ipynb").read_bytes() == (out / f"{name}.ipynb").read_bytes()
    assert pages.notebook_page(again) == (out / f"{name}.html").read_text()


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
    path = notebooks / f"{report.NOTEBOOKS[0]}.ipynb"
    content = path.read_text()
    notebook = nbformat.reads(content, as_version=4)
    cells = [new_code_cell(code)] if "raise" in code else [new_code_cell(code), new_code_cell("1")]
    nbformat.write(new_notebook(cells=[parameters_cell(), *cells], metadata=notebook.metadata), path)
    try:
        with pytest.raises(series.RunError, match=message) as failure:
            make()
    finally:
        path.write_text(content)
    after = tree(out)
    failed = f"{report.NOTEBOOKS[0]}.failed.ipynb"
    assert set(after) - set(before) == {failed}
    assert {name: after[name] for name in before} == before
    assert report.NOTEBOOKS[0] in str(failure.value) and failed in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1
    (out / failed).unlink()


def test_notebooks_are_refreshed_in_place_all_or_none(project: Path, capsys: pytest.CaptureFixture) -> None:
    folder = project / "notebooks"
    paths = [folder / f"{name}.ipynb" for name in report.NOTEBOOKS]
    sources = [[cell.source for cell in nbformat.read(path, 4).cells] for path in paths]
    assert report.main(["--refresh"]) == 0
    refreshed = [nbformat.read(path, 4) for path in paths]
    assert [[cell.source for cell in notebook.cells] for notebook in refreshed] == sources
    assert [series.unfinished(notebook) for notebook in refreshed] == [[]] * 4
    assert all(set(cell.metadata) <= {"tags"} for notebook in refreshed for cell in notebook.cells)
    before = tree(folder)
    refreshed[0].cells[-1].source = "undefined"
    nbformat.write(refreshed[0], paths[0])
    assert report.main(["--refresh"]) == 1
    assert "NameError" in capsys.readouterr().err
    assert {name: content for name, content in tree(folder).items() if name[:2] != "01"} == {
        name: content for name, content in before.items() if name[:2] != "01"
    }


def test_unfinished_sees_what_a_run_left_out() -> None:
    def cells(*numbers: int | None) -> nbformat.NotebookNode:
        return new_notebook(cells=[new_code_cell("1", execution_count=number) for number in numbers])

    assert series.unfinished(cells(1, 2, 3)) == []
    assert series.unfinished(cells(1, None)) == ["code cell 2 has execution count None"]
    assert len(series.unfinished(cells(2, 1))) == 2
    failed = cells(1)
    failed.cells[0].outputs = [new_output("error", ename="KeyError", evalue="x", traceback=[])]
    assert series.unfinished(failed) == ["code cell 1 ended with KeyError"]


# ---------------------------------------------------------------------------------------- workspace


@pytest.fixture
def work(tmp_path: Path) -> workspace.Workspace:
    return report.open_workspace("ccp", write_dataset(tmp_path / "photos"), tmp_path / "out")


def test_recording_the_data_set(work: workspace.Workspace) -> None:
    pixels = np.zeros(16, np.int64)
    pixels[[0, 1, 14, 15]] = 60, 20, 12, 8
    work.record_dataset({"train": [1, 2], "val": [3], "test": [4]}, pixels)
    found = json.loads(work.results_path.read_text())["dataset"]
    assert found["class_share"] == dict.fromkeys(CLASSES, 0.0) | {"background": 0.8, "bag": 0.2}
    assert found["split"] == {"train": 2, "val": 1, "test": 1}
    assert (found["images"], found["fingerprint"]) == (4, work.dataset.fingerprint)


def test_recording_a_run(work: workspace.Workspace) -> None:
    config = SimpleNamespace(plain=lambda: {"loss": "focal"}, hash="abc", seed=7)
    run = SimpleNamespace(
        config=config, history=[{}, {}], provenance={"seconds_per_epoch": 2.5}, summary=trial()["test"]
    )
    work.record_trial("focal", run)
    work.record_trial("seeds", run, seeds=(7, 8))
    trials = work.results["trials"]
    assert {key: trials["focal"][key] for key in ("config", "config_hash", "epochs", "seconds_per_epoch", "seeds")} == {
        "config": {"loss": "focal"},
        "config_hash": "abc",
        "epochs": 2,
        "seconds_per_epoch": 2.5,
        "seeds": [7],
    }
    assert trials["seeds"]["seeds"] == [7, 8]


def test_a_claim_with_the_same_id_is_replaced_in_its_place(work: workspace.Workspace) -> None:
    for id, value in (("a", 0.1), ("b", 0.2), ("a", float("nan"))):
        work.record_claim(**(CLAIM | {"id": id, "value": value, "interval": (np.float64(0.0), 0.5), "notebook": "02"}))
    assert [(claim["id"], claim["value"]) for claim in work.results["claims"]] == [("a", None), ("b", 0.2)]
    assert work.results["claims"][0]["notebook"] == report.NOTEBOOKS[1]


def test_what_does_not_follow_the_schema_is_not_written(work: workspace.Workspace) -> None:
    work.record("extra", {"numbers": np.array([1.0, np.nan]), 3: (np.int64(2), True)})
    before = work.results_path.read_bytes()
    for change in ({"verdict": "true"}, {"interval": (0.5, 0.1)}, {"notebook": "05"}, {"measure": ""}):
        with pytest.raises(results.ResultsError):
            work.record_claim(**(CLAIM | change))
    with pytest.raises(results.ResultsError, match="A set cannot be recorded"):
        work.record("extra", {1})
    assert work.results_path.read_bytes() == before
    assert json.loads(before)["extra"] == {"numbers": [1.0, None], "3": [2, True]}
    assert [path.name for path in work.out.iterdir()] == ["results.json"]


def test_results_of_other_data_are_not_mixed_in(work: workspace.Workspace, tmp_path: Path) -> None:
    parts = {"train": [1, 2], "val": [3], "test": [4]}
    work.record_dataset(parts, np.ones(16))
    work.record("extra", 1)
    other = report.open_workspace("ccp", write_dataset(tmp_path / "others", 5), work.out)
    assert other.results == {}
    other.record_dataset(parts, np.ones(16))
    assert "extra" not in other.results


def test_a_workspace_is_shown_without_absolute_paths(work: workspace.Workspace) -> None:
    assert "tiny with 4 images" in repr(work) and not re.search(r"(?<![\w.])/\w", repr(work))


def test_relative_paths_do_not_depend_on_the_current_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(project / "data" / "mine")
    monkeypatch.chdir(tmp_path)
    work = report.open_workspace("ccp", "data/mine")
    assert work.results_path == project / "build" / "report" / "ccp" / "results.json"
    assert report.open_workspace("ccp", "data/mine", "reports/x").out == project / "reports" / "x"
    write_dataset(tmp_path / "here")  # only in the current folder
    assert report.open_workspace("ccp", "here").dataset.name == "tiny"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        report.open_workspace("ccp", "nowhere")
    (project / "data" / "mine" / "annotations.json").write_text("[]")
    with pytest.raises(DatasetError):
        report.open_workspace("ccp", "data/mine")


def test_recorded_results_are_this_runs_own_where_it_is_of_that_profile(
    project: Path, work: workspace.Workspace, complete: dict[str, Any]
) -> None:
    work.record("extra", 1)
    assert work.recorded()["extra"] == 1
    assert work.recorded("modanet") == work.elsewhere() == work.elsewhere("modanet") == {}
    with pytest.raises(
        results.ResultsError, match="reports/modanet/results.json is not there: make it with `make report"
    ):
        report.recorded("modanet")
    results.write_results(project / "reports" / "modanet" / "results.json", complete)
    assert work.recorded("modanet") == work.elsewhere("modanet") == complete


def test_tables_recorded_elsewhere_stand_under_their_headings_or_are_said_to_be_missing(
    complete: dict[str, Any],
) -> None:
    shown: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "display", lambda *things: shown.extend(things))
        answers.beside({}, {"IoU:": answers.classes})
        answers.beside(complete, {"IoU:": answers.classes, "Seeds:": answers.seeds})
    missing, heading, table, other, also_missing = shown
    assert missing is also_missing is answers.NOTHING and (heading.data, other.data) == ("IoU:", "Seeds:")
    assert table.equals(results.class_table(complete))


def test_the_headline_says_how_far_trainings_lie_apart(complete: dict[str, Any]) -> None:
    assert answers.over_seeds(complete).data == "These numbers are of one training each."
    row = {"seeds": 3, "mean_iou": 0.3, "mean_iou_low": 0.28, "mean_iou_high": 0.33, "lowest": 0.29, "highest": 0.32}
    text = answers.over_seeds(complete | {"comparison": {"seeds": {"combined": row}}}).data
    assert "over 3 trainings: combined loss 0.300 [0.280, 0.330], from 0.290 to 0.320." in text


def test_a_small_number_of_a_claim_keeps_two_digits(complete: dict[str, Any]) -> None:
    claims = [
        complete["claims"][0] | {"id": str(value), "value": value, "interval": [value, 2 * value]}
        for value in (0.00093, 0.0, 0.25, 1e-9)
    ]
    texts = results.claims_table(complete | {"claims": claims})["value [95% interval]"].to_list()
    assert texts == [
        "0.00093 [0.00093, 0.00186]",
        "0.000 [0.000, 0.000]",
        "0.250 [0.250, 0.500]",
        "0.00000 [0.00000, 0.00000]",
    ]


def test_synthetic_figures_of_an_earlier_version_are_drawn_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modanet_utils.datasets import synthetic

    asked = []
    monkeypatch.setattr(synthetic, "generate", lambda root, images, seed: asked.append((images, seed)) or root)
    root = write_dataset(project / "data" / "synthetic")
    assert workspace.find_data("synthetic", None) == root
    assert open_dataset(root)  # somebody's own data are left alone
    coco = json.loads((root / "annotations.json").read_text())
    coco["info"] = {"name": "synthetic", "version": "0"}
    (root / "annotations.json").write_text(json.dumps(coco))
    workspace.find_data("synthetic", None)
    assert not root.exists()
    assert asked == [(240, 0)] * 2


# ------------------------------------------------------------------------------------------ schema


def test_complete_results_pass(complete: dict[str, Any]) -> None:
    results.check_results(complete)
    results.check_results(complete | {"extra": [1]})


def change(found: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(found)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    inner = changed
    for key in parents:
        inner = inner[key]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return changed


TEST = "trials/combined/test"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("profile", KeyError, "profile is missing"),
        ("dataset/split/val", KeyError, "dataset.split.val is missing"),
        ("dataset/split/val", -1, "dataset.split.val must be a whole number"),
        ("dataset/split/val", 9, "the split holds more than the 10 images"),
        ("dataset/class_share/bag", 0.5, "dataset.class_share adds up to 1.25, not 1"),
        ("dataset/images", True, "dataset.images must be a whole number"),
        ("trials", [], "trials must be an object"),
        ("trials/combined", KeyError, "trial 'combined' is missing"),
        ("trials/combined/seeds", [0.5], r"trials.combined.seeds\[0\] must be a whole number"),
        (f"{TEST}/mean_iou", float("nan"), "trials.combined.test.mean_iou must be a number from 0 to 1"),
        (f"{TEST}/mean_iou", 1.2, "trials.combined.test.mean_iou must be a number from 0 to 1"),
        (f"{TEST}/mean_iou", "0.4", "trials.combined.test.mean_iou must be a number from 0 to 1"),
        (f"{TEST}/mean_iou_interval", [0.4], "mean_iou_interval must be .low, high."),
        (f"{TEST}/mean_iou_interval", [0.4, 0.3], "low at most high"),
        (f"{TEST}/classes/headwear", KeyError, "trials.combined.test.classes.headwear is missing"),
        (f"{TEST}/classes/belt/f1", KeyError, "trials.combined.test.classes.belt.f1 is missing"),
        (f"{TEST}/body/hair_as_headwear/value", "x", "body.hair_as_headwear.value must be a number"),
        ("claims", [], "there are no claims"),
        ("claims", [CLAIM, CLAIM], "two claims have the id 'rare'"),
        ("claims/0/verdict", "maybe", r"claims\[0\].verdict must be one of supported, refuted, inconclusive"),
        ("claims/0/value", float("inf"), r"claims\[0\].value must be a finite number"),
        ("provenance/versions/python", 3, "provenance.versions.python must be a text"),
    ],
)
def test_wrong_results_are_refused_with_their_place(
    complete: dict[str, Any], path: str, value: Any, message: str
) -> None:
    with pytest.raises(results.ResultsError, match=f"^results.json: .*{message}"):
        results.check_results(change(complete, path, value))


def test_partial_results_are_checked_as_far_as_they_go(complete: dict[str, Any]) -> None:
    results.check_results({"profile": "ccp", "claims": []}, complete=False)
    with pytest.raises(results.ResultsError, match="claims must be a list"):
        results.check_results({"claims": {}}, complete=False)


def test_undefined_is_null(complete: dict[str, Any]) -> None:
    undefined = change(change(complete, f"{TEST}/classes/belt/iou", None), f"{TEST}/classes/belt/iou_interval", None)
    results.check_results(undefined)
    assert results.class_table(undefined).loc["belt", "IoU, combined loss"] == "–"


def test_results_are_read_back_as_written(tmp_path: Path, complete: dict[str, Any]) -> None:
    results.write_results(tmp_path / "a" / "results.json", complete)
    assert results.read_results(tmp_path / "a" / "results.json") == complete
    with pytest.raises(results.ResultsError, match="There is no results.json"):
        results.read_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(results.ResultsError, match="is not JSON"):
        results.read_results(tmp_path / "results.json")


# ------------------------------------------------------------------------------------ tables, README


def test_headline_table_says_what_the_results_say(complete: dict[str, Any]) -> None:
    found = copy.deepcopy(complete)
    test = found["trials"]["combined"]["test"]
    test |= {"mean_iou": 0.41239, "mean_iou_interval": [0.3951, 0.42999], "pixel_accuracy": 0.9}
    test["classes"]["boots"] |= {"iou": 0.0}
    test["classes"]["belt"] |= {"iou": None, "support": 0}
    test["body"]["skin_as_clothing"] = {"value": 0.1, "interval": [None, None]}
    table = results.headline_table(found)
    assert list(table.columns) == ["cross-entropy", "adjusted cross-entropy", "combined loss"]
    column = table["combined loss"]
    assert column["mean IoU, 13 clothing classes"] == "0.412 [0.395, 0.430]"
    assert column["pixel accuracy (background everywhere)"].startswith("0.900 (0.")
    assert column["classes found (IoU of 0.01 or more)"] == "11 of 12, 12 by the whole interval"
    assert column["skin pixels called clothing"] == "0.100"
    lines = results.markdown(table).splitlines()
    assert lines[:3] == [
        "| test part | cross-entropy | adjusted cross-entropy | combined loss |",
        "| --- | --- | --- | --- |",
        f"| mean IoU, 13 clothing classes | {table.iloc[0, 0]} | {table.iloc[0, 1]} | 0.412 [0.395, 0.430] |",
    ]
    assert len(lines) == len(table) + 2


def test_tables_hold_classes_and_claims(complete: dict[str, Any]) -> None:
    assert list(results.class_table(complete).index) == list(CLOTHING)
    claims = results.claims_table(complete, report.NOTEBOOKS[1])
    assert claims.to_numpy().tolist() == [["Rare classes are missed.", "mean IoU", "0.100 [0.050, 0.200]", "supported"]]
    assert results.claims_table(complete, report.NOTEBOOKS[0]).empty
    assert results.markdown(claims).splitlines()[0] == "| claim | measured by | value [95% interval] | verdict |"


def test_caption_says_how_many_images_and_seeds(complete: dict[str, Any]) -> None:
    assert results.caption(complete).startswith("tiny: 2 test images of 10, one run a trial;")
    assert "3 seeds a trial" in results.caption(change(complete, "trials/combined/seeds", [0, 1, 2]))


def test_readme_gets_the_recorded_tables(
    project: Path, complete: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    assert report.main(["--readme"]) == 2
    readme = project / "README.md"
    marks = "".join(f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in report.README_PARTS)
    readme.write_text(f"before\n{marks}after\n")
    assert report.main(["--readme"]) == 2  # nothing recorded yet
    assert readme.read_text().count("old") == len(report.README_PARTS)
    results.write_results(project / "reports" / "ccp" / "results.json", complete)
    assert report.main(["--readme"]) == 0
    text = readme.read_text()
    assert text.startswith("before\n<!-- headline:begin -->\n") and text.endswith("<!-- bench:end -->\nafter\n")
    assert "old" not in text and "Not measured yet." in text
    for table in (results.headline_table, results.class_table, results.claims_table):
        assert results.markdown(table(complete)) in text
    assert "Not recorded yet." in text
    assert report.up_to_date(text) == text
    for damaged in (
        "no markers",
        text.replace("<!-- claims:end -->", ""),
        text + marks,
        "\n".join(text.split("\n")[::-1]),
    ):
        readme.write_text(damaged)
        assert report.main(["--readme"]) == 2
        assert "once each" in capsys.readouterr().err
        assert readme.read_text() == damaged


def test_the_readme_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.up_to_date(text) == text, "run python -m modanet_utils.report --readme"


# ------------------------------------------------------------------------------------------- pages


def test_equations_become_mathml() -> None:
    assert pages.equation(r"\frac{1}{2}").startswith("<math")
    aligned = pages.equation(r"\begin{aligned} a &= 1 \\ b &= 2 \end{aligned}", "block")
    assert aligned.count("<mtr>") == 2 and "<mi>&" not in aligned


@pytest.mark.parametrize("tex", [r"\frac{", r"\unheardof{x} < 1"])
def test_what_is_no_equation_stays_readable(tex: str) -> None:
    assert pages.equation(tex) == f"<code>{tex.replace('<', '&lt;')}</code>"


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
    assert pages.fetched(page) == addresses


def test_a_page_that_fetches_is_refused(tmp_path: Path, complete: dict[str, Any]) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# A\n\n![chart](https://example.org/a.png)")])
    with pytest.raises(ValueError, match="would load https://example.org/a.png from the network"):
        pages.write_pages(tmp_path, report.NOTEBOOKS[:1], [notebook], complete)
    assert not list(tmp_path.iterdir())


def test_title_and_question() -> None:
    cells = [new_markdown_cell("# How *rare*?\nIs it [very](x) `rare`\nor not?\n\nMore."), new_code_cell("1")]
    assert pages.title_and_question(new_notebook(cells=cells)) == ("How rare?", "Is it very rare or not?")

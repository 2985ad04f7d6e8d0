"""The project files agree with each other, and what a clean clone runs says clearly what it lacks."""

import errno
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modanet_utils import project
from modanet_utils.project import ProjectError, plain_error, whole_folder, write_whole

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = ("pyproject.toml", "constraints.txt", "environment.yml", "Makefile", ".ci/run", "README.md", "CONTRIBUTING.md")
FILES += ("docs/data_and_training.md",)
FILES += ("CHANGELOG.md", "CITATION.cff", ".pre-commit-config.yaml", ".github/workflows/ci.yml")


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if not line.startswith("#"))
    }


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    pinned = constraints()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned)


def test_constraints_are_nothing_but_exact_releases() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!]*", line)]
    assert not wrong
    assert len(lines) == len(constraints()) > 100
    assert "modanet-utils" not in constraints()


def test_what_must_not_move_is_pinned_in_the_dependency_list() -> None:
    exact = {r.name: str(r.specifier) for r in requirements() if str(r.specifier).startswith("==")}
    assert exact == {"albumentations": "==2.0.8", "albucore": "==0.0.24"}


def test_python_versions_agree() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in (ROOT / "Makefile").read_text()
    python = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][0]
    assert python in ("python=3.11", "python=3.12", "python=3.13")


def test_conda_installs_the_same() -> None:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies[1:] == ["pip", {"pip": ["-c constraints.txt", "-e .[dev]"]}]


@pytest.mark.parametrize("arguments", ["ruff check .", "ruff format --check .", "mypy"])
def test_lint_format_and_types_pass(arguments: str) -> None:
    command = [sys.executable, "-m", *arguments.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"$(RUN) -m {arguments}\n" in (ROOT / "Makefile").read_text(), "make lint runs the same"


@pytest.mark.parametrize("target", ["report", "trials", "test", "lab", "lint", "fuzz", "constraints", "help"])
def test_help_names_every_target(target: str) -> None:
    listed = make()
    assert listed.returncode == 0
    assert f"make {target} " in listed.stdout


def test_an_unsuitable_python_gets_one_sentence(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    answer = make("report", "PYTHON=false", folder=tmp_path)
    assert answer.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed, and 'false' is not one" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"].values()
    assert job["steps"][-1]["run"] == ".ci/run"
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_the_version_is_said_once() -> None:
    version = importlib.import_module("modanet_utils").__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_map_in_the_readme_names_every_room() -> None:
    package = ROOT / "modanet_utils"
    rooms = {path.stem if path.is_file() else f"{path.name}/" for path in package.iterdir() if path.name[0] not in "_."}
    text = (ROOT / "README.md").read_text()
    table = text[text.index("## What is in the box") :].split("\n## ")[0]
    named = set(re.findall(r"`([\w.]+/?)`", table))
    assert rooms - named == set()


def test_templates_of_pages_and_label_maps_are_installed() -> None:
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    rooms = {f"modanet_utils.{room}": ["templates/*"] for room in ("report", "photo")}
    assert files == rooms | {"modanet_utils.datasets": ["maps/*"]}
    assert (ROOT / "modanet_utils" / "datasets" / "maps" / "lip.yaml").is_file()
    assert (ROOT / "modanet_utils" / "report" / "templates" / "style.css").is_file()


@pytest.mark.parametrize("name", FILES)
def test_no_project_file_holds_an_absolute_path(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"(?<![\w.:/])/(?:home|Users|root|work|tmp|mnt|opt)/\w", text)
    assert str(ROOT) not in text


@pytest.mark.parametrize(
    "name",
    [
        "classes.CLASSES",
        "losses.FocalLoss",
        "losses.DiceLoss",
        "losses.LovaszSoftmaxLoss",
        "losses.CombinedLoss",
        "metrics.confusion_counts",
        "metrics.scores",
        "datasets.open_dataset",
        "datasets.class_pixels",
        "splits.split",
        "training.TrialConfig",
        "training.run_trial",
        "datasets.ccp.main",
        "datasets.synthetic.main",
        "report.series.run",
        "__main__.main",
    ],
)
def test_names_that_others_rely_on(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert hasattr(importlib.import_module(f"modanet_utils.{module}"), attribute)


# ---------------------------------------------------------------------------------------- written whole


def ended() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes(tmp_path: Path) -> None:
    dead, alive = ended(), os.getppid()
    for name in (f".{dead}.file", f".{alive}.file", f".{dead}.other", ".hidden.file"):
        (tmp_path / name).write_text("half")
    for name in (f".{dead}.folder", f".{alive}.folder"):
        (tmp_path / name).mkdir()
    write_whole(tmp_path / "file", "whole")
    with whole_folder(tmp_path / "folder"):
        pass
    left = {".hidden.file", f".{alive}.file", f".{alive}.folder", f".{dead}.other"}
    assert {one.name for one in tmp_path.iterdir()} == {"file", "folder", *left}


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "somewhere")


def in_rusts_words(path: Path) -> None:
    path.write_bytes(bytes(300_000))
    raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


def in_torchs_words(path: Path) -> None:
    path.write_bytes(bytes(300_000))
    raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")


@pytest.mark.parametrize("write", [no_room, in_rusts_words, in_torchs_words])
def test_a_full_disk_is_told_in_one_sentence(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    needs = "0.0" if write is no_room else "0.3"
    with pytest.raises(ProjectError, match=rf"^The disk is full: \S*file needs more than {needs} MB; make room"):
        write_whole(tmp_path / "file", write)
    told = rf"^The disk is full: \S*folder needs more than {needs} MB; make room"
    with pytest.raises(ProjectError, match=told), whole_folder(tmp_path / "folder") as folder:
        write(folder / "inside")
    assert list(tmp_path.iterdir()) == []


def test_the_size_of_what_finds_no_room_is_told_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(ProjectError, match=r"file needs 2\.5 MB; make room"):
        write_whole(tmp_path / "file", bytes(2_500_000))


def test_a_failure_with_room_on_the_disk_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="inline_container"):
        write_whole(tmp_path / "file", in_torchs_words)


def test_the_systems_words_become_a_sentence() -> None:
    said = plain_error(PermissionError(errno.EACCES, "Permission denied", "here/runs"))
    assert said == "here/runs cannot be used (Permission denied): give another, or put that right."
    assert plain_error(FileNotFoundError("There is none: make one.")) == "There is none: make one."

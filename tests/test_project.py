"""The project files agree with each other, and what a clean clone runs says clearly what it lacks."""

import importlib
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = ("pyproject.toml", "constraints.txt", "environment.yml", "Makefile", ".ci/run", "README.md")


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


@pytest.mark.parametrize("target", ["report", "trials", "test", "lab", "lint", "constraints", "help"])
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
        "report.main",
    ],
)
def test_names_that_others_rely_on(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert hasattr(importlib.import_module(f"modanet_utils.{module}"), attribute)

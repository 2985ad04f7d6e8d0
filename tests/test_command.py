"""The one command, its help and its refusals; run from a folder that is not the checkout."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from conftest import annotation, record, rectangle, write_coco

from modanet_utils.__main__ import main
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.project import ROOT
from modanet_utils.report import series
from modanet_utils.report.execute import RunError

COMMANDS = ("report", "trials", "train", "predict", "convert", "check", "audit", "explore", "readme", "refresh")
ALL = [*([one] for one in COMMANDS), *(["convert", one] for one in ("own", "ccp", "ccp-tags", "modanet", "synthetic"))]


def run(folder: Path, *arguments: str, module: str = "modanet_utils") -> subprocess.CompletedProcess:
    """The command as a user starts it, in a folder of their own."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_help_lists_every_command(tmp_path: Path) -> None:
    said = run(tmp_path, "--help")
    assert said.returncode == 0 and not said.stderr
    for name in COMMANDS:
        assert f"\n  {name} " in said.stdout
    assert run(tmp_path).returncode == 2, "nothing was asked for"


def test_help_loads_nothing_heavy() -> None:
    program = "import sys\nfrom modanet_utils.__main__ import main\nmain(['--help'])\nmain(['convert', '--help'])\n"
    program += "sys.exit(bool({'torch', 'pandas', 'nbformat', 'scipy', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", ALL, ids=" ".join)
def test_each_command_explains_itself(name: list[str], capsys: pytest.CaptureFixture) -> None:
    try:
        assert main([*name, "--help"]) == 0
    except SystemExit as ended:
        assert ended.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: modanet {' '.join(name)} ")
    assert f"Example: modanet {' '.join(name)} " in said or name[0] in ("readme", "refresh", "convert")


def test_every_option_says_what_happens_without_it(capsys: pytest.CaptureFixture) -> None:
    for name in (["report"], ["train"], ["predict"], ["convert", "synthetic"]):
        with pytest.raises(SystemExit):
            main([*name, "--help"])
        options = " ".join(capsys.readouterr().out.split("options:")[1].split()).split(" --")
        silent = [one for one in options if "default:" not in one and "the same as" not in one]
        assert all(one.startswith(("-h", "help")) for one in silent), silent


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reprot"], "Command 'reprot' of modanet is unknown: did you mean 'report'? Valid: report, "),
        (["--profile"], "Option '--profile' of modanet is unknown: "),
        (
            ["convert", "moda"],
            "Command 'moda' of modanet convert is unknown: did you mean 'modanet'? Valid: own, ",
        ),
        (["report", "--profle", "ccp"], "Option '--profle' of modanet report is unknown: did you mean '--profile'? "),
        (["report", "--data_root=x"], "Option '--data_root' of modanet report is unknown: did you mean '--data-root'?"),
        (["train", "--los", "dice"], "Option '--los' of modanet train is unknown: did you mean '--loss'? "),
        (["train", "--loss", "dise"], "loss is 'dise': did you mean 'dice'?"),
        (
            ["convert", "ccp", "here"],
            "modanet convert ccp: the following arguments are required: DESTINATION; ",
        ),
        (["convert", "synthetic", "x", "--images", "ten"], "modanet convert synthetic: argument --images: invalid int"),
        (["convert", "ccp", "nowhere", "there"], "nowhere is not Clothing Co-Parsing: it needs label_list.mat"),
        (["convert", "modanet", "nowhere.json", "a", "b"], "Annotation file nowhere.json does not exist"),
        (["convert", "nowhere", "there"], "nowhere does not exist: give a COCO file, or a folder of photos"),
        (
            ["convert", "nowhere", "there", "--map", "fashionpdia"],
            "Map 'fashionpdia' is neither a file nor known: di",
        ),
        (["convert", "nowhere", "there", "--mop", "lip"], "Option '--mop' of modanet convert is unknown: did you mean"),
        (["convert", "own", "nowhere"], "modanet convert own: the following arguments are required: DESTINATION; "),
        (["convert", "ccp-tags", "nowhere", "there"], "nowhere is not Clothing Co-Parsing"),
        (["check", "nowhere"], "Data root nowhere does not exist"),
        (["explore", "nowhere.json", "out"], "nowhere.json"),
        (["report", "--profile", "cpp"], "Profile 'cpp' is unknown: did you mean 'ccp'? Valid: ccp, "),
        (["report", "--profile", "ccp", "--data-root", "nowhere"], "nowhere does not exist"),
        (["predict"], "modanet predict: the following arguments are required: PHOTO; "),
        (["predict", "photo.jpg", "--rnu", "x"], "Option '--rnu' of modanet predict is unknown: did you mean '--run'?"),
        (["predict", "photo.jpg", "--run", "combind"], "Run 'combind' is unknown: did you mean 'combined'? Valid: "),
        (["predict", "nowhere.jpg"], "Photo nowhere.jpg does not exist: give a picture file."),
        (["readme", "now"], "modanet readme: unrecognized arguments: now; "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_gets_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err and len(said.err.splitlines()) == 1 and not said.out
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_and_an_interrupted_one_have_codes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def ends(error: BaseException) -> int:
        def raises(*arguments: object) -> None:
            raise error

        monkeypatch.setattr(series, "run", raises)
        return main(["report"])

    assert ends(RunError("01 stopped.")) == 1
    assert ends(KeyboardInterrupt()) == 130 == 128 + signal.SIGINT
    assert "the same command goes on" in capsys.readouterr().err


def test_a_request_to_end_is_obeyed_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def asked(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError("it went on")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(series, "run", asked)
    assert main(["report"]) == 143 == 128 + signal.SIGTERM
    said = capsys.readouterr().err
    assert "the same command goes on" in said and len(said.strip().splitlines()) == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_paths_are_those_of_the_current_folder(tmp_path: Path) -> None:
    done = run(tmp_path, "convert", "synthetic", "here/drawn", "--images", "2", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2 images in here/drawn"
    assert len(open_dataset(tmp_path / "here" / "drawn").ids) == 2


def test_an_annotation_file_is_explored(tmp_path: Path) -> None:
    things = [annotation(i, 1 + i % 13, [rectangle(5, 9, 10, i % 3 + 1)]) for i in range(1, 14)]
    folder = write_coco(tmp_path / "coco", [record(i) for i in range(1, 14)], things, photos=False)
    done = run(tmp_path, "explore", "coco/annotations.json", "out")
    assert done.returncode == 0, done.stderr
    assert folder.is_dir() and len(json.loads((tmp_path / "out" / "results.json").read_text())["claims"]) > 3


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("modanet_utils.report", ["--profile", "cpp"], "did you mean 'ccp'?"),
        ("modanet_utils.training", ["--profile", "cpp"], "did you mean 'ccp'?"),
        ("modanet_utils.datasets.ccp", ["nowhere", "there"], "is not Clothing Co-Parsing"),
        ("modanet_utils.datasets.synthetic", ["drawn", "--images", "0"], "images"),
        ("modanet_utils.datasets.modanet", ["nowhere.json", "a", "b"], "does not exist"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("modanet") else "",
)
def test_the_old_doors_are_open(module: str, arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run(tmp_path, *arguments, module=module)
    assert done.returncode == 2 and sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_it_is_installed_as_modanet() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"modanet": "modanet_utils.__main__:main"}

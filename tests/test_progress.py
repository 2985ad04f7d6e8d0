"""Progress where nobody watches: whole lines in a file while the work goes on; one line where somebody does."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scipy.io import savemat

from modanet_utils import progress
from modanet_utils.progress import Progress

TINY = ("--image_height=64", "--image_width=32", "--encoder_weights=none", "--epochs=2", "--batch_size=4")


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_file_gets_a_line_every_so_often_each_milestone_and_the_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    counting = Progress(2500)
    for done in range(1, 2501):
        counting.step(done, "counting")
    counting.milestone("halfway to nowhere")
    counting.close()
    first, second, third = said(capsys)
    assert first.startswith("counting · 1,000 of 2,500 · about ") and first.endswith(" left")
    assert second.startswith("counting · 2,000 of 2,500") and third == "halfway to nowhere"
    counting.close("2,500 counted")
    assert said(capsys) == ["2,500 counted"]


def test_steps_that_jump_over_a_thousand_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    counting = Progress(5000)
    for done in (998, 1003, 1999, 4001, 4002):
        counting.step(done, "counting")
    assert [line.split(" · ")[1] for line in said(capsys)] == ["1,003 of 5,000", "4,001 of 5,000"]


def test_who_wants_no_lines_by_number_gets_none_and_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for silent in (Progress(3000, every=0), Progress(3000, quiet=True)):
        assert list(silent.over(range(3000), "counting")) == list(range(3000))
    silent.milestone("unheard")
    silent.close("unheard")
    assert said(capsys) == []


def test_time_left_is_measured_from_where_a_resumed_work_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    counting = Progress(100, quiet=True)
    assert counting.left() == ""
    now[0] += 10
    counting.step(51, "counting")  # one step in 10 s, 49 to go
    assert counting.left() == "about 8 min left"
    now[0] += 10
    counting.step(98, "counting")
    assert counting.left() == "about 1 s left"
    counting.step(100, "counting")
    assert counting.left() == ""


def test_a_terminal_keeps_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen, now = Terminal(), [100.0]
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    counting = Progress(4000)
    for done in range(1, 4001):
        now[0] += 0.001
        counting.step(done, "counting")
    counting.close("4,000 counted")
    shown = screen.getvalue().split("\r\033[K")
    assert len(shown) == 4 and shown[0] == "" and shown[-1] == "4,000 counted\n"  # the first, after 2 s, the last
    assert all("\n" not in one for one in shown[:-1])
    assert capsys.readouterr().out == ""


def lines_while_it_runs(command: list[str], file: Path, wanted: str) -> list[str]:
    """Runs a command whose output goes to a file; what stands there when it has ended.

    A whole line that begins like the wanted one must be in the file before the command ends.
    """
    with file.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    seen = False
    while running.poll() is None:
        seen = seen or any(line.startswith(wanted) for line in file.read_text().split("\n")[:-1])
        time.sleep(0.05)
    assert running.returncode == 0, file.read_text()
    assert seen, file.read_text()
    return file.read_text().splitlines()


def test_a_training_in_two_processes_writes_a_line_an_epoch(street: Path, tmp_path: Path) -> None:
    command = ["-m", "modanet_utils.training", "--runs", str(tmp_path / "runs"), "--data_root", str(street), *TINY]
    lines = lines_while_it_runs([*command, "--processes=2"], tmp_path / "log", "epoch 1/2 ")
    first, second = (line.split(" · ") for line in lines if line.startswith("epoch"))
    assert first[0] == "epoch 1/2" and second[0] == "epoch 2/2"
    for parts in (first, second):
        assert parts[1].startswith("loss ") and parts[2].startswith("validation mean IoU ") and parts[3].endswith(" s")
    assert first[4].endswith(" left") and len(second) == 4
    assert [line for line in lines if "best" in line] and lines[-1].startswith("Finished: ")
    assert [line.split(":")[0] for line in lines if line.startswith(("Loss: ", "Finished: "))] == ["Loss", "Finished"]


def draw(folder: Path) -> tuple[list[str], str]:
    code = (
        "import functools, sys; from modanet_utils import progress; from modanet_utils.datasets.synthetic import drawn;"
    )
    code += "drawn.Progress = functools.partial(progress.Progress, every=2);"  # instead of a thousand
    return ["-c", f"{code} sys.exit(drawn.main([{str(folder)!r}, '--images=5', '--workers=1']))"], "drawing · 4 of 5"


def clothing(folder: Path) -> tuple[list[str], str]:
    source = folder / "source"
    (source / "annotations" / "pixel-level").mkdir(parents=True)
    (source / "photos").mkdir()
    savemat(source / "label_list.mat", {"label_list": [["null", "top"]]})
    for number in range(1, 1026):
        savemat(source / "annotations" / "pixel-level" / f"{number:04d}.mat", {"groundtruth": [[0, 1]]})
        Image.new("RGB", (2, 1), (number % 256, 0, 0)).save(source / "photos" / f"{number:04d}.jpg")
    return ["-m", "modanet_utils.datasets.ccp", str(source), str(folder / "out")], "converting · 1,000 of 1,025"


@pytest.mark.parametrize("conversion", [draw, clothing])
def test_a_conversion_writes_a_line_every_thousand_photos(
    conversion: Callable[[Path], tuple[list[str], str]], tmp_path: Path
) -> None:
    (tmp_path / "place").mkdir()
    command, wanted = conversion(tmp_path / "place")
    lines = lines_while_it_runs(command, tmp_path / "log", wanted)
    assert any(line.startswith(wanted) for line in lines)
    assert any(str(tmp_path / "place") in line for line in lines[-8:]), "the last lines say what there is now"

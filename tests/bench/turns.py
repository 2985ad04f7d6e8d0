"""Contestants in turns: how comparisons are made, timed and written down."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.project import ROOT, ProjectError
from modanet_utils.splits import split
from tests.bench import resampled

SIZES: tuple[int, ...] = (1_000, 4_000, 16_000, resampled.MODANET_IMAGES)
"""Images of the files on which growth with size is measured."""

Entry = dict[str, Any]


class BenchError(ProjectError):
    """A comparison that cannot be made, or whose contestants disagree."""


@dataclass(frozen=True)
class Options:
    """What the comparisons run on, and for how long."""

    data: Path
    annotations: Path | None
    rounds: int = 5
    epochs: int = 4
    """Of the training in loop."""
    minutes: float = 5.0
    photos: int | None = None
    """At most this many photos of a part; all where it is None."""
    sizes: tuple[int, ...] = SIZES
    scratch: Path = ROOT / "build" / "bench"
    report: Path = ROOT / "reports" / "bench.json"
    """Where what was measured stands, also what an estimate starts from."""
    runs: Path = ROOT / "reports" / "bench" / "runs"
    """Where the runs of trials are kept, without weights; finished ones are not trained again."""

    def photo_dataset(self) -> Dataset:
        if not (self.data / "annotations.json").is_file():
            raise BenchError(
                f"{self.data} is no converted data set: give --data a folder as `modanet convert ccp` writes it."
            )
        return open_dataset(self.data)

    def parts(self, dataset: Dataset) -> dict[str, list[int]]:
        return {part: ids[: self.photos] for part, ids in split(dataset).items()}

    def annotation_file(self) -> Path:
        if self.annotations is None or not self.annotations.is_file():
            said = "none is given" if self.annotations is None else f"{self.annotations} does not exist"
            raise BenchError(f"ModaNet's annotations are needed and {said}: give --annotations an excerpt or all.")
        return self.annotations


def in_turns(contestants: Mapping[str, Callable[[], Any]], rounds: int, warm: bool = True) -> dict[str, list[float]]:
    """Seconds of each contestant, a number a round; who begins a round changes from round to round."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for number in range(-warm, rounds):
        for name in order if number % 2 == 0 else order[::-1]:
            started = time.perf_counter()
            contestants[name]()
            if number >= 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest, highest and number of the values."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "rounds": len(values)}


def compared(what: str, data: str, seconds: dict[str, list[float]], above: str, below: str) -> Entry:
    """An entry of the report: the ratio of two contestants' seconds, round by round."""
    ratios = [a / b for a, b in zip(seconds[above], seconds[below], strict=True)]
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "what": what,
        "ratio_is": f"{above} / {below}",
        "ratio": spread(ratios),
        "seconds": medians,
        "data": data,
    }


def agree(same: bool, what: str) -> None:
    if not same:
        raise BenchError(f"The contestants disagree ({what}): their times are not comparable.")


AS_TRAINED = "as the project trains"
"""The variant of the training step beside which the others are put."""

# Processes of their own: memory is a process's. VmHWM begins anew with a program, unlike ru_maxrss on Linux.
MEASURED = """
import json, re, resource, sys, time
from pathlib import Path
{imports}
def peak():
    try:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
file, seconds = sys.argv[1], {{}}
def timed(name, call):
    started = time.perf_counter()
    result = call()
    seconds[name] = time.perf_counter() - started
    return result
{stages}
print(json.dumps({{"seconds": seconds, "peak": peak(), "found": found}}))
"""


def measured(program: str, file: Path, *more: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a measured program says: seconds by stage, peak memory of its process in MiB, what it found.

    Args:
        program: Python code made from `MEASURED`.
        file, more: Its arguments.
        variables: Environment variables to set for it.
    """
    command = [sys.executable, "-c", program, str(file), *more]
    environment = os.environ | (variables or {})
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode:
        raise BenchError(f"A measured program failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])

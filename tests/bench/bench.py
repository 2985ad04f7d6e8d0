"""How fast the project is, beside what people use; ``make bench``.

``python -m tests.bench [--only scan,open] [--data FOLDER] [--annotations FILE]`` runs each comparison's
contestants in turns, several times, checks that they computed the same, prints the ratio with its spread, and
writes it into ``reports/bench.json`` under the comparison's name; what was not run keeps its entry. Run it on an
idle machine: two processes that both use all cores slow each other many times over.

The real data are not part of the project: --data is a converted Clothing Co-Parsing folder, --annotations
ModaNet's annotations or an excerpt of them (no photos). Next to the packages of the project this needs
``pip install -c constraints.txt -e '.[bench]'``.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from modanet_utils.project import ROOT, provenance, write_json
from modanet_utils.report.speed import ratio_text, recorded, sides
from modanet_utils.results.schema import plain
from modanet_utils.results.text import value_text
from tests.bench import epochs, files, full, scoring, steps
from tests.bench.turns import SIZES, BenchError, Entry, Options

REPORT = Options.report
COMPARISONS: dict[str, Callable[[Options], Entry]] = {
    "scan": files.scan,
    "loss": steps.loss,
    "step": steps.step,
    "trials": steps.trials,
    "loop": epochs.loop,
    "epoch": epochs.epoch,
    "remedies": epochs.remedies,
    "score": scoring.score,
    "open": files.opening,
    "predict": epochs.predict,
    "scale": files.scale,
    "lmdb": full.photos,
    "modanet": full.full,
}
NEEDS = {"score": ("torchmetrics", "sklearn")}


def line(name: str, entry: Entry) -> str:
    """An entry in one line: its ratio with the spread and the seconds, what its trials scored, or estimated hours."""
    if "hours" in entry:
        low, high = entry["hours"]["a training"]
        return f"{name:8} {low:.0f} to {high:.0f} hours for a training of profile modanet (an estimate)"
    if "trials" in entry:
        scores = (f"{side} {value_text(*told['mean_iou'])}" for side, told in entry["trials"].items())
        return f"{name:8} {', '.join(scores)}"
    return f"{name:8} {ratio_text(entry['ratio'])}  {entry['ratio_is']}  ({sides(entry['seconds'], ' s')})"


def main(arguments: list[str] | None = None) -> int:
    """The command; returns 0, or 2 if a comparison could not be made (the others are kept)."""
    parser = argparse.ArgumentParser("python -m tests.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default=",".join(COMPARISONS), help="comparisons to run, with commas between them")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "ccp", help="converted data set with photos")
    parser.add_argument("--annotations", type=Path, help="ModaNet's annotations or an excerpt, .json")
    parser.add_argument("--out", type=Path, default=REPORT, help="the report")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="turns of each contestant")
    parser.add_argument("--epochs", type=int, default=Options.epochs, help="epochs of loop")
    parser.add_argument("--minutes", type=float, default=Options.minutes, help="training time of each side in epoch")
    parser.add_argument("--photos", type=int, help="use at most so many photos of a part, to try things out")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="images of the files of scale and open")
    given = parser.parse_args(arguments)
    names = [name.strip() for name in given.only.split(",")]
    unknown = [name for name in names if name not in COMPARISONS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no comparison; there are {', '.join(COMPARISONS)}")
    options = Options(
        data=given.data.expanduser(),
        annotations=given.annotations and given.annotations.expanduser(),
        rounds=given.rounds,
        epochs=given.epochs,
        minutes=given.minutes,
        photos=given.photos,
        report=given.out,
        sizes=tuple(int(size) for size in given.sizes.split(",")),
    )
    failed, made_by = False, provenance()  # now: the code may be changed while it runs
    for name in names:
        try:
            missing = [package for package in NEEDS.get(name, ()) if importlib.util.find_spec(package) is None]
            if missing:
                raise BenchError(f"{' and '.join(missing)} must be installed: pip install -e '.[bench]'.")
            entry = COMPARISONS[name](options) | {"provenance": made_by}
        except (OSError, ValueError) as error:
            print(f"{name:8} not measured: {error}", file=sys.stderr)
            failed = True
            continue
        print(line(name, entry), flush=True)
        write_json(given.out, plain(recorded(given.out) | {name: entry}))
    return 2 if failed else 0

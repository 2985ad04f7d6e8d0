"""What notebooks import, and the command that makes a report.

``python -m modanet_utils.report --profile PROFILE [--data-root ROOT] [--out DIR]`` executes the four
notebooks in order and writes the executed notebooks, ``results.json`` and the same as pages into DIR. DIR
changes only when all four succeeded. ``--refresh`` executes the project's notebooks in place, with their
defaults, as they are committed. ``--readme`` writes the recorded headline table into README.md, and the recorded
speeds where it has markers for them.

A notebook uses it like this::

    workspace = report.open_workspace(profile, data_root, out_dir)
    workspace.record_dataset(parts, pixels)
    workspace.record_trial("cross_entropy", run)
    workspace.record_claim(id=..., statement=..., measure=..., value=..., interval=...,
                           verdict=..., notebook="02")
    report.headline_table(workspace.recorded())
"""

import argparse
import sys
from pathlib import Path

from modanet_utils import answers
from modanet_utils.provenance import provenance
from modanet_utils.results import (
    ResultsError,
    caption,
    check_results,
    claims_table,
    class_table,
    headline_table,
    markdown,
)
from modanet_utils.workspace import NOTEBOOKS, PROJECT, Workspace, open_workspace, recorded

README_BEGIN, README_END = "<!-- headline:begin -->", "<!-- headline:end -->"
BENCH_BEGIN, BENCH_END = "<!-- bench:begin -->", "<!-- bench:end -->"


def readme_block() -> str:
    """The generated part of README.md, markers included: the answer, the two tables and their caption."""
    results = recorded()
    tables = [markdown(headline_table(results)), markdown(class_table(results))]
    parts = [answers.cross_entropy(results).data, answers.combined(results).data, *tables, caption(results)]
    return "\n".join([README_BEGIN, "\n\n".join(parts), README_END])


def bench_block() -> str:
    """The part of README.md that quotes ``reports/bench.json``, markers included."""
    from modanet_utils import bench  # pulls in what notebooks, which import this module, do not need

    return "\n".join([BENCH_BEGIN, bench.readme_text(PROJECT / "reports" / "bench.json"), BENCH_END])


def current_readme_block(text: str, begin: str = README_BEGIN, end: str = README_END) -> str:
    """The part of a README between its markers, markers included.

    Raises:
        ResultsError: The markers are not there, once each and in order.
    """
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ResultsError(f"README.md must hold {begin} and {end} once each: the table goes between them.")
    if text.index(end) < text.index(begin):
        raise ResultsError(f"README.md has {end} before {begin}: exchange them.")
    return text[text.index(begin) : text.index(end) + len(end)]


def update_readme() -> None:
    """Write the recorded headline table into README.md, and the recorded speeds where it has their markers."""
    path = PROJECT / "README.md"
    if not path.exists():
        raise ResultsError("README.md is not there: write it first, with the two markers of the headline table.")
    text = path.read_text(encoding="utf-8")
    text = text.replace(current_readme_block(text), readme_block())
    if BENCH_BEGIN in text:
        text = text.replace(current_readme_block(text, BENCH_BEGIN, BENCH_END), bench_block())
    path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 for what the user can put right, or 1 for a failed run."""
    parser = argparse.ArgumentParser(prog="python -m modanet_utils.report", description="Execute the notebooks.")
    parser.add_argument("--profile", default="synthetic", help="a file in profiles/, without .yaml")
    parser.add_argument("--data-root", type=Path, help="data set folder; for ccp also its original layout")
    parser.add_argument("--out", type=Path, help="folder of the report; build/report/PROFILE if not given")
    parser.add_argument("--readme", action="store_true", help="only write the recorded headline table into README.md")
    parser.add_argument("--refresh", action="store_true", help="only execute notebooks/ in place")
    parser.add_argument("--trials", action="store_true", help="only train what the report's plan of trials lacks")
    options = parser.parse_args(arguments)
    from modanet_utils import series  # pulls in what notebooks, which import this module, do not need

    root = options.data_root and options.data_root.expanduser()
    out = options.out and options.out.expanduser()
    try:
        if options.readme:
            update_readme()
            return 0
        if options.refresh:
            series.refresh()
            return 0
        if options.trials:
            series.train(options.profile, root, out)
            return 0
        out = series.run(options.profile, root, out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, series.RunError) else 2
    except KeyboardInterrupt:
        print("\nInterrupted: the same command goes on from the last finished epoch.", file=sys.stderr)
        return 130
    print(f"The report is in {out}\nOpen {(out / 'index.html').as_uri()}")
    return 0


__all__ = [
    "NOTEBOOKS",
    "ResultsError",
    "Workspace",
    "caption",
    "check_results",
    "claims_table",
    "class_table",
    "headline_table",
    "markdown",
    "open_workspace",
    "provenance",
    "recorded",
]

if __name__ == "__main__":
    sys.exit(main())

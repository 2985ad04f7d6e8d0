"""What notebooks import, and the command that makes a report.

``python -m modanet_utils.report --profile PROFILE [--data-root ROOT] [--out DIR]`` executes the four
notebooks in order and writes the executed notebooks, ``results.json`` and the same as pages into DIR. DIR
changes only when all four succeeded. ``--refresh`` executes the project's notebooks in place, with their
defaults, as they are committed. ``--trials`` trains what the comparison of trials lacks. ``--readme`` writes the
recorded tables into README.md.

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
from collections.abc import Callable
from pathlib import Path

import pandas as pd

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


def _headline() -> str:
    results = recorded()
    tables = [markdown(headline_table(results)), markdown(class_table(results))]
    told = [said(results).data for said in (answers.cross_entropy, answers.combined, answers.over_seeds)]
    return "\n\n".join([*told, *tables, caption(results)])


def _comparison() -> str:
    results = recorded()
    found = [answers.parts(results), answers.comparison(results), answers.seeds(results)]
    texts = [
        markdown(one.rename_axis(columns="trial")) if isinstance(one, pd.DataFrame) else one.data
        for one in found
        if one is not answers.NOTHING
    ]
    return "\n\n".join(texts) or "Not recorded yet."


def _claims() -> str:
    return markdown(claims_table(recorded()))


def _bench() -> str:
    from modanet_utils import bench  # pulls in what notebooks, which import this module, do not need

    return bench.readme_text(PROJECT / "reports" / "bench.json")


README_PARTS: dict[str, Callable[[], str]] = {
    "headline": _headline,
    "comparison": _comparison,
    "claims": _claims,
    "bench": _bench,
}
"""The generated parts of README.md, each between two comments, ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``."""


def up_to_date(readme: str) -> str:
    """The text of README.md with its generated parts made anew.

    Raises:
        ResultsError: Nothing is recorded, or the comments are not there, once each and in order.
    """
    for name, part in README_PARTS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if (readme.count(begin), readme.count(end)) != (1, 1) or readme.index(end) < readme.index(begin):
            raise ResultsError(f"README.md must hold {begin} and, after it, {end}, once each: write them into it.")
        before, after = readme[: readme.index(begin)], readme[readme.index(end) :]
        readme = f"{before}{begin}\n{part()}\n{after}"
    return readme


def update_readme() -> None:
    """Write the generated parts of README.md anew."""
    path = PROJECT / "README.md"
    if not path.exists():
        raise ResultsError("README.md is not there: write it first, with the comments around its generated parts.")
    path.write_text(up_to_date(path.read_text(encoding="utf-8")), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 for what the user can put right, or 1 for a failed run."""
    parser = argparse.ArgumentParser(prog="python -m modanet_utils.report", description="Execute the notebooks.")
    parser.add_argument("--profile", default="synthetic", help="a file in profiles/, without .yaml")
    parser.add_argument("--data-root", type=Path, help="data set folder; for ccp also its original layout")
    parser.add_argument("--out", type=Path, help="folder of the report; build/report/PROFILE if not given")
    parser.add_argument("--readme", action="store_true", help="only write the recorded tables into README.md")
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

"""How numbers, their intervals and lists of names are written: one way for all tables and sentences."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.datasets.coco import is_drawn
from modanet_utils.thresholds import FEW_OF_CLASS, FEW_PHOTOS

PENDING = Markdown("**The answer:** nothing is recorded yet.")
NOTHING = Markdown("Nothing is recorded on real photos beside this run.")
Table = pd.DataFrame | Markdown  # or a sentence that says that it is not there


def escaped(name: str) -> str:
    r"""A name that is not ours, such as a data set's, as Markdown that shows it and obeys nothing in it.

    >>> print(escaped("<b onclick=x>*mine*"))
    \<b onclick=x\>\*mine\*
    """
    return re.sub(r"[\\`*_\[\]<>&#|$~]", r"\\\g<0>", " ".join(name.split()))


def few(photos: int, least: int = FEW_PHOTOS) -> str:
    """What stands behind a number of fewer photos than these.

    >>> few(1, 5), few(12), few(30)
    (' (of 1 photo only)', ' (of 12 photos only)', '')
    """
    return f" (of {photos} photo{'s' * (photos != 1)} only)" if photos < least else ""


def trainings(results: Mapping[str, Any], trial: str) -> list[Mapping[str, Any]]:
    """The "test" part of every recorded training of a trial, the first seed first."""
    return [one["test"] for name, one in results.get("trials", {}).items() if name.split("-seed")[0] == trial]


def mean_iou(results: Mapping[str, Any], trial: str) -> tuple[float, int]:
    """The mean IoU of a trial over all its trainings, and how many these are; NaN and 0 where none is recorded."""
    each = [test["mean_iou"] for test in trainings(results, trial)]
    return (sum(each) / len(each) if each else math.nan), len(each)


def mean_of(number: int) -> str:
    """What stands behind a number over so many trainings: "mean of 3 trainings", or "one training"."""
    return f"mean of {number} trainings" if number > 1 else "one training"


def moves(change: float) -> str:
    """A change of a score as a verb, as in "adds 0.078 to"."""
    return f"{'takes' if change < 0 else 'adds'} {abs(change):.3f} {'from' if change < 0 else 'to'}"


def on_real_photos(results: Mapping[str, Any]) -> str:
    """The beginning of a sentence about recorded results: on what."""
    dataset = results.get("dataset")  # a notebook that is executed alone has not recorded it
    if not dataset:
        return "**In this run**"
    about = f"({escaped(dataset['name'])}, {'only ' * bool(few(dataset['split']['test']))}"
    where = "On drawn figures" if is_drawn(dataset["name"]) else "On real photos"
    return f"**{where}** {about}{dataset['split']['test']} test images)"


def common_first(results: Mapping[str, Any]) -> list[str]:
    """The classes of clothing that the data have, the commonest first; all where a notebook ran alone."""
    share = results.get("dataset", {}).get("class_share") or dict.fromkeys(CLOTHING, 1)
    return sorted((name for name in CLOTHING if share[name]), key=lambda name: -share[name])


def the_classes(*tests: Mapping[str, Any]) -> str:
    """The clothing classes that "test" parts of trials have scores of: all 13, or those that the data have."""
    number = sum(any(test["classes"][name]["iou"] is not None for test in tests) for name in CLOTHING)
    return f"{number} clothing classes" + " in these data" * (number < len(CLOTHING))


def score_text(test: Mapping[str, Any], name: str | None = None) -> str:
    """The mean IoU of a trial's "test" part, or a class's IoU, with its interval, and of how few photos it is."""
    if name is None:
        return row_text(test, "mean_iou") + few(test["classes"][CLASSES[0]]["images"])
    return row_text(test["classes"][name], "iou") + few(test["classes"][name]["images"], FEW_OF_CLASS)


def bullets(head: str, points: Sequence[str]) -> Markdown:
    """An answer in a few points under the words that say whose it is; empty points are left out."""
    return Markdown(f"{head}:\n\n" + "\n".join(f"* {point}" for point in points if point))


def listed(names: list[str]) -> str:
    """Names as a sentence lists them: ``a, b and c``."""
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def value_text(value: float | None, interval: Sequence[float | None] | None = None, form: str = ".3f") -> str:
    """A number and its 95% interval, as every table and sentence shows them; undefined is a dash.

    Args:
        value: None or NaN where it is undefined.
        interval: Low and high end; left out where it, or an end of it, is undefined.
        form: Python's format of a number: ``.3f``; ``+.3f`` for a change; ``.1%`` for a share, ``+.1%`` for the change
            of one, which is in percentage points; ``.3g``.

    >>> value_text(0.412, [0.395, 0.43]), value_text(-0.02, (-0.031, 0.01), "+.1%"), value_text(None)
    ('0.412 [0.395, 0.430]', '-2.0 points [-3.1, +1.0]', '–')
    """
    if not _defined(value):
        return "–"
    text = format(value, form)
    if form.startswith("+"):
        text = text.replace("%", " points")
    if interval is None or not all(map(_defined, interval)):
        return text
    return f"{text} [{', '.join(format(end, form).rstrip('%') for end in interval)}]"


def row_text(row: Mapping[str, Any], name: str, form: str = ".3f") -> str:
    """As `value_text`, of a row that holds the ends as ``NAME_low`` and ``NAME_high``, or as ``NAME_interval``."""
    ends = row.get(f"{name}_low"), row.get(f"{name}_high")
    return value_text(row.get(name), row.get(f"{name}_interval", ends), form)


def _defined(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def with_index(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its index as first column, headed by the name of the columns if they have one."""
    if table.columns.name is None:
        return table
    return table.rename_axis(index=table.columns.name, columns=None).reset_index()


def markdown(table: pd.DataFrame) -> str:
    """A table of texts as Markdown; the index is the first column where `with_index` would make it one."""
    table = with_index(table)
    texts = [[str(value) for value in row] for row in (table.columns, *table.to_numpy())]
    rows = [[re.sub(r"[|<]|!(?=\[)", r"\\\g<0>", text) for text in row] for row in texts]
    rows.insert(1, ["---"] * len(table.columns))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

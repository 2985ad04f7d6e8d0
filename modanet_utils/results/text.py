"""How numbers, their intervals and lists of names are written: one way for all tables and sentences."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

PENDING = Markdown("**On real photos:** nothing is recorded yet.")
NOTHING = Markdown("Nothing is recorded on real photos beside this run.")
Table = pd.DataFrame | Markdown  # or a sentence that says that it is not there


def escaped(name: str) -> str:
    r"""A name that is not ours, such as a data set's, as Markdown that shows it and obeys nothing in it.

    >>> print(escaped("<b onclick=x>*mine*"))
    \<b onclick=x\>\*mine\*
    """
    return re.sub(r"[\\`*_\[\]<>&#|$~]", r"\\\g<0>", " ".join(name.split()))


def on_real_photos(results: Mapping[str, Any]) -> str:
    """The beginning of a sentence about recorded results."""
    dataset = results.get("dataset")  # a notebook that is executed alone has not recorded it
    about = f" ({escaped(dataset['name'])}, {dataset['split']['test']} test images)" if dataset else ""
    return f"**On real photos**{about}"


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

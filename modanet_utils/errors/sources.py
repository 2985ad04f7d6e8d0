"""What is recorded of errors, by this run and on real photos: what figures and sentences are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from IPython.display import Markdown, display

from modanet_utils.datasets.coco import is_drawn
from modanet_utils.plots import Drawn, show
from modanet_utils.results.workspace import Workspace

TEXTS = ("text", "pixels from clothing")
"""Columns that are no numbers."""


@dataclass(frozen=True)
class Source:
    """One ``results.json``, whose ``heading`` says whose it is; empty where there is no other."""

    results: Mapping[str, Any]
    heading: str = ""

    @property
    def errors(self) -> Mapping[str, Any]:
        return self.results.get("errors", {})

    def table(self, name: str, trial: str = "") -> pd.DataFrame:
        """A table as it was made, of one trial where it is kept by trial; empty where it is not kept."""
        kept: Any = self.errors.get(name) or []
        kept = kept.get(trial, []) if trial and kept else kept
        table = pd.DataFrame(kept) if isinstance(kept, list) else pd.DataFrame.from_dict(kept, orient="index")
        table = table.set_index("row") if "row" in table else table
        return table.astype({column: float for column in table.columns if column not in TEXTS})

    def has(self, name: str, column: str, trial: str = "", row: str | None = None) -> bool:
        """Whether a column of a table, or one row of it, holds anything but zeros and undefined values."""
        table = self.table(name, trial)
        table = table if row is None else table[table.index == row]
        return column in table and bool((table[column].fillna(0) != 0).any())


def sources(workspace: Workspace) -> list[Source]:
    """This run's results, and those on real photos where they are another's; drawn figures come second."""
    recorded = workspace.elsewhere()
    if not recorded.get("errors"):
        return [Source(workspace.results)]
    drawn = is_drawn(workspace.dataset.name)
    own = Source(workspace.results, f"{'Drawn figures' if drawn else workspace.dataset.name} (this run)")
    photos = Source(recorded, f"{recorded['dataset']['name']} (photos)")
    return [photos, own] if drawn else [own, photos]


def show_each(workspace: Workspace, made: Callable[[Source], Drawn | str | None]) -> None:
    """Display what a function makes of every source: a figure with its alternative text, or a sentence."""
    for one in sources(workspace):
        found = made(one)
        if isinstance(found, str):
            display(Markdown(f"**{one.heading}.** {found}" if found and one.heading else found))
        elif found:
            show(*found)

"""Papermill's engine, which also says in which cell a notebook is, and keeps how long each one took."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.engines import NBClientEngine, papermill_engines

from modanet_utils.project import write_json


class WatchedEngine(NBClientEngine):
    """Rewrites one line in a terminal: the notebook, the cell, the heading it stands under."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, name: str = "", **more: Any) -> Any:
        start, cells, under = nb_man.cell_start, len(nb_man.nb.cells), [""]

        def told(cell: NotebookNode, cell_index: int, **others: Any) -> Any:
            under.extend(re.findall(r"^#+ (.+)$", cell.source * (cell.cell_type == "markdown"), re.MULTILINE))
            _say(f"{name} ... cell {cell_index + 1} of {cells}: {under[-1]}"[:100])
            return start(cell, cell_index, **others)

        nb_man.cell_start = told
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **more)
        finally:
            _say(f"{name} ... ")


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


papermill_engines.register("watched", WatchedEngine)


def keep_times(executed: NotebookNode, name: str, path: Path) -> None:
    """Add to a file of times, ``{notebook: {"[1] first line of the cell": seconds}}``, what papermill noted."""
    times = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    named = {f"[{cell.execution_count}] {cell.source.strip().splitlines()[0]}": cell for cell in code}
    times[name] = {first: cell.metadata.get("papermill", {}).get("duration") for first, cell in named.items()}
    write_json(path, times)

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
        start, under = nb_man.cell_start, [""]

        def told(cell: NotebookNode, cell_index: int, **others: Any) -> Any:
            under.extend(re.findall(r"^#+ (.+)$", cell.source if cell.cell_type == "markdown" else "", re.MULTILINE))
            if sys.stderr.isatty():
                where = f"{name} ... cell {cell_index + 1} of {len(nb_man.nb.cells)}: {under[-1]}"
                print(f"\r\033[K{where[:100]}", end="", file=sys.stderr, flush=True)
            return start(cell, cell_index, **others)

        nb_man.cell_start = told
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **more)
        finally:
            if sys.stderr.isatty():
                print(f"\r\033[K{name} ...", end=" ", file=sys.stderr, flush=True)


papermill_engines.register("watched", WatchedEngine)


def keep_times(executed: NotebookNode, name: str, path: Path) -> None:
    """Add to a file of times, ``{notebook: {"[1] first line of the cell": seconds}}``, what papermill noted."""
    times = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    first = {f"[{cell.execution_count}] {cell.source.strip().splitlines()[0]}": cell for cell in code}
    times[name] = {line: cell.metadata.get("papermill", {}).get("duration") for line, cell in first.items()}
    write_json(path, times)

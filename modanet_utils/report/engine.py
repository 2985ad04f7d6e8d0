"""Papermill's engine, which also says in which cell a notebook is, and keeps how long each one took."""

import json
import re
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.util import run_sync
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines

from modanet_utils.project import write_json


def kernels(folder: Path, notebooks: Sequence[NotebookNode]) -> Generator[AsyncKernelManager]:
    """A kernel a notebook: the next starts, and loads what its notebook imports, while a notebook runs in its own."""
    started: list[AsyncKernelManager] = []
    try:
        for at in range(len(notebooks)):
            for notebook in notebooks[len(started) : at + 2]:
                code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
                modules = ", ".join(sorted({*re.findall(r"^(?:from|import) ([\w.]+)", code, re.MULTILINE)}))
                loads = [f"--IPKernelApp.exec_lines=exec('import {modules}', {{}})"] if started and modules else []
                started.append(AsyncKernelManager(kernel_name="python3"))
                run_sync(started[-1].start_kernel)(cwd=str(folder), extra_arguments=loads)
            yield started[at]
    finally:
        for one in started:
            if one.has_kernel:
                run_sync(one.shutdown_kernel)(now=True)


class WatchedEngine(Engine):
    """Rewrites one line in a terminal: the notebook, the cell, the heading it stands under. Executes in ``kernel``, one
    of `kernels`, or in a new one."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, name: str = "", kernel: AsyncKernelManager | None = None, **_: Any
    ) -> Any:
        start, cells, under = nb_man.cell_start, len(nb_man.nb.cells), [""]

        def told(cell: NotebookNode, cell_index: int, **others: Any) -> Any:
            under.extend(re.findall(r"^#+ (.+)$", cell.source * (cell.cell_type == "markdown"), re.MULTILINE))
            _say(f"{name} ... cell {cell_index + 1} of {cells}: {under[-1]}"[:100])
            return start(cell, cell_index, **others)

        nb_man.cell_start = told
        try:
            client = PapermillNotebookClient(nb_man, km=kernel, kernel_name=kernel_name, startup_timeout=60)
            return client.execute(cleanup_kc=True)
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

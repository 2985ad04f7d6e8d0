"""One training at a time in a run folder, and what earlier ones have left there."""

import contextlib
import fcntl
import itertools
import json
import os
import platform
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import torch
from safetensors.torch import load_file

from modanet_utils.project import ProjectError, shown
from modanet_utils.training.runs import DAMAGED, FINISHED, say

LOCK = ".training"


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run folder, which is made; on leaving, one that holds neither a result nor a state is removed.

    The lock is the system's, so that it ends with the process that holds it, however that ends.

    Raises:
        ProjectError: Another process holds it; the message says which, and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(file.fileno()).st_nlink:  # its holder left between the two lines above
                raise BlockingIOError
        except BlockingIOError:
            file.seek(0)
            who = file.read() or "another process"
            raise ProjectError(f"{shown(folder)} is being trained by {who}: wait until it ends, or end it.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()} since {datetime.now():%Y-%m-%d %H:%M:%S}")
        file.flush()
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)
            if not (folder / FINISHED).is_file() and not any(folder.glob("state-*")):
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.parent.rmdir()


def clear(folder: Path) -> None:
    """Remove what only a training in progress needs, also what a process that was killed while it saved has left."""
    for name in ("best", LOCK):
        (folder / name).unlink(missing_ok=True)
    for one in folder.glob("*state-*"):
        shutil.rmtree(one, ignore_errors=True)


def set_aside(path: Path, fault: str) -> None:
    """Rename what is damaged, and say so."""
    names = (f"{DAMAGED}{number or ''}-{path.name}" for number in itertools.count())
    target = next(one for one in map(path.with_name, names) if not one.exists())
    path.rename(target)
    say(f"{fault}: it is set aside as {target.name}.")


def check_state(folder: Path) -> None:
    """Set aside an interrupted training's newest state if it cannot be read; ask while holding the folder."""
    for state in sorted(folder.glob("state-*"))[-1:]:
        try:
            for name in ("best", "model.safetensors"):
                load_file(state / name)
            for name in ("optimizer.bin", "scheduler.bin"):
                torch.load(state / name, map_location="cpu", weights_only=True)
            json.loads((state / "history.json").read_text(encoding="utf-8"))
        except Exception as error:  # every library has words of its own for a damaged file
            set_aside(state, f"{shown(state)} cannot be read ({' '.join(str(error).split()).rstrip('.')})")

"""What the whole project shares: where it lies, what a number was made with, how a request is refused."""

import contextlib
import ctypes
import difflib
import errno
import glob
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: every default path derives from it, never from the working directory."""

PACKAGES = (
    *("torch", "torchvision", "segmentation-models-pytorch", "accelerate", "albumentations", "pycocotools"),
    *("numpy", "pandas", "opencv-python-headless"),
)


def provenance() -> dict:
    """Commit (marked where files were changed since), versions of the main packages, and the device."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    return {"commit": _commit(), "versions": versions, "device": _device()}


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        # Outputs change while a report is made; what matters is whether the code did.
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "modanet_utils", "profiles")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changed else commit


def _device() -> str:
    torch = sys.modules.get("torch")  # what was trained here has loaded it; tables alone need no device
    if torch is not None and torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"CPU, {os.cpu_count()} cores"


class ProjectError(ValueError):
    """Something the user can put right; the message is one sentence: what, where, what to do."""


def did_you_mean(word: object, known: Iterable[str], elsewhere: str = "") -> str:
    """The end of a sentence that refuses an unknown name: the nearest valid one, and all, or where they are listed.

    >>> did_you_mean("combind", ["combined", "dice"])
    "did you mean 'combined'? Valid: combined, dice."
    """
    known = list(known)
    near = difflib.get_close_matches(str(word), known, 1, 0.4)
    return (f"did you mean {near[0]!r}? " if near else "") + (elsewhere or f"Valid: {', '.join(known)}.")


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM), and ends as it does by Ctrl-C."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated`; not in torchrun's processes, which have to end even inside a library."""

    def end(*_: object) -> NoReturn:
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or "WORLD_SIZE" in os.environ:
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def plain_error(error: OSError | ValueError) -> str:
    """An error in a sentence; the system's own name the file first."""
    if isinstance(error, OSError) and error.errno and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}): give another, or put that right."
    return str(error)


@contextlib.contextmanager
def _room_told(path: Path, partial: Path, needed: int = 0) -> Iterator[None]:
    """A full disk in one sentence, whichever library met it: safetensors and torch.save have words of their own."""
    try:
        yield
    except Exception as error:
        full = getattr(error, "errno", 0) == errno.ENOSPC or "os error 28" in str(error)
        if not full and not (isinstance(error, RuntimeError) and shutil.disk_usage(path.parent).free < 1 << 16):
            raise
        written = sum(one.stat().st_size for one in (partial, *partial.rglob("*")) if one.is_file())
        need = f"{'' if needed else 'more than '}{(needed or written) / 1e6:.1f} MB"
        raise ProjectError(f"The disk is full: {shown(path)} needs {need}; make room, then go on.") from error


def partial_path(path: Path) -> Path:
    """What a path is called while it is written; what killed processes have left of that is removed."""
    for one in path.parent.glob(f".*.{glob.escape(path.name)}"):
        pid = one.name.split(".")[1]
        try:
            os.kill(int(pid), 0)
        except (ValueError, PermissionError):  # none, or another user's
            continue
        except ProcessLookupError:
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)
    return path.with_name(f".{os.getpid()}.{path.name}")  # the ending stays: some writers go by it


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file whole or not at all: under another name first, then renamed; its folder is made.

    content: Text (UTF-8), bytes, or a function that writes to the path it is given. ProjectError if the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    # namereplace: as JSON escapes it, for file names need not be UTF-8.
    data = b"" if callable(content) else content.encode(errors="namereplace") if isinstance(content, str) else content
    try:
        with _room_told(path, partial, len(data)):
            if callable(content):
                content(partial)
            else:
                partial.write_bytes(data)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_folder(path: Path) -> None:
    """ProjectError, before any work, for a folder to write that is a link, a file, or where the user is working."""
    if path.is_symlink():
        raise ProjectError(f"{path} is a link: give the folder that it stands for, or a new one.")
    if Path.cwd().is_relative_to(path.resolve()):
        raise ProjectError(f"{path} is the current folder or holds it: give a folder of its own, as in data/mine.")
    if path.exists() and not path.is_dir():
        raise ProjectError(f"{path} is a file and holds something else: give a folder that does not exist yet.")


@contextlib.contextmanager
def whole_folder(path: Path, unless: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """A folder to fill, which is called ``path`` once it is complete and gone where filling it fails.

    What is there is replaced at the end, not before; where ``unless``, asked then, says yes, it stays. ProjectError if
    the disk is full.
    """
    check_folder(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, before = partial_path(path), path.with_name(f".before.{path.name}")
    _settle(path, before)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        with _room_told(path, partial):
            yield partial
        if not unless() and not (path.exists() and _exchanged(partial, path)):
            if path.exists():
                path.rename(before)
            partial.rename(path)
    finally:
        _settle(path, before)
        shutil.rmtree(partial, ignore_errors=True)


def _settle(path: Path, before: Path) -> None:
    """Where two renames have to do for an exchange: the old folder is back until the new one has its place."""
    if before.exists() and not path.exists():
        before.rename(path)
    shutil.rmtree(before, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange the names of two folders at once; False where the system, or the disk, cannot, as any but Linux."""
    with contextlib.suppress(AttributeError, TypeError):  # TypeError: Windows has no library without a name
        return ctypes.CDLL(None).renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0  # RENAME_EXCHANGE
    return False


def linked(source: str, target: str) -> None:
    """A file in another folder, too, where none has its name yet: the same, or a copy where the disk has no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        pass
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all; the same content gives the same bytes."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def shown(path: Path) -> str:
    """A path as messages and notebooks may show it: relative to the project's folder where it lies inside."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(os.path.relpath(path, ROOT))).as_posix()

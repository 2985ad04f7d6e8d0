"""What the whole project shares: where it lies, what a number was made with, how a request is refused."""

import contextlib
import difflib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: every default path derives from it, never from the working directory."""

PACKAGES = (
    *("torch", "torchvision", "segmentation-models-pytorch", "accelerate", "albumentations", "pycocotools"),
    *("numpy", "pandas", "opencv-python-headless"),
)


def provenance() -> dict:
    """Commit (marked where files were changed since), versions of the main packages, and the device."""
    return {
        "commit": _commit(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "device": _device(),
    }


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


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file whole or not at all: under another name first, then renamed; its folder is made.

    content: Text (UTF-8), bytes, or a function that writes to the path it is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")  # the ending stays: some writers go by it
    try:
        if callable(content):
            content(partial)
        else:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_folder(path: Path) -> None:
    """Refuse, before any work, a folder to write that is a link, a file, or where the user is working.

    Raises:
        ProjectError: It is one of these.
    """
    if path.is_symlink():
        raise ProjectError(f"{path} is a link: give the folder that it stands for, or a new one.")
    if Path.cwd().is_relative_to(path.resolve()):
        raise ProjectError(f"{path} is the current folder or holds it: give a folder of its own, as in data/mine.")
    if path.exists() and not path.is_dir():
        raise ProjectError(f"{path} is a file and holds something else: give a folder that does not exist yet.")


@contextlib.contextmanager
def whole_folder(path: Path, unless: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """A folder to fill, which is called ``path`` once it is complete and gone where filling it fails.

    What is there is replaced at the end, not before; where ``unless``, asked then, says yes, it stays.
    """
    check_folder(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, before = (path.with_name(f".{os.getpid()}.{which}{path.name}") for which in ("", "before."))
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if not unless():
            replaces = path.exists()
            if replaces:
                path.rename(before)  # aside: at no moment is there neither the old nor the new one
            try:
                partial.rename(path)
            except BaseException:
                if replaces:
                    before.rename(path)
                raise
            shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all; the same content gives the same bytes."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def shown(path: Path) -> str:
    """A path as messages and notebooks may show it: relative to the project's folder where it lies inside."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(os.path.relpath(path, ROOT))).as_posix()

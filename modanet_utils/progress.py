"""Progress: one line that is rewritten where somebody watches, whole lines now and then where nobody does."""

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class Progress:
    """Counts steps towards a total and says how far it is.

    In a terminal one line is rewritten; in a notebook one display is updated, so that a stored one keeps a single
    output; both at most every two seconds. Elsewhere (a file, a pipe) whole lines are written at once: one whenever
    ``every`` more steps are done (never where that is 0), every milestone, and the last word.
    """

    def __init__(self, total: int, quiet: bool = False, every: int = 1000) -> None:
        self.total, self.quiet, self.every, self.note = total, quiet, every, ""
        self._started, self._said, self._first = time.perf_counter(), 0.0, 0
        self._done: int | None = None
        self._handle = None
        ipython = None if quiet else sys.modules.get("IPython")  # a notebook's kernel has loaded it
        if ipython and getattr(ipython.get_ipython(), "kernel", None) is not None:
            from IPython.display import display

            self._handle = display({"text/plain": "starting"}, raw=True, display_id=True)
        self._watched = self._handle is not None or sys.stderr.isatty()

    def step(self, done: int, what: str) -> None:
        """Say that ``done`` of the total are done (now and then)."""
        now, before = time.perf_counter(), self._done
        if before is None:  # a resumed training begins further on
            self._first = before = done - 1
        self._done = done
        due = now - self._said >= 2 if self._watched else self.every and done // self.every > before // self.every
        if due and not self.quiet:
            self._say(" · ".join(filter(None, [what, f"{done:,} of {self.total:,}", self.left(), self.note])))

    def over(self, items: Iterable[Item], what: str) -> Iterator[Item]:
        """The items, each a step that is done when the next is asked for."""
        for done, item in enumerate(items, 1):
            yield item
            self.step(done, what)

    def left(self) -> str:
        """How long the rest takes if it goes on like this; empty where nothing, or nothing yet, is known."""
        if not self._done or self._done >= self.total:
            return ""
        seconds = (time.perf_counter() - self._started) / (self._done - self._first) * (self.total - self._done)
        return f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left"

    def milestone(self, text: str) -> None:
        """Say what has been reached, now."""
        if not self.quiet:
            self._say(text)

    def close(self, text: str = "") -> None:
        """Leave this, or what was said last, as the last word."""
        if text and not self.quiet:
            self._say(text, end="\n")
        elif self._said and self._watched and self._handle is None:
            print(file=sys.stderr)

    def _say(self, text: str, end: str = "") -> None:
        self._said = time.perf_counter()
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
        elif self._watched:
            print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)
        else:
            print(text, flush=True)


def watched(items: Collection[Item], what: str, last: str = "", quiet: bool = False) -> Iterator[Item]:
    """The items, each a step of a `Progress` of its own, and its last word when they are at their end."""
    progress = Progress(len(items), quiet)
    yield from progress.over(items, what)
    progress.close(last)


def spread(
    make: Callable[[Item], Made], items: Collection[Item], what: str, last: str = "", quiet: bool = False
) -> Iterator[Made]:
    """As `watched`, what is made of each item; on every core, as PyTorch, NumPy and OpenCV let others compute."""
    progress = Progress(len(items), quiet)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from progress.over(pool.map(make, items), what)
    progress.close(last)

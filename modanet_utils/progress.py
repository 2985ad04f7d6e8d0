"""Progress that stays one line: an updated display in a notebook, a rewritten line in a terminal."""

import sys
import time


class Progress:
    """Counts steps towards a total and says how far it is, at most every two seconds.

    A stored notebook keeps a single output, because one display is updated instead of many being added.
    """

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total, self.quiet, self.note = total, quiet, ""
        self._started, self._said, self._first = time.perf_counter(), 0.0, None
        self._handle = None
        if not quiet and _in_notebook():
            from IPython.display import display

            self._handle = display({"text/plain": "starting"}, raw=True, display_id=True)

    def step(self, done: int, what: str) -> None:
        """Say that ``done`` of the total are done (now and then)."""
        now = time.perf_counter()
        if self._first is None:
            self._first, self._started = done, now
        if self.quiet or now - self._said < 2:
            return
        self._said = now
        left = (now - self._started) / max(1, done - self._first) * (self.total - done)
        parts = [what, f"{done}/{self.total} steps", f"about {left / 60:.0f} min left" if left > 90 else "", self.note]
        self._say(" · ".join(filter(None, parts)))

    def close(self, text: str) -> None:
        """Leave this as the last word."""
        if not self.quiet:
            self._say(text, end="\n")

    def _say(self, text: str, end: str = "") -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}{end}")
            sys.stderr.flush()
        elif end:
            print(text)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None

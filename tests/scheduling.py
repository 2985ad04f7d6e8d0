"""How `make test` shares the tests between two processes, by pytest-xdist."""

import pytest
from xdist.scheduler import LoadScopeScheduling

LONG = ("notebooks", "tests/training/", "tests/test_project.py", "tests/report/", "tests/test_progress.py")
"""Where what takes long is, longest first: begun last, it would leave a process alone at the end."""


class ByFile(LoadScopeScheduling):
    """One process executes the notebooks, which share their trainings; the tests of a file stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """What one process executes, in its order."""
    file = nodeid.split("::")[0]
    return "notebooks" if file.endswith(".ipynb") else file


def rank(item: pytest.Item) -> int:
    """A place in the order of execution."""
    return next((at for at, start in enumerate(LONG) if scope(item.nodeid).startswith(start)), len(LONG))

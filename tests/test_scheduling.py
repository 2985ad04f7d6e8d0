"""The two processes of `make test`: one executes all notebooks, the other begins with what takes longest."""

from types import SimpleNamespace
from typing import Any

import conftest
import pytest
import scheduling

NOTEBOOKS = [f"notebooks/0{number}.ipynb::Cell {cell}" for number in (1, 2, 3) for cell in range(20)]
QUICK = [f"tests/test_{name}.py::test_{number}" for name in ("augment", "model") for number in range(30)]
TRAINING = [f"tests/training/test_training.py::test_{number}" for number in range(30)]
DOCTESTS = ["modanet_utils/losses.py::modanet_utils.losses.DiceLoss"]


class Worker:
    """A process as the scheduler sees it, which remembers what it is to execute."""

    gateway = SimpleNamespace(id="a process")
    shutting_down = False

    def __init__(self) -> None:
        self.asked: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.asked += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_one_process_executes_the_notebooks_and_the_other_what_takes_long_first() -> None:
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in (*QUICK, *TRAINING, *DOCTESTS, *NOTEBOOKS)]
    items.sort(key=scheduling.rank)
    collected = [item.nodeid for item in items]
    config: Any = SimpleNamespace(getvalue=lambda _: ["popen"] * 2, option=SimpleNamespace(loadscopereorder=True))
    scheduler = conftest.pytest_xdist_make_scheduler(config, None)
    one, other = workers = [Worker(), Worker()]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, collected)
    scheduler.schedule()
    assert [collected[index] for index in one.asked] == NOTEBOOKS
    assert [collected[index] for index in other.asked] == TRAINING
    for index in other.asked:  # grows while its tests end: the rest of them is its own
        scheduler.mark_test_complete(other, index)
    assert [collected[index] for index in one.asked] == NOTEBOOKS
    assert [collected[index] for index in other.asked] == [*TRAINING, *QUICK, *DOCTESTS]


def test_what_is_listed_as_long_is_there(request: pytest.FixtureRequest) -> None:
    assert [start for start in scheduling.LONG if not (request.config.rootpath / start).exists()] == []


def test_what_the_page_of_reliability_says_is_counted_in_one_process() -> None:
    options = {"--reliability": True, "numprocesses": 2}
    config: Any = SimpleNamespace(getoption=lambda name, default=None: options[name])
    with pytest.raises(pytest.UsageError, match="^--reliability counts in one process: leave out -n.$"):
        conftest.pytest_configure(config)

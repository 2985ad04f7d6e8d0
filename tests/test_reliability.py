"""What reports/reliability.md says was tried is what the tests try now."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import reliability
from reliability import Tally

from tests import mutants

TESTS = Path(__file__).resolve().parent


class Collected:
    """The kinds of cases, and the fuzzed tests, that pytest finds."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.fuzz: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.cases.update(mark.args[0] for mark in item.iter_markers("reliability"))
            self.fuzz |= {item.name} if item.get_closest_marker("fuzz") else set()


def test_what_is_recorded_is_what_is_tried_now() -> None:
    marks = ("mark.reliability(", "@fuzzed(")
    files = [str(file) for file in TESTS.rglob("test_*.py") if any(mark in file.read_text() for mark in marks)]
    found, told = Collected(), reliability.read()
    options = ["--collect-only", "-qq", "-p", "no:cacheprovider", "-m", "reliability or fuzz"]
    assert pytest.main([*options, *files], plugins=[found]) == 0
    recorded = {kind: sum(outcomes.values()) for kind, outcomes in told["cases"].items()}
    again = "run pytest --reliability -m 'reliability or fuzz' tests, and modanet readme"
    assert recorded == found.cases and set(told["fuzz"]) == found.fuzz, again
    assert all(not outcomes["failed"] for outcomes in told["cases"].values())
    assert all(one["outcome"] == "passed" and one["examples"] >= 20 for one in told["fuzz"].values())


def test_the_tests_notice_nearly_every_fault_that_was_drawn() -> None:
    told = reliability.read()["mutants"]
    assert len(told) == len({one["digest"] for one in told}) == mutants.NUMBER >= 40
    assert sum(one["killed"] is not None for one in told) >= 0.95 * len(told)


def test_faults_are_drawn_by_the_rule_and_can_be_put_in() -> None:
    chosen = [*mutants.drawn(200).values()]
    assert chosen[:40] == [*mutants.drawn(40).values()]
    assert len({(one.module, one.start, one.after) for one in chosen}) == 200
    for one in chosen:
        text = (mutants.ROOT / "modanet_utils" / f"{one.module}.py").read_text(encoding="utf-8")
        assert text[one.start : one.end] == one.before != one.after
        compile(text[: one.start] + one.after + text[one.end :], one.module, "exec")
    assert len({one.module for one in chosen}) > 20


def reported(outcome: str, when: str = "call", **told: str) -> Any:
    return SimpleNamespace(when=when, outcome=outcome, passed=outcome == "passed", user_properties=[*told.items()])


def test_outcomes_are_counted_by_kind_and_replace_those_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "TRIED", Counter(test_a=7))
    tally = Tally()
    for report in (
        *(reported("passed", kind="photos"), reported("failed", kind="photos"), reported("passed")),
        *(reported("skipped", "setup", kind="photos"), reported("passed", "setup", kind="photos")),
        reported("passed", fuzz="test_a"),
    ):
        tally.pytest_runtest_logreport(report)
    before = {"cases": {"photos": {"passed": 9}, "runs": {"passed": 1}}, "fuzz": {"test_b": {}}, "mutants": [1]}
    assert tally.merged(before) == {
        "cases": {"photos": {"passed": 1, "failed": 1, "skipped": 1}, "runs": {"passed": 1}},
        "fuzz": {"test_a": {"examples": 7, "outcome": "passed"}, "test_b": {}},
        "mutants": [1],
    }

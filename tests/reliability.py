"""What is tried against the package, counted: ``pytest --reliability`` keeps it for ``reports/reliability.md``.

A test marked ``reliability("what is broken")`` is a case of that kind, once for each of its parameters; a `fuzzed` one
is tried with what hypothesis makes up, 100 times, or as often as ``--hypothesis-profile=long`` says (``make fuzz``).
"""

import contextlib
import functools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RECORD = Path(__file__).resolve().parents[1] / "reports" / "reliability.json"
TRIED: Counter[str] = Counter()
"""How often a fuzzed test, by its name, was called."""

settings.register_profile("long", max_examples=2000, deadline=None, print_blob=True)


def fuzzed(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As hypothesis's ``given``; calls are counted, and fixtures of one test are those of all its examples."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def counted(*arguments: Any, **more: Any) -> None:
            TRIED[test.__name__] += 1
            test(*arguments, **more)

        asked = settings(
            deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        )
        return pytest.mark.fuzz(asked(given(**strategies)(counted)))

    return decorate


# ------------------------------------------------------------------------------------------ what is made up

JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.integers(-5, 40),
        st.floats(),
        st.text(max_size=4),
        st.sampled_from(["1", "images/1.png", "skin", [1, 1, 5, 1, 5, 5], {"size": [24, 16], "counts": "abc"}]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ANYWHERE = st.integers(0, 10**6)
"""A place, see `with_junk`."""
Place = int | tuple[Any, ...]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything inside of a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, inner in pairs for deeper in places(inner, (*path, key)))][not path :]


def with_junk(content: Any, at: Place, junk: Any) -> Any:
    """A copy of a JSON value with something else in one of its places, given by its path or any number."""
    changed = json.loads(json.dumps(content))
    *parents, last = at if isinstance(at, tuple) else places(changed)[at % len(places(changed))]
    inner = changed
    for key in parents:
        inner = inner[key]
    inner[last] = junk
    return changed


# ------------------------------------------------------------------------------------------ what is counted


class Tally:
    """Outcomes of one session: kind, or fuzzed test, to how many tests held, failed or could not be run here."""

    def __init__(self) -> None:
        self.cases: dict[str, Counter[str]] = {}
        self.fuzz: dict[str, str] = {}

    @staticmethod
    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("reliability"):
                item.user_properties.append(("kind", mark.args[0]))
            if item.get_closest_marker("fuzz"):
                item.user_properties.append(("fuzz", item.name))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            told = dict(report.user_properties)
            if "kind" in told:
                self.cases.setdefault(told["kind"], Counter())[report.outcome] += 1
            if "fuzz" in told:
                self.fuzz[told["fuzz"]] = report.outcome

    def merged(self, before: dict[str, Any]) -> dict[str, Any]:
        """The record with what this session tried in the place of what was recorded of it before."""
        cases = {
            kind: {name: found[name] for name in ("passed", "failed", "skipped")} for kind, found in self.cases.items()
        }
        fuzz = {name: {"examples": TRIED[name], "outcome": outcome} for name, outcome in self.fuzz.items()}
        parts = {"cases": before.get("cases", {}) | cases, "fuzz": before.get("fuzz", {}) | fuzz}
        return {
            **{name: dict(sorted(found.items())) for name, found in parts.items()},
            "mutants": before.get("mutants", []),
        }

    def pytest_sessionfinish(self) -> None:
        write(self.merged(read()))


def read() -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError):
        return json.loads(RECORD.read_text(encoding="utf-8"))
    return {}


def write(content: dict[str, Any]) -> None:
    RECORD.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

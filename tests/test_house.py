"""The rules of the house: imports run down the floors, in no circle, and no slice imports another slice."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "modanet_utils"
FLOORS: tuple[tuple[str, ...], ...] = (
    ("classes", "thresholds", "project", "progress"),
    ("datasets", "augment", "model", "losses", "metrics", "plots"),
    ("splits", "statistics", "trials"),
    ("training", "results"),
    ("imbalance", "comparison", "errors", "remedies", "photo"),
    ("report",),
    ("__main__",),
)
"""The rooms, from the ground up; the slices are those of the fifth floor."""
SLICES = FLOORS[4]
MAX_FILE, MAX_FUNCTION, MAX_PACKAGE = 450, 60, 13_022


def sources(folder: Path) -> dict[str, str]:
    """Module name, without the package's, to its text."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


def imports(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Module to the modules of the package that it imports, late imports included."""
    found: dict[str, set[str]] = {}
    for name, text in modules.items():
        found[name] = set()
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{a.name}" for a in node.names]
            for one in names:
                parts = one.split(".")
                if parts[0] == PACKAGE:
                    target = ".".join(parts[1:])
                    found[name].add(target if target in modules else ".".join(parts[1:-1]))
        found[name].discard(name)
    return found


def floor(module: str) -> int:
    room = module.split(".")[0]
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), -1)


def broken(modules: Mapping[str, str]) -> list[str]:
    """Every rule that the imports break, in words."""
    edges = imports(modules)
    edges.pop("", None)  # the package itself only sets things up
    found = [f"{name} is in no room" for name in edges if floor(name) < 0]
    for name, targets in edges.items():
        for target in targets - {""}:
            rooms = name.split(".")[0], target.split(".")[0]
            if floor(target) > floor(name):
                found.append(f"{name} imports upward: {target}")
            if rooms[0] != rooms[1] and set(rooms) <= set(SLICES):
                found.append(f"slice {name} imports slice {target}")
    for room in dict.fromkeys(name.split(".")[0] for name in edges):  # rooms on one floor, and modules of one room
        reached, todo = set(), [t.split(".")[0] for n, ts in edges.items() if n.split(".")[0] == room for t in ts]
        todo = [one for one in todo if one != room]
        while todo:
            one = todo.pop()
            if one not in reached:
                reached.add(one)
                todo += [t.split(".")[0] for n, ts in edges.items() if n.split(".")[0] == one for t in ts]
        if room in reached:
            found.append(f"room {room} is in a circle")
    for name in edges:
        reached, todo = set(), list(edges[name])
        while todo:
            one = todo.pop()
            if one and one not in reached:
                reached.add(one)
                todo += edges.get(one, ())
        if name in reached:
            found.append(f"{name} is in a circle")
    return found


def test_the_imports_keep_the_rules() -> None:
    assert broken(sources(ROOT / PACKAGE)) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"metrics": "from modanet_utils import report"}, "metrics imports upward"),
        ({"metrics": "def f():\n    from modanet_utils.report import series"}, "metrics imports upward"),
        ({"errors.tables": "from modanet_utils.imbalance.tables import class_table"}, "slice errors.tables imports"),
        (
            {"metrics": "import modanet_utils.losses", "losses": "def f():\n    from modanet_utils import metrics"},
            "circle",
        ),
        ({"extra": ""}, "extra is in no room"),
    ],
)
def test_a_planted_fault_is_seen(planted: dict[str, str], said: str) -> None:
    modules = sources(ROOT / PACKAGE)
    modules |= {name: modules.get(name, "") + "\n" + text for name, text in planted.items()}
    assert any(said in one for one in broken(modules))


LIGHT = ("results", "results.tables", "results.claims", "results.text", "results.workspace", "trials", "thresholds")
LIGHT += ("comparison.tables", "comparison.text", "imbalance.tables", "imbalance.text", "errors.tables", "errors.text")


def test_tables_need_no_torch() -> None:
    program = "".join(f"import {PACKAGE}.{name}\n" for name in LIGHT) + "import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_files_and_functions_are_short() -> None:
    modules = sources(ROOT / PACKAGE)
    long = [name for name, text in modules.items() if len(text.splitlines()) > MAX_FILE and "synthetic" not in name]
    for name, text in modules.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= MAX_FUNCTION:
                long.append(f"{name}.{node.name}")
    assert long == []


def test_the_package_is_thin() -> None:
    modules = sources(ROOT / PACKAGE)
    assert sum(len(t.splitlines()) for name, t in modules.items() if "synthetic" not in name) <= MAX_PACKAGE

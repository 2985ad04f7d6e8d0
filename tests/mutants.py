"""Small faults put into the package, one at a time, to see whether a test notices: ``python -m tests.mutants``.

The rule, written down before any was tried:

- Sites are all places of `MODULES` where one of these changes is possible: a comparison's boundary (< and <=, > and >=)
  or sense (== and !=, in, is), an arithmetic operator (+ and -, * and /, // to *, ** to *, & and |), a number plus 1,
  a condition (if, while, x if y else z, a comprehension's) negated, a statement dropped (a call, a raise, an augmented
  assignment, one to an attribute or an element), the two arguments of a call swapped, a minimum, maximum, clip removed.
- Left out are texts and what makes them: f-strings, docstrings, annotations, decorators, `print`, the arguments of an
  exception and of `TELLING`, string arithmetic; settings at module level; swaps of `SYMMETRIC`, which change nothing,
  and of `SURE`, which any test finds.
- The `NUMBER` sites with the smallest SHA-256 of `SEED`, module, line and change are taken, so that a change elsewhere
  leaves them what they are. Each is put into a copy of the project, whose tests of that module run
  until one fails. What takes longer than `SECONDS` of CPU counts as survived, and so does what can change no result.
"""

import argparse
import ast
import copy
import hashlib
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests import reliability

ROOT = Path(__file__).resolve().parents[1]
SEED, NUMBER, SECONDS = 20, 40, 150

_DATA = ("datasets/test_datasets", "datasets/test_brought", "datasets/test_own", "datasets/test_scale")
_TRAINING = ("training/test_runs", "training/test_tagged", "training/test_training")
_PLACES = ("errors/test_cases", "errors/test_breakdown", "errors/causes/test_pictures", "errors/test_scan")
MODULES: dict[str, tuple[str, ...]] = {
    "losses": ("test_losses",),
    "metrics": ("test_metrics", "errors/test_error_claims"),
    "statistics": ("test_statistics", "training/test_runs"),
    "splits": ("test_splits", "datasets/test_brought"),
    "datasets/coco": _DATA,
    "datasets/masks": _DATA,
    "datasets/photos": _DATA,
    "datasets/records": _DATA,
    "datasets/ccp": ("datasets/test_brought", "datasets/test_datasets"),
    "errors/cases": _PLACES,
    "errors/claims": ("errors/test_error_claims", "errors/test_error_text"),
    "errors/places": _PLACES,
    "errors/scan": _PLACES,
    "errors/tables": (
        "errors/test_error_tables",
        "errors/test_breakdown",
        "errors/test_error_claims",
        "errors/test_error_text",
    ),
    "errors/causes/pictures": ("errors/causes/test_pictures", "errors/causes/test_stage"),
    "errors/causes/recoloring": ("errors/causes/test_recoloring", "errors/causes/test_stage"),
    "errors/causes/pasting": ("errors/causes/test_hats", "errors/causes/test_crowd"),
    "errors/causes/stage": ("errors/causes/test_stage", "errors/causes/test_hats", "errors/causes/test_crowd"),
    "training/adjustment": ("training/test_adjustment",),
    "training/identity": ("training/test_identity", "training/test_runs"),
    "training/lock": _TRAINING,
    "training/loop": _TRAINING,
    "training/plan": ("training/test_plan", *_TRAINING),
    "training/predict": ("training/test_adjustment", "training/test_training", "photo/test_photo"),
    "training/presence": ("training/test_tagged",),
    "training/pseudo": ("training/test_tagged",),
    "training/runs": _TRAINING,
    "training/samples": ("training/test_tagged", "training/test_training"),
    "training/start": _TRAINING,
    "training/weights": _TRAINING,
}
"""What is tried, and the files of tests that look at it, the fastest first; before them its own examples."""

EQUIVALENT = {"01eb59e6535c": "no change: any of a photo's bytes would do to tell most apart before all are compared"}
"""Faults that change no result, by digest, judged by hand; they count as not noticed."""
TELLING = {"say", "step", "close", "milestone", "note", "left_out", "over", "Progress"}
SYMMETRIC = {"isinstance", "zip", "getattr", "min", "max", "maximum", "minimum", "array_equal", "isclose"}
SYMMETRIC |= {"promote_types", "logical_and", "logical_or"}
SURE = {"zeros", "ones", "full", "empty", "cast", "repeat", "astype", "replace", "removeprefix", "sub", "open"}
"""Calls whose arguments are of two kinds, so that swapped ones fail wherever the line is reached."""
_PAIRS = ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.In, ast.NotIn), (ast.Is, ast.IsNot))
COMPARED: dict[type, type] = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
COUNTED: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


class Mutant(NamedTuple):
    """A change: where it is, what stands there, and what is put there."""

    module: str
    line: int
    start: int  # in characters of the file
    end: int
    before: str
    after: str
    text: str  # of the line


def _called(node: ast.AST) -> str:
    name = node.func if isinstance(node, ast.Call) else node
    return name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _kept(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node in which a change may be made, see the rule."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or (isinstance(node, ast.Raise) and name == "exc"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            if isinstance(child, ast.Call) and _called(child) in {"print", *TELLING}:
                continue
            if isinstance(node, ast.Module) and isinstance(child, ast.Assign | ast.AnnAssign):
                continue
            yield child


def _variants(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """Pairs of a node of the file and what is put in its place; None: the statement is dropped."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARED:
            yield node, ast.Compare(node.left, [COMPARED[type(operator)]()], node.comparators)
        case ast.BinOp() if type(node.op) in COUNTED and not (_is_text(node.left) or _is_text(node.right)):
            yield node, ast.BinOp(node.left, COUNTED[type(node.op)](), node.right)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield node, ast.Constant(value + 1)
        case ast.If() | ast.While() | ast.IfExp():
            yield node.test, ast.UnaryOp(ast.Not(), node.test)
        case ast.comprehension():
            yield from ((test, ast.UnaryOp(ast.Not(), test)) for test in node.ifs)
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign():
            yield node, None
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, None
        case ast.Call(args=[first, second]) if not any(isinstance(a, ast.Starred) for a in node.args):
            if _called(node) not in SYMMETRIC | SURE:
                yield node, ast.Call(node.func, [second, first], node.keywords)
            elif _called(node) in ("min", "max", "minimum", "maximum"):
                yield node, second if isinstance(first, ast.Constant) else first
    if isinstance(node, ast.Call) and re.fullmatch("clip|clamp(_min|_max)?_?", _called(node)):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node
        yield node, node.args[0] if isinstance(owner, ast.Name) and owner.id == "np" else owner


def sites(module: str) -> list[Mutant]:
    """Every change that the rule allows in a module of the package, in the order of the file."""
    text = (ROOT / "modanet_utils" / f"{module}.py").read_text(encoding="utf-8")
    lines, found, todo = text.splitlines(keepends=True), [], [ast.parse(text)]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:  # columns of a syntax tree are bytes
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    while todo:
        node: Any = todo.pop()
        for old, new in _variants(node):
            one: Any = old
            start, end = at(one.lineno, one.col_offset), at(one.end_lineno, one.end_col_offset)
            after = "pass" if new is None else ast.unparse(ast.fix_missing_locations(copy.deepcopy(new)))
            after = after if new is None or isinstance(new, ast.Constant) else f"({after})"
            found.append(Mutant(module, one.lineno, start, end, text[start:end], after, lines[one.lineno - 1].strip()))
        todo += _kept(node)
    return sorted(set(found), key=lambda one: (one.start, one.end, one.after))


def drawn(number: int = NUMBER) -> dict[str, Mutant]:
    """The mutants that are tried, by their digest: drawn without looking, the same for the same lines."""
    ranked, seen = {}, Counter[str]()
    for one in (one for module in MODULES for one in sites(module)):
        what = f"{SEED} {one.module} {one.text} {one.before} {one.after}"
        seen[what] += 1
        ranked[hashlib.sha256(f"{what} {seen[what]}".encode()).hexdigest()[:12]] = one
    return dict(sorted(ranked.items())[:number])


def _copied(folder: Path) -> Path:
    """The tracked files of the project, and new ones, in a folder of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _tests(project: Path, files: tuple[str, ...], result: Path) -> None:
    """In a process of its own: the tests, until one fails; what failed is written into a file."""
    import pytest

    class First:
        @staticmethod
        def pytest_collection_modifyitems(items: list[Any]) -> None:
            items[:] = [
                one for one in items if "modanet_utils" not in one.nodeid or isinstance(one, pytest.DoctestItem)
            ]

        @staticmethod
        def pytest_runtest_logreport(report: Any) -> None:
            if report.failed and not result.exists():
                result.write_text(report.nodeid.removeprefix("tests/"))

        @staticmethod
        def pytest_collectreport(report: Any) -> None:
            if report.failed and not result.exists():
                result.write_text(f"{report.nodeid.removeprefix('tests/')} (import)")

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    os.chdir(project)
    os.environ |= {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path[:] = [str(project), *(one for one in sys.path if Path(one or ".").resolve() != ROOT)]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-m", "not gpu"]
    paths = [name if name.startswith("modanet_utils") else f"tests/{name}.py" for name in files]
    os._exit(pytest.main([*options, *paths], plugins=[First()]))


def tried(project: Path, files: tuple[str, ...]) -> tuple[str, float]:
    """The first test that fails in a project, or "", or "timeout"; and the CPU seconds that it took.

    A fork of this process, which has loaded the libraries, but nothing of the package.
    """
    result = project / "failed.txt"
    result.unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if (pid := os.fork()) == 0:
        try:
            _tests(project, files, result)
        finally:
            os._exit(99)
    _, status = os.waitpid(pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if result.exists():
        return result.read_text(), seconds
    return "" if status == 0 else "timeout" if os.WIFSIGNALED(
        status
    ) else f"exit {os.waitstatus_to_exitcode(status)}", seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="draw, and try none")
    parser.add_argument("--left", action="store_true", help="try those that no test has noticed, or that are new")
    arguments = parser.parse_args()
    chosen, known = drawn(), {row["digest"]: row for row in reliability.read().get("mutants", [])}
    if arguments.list:
        for digest, one in chosen.items():
            print(digest, told(one), sep=": ")
        return
    import albumentations, cv2, hypothesis, matplotlib.pyplot, pandas, pycocotools.mask, pytest, scipy.stats  # noqa
    import segmentation_models_pytorch, torch, torchvision, accelerate, seaborn, pydantic  # noqa

    torch.set_num_threads(1)
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = _copied(Path(folder))
        for digest, one in chosen.items():
            killed = known.get(digest, {}).get("killed") if arguments.left else None
            if killed is None:
                killed, seconds = _put_in(project, one)
                print(f"{told(one)}: {killed or 'not noticed'} ({seconds:.0f} s of CPU)", flush=True)
            place, change = told(one).split(", ", 1)
            why = None if killed else EQUIVALENT.get(digest)
            rows[digest] = {"digest": digest, "place": place, "change": change, "killed": killed, "why": why}
            others = [row for other, row in known.items() if other in chosen and other not in rows]
            reliability.write(reliability.read() | {"mutants": [*rows.values(), *others]})
    print(f"{sum(row['killed'] is not None for row in rows.values())} of {len(rows)} noticed")


def told(one: Mutant) -> str:
    where = f" in: {one.text}" if len(one.before) < 5 else ""  # a number alone says little
    return f"{one.module}.py:{one.line}, {' '.join(one.before.split())} -> {one.after}{where}"


def _put_in(project: Path, one: Mutant) -> tuple[str | None, float]:
    """The test that notices a fault, if any, and the CPU seconds that it took."""
    file = project / "modanet_utils" / f"{one.module}.py"
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole[: one.start] + one.after + whole[one.end :], encoding="utf-8")
    try:
        found, seconds = tried(project, (f"modanet_utils/{one.module}.py", *MODULES[one.module]))
    finally:
        file.write_text(whole, encoding="utf-8")
    if found.startswith("exit"):
        raise SystemExit(f"pytest could not run the tests of {one.module}.py ({found}): look at MODULES.")
    return (None if found in ("", "timeout") else found), seconds


if __name__ == "__main__":
    main()

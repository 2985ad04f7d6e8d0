"""What a run is of: the data and the code that decide its result, so that an old run is not taken for another's.

Photos are told apart by name, size and a digest of the first and the last `ENDS` bytes of each file. That is two short
reads a photo (1,004 photos: 0.02 s from the file cache; 52,377 about 1 s, from a disk as long as it seeks). It misses a
change that leaves a file's length and both ends as they were; an exchanged, blackened or re-encoded photo has others.

Code is told apart by the syntax trees of `DECIDING`, without comments, docstrings, annotations and the texts of errors.
"""

import ast
import contextlib
import functools
import hashlib
import json
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modanet_utils.datasets.coco import IMAGES, Dataset, open_dataset
from modanet_utils.project import ROOT, ProjectError
from modanet_utils.splits import split
from modanet_utils.training.weights import start_weights
from modanet_utils.trials import TrialConfig

PACKAGE = Path(__file__).resolve().parents[1]
ENDS = 4096
DECIDING: tuple[str, ...] = ("losses", "model", "augment", "datasets.weights")
DECIDING += ("training.samples", "training.loop", "training.predict")
"""Modules whose code decides what a training finds."""

SAID: dict[str, str] = {
    "annotations": "other annotations",
    "photos": "another choice of photos",
    "content": "other photos",
    "split": "another split",
    "pseudo_labels": "other pseudo labels",
    "start": "other weights to start from",
    "code": "other code",
    "processes": "another number of processes",
}
"""What can differ, in words; by the keys of `identity`."""

_asked: dict[int, tuple[weakref.ref[Dataset], dict[str, Any]]] = {}


def identity(dataset: Dataset, config: TrialConfig, runs: Path | None = None) -> dict[str, Any]:
    """What decides a run beside its settings: 16 hexadecimal digits or a number by each key of `SAID`.

    ``pseudo_labels`` and ``start`` are there only where what the configuration names is at hand (a run in ``runs``,
    too): a kept run can be read without it. A DatasetError if it cannot be opened. Photos are read once for an opened
    `Dataset`: after exchanging some, open it again.
    """
    found = {
        **_of_data(dataset),
        "split": _digest({part: sorted(ids) for part, ids in split(dataset, config.split_seed).items()}),
        "code": code_digest(),
        "processes": int(os.environ.get("WORLD_SIZE", config.processes)),
    }
    if config.pseudo_labels and (folder := dataset.root.parent / config.pseudo_labels).exists():
        found["pseudo_labels"] = _digest(_of_data(open_dataset(folder)))
    with contextlib.suppress(ProjectError):  # said when it is to be trained
        if start := start_weights(config, dataset.fingerprint, ROOT / "runs" if runs is None else runs):
            found["start"] = hashlib.sha256(start.read_bytes()).hexdigest()[:16]
    return found


def is_identity(value: Any) -> bool:
    """Whether a value from a file is what `identity` gives."""
    kinds = {"photos_used": int, "processes": int} | dict.fromkeys(("annotations", "photos", "split", "code"), str)
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in kinds.items())


def named(now: Mapping[str, Any]) -> str:
    """Eight digits for a folder's name, without the processes: a training may go on in another number of them."""
    return _digest({key: value for key, value in now.items() if key != "processes"})[:8]


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Keys of `SAID` in which a run differs; what an older run does not know is not compared."""
    return [key for key in SAID if key in then and key in now and then[key] != now[key]]


def in_words(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How a run differs, as in "other code and another number of processes (1, now 2)"."""
    numbers = {"photos": "photos_used", "processes": "processes"}
    return " and ".join(
        SAID[key] + (f" ({then[numbers[key]]:,}, now {now[numbers[key]]:,})" if key in numbers else "")
        for key in differences(then, now)
    )


def _of_data(dataset: Dataset) -> dict[str, Any]:
    """Annotations and photos; asked for every trial of a plan, and so remembered while the data set is open."""
    known = _asked.get(id(dataset))
    if known is None or known[0]() is not dataset:
        names = [record["file_name"] for record in dataset.images.values()]
        about = {"annotations": dataset.fingerprint, "photos": _digest(sorted(names)), "photos_used": len(names)}
        if (folder := dataset.root / IMAGES).is_dir():  # not where annotations alone are opened
            about["content"] = photos_digest(folder, names)
        _asked.clear()
        known = _asked[id(dataset)] = weakref.ref(dataset), about
    return known[1]


def photos_digest(folder: Path, names: list[str]) -> str:
    """Digest of photos by name, size and both ends of each file, in any order; one that cannot be read is empty."""
    found = hashlib.sha256()
    for name in sorted(names):
        found.update(os.fsencode(name))
        try:
            with (folder / name).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                found.update(size.to_bytes(8, "big") + file.read(ENDS))
                if size > ENDS:
                    file.seek(max(ENDS, size - ENDS))
                    found.update(file.read(ENDS))
        except OSError:
            found.update(b"missing")
    return found.hexdigest()[:16]


@functools.cache
def code_digest(package: Path = PACKAGE) -> str:
    """Digest of the syntax trees of `DECIDING` in a package's folder, as they were when first asked for."""
    files = [package.joinpath(*name.split(".")).with_suffix(".py") for name in DECIDING]
    return _digest([_shape(_Bare().visit(ast.parse(file.read_text(encoding="utf-8")))) for file in files])


class _Bare(ast.NodeTransformer):
    """A syntax tree without what changes no result: docstrings, annotations, and what only words an error."""

    def visit(self, node: ast.AST) -> Any:
        body = getattr(node, "body", None)
        if isinstance(node, ast.If | ast.ExceptHandler) and isinstance(body, list) and isinstance(body[-1], ast.Raise):
            node.body = body[-1:]
        return super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, None)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return ast.Assign([node.target], self.visit(node.value), lineno=0) if node.value else None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _shape(node: Any) -> Any:
    """A syntax tree as lists; empty fields are left out, because versions of Python differ in them."""
    if isinstance(node, ast.AST):
        return [type(node).__name__, *([n, _shape(v)] for n, v in ast.iter_fields(node) if v is not None and v != [])]
    return [_shape(one) for one in node] if isinstance(node, list) else repr(node)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

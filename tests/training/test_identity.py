"""What a run is of: every change that decides a result is seen, and tidying is not one."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modanet_utils.datasets.coco import open_dataset
from modanet_utils.training import identity
from modanet_utils.trials import TrialConfig


@pytest.fixture
def photos(street: Path, tmp_path: Path) -> Path:
    shutil.copytree(street, tmp_path / "labelled")
    return Path(shutil.copytree(street, tmp_path / "street"))


def of(folder: Path, **values: Any) -> dict[str, Any]:
    return identity.identity(open_dataset(folder), TrialConfig(batch_size=2, **values))


def blacken(folder: Path) -> None:
    file = folder / "images" / "3.png"
    cv2.imwrite(str(file), np.zeros_like(cv2.imread(str(file))))


def touch_the_end(folder: Path) -> None:
    file = folder / "images" / "3.png"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def annotate(folder: Path) -> None:
    file = folder / "annotations.json"
    file.write_text(file.read_text() + "\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (blacken, "other photos"),
        (touch_the_end, "other photos"),
        (annotate, "other annotations"),
        (
            lambda folder: (folder / "images" / "3.png").unlink(),
            "another choice of photos (12, now 11) and other photos and another split",
        ),
    ],
    ids=["blackened", "touched at its end", "annotated anew", "gone"],
)
def test_what_differs_is_said(change: Callable[[Path], object], said: str, photos: Path) -> None:
    before = of(photos)
    assert identity.in_words(before, of(photos)) == "" and identity.named(before) == identity.named(of(photos))
    change(photos)
    now = of(photos)
    assert identity.in_words(before, now) == said
    assert identity.named(before) != identity.named(now)


def test_the_photos_of_pseudo_labels_count(photos: Path) -> None:
    before = of(photos, pseudo_labels="labelled")
    blacken(photos.parent / "labelled")
    assert identity.in_words(before, of(photos, pseudo_labels="labelled")) == "other pseudo labels"
    assert "pseudo_labels" not in of(photos)


def test_another_number_of_processes_is_said_and_goes_on_in_the_same_folder(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = of(photos), of(photos, processes=2)
    assert identity.in_words(one, two) == "another number of processes (1, now 2)"
    assert identity.named(one) == identity.named(two)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert of(photos) == two


def test_what_an_older_run_does_not_know_is_not_compared(photos: Path) -> None:
    now = of(photos)
    older = {key: value for key, value in now.items() if key not in ("code", "content")}
    assert identity.differences(older, now | {"code": "another"}) == []


def test_photos_are_read_once_for_an_opened_data_set(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, read = open_dataset(photos), []
    digest = identity.photos_digest
    monkeypatch.setattr(identity, "photos_digest", lambda *given: read.append(given) or digest(*given))
    first = identity.identity(dataset, TrialConfig())
    assert identity.identity(dataset, TrialConfig(seed=1)) == first and len(read) == 1
    blacken(photos)
    assert identity.identity(open_dataset(photos), TrialConfig()) != first and len(read) == 2


# ------------------------------------------------------------------------------------------- code


def edited(tmp_path: Path, module: str, before: str, after: str) -> str:
    """The digest of a copy of the package in which one text is another."""
    for name in identity.DECIDING:
        copy = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(identity.PACKAGE.joinpath(*name.split(".")).with_suffix(".py"), copy)
    file = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    return identity.code_digest(tmp_path)


@pytest.mark.parametrize("module", identity.DECIDING)
def test_a_statement_more_is_another_code(module: str, tmp_path: Path) -> None:
    assert edited(tmp_path, module, "\n\n\n", "\n\n\nADDED = 1\n\n\n") != identity.code_digest()


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        ("losses", "LOVASZ_BINS = 1024", "LOVASZ_BINS = 1023"),
        ("training.loop", "pct_start=warm_up", "pct_start=0.2"),
        ("training.loop", "config.epochs + 1)", "config.epochs)"),
    ],
)
def test_a_number_or_a_bound_is_another_code(module: str, before: str, after: str, tmp_path: Path) -> None:
    assert edited(tmp_path, module, before, after) != identity.code_digest()


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        ("losses", '"""', '"""Another beginning. '),
        ("losses", "\n\n\n", "\n\n\n# a comment\n\n\n"),
        ("losses", "def forward(self, logits: Tensor,", "def forward(self, logits: object,"),
        ("losses", ") -> Tensor:", ") -> object:"),
        ("model", "give 'scse' or None", "use 'scse' or None"),
        ("training.samples", "replace the files.", "bring other files."),
    ],
    ids=["docstring", "comment", "argument", "result", "error", "the end of an error"],
)
def test_tidying_is_no_other_code(module: str, before: str, after: str, tmp_path: Path) -> None:
    assert edited(tmp_path, module, before, after) == identity.code_digest()


def test_the_digest_does_not_depend_on_the_version_of_python() -> None:
    """Python 3.12 and 3.13 add fields that are empty here, and leave empty ones out."""
    tree = identity.ast.parse("def f(a: int = 1) -> int:\n    return f'{a!r}' if a else -1.5")
    bare = identity._shape(identity._Bare().visit(tree))
    (function,) = tree.body
    function.type_params, function.decorator_list = [], []  # type: ignore[attr-defined]
    assert identity._shape(tree) == bare
    assert identity._digest(bare) == "bc13d3a6bde82578", "as Python 3.11 gives it"


# ------------------------------------------------------------------------------------------ photos


def test_photos_are_told_apart_by_both_ends_and_size(tmp_path: Path) -> None:
    names, long = ["a.jpg", "b.jpg"], 3 * identity.ENDS
    for name in names:
        (tmp_path / name).write_bytes(bytes(long))
    first = identity.photos_digest(tmp_path, names)
    assert identity.photos_digest(tmp_path, names[::-1]) == first
    for at in (0, identity.ENDS - 1, 2 * identity.ENDS, long - 1):
        content = bytearray(long)
        content[at] = 1
        (tmp_path / "b.jpg").write_bytes(content)
        assert identity.photos_digest(tmp_path, names) != first
    (tmp_path / "b.jpg").write_bytes(bytes(long + 1))
    assert identity.photos_digest(tmp_path, names) != first

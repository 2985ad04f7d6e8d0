"""Where a data set is written: files of others stay, and a place that cannot be is refused before the work."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle

from modanet_utils import project
from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.project import ProjectError, whole_folder

INFO = {"name": "mine"}
TOP = annotation(1, 9, [rectangle(1, 1, 5, 5)])


def photo(folder: Path, name: str, grey: int = 90) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / name), np.full((20, 30, 3), grey, np.uint8))
    return {name: folder / name}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_converting_again_replaces_the_products_files_and_no_others(tmp_path: Path) -> None:
    out, source = tmp_path / "out", tmp_path / "source"
    writing.write(out, INFO, [record(1)], [TOP], photo(source, "1.png"))
    mine = {"notes.txt": b"mine", "sub/deep/more.txt": b"too", "images/mine.jpg": b"a photo", "images/a/b.txt": b"b"}
    for name, data in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
    (out / "shortcut").symlink_to(source)
    writing.write(out, INFO, [record(2)], [TOP | {"image_id": 2}], photo(source, "2.png"))
    there = content(out)
    assert {name: there[name] for name in mine} == mine
    assert set(there) - set(mine) - {"shortcut/1.png", "shortcut/2.png"} == {"annotations.json", "images/2.png"}
    assert (out / "shortcut").is_symlink() and open_dataset(out).ids == [2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_a_link_to_photos_is_replaced_and_not_followed(tmp_path: Path) -> None:
    out, photos = tmp_path / "out", tmp_path / "photos"
    photo(photos, "1.png")
    for _ in range(2):
        writing.write(out, INFO, [record(1)], [TOP], {}, link=photos)
        assert (out / "images").is_symlink() and list(content(photos)) == ["1.png"]


def test_the_earlier_result_survives_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with whole_folder(out) as folder:
        (folder / "a").write_text("old")
    rename = Path.rename
    monkeypatch.setattr(project, "_exchanged", lambda *_: False)  # as on a system that knows no exchange

    def refuse(self: Path, target: Path) -> Path:
        if target == out and "before" not in self.name:
            raise OSError("no space")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no space"), whole_folder(out) as folder:
        (folder / "a").write_text("new")
    assert content(tmp_path) == {"out/a": b"old"}
    rename(out, tmp_path / ".before.out")  # as a process leaves it that is killed between two renames
    with pytest.raises(OSError, match="stopped"), whole_folder(out) as folder:
        assert content(tmp_path) == {"out/a": b"old"}
        raise OSError("stopped")
    monkeypatch.setattr(Path, "rename", rename)
    with whole_folder(out) as folder:
        (folder / "a").write_text("new")
    assert content(tmp_path) == {"out/a": b"new"} and list(tmp_path.iterdir()) == [out]


def test_a_place_that_cannot_be_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    monkeypatch.chdir(tmp_path / "work" / "deep")
    for place in (tmp_path / "link", tmp_path / "broken"):
        with pytest.raises(ProjectError, match="is a link: give the folder that it stands for"):
            writing.replaced(place, INFO)
    for place in (Path(), Path(".."), tmp_path, Path("../deep")):
        with pytest.raises(ProjectError, match="the current folder or holds it"):
            writing.replaced(place, INFO)
        with pytest.raises(ProjectError, match="the current folder or holds it"), whole_folder(place):
            pass
    assert writing.replaced(tmp_path / "real", INFO) is None


@pytest.mark.parametrize("there", ["{", "[]", '{"info": {"name": "mine"}}', '{"images": []}', json.dumps({"info": 1})])
def test_a_folder_with_another_annotation_file_is_refused(there: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "annotations.json").write_text(there)
    with pytest.raises(DatasetError, match="already holds something else"):
        writing.replaced(tmp_path / "out", INFO)

"""ModaNet's photos as people have them: a folder by number, or PaperDoll's LMDB."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle

from modanet_utils.datasets import modanet, own, writing
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.datasets.sources import open_photos
from modanet_utils.project import ProjectError

NUMBERS = (1019871, 1019888, 1021445, 1021449, 1021500, 1021503)


def encoded(number: int, ending: str = ".jpg", height: int = 60, width: int = 40) -> bytes:
    rng = np.random.default_rng(number)
    scene = cv2.resize(rng.integers(0, 256, (4, 3, 3), np.uint8), (width, height))
    return cv2.imencode(ending, scene)[1].tobytes()


def annotations(folder: Path, numbers: tuple[int, ...] = NUMBERS) -> Path:
    things = [annotation(i, 9, [rectangle(1, 1, 9, 9)], id=n) for n, i in enumerate(numbers, 1)]
    images = [record(i, 60, 40) | {"file_name": f"{i}.jpg"} for i in (*numbers, 5)]
    file = folder / "instances.json"
    content = {"images": images, "annotations": things, "categories": [{"id": 9, "name": "top"}]}
    file.write_text(json.dumps(content))
    return file


def database(path: Path, values: dict[str, bytes], **options: Any) -> Path:
    lmdb = pytest.importorskip("lmdb", reason="the package lmdb is not installed: pip install lmdb")
    base = lmdb.open(str(path), **{"map_size": 1 << 24, "lock": False} | options)
    with base.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key.encode(), value)
    base.close()
    return path


def as_people_have_them() -> dict[str, bytes]:
    """Sound; PNG; with zeros before it; no picture; of another size; the last is missing; one that nobody asks for."""
    keys = ("1019871", "1019888", "0001021445", "1021449", "1021500", "77")
    values = encoded(1), encoded(2, ".png"), encoded(3), b"no picture", encoded(5, ".jpg", 40, 60), encoded(9)
    return dict(zip(keys, values, strict=True))


@pytest.mark.parametrize("subdir", [True, False])
def test_photos_are_read_from_an_lmdb(subdir: bool, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file, photos = annotations(tmp_path), database(tmp_path / "photos.lmdb", as_people_have_them(), subdir=subdir)
    before = sorted(tmp_path.rglob("*"))
    said = modanet.prepare(file, photos, tmp_path / "out")
    assert "7 listed, 6 of them annotated" in said and "there twice" not in said
    assert "1 missing, 1 unreadable, 1 of the wrong size, 3 usable" in said
    dataset = open_dataset(tmp_path / "out")
    assert [one["file_name"] for one in dataset.images.values()] == ["1019871.jpg", "1019888.jpg", "1021445.jpg"]
    for image_id, number, ending in ((1019871, 1, ".jpg"), (1019888, 2, ".png")):
        bytes_there = (tmp_path / "out" / "images" / f"{image_id}.jpg").read_bytes()
        assert bytes_there == encoded(number, ending)  # as they were, not encoded again
        expected = cv2.imdecode(np.frombuffer(bytes_there, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert np.array_equal(dataset.image(image_id), expected)
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "out")}
    assert after == set(before), "nothing is written beside the LMDB"
    assert modanet.main([str(file), str(photos), str(tmp_path / "out")]) == 0  # again: replaced by the same
    assert "annotated images: 1 missing" in capsys.readouterr().out


def test_a_folder_by_number_in_any_spelling(tmp_path: Path) -> None:
    file, photos = annotations(tmp_path), tmp_path / "photos"
    names = ("1019871.JPG", "001019888.png", "more/1021445.jpeg", "1021449.jpg", "1021449.png", "1021500.jpg.part")
    for number, name in enumerate(names):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(encoded(number, ".png" if name.endswith("png") else ".jpg"))
    said = modanet.prepare(file, photos, tmp_path / "out")
    assert "2 missing, 0 unreadable, 0 of the wrong size, 4 usable" in said
    assert "photos there twice: 1; one of each is used" in said
    dataset = open_dataset(tmp_path / "out")
    assert (tmp_path / "out" / "images").resolve() == photos.resolve()
    assert [one["file_name"] for one in dataset.images.values()] == list(names[:4])
    assert all(dataset.image(image_id).shape == (60, 40, 3) for image_id in dataset.ids)


def test_a_damaged_lmdb_gets_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = annotations(tmp_path)
    whole = database(tmp_path / "photos.lmdb", {str(n): encoded(n) * 40 for n in NUMBERS})
    data = (whole / "data.mdb").read_bytes()
    (whole / "lock.mdb").unlink(missing_ok=True)
    for content, said in (
        (
            data[: len(data) // 2],
            r"photos.lmdb/data.mdb is cut off, [\d,]+ bytes of [\d,]+: download or unpack",
        ),
        (b"x" * 9000, "cannot be opened as an LMDB"),
        (b"", "cannot be opened as an LMDB|is cut off"),
    ):
        (whole / "data.mdb").write_bytes(content)
        with pytest.raises(DatasetError, match=said) as error:
            modanet.prepare(file, whole, tmp_path / "out")
        assert "\n" not in str(error.value)
    (whole / "data.mdb").write_bytes(data)
    monkeypatch.setitem(__import__("sys").modules, "lmdb", None)
    with pytest.raises(ProjectError, match="needs the package lmdb: install it with `pip install lmdb`"):
        modanet.prepare(file, whole, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["instances.json", "photos.lmdb"]


def test_an_lmdb_and_a_folder_do_not_replace_each_others_result(tmp_path: Path) -> None:
    file, base = annotations(tmp_path), database(tmp_path / "photos.lmdb", as_people_have_them())
    modanet.prepare(file, base, tmp_path / "out")
    mine = tmp_path / "out" / "images" / "mine.jpg"
    mine.write_bytes(b"mine")
    modanet.prepare(file, base, tmp_path / "out")
    assert mine.read_bytes() == b"mine"
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "1019871.jpg").write_bytes(encoded(1))
    with pytest.raises(DatasetError, match="already holds photos"):
        modanet.prepare(file, photos, tmp_path / "out")
    assert mine.read_bytes() == b"mine"


def test_an_lmdb_with_photos_of_others_is_refused(tmp_path: Path) -> None:
    base = database(tmp_path / "photos.lmdb", {"77": encoded(7), "not a number": b""})
    with pytest.raises(DatasetError, match="no usable photo of the 6 annotated images .6 missing"):
        modanet.prepare(annotations(tmp_path), base, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_any_coco_file_can_take_its_photos_from_an_lmdb(tmp_path: Path) -> None:
    base = database(tmp_path / "photos.lmdb", as_people_have_them())
    said = own.convert(annotations(tmp_path), tmp_path / "out", photos=base)
    assert (
        "2 missing, 1 unreadable, 1 of the wrong size, 3 usable; 1 without annotation" in said
    )  # with the unannotated
    with pytest.raises(DatasetError, match="is no folder of all photos, to which images/ could link"):
        own.convert(annotations(tmp_path), tmp_path / "link", photos=base, link=True)


def test_memory_does_not_grow_with_the_photos_but_for_what_is_kept_of_each(tmp_path: Path) -> None:
    """A thumbnail of 4.6 kB, compared with all others, a record and an annotation; a decoded quarter is 45 kB."""
    peaks, numbers = [], tuple(range(1001, 1401))
    base = database(tmp_path / "photos.lmdb", {str(n): encoded(n, ".jpg", 600, 400) for n in numbers})
    for count in (50, 50, 400):  # the first warms up
        coco = json.loads(annotations(tmp_path, numbers[:count]).read_text())
        coco["images"] = [one | {"height": 600, "width": 400} for one in coco["images"]]
        (tmp_path / "instances.json").write_text(json.dumps(coco))
        tracemalloc.start()
        said = modanet.prepare(tmp_path / "instances.json", base, tmp_path / str(len(peaks)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert f" {count} usable" in said
    assert (peaks[2] - peaks[1]) / 350 < 22_000


def test_an_lmdb_of_five_thousand_photos_opens_flat_in_memory(tmp_path: Path) -> None:
    """Of each photo a record and a name are kept, half a kB, and not the photo: these take 10 kB each, 50 MB."""
    numbers, picture = range(1, 5001), encoded(1, ".jpg", 24, 16)
    photos = {f"{n:07d}": picture + n.to_bytes(4, "big") * 2500 for n in numbers}
    base = database(tmp_path / "photos.lmdb", photos, map_size=1 << 27)
    records = [{"id": n, "file_name": f"{n}.jpg", "width": 16, "height": 24} for n in numbers]
    tracemalloc.start()
    there = open_photos((base, records))
    read = sum(there.read(n)[-4:] == n.to_bytes(4, "big") for n in numbers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == len(there.names) == 5000 and peak < 8 << 20


def test_a_white_wall_behind_everybody_makes_no_scene() -> None:
    shop = np.full((40, 24, 16, 3), 250, np.uint8)
    for at, photo in enumerate(shop):  # less than 30 grey levels apart, by what stands before the wall
        photo[at % 20 :][:2, at // 20 * 8 : at // 20 * 8 + 8] = 120
    shop[7] = shop[3]
    records: list[dict[str, Any]] = [{"id": i} for i in range(40)]
    assert writing.mark_scenes(records, shop.reshape(40, -1)) == [2]
    assert [one for one in records if "group" in one] == [{"id": 3, "group": 3}, {"id": 7, "group": 3}]
    tracemalloc.start()  # pairs that are alike grow with the square: 70 MB of these
    writing.mark_scenes(records * 75, np.full((3000, 12), 250, np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 << 20
    few = records[:8]  # a scene of eight is one
    assert writing.mark_scenes(few, shop[8:16].reshape(8, -1)) == [8]

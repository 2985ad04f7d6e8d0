"""Data as people bring them: what is meant is read, what is dropped is said, what cannot be believed is refused."""

import copy
import json
import os
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco, write_street
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask
from reliability import JUNK, fuzzed, places
from scipy.io import savemat

from modanet_utils.__main__ import main
from modanet_utils.classes import LABELS
from modanet_utils.datasets import ccp, modanet
from modanet_utils.datasets.coco import Dataset, DatasetError, class_pixels, open_dataset, with_masks
from modanet_utils.datasets.mapping import read_map
from modanet_utils.datasets.masks import run_flaw
from modanet_utils.datasets.writing import CATEGORIES
from modanet_utils.imbalance.explore import explore
from modanet_utils.project import ROOT
from modanet_utils.splits import split
from modanet_utils.training.samples import check_data
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig

HEIGHT, WIDTH = 24, 16
Coco = dict[str, Any]


def picture(number: int) -> np.ndarray:
    """A photo like no other, ``(24, 16, 3) uint8`` RGB, smooth enough to survive JPEG."""
    patches = np.random.default_rng(number).integers(0, 256, (3, 2, 3), np.uint8)
    return patches.repeat(8, 0).repeat(8, 1)


def usual(images: int = 6) -> Coco:
    records = [record(n, HEIGHT, WIDTH) | {"file_name": f"{n:04d}.jpg"} for n in range(1, images + 1)]
    boxes = ((9, (2, 2, 6, 8)), (8, (4, 12, 9, 10)))
    found = [
        annotation(n, label, [rectangle(*box)], bbox=list(box)) for n in range(1, images + 1) for label, box in boxes
    ]
    for number, one in enumerate(found, 1):
        one["id"] = number
    return {"images": records, "annotations": found, "categories": copy.deepcopy(CATEGORIES)}


def put(folder: Path, coco: Coco, files: dict[int, str] | None = None) -> Path:
    """A data set folder with a photo an image, under its record's name or the one given."""
    folder.mkdir(parents=True)
    (folder / "annotations.json").write_text(json.dumps(coco))
    for number, one in enumerate(coco["images"], 1):
        file = folder / "images" / (files[number] if files else str(one["file_name"]))
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(file, quality=95)
    return folder


def refusal(action: Callable[[], object], *parts: str) -> str:
    """The one sentence with which something is refused, which holds these parts."""
    with pytest.raises(DatasetError) as error:
        action()
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and all(part in text for part in parts), text
    return text


# ---------------------------------------------------------------------------------------- what is meant is read


def every(part: str, key: str, made: Callable[[Any], Any]) -> Callable[[Coco], None]:
    def change(coco: Coco) -> None:
        for one in coco[part]:
            one[key] = made(one[key])

    return change


def paired(polygons: list[list[float]]) -> list[list[float]]:
    return [list(pair) for pair in zip(polygons[0][::2], polygons[0][1::2], strict=True)]


MEANT = {
    "image ids as text": every("images", "id", str),
    "image ids with zeros in front": every("images", "id", "{:04d}".format),
    "image ids of annotations as text": every("annotations", "image_id", str),
    "image ids as 1.0": every("annotations", "image_id", float),
    "categories as text": every("categories", "id", str),
    "categories of annotations as 9.0": every("annotations", "category_id", float),
    "sizes as 64.0": every("images", "width", float),
    "one flat polygon": every("annotations", "segmentation", lambda polygons: polygons[0]),
    "one list of pairs": every("annotations", "segmentation", paired),
    "lists of pairs": every("annotations", "segmentation", lambda polygons: [paired(polygons)]),
    "text for info": lambda coco: coco.update(info=["none"]),
    "a category twice": lambda coco: coco["categories"].append(coco["categories"][0]),
}


@pytest.mark.parametrize("change", MEANT.values(), ids=MEANT)
def test_what_is_meant_is_read(change: Callable[[Coco], None], tmp_path: Path) -> None:
    coco = usual()
    expected = class_pixels(open_dataset(put(tmp_path / "usual", coco)))
    change(coco)
    dataset = with_masks(open_dataset(put(tmp_path / "brought", coco)))
    assert dataset.ids == [1, 2, 3, 4, 5, 6] and not dataset.problems
    assert class_pixels(dataset).tolist() == expected.tolist()
    assert all(type(side) is int for image_id in dataset.ids for side in dataset.size(image_id))


NAMES = {
    "images in front": ("images/{}", "{}"),
    "backslashes": ("more\\{}", "more/{}"),
    "capitals": ("IMG_{}", "img_{}"),
    "another Unicode form": (unicodedata.normalize("NFC", "\u00fc{}"), unicodedata.normalize("NFD", "\u00fc{}")),
    "a point in front": ("./{}", "{}"),
}


@pytest.mark.parametrize(("named", "called"), NAMES.values(), ids=NAMES)
def test_a_photo_is_found_under_another_spelling_of_its_name(named: str, called: str, tmp_path: Path) -> None:
    coco = usual()
    files = {one["id"]: called.format(one["file_name"]) for one in coco["images"]}
    for one in coco["images"]:
        one["file_name"] = named.format(one["file_name"])
    dataset = open_dataset(put(tmp_path / "brought", coco, files))
    assert dataset.ids == [1, 2, 3, 4, 5, 6]
    for image_id in dataset.ids:
        assert np.abs(dataset.image(image_id) - picture(image_id).astype(int)).mean() < 20
    assert ("6 file names spelled otherwise" in dataset.said()) == (not named.startswith("./"))


@pytest.mark.reliability("file names")
def test_a_name_that_two_photos_could_have_is_left_out(tmp_path: Path) -> None:
    coco = usual()
    files = {one["id"]: one["file_name"] for one in coco["images"]}
    coco["images"][5]["file_name"] = "X.jpg"
    folder = put(tmp_path / "brought", coco, files | {6: "x.jpg"})
    assert open_dataset(folder).ids == [1, 2, 3, 4, 5, 6]
    (folder / "images" / "x.JPG").write_bytes((folder / "images" / "x.jpg").read_bytes())
    dataset = open_dataset(folder)
    assert dataset.ids == [1, 2, 3, 4, 5]
    assert "1 images without a photo ('X.jpg' for one)" in dataset.said()


# ---------------------------------------------------------------------------------------- what is dropped is said


def test_what_is_left_out_is_said_in_one_line_with_an_example(tmp_path: Path) -> None:
    coco = usual(40)
    coco["annotations"][3]["segmentation"] = []
    coco["annotations"][5]["segmentation"] = [[1, 1, 5, 5], rectangle(1, 1, 5, 5)]
    coco["annotations"][7]["image_id"] = 77
    folder = put(tmp_path / "brought", coco)
    assert with_masks(open_dataset(put(tmp_path / "usual", usual()))).said() == ""
    (folder / "images" / "0040.jpg").unlink()
    dataset = with_masks(open_dataset(folder))
    said = dataset.said()
    assert said.startswith("brought: 39 images and 76 annotations are used; left out: 1 images without a photo")
    for part in (
        "1 images without a photo ('0040.jpg' for one)",
        "1 annotations without a polygon (annotation 4 of image 2 for one)",
        "1 polygons with fewer than three corners (annotation 6 of image 3 for one)",
        "1 annotations of images that the file does not list (annotation 8 of image 77 for one)",
        "2 annotations of images that are not used (annotation 79 of image 40 for one)",
    ):
        assert part in said
    assert "\n" not in said


NOTHING = {
    "boxes as polygons": (every("annotations", "segmentation", lambda _: [[1, 1, 5, 5]]), "annotation 1 of image 1"),
    "boxes alone": (every("annotations", "segmentation", lambda _: []), "12 annotations without a polygon"),
    "nothing at all": (lambda coco: coco.update(annotations=[]), "annotate outlines"),
    "tags alone": (lambda coco: (coco.update(annotations=[]), every("images", "id", int)(coco)), "annotate outlines"),
    "other images": (every("annotations", "image_id", lambda n: n + 50), "does not list (annotation 1 of image 51"),
    "shares of the picture": (
        every("annotations", "segmentation", lambda polygons: [[value / 24 for value in polygons[0]]]),
        "give coordinates in pixels",
    ),
    "a twelfth without": (lambda coco: coco["annotations"][4].update(segmentation=[]), "8% of the annotations"),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("change", "what"), NOTHING.values(), ids=NOTHING)
def test_data_that_teach_nothing_or_lose_much_are_refused_where_masks_are_needed(
    change: Callable[[Coco], None], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = usual()
    change(coco)
    folder = put(tmp_path / "brought", coco)
    assert open_dataset(folder).ids, "it opens: tagged photos need no masks"
    refusal(lambda: with_masks(open_dataset(folder)), what, str(folder))
    refusal(lambda: explore(folder, tmp_path / "out"), what)
    assert not (tmp_path / "out").exists()
    assert (
        main(["train", "--data_root", str(folder), "--runs", str(tmp_path / "runs"), "--encoder_weights", "none"]) == 2
    )
    assert what in capsys.readouterr().err


@pytest.mark.reliability("photos")
def test_many_missing_photos_are_refused_where_masks_are_needed(tmp_path: Path) -> None:
    folder = put(tmp_path / "brought", usual())
    (folder / "images" / "0003.jpg").unlink()
    dataset = open_dataset(folder)
    refusal(lambda: with_masks(dataset), "17% of the photos", "'0003.jpg' for one", "more than 5%")


@pytest.mark.reliability("photos")
def test_photos_none_of_which_can_be_read_are_refused_at_once(tmp_path: Path) -> None:
    folder = put(tmp_path / "brought", usual())
    for file in (folder / "images").iterdir():
        file.write_bytes(file.read_bytes()[:100] + file.name.encode())
    refusal(lambda: with_masks(open_dataset(folder)), "None of the photos", ".jpg")


def test_a_training_says_once_what_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_street(tmp_path / "street", 24)
    (folder / "images" / "7.png").unlink()
    config = TrialConfig(
        data_root=str(folder), image_height=32, image_width=32, encoder_weights=None, batch_size=8, epochs=1
    )
    for source in ("trained", "recorded"):
        run = run_trial(config, tmp_path / "runs")
        said = capsys.readouterr().out
        assert said.count("left out: 1 images without a photo ('7.png' for one)") == (source == "trained")
    assert 7 not in run.ids


# ---------------------------------------------------------------------------------------- identical photos


def test_one_photo_under_two_ids_or_names_stays_on_one_side_of_a_split(tmp_path: Path) -> None:
    coco = usual(12)
    for one in coco["images"]:
        one["file_name"] = f"{(one['id'] + 1) // 2:04d}.jpg"  # 1 and 2, 3 and 4, ... are one file
    folder = put(tmp_path / "brought", coco)
    (folder / "images" / "0006.jpg").write_bytes((folder / "images" / "0001.jpg").read_bytes())
    dataset = open_dataset(folder)
    groups = {image_id: one.get("group") for image_id, one in dataset.images.items()}
    assert groups == {1: 1, 2: 1, 3: 3, 4: 3, 5: 5, 6: 5, 7: 7, 8: 7, 9: 9, 10: 9, 11: 1, 12: 1}
    assert "7 images that show the same photo as another (2, as 1, for one)" in dataset.said()
    part = {image_id: name for name, ids in split(dataset).items() for image_id in ids}
    assert all(part[image_id] == part[groups[image_id]] for image_id in dataset.ids)


def test_scenes_that_are_known_are_kept_and_only_joined_by_identical_photos(tmp_path: Path) -> None:
    coco = usual(8)
    for image_id, group in ((2, 2), (3, 2), (4, "a"), (5, "a"), (6, None)):
        coco["images"][image_id - 1]["group"] = group
    folder = put(tmp_path / "brought", coco)
    before = {image_id: one.get("group") for image_id, one in open_dataset(folder).images.items()}
    assert before == {1: None, 2: 2, 3: 2, 4: "a", 5: "a", 6: None, 7: None, 8: None}
    photos = [folder / "images" / f"{n:04d}.jpg" for n in range(9)]
    photos[3].write_bytes(photos[2].read_bytes())  # of one scene already
    assert {image_id: one.get("group") for image_id, one in open_dataset(folder).images.items()} == before
    for broken in (photos[6], photos[8]):
        broken.write_bytes(b"not found")  # the same, but no picture
    assert {image_id: one.get("group") for image_id, one in open_dataset(folder).images.items()} == before
    photos[8].write_bytes(photos[4].read_bytes())
    photos[7].write_bytes(photos[5].read_bytes())
    photos[1].write_bytes(photos[8].read_bytes()[:-1] + b"\xd8")  # as large, with another last byte
    after = {image_id: one.get("group") for image_id, one in open_dataset(folder).images.items()}
    assert after == before | {7: "a", 8: "a"}


# ---------------------------------------------------------------------------------------- photos

STORED = {  # EXIF orientation to how a camera that is held so stores what viewers show
    3: lambda shown: np.rot90(shown, 2),
    6: lambda shown: np.rot90(shown, 1),
    8: lambda shown: np.rot90(shown, -1),
}


def save_turned(file: Path, shown: np.ndarray, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(STORED[orientation](shown))).save(file, exif=exif, quality=95)


@pytest.mark.parametrize("orientation", STORED)
def test_a_photo_is_turned_as_exif_says_where_its_annotated_size_fits_that(orientation: int, tmp_path: Path) -> None:
    folder = put(tmp_path / "brought", usual())
    for number in range(1, 7):
        save_turned(folder / "images" / f"{number:04d}.jpg", picture(number), orientation)
    dataset = open_dataset(folder)
    for number in dataset.ids:
        assert np.abs(dataset.image(number) - picture(number).astype(int)).mean() < 20
    sure = "which fits their annotated size" if orientation > 4 else "which their size cannot prove right"
    assert "6 photos turned by their EXIF orientation" in dataset.said() and sure in dataset.said()
    check_data(dataset, {"train": dataset.ids})  # nor does a training take them for photos of another size
    assert " 6 usable" in modanet.prepare(folder / "annotations.json", folder / "images", tmp_path / "out")


def test_a_photo_that_was_annotated_as_it_is_stored_is_not_turned(tmp_path: Path) -> None:
    folder = put(tmp_path / "brought", usual())
    shown = np.rot90(picture(1), -1)
    save_turned(folder / "images" / "0001.jpg", shown, 6)
    dataset = open_dataset(folder)
    assert np.abs(dataset.image(1) - picture(1).astype(int)).mean() < 20 and dataset.said() == ""


@pytest.mark.reliability("photos")
def test_a_damaged_jpeg_that_ends_properly_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder fills what is missing and tells nobody but the process's standard error."""
    folder = write_coco(tmp_path / "brought", [record(1, 96, 96)], [])
    noise = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8))[1].tobytes()
    file, middle = folder / "images" / "1.png", len(noise) // 2
    file.write_bytes(noise)
    assert open_dataset(folder).image(1).shape == (96, 96, 3)
    file.write_bytes(noise[:middle] + noise[middle + 1500 :])
    refusal(lambda: open_dataset(folder).image(1), str(file), "is damaged")
    os.write(2, b"still told\n")
    assert capfd.readouterr().err == "still told\n"
    imdecode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *asked: (os.write(2, b"by others\n"), imdecode(*asked))[1])
    refusal(lambda: open_dataset(folder).image(1), "is damaged")
    assert capfd.readouterr().err == "by others\n"


# ---------------------------------------------------------------------------------------- what cannot be believed


def first(part: str, **values: Any) -> Callable[[Coco], None]:
    return lambda coco: coco[part][0].update(values)


def runs(counts: Any, size: Any = (HEIGHT, WIDTH)) -> Callable[[Coco], None]:
    return first(
        "annotations", segmentation={"size": list(size) if isinstance(size, tuple) else size, "counts": counts}
    )


WHOLE = HEIGHT * WIDTH
BROKEN = {
    "no width": (first("images", width=None), "width of image 1 is None"),
    "text for a width": (first("images", width="16"), "width of image 1 is '16'"),
    "width 0": (first("images", width=0), "width of image 1 is 0"),
    "true for a height": (first("images", height=True), "height of image 1 is True"),
    "half a pixel": (first("images", height=24.5), "height of image 1 is 24.5"),
    "endless width": (first("images", width=float("inf")), "width of image 1 is inf"),
    "a square kilometre": (first("images", width=10**6, height=10**6), "1000000x1000000 pixels"),
    "true for an id": (first("images", id=True), "id of a record of the images is True"),
    "a list for an id": (first("images", id=[1]), "id of a record of the images is [1]"),
    "words for an id": (first("images", id="one"), "is 'one'"),
    "a huge id": (first("images", id=2**63), "give a whole number"),
    "no file name": (first("images", file_name=None), "file_name of image 1 is None"),
    "one id as text and number": (first("images", id="2"), "same id, 2"),
    "a list for a group": (first("images", group=[1]), "group of image 1 is [1]"),
    "unknown tags": (first("images", tags=["sword"]), "tags of image 1 are ['sword']"),
    "null for an image": (first("annotations", image_id=None), "image_id of annotation 1 is None"),
    "true for a category": (first("annotations", category_id=True), "category_id of annotation 1 is True"),
    "a list for a category": (first("annotations", category_id=[9]), "category_id of annotation 1 is [9]"),
    "a category under two names": (
        lambda coco: coco["categories"].append({"id": 9, "name": "hair"}),
        "category 9 under two names",
    ),
    "categories from 0": (every("categories", "id", lambda n: n - 1), "category 0 is 'bag'"),
    "run lengths of another size": (runs([WHOLE], (WIDTH, HEIGHT)), "annotation 1 of image 1"),
    "run lengths of no size": (runs([WHOLE], None), "size None"),
    "too few": (runs([10, 100]), "110 of the image's 384"),
    "too many": (runs([10, WHOLE]), "394 of the image's 384"),
    "negative": (runs([-1, WHOLE + 1]), "cannot be read"),
    "null": (runs(None), "cannot be read"),
    "empty": (runs(""), "cannot be read"),
    "garbage": (runs("not an rle~~~"), "cannot be read"),
    "other letters": (runs("\u00e4\ud800"), "cannot be read"),
    "without an end": (runs("oooooooooooooo"), "cannot be read"),
    "too few as text": (runs("5"), "add up to 5 of"),
    "fractions": (runs([0.5, WHOLE - 0.5]), "cannot be read"),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("change", "what"), BROKEN.values(), ids=BROKEN)
def test_a_record_that_cannot_be_believed_is_named_in_one_sentence(
    change: Callable[[Coco], None], what: str, tmp_path: Path
) -> None:
    coco = usual()
    change(coco)
    (tmp_path / "annotations.json").write_text(json.dumps(coco))
    refusal(lambda: open_dataset(tmp_path, annotations_only=True), str(tmp_path / "annotations.json"), what)


TEXTS = {
    "a key twice": ('{"images": [], "images": []}', "key 'images' stands twice"),
    "deeply nested": ("[" * 100_000, "is not JSON"),
    "an endless number": ('{"images": ' + "9" * 5000 + "}", "is not JSON"),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("text", "what"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_no_usable_json_is_refused_in_one_sentence(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text(text)
    refusal(lambda: open_dataset(tmp_path, annotations_only=True), str(tmp_path), what)


@fuzzed(pixels=st.lists(st.booleans(), min_size=60, max_size=60), shift=st.integers(-3, 3))
def test_run_lengths_are_believed_where_they_fill_the_picture_and_nowhere_else(pixels: list[bool], shift: int) -> None:
    mask = np.asfortranarray(np.array(pixels, np.uint8).reshape(10, 6))
    text = coco_mask.encode(mask)["counts"].decode()
    assert run_flaw({"size": [10, 6], "counts": text}, 10, 6) is None
    height = 10 + shift
    assert (run_flaw({"size": [height, 6], "counts": text}, height, 6) is None) == (shift == 0)


SMALL = usual(2) | {"categories": CATEGORIES[7:9], "info": {"name": "x"}}
PLACES = places(SMALL)


@fuzzed(where=st.lists(st.sampled_from(PLACES), min_size=1, max_size=2), junk=st.lists(JUNK, min_size=2, max_size=2))
def test_whatever_stands_in_a_file_it_is_read_consistently_or_refused_in_one_sentence(
    where: list[tuple[Any, ...]], junk: list[Any], tmp_path: Path
) -> None:
    coco = copy.deepcopy(SMALL)
    for path, value in zip(where, junk, strict=False):
        at: Any = coco
        try:
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
        except (TypeError, KeyError, IndexError):  # the first change has taken the second one's place away
            continue
    (tmp_path / "annotations.json").write_text(json.dumps(coco))
    try:
        dataset = with_masks(open_dataset(tmp_path, annotations_only=True), annotations_only=True)
    except DatasetError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
        return
    for image_id in dataset.ids:
        if np.prod(dataset.size(image_id)) < 10_000:
            painted = np.bincount(dataset.label_map(image_id).ravel(), minlength=256)
            assert dataset.pixels(image_id).tolist() == painted[: len(LABELS)].tolist()


# ---------------------------------------------------------------------------------------- bounds

BOUNDED = """
import re, sys, time
from pathlib import Path
from modanet_utils.datasets import ccp
from modanet_utils.datasets.coco import DatasetError, open_dataset, with_masks
for action in (
    lambda folder: with_masks(open_dataset(folder / "zigzag", True), True),
    lambda folder: open_dataset(folder / "header").image(1),
    lambda folder: open_dataset(folder / "pipe").image(1),
    lambda folder: ccp.convert(folder / "ccp", folder / "out"),
    lambda folder: ccp.convert(folder / "piped", folder / "out"),
):
    started = time.monotonic()
    try:
        action(Path(sys.argv[1]))
        print("read")
    except (DatasetError, FileNotFoundError) as error:
        print(str(error))
    assert time.monotonic() - started < 10
status = Path("/proc/self/status")  # begins anew with a program, unlike getrusage; only Linux has it
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) if status.exists() else 0
assert peak < 1 << 20, f"{peak} kB"
"""


def packed_zeros(name: str, side: int) -> bytes:
    """A MATLAB 5 file of one compressed variable, ``(side, side) uint8``, all 0."""

    def element(kind: int, data: bytes) -> bytes:
        return np.array([kind, len(data)], "<u4").tobytes() + data + bytes(-len(data) % 8)

    head = element(6, np.array([9, 0], "<u4").tobytes()) + element(5, np.array([side, side], "<i4").tobytes())
    head += element(1, name.encode()) + np.array([2, side * side], "<u4").tobytes()
    packer = zlib.compressobj(1)
    data = packer.compress(np.array([14, len(head) + side * side], "<u4").tobytes() + head)
    data += packer.flush(zlib.Z_FULL_FLUSH)  # from here on equal blocks are packed into equal bytes
    data += (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * (side * side >> 20) + packer.flush()
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + np.array([15, len(data)], "<u4").tobytes() + data


def test_what_would_fill_memory_or_wait_for_ever_is_refused_in_bounded_memory_and_time(tmp_path: Path) -> None:
    corners = np.random.default_rng(0).integers(0, 2, (60_000, 2)) * [3999, 2999]
    big = [record(1, 3000, 4000)]
    write_coco(tmp_path / "zigzag", big, [annotation(1, 9, [corners.ravel().tolist()])], photos=False)
    for name in ("header", "pipe"):
        write_coco(tmp_path / name, [record(1), record(2)], [])
    small = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    at = small.index(b"\xff\xc0") + 5
    claims = small[:at] + (20_000).to_bytes(2, "big") * 2 + small[at + 4 :]
    (tmp_path / "header" / "images" / "1.png").write_bytes(claims)
    (tmp_path / "pipe" / "images" / "1.png").unlink()
    os.mkfifo(tmp_path / "pipe" / "images" / "1.png")
    for name in ("ccp", "piped"):
        rehosted(tmp_path / name)
    (tmp_path / "ccp" / "annotations" / "pixel-level" / "0001.mat").write_bytes(packed_zeros("groundtruth", 1 << 15))
    (tmp_path / "piped" / "annotations" / "pixel-level" / "0001.mat").unlink()
    os.mkfifo(tmp_path / "piped" / "annotations" / "pixel-level" / "0001.mat")
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    zigzag, header, pipe, packed, piped = done.stdout.splitlines()
    assert "outlines of more than 2,000,000 pixels (annotation 1 of image 1" in zigzag
    assert "1.png" in header and "more pixels than" in header
    assert "Image 1 is not in" in pipe
    assert "0001.mat is of shape (32768, 32768)" in packed
    assert "0001.mat is no regular file" in piped


# ---------------------------------------------------------------------------------------- another host's CCP

LISTED = sorted(read_map("ccp").labels, key=lambda name: (name != "null", name))
TRUTH = np.arange(59, dtype=np.uint8).repeat(2)[None].repeat(5, 0)


def rehosted(
    folder: Path,
    names: list[str] = LISTED,
    truths: tuple[np.ndarray, ...] = (TRUTH, np.zeros_like(TRUTH)),
    variable: str = "groundtruth",
    photo: str = "{:04d}.jpg",
) -> Path:
    maps = folder / "annotations" / "pixel-level"
    maps.mkdir(parents=True)
    (folder / "photos").mkdir()
    savemat(folder / "label_list.mat", {"label_list": np.array([names], object)})
    for number, truth in enumerate(truths, 1):
        savemat(maps / f"{number:04d}.mat", {variable: truth}, do_compression=True)
        noise = np.random.default_rng(number).integers(0, 256, (*truth.shape, 3), np.uint8)
        Image.fromarray(noise).save(folder / "photos" / photo.format(number), "JPEG")
    return folder


def labels(dataset: Dataset) -> list[list[int]]:
    return [dataset.label_map(image_id)[0].tolist() for image_id in dataset.ids]


SAME = {
    "as it was": {},
    "capitals and blanks": {"names": [f" {name.title()} " for name in LISTED]},
    "a list without null": {"names": LISTED[1:]},
    "numbered from 1": {"truths": (TRUTH + 1, np.ones_like(TRUTH))},
    "double": {"truths": (TRUTH.astype(float), np.zeros(TRUTH.shape))},
    "int16": {"truths": (TRUTH.astype(np.int16), np.zeros(TRUTH.shape, np.int64))},
    "photos in capitals": {"photo": "{:04d}.JPG"},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_another_hosts_copy_is_read_as_the_original(changes: dict[str, Any], tmp_path: Path) -> None:
    folded = [LABELS.index(next((k for k, v in ccp.TABLE.items() if name in v), "background")) for name in LISTED]
    dataset = open_dataset(ccp.convert(rehosted(tmp_path / "source", **changes), tmp_path / "out"))
    assert labels(dataset) == [np.repeat(folded, 2).tolist(), [0] * 118]


def test_hidden_files_are_skipped_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = rehosted(tmp_path / "source")
    (source / "annotations" / "pixel-level" / "._0001.mat").write_bytes(b"what another system leaves")
    assert ccp.main([str(source), str(tmp_path / "out")]) == 0
    assert "2 label maps read, 1 hidden files skipped" in capsys.readouterr().out


def with_value(value: float) -> dict[str, Any]:
    truth = TRUTH.astype(float)
    truth[2, 3] = value
    return {"truths": (truth, TRUTH)}


OTHER = {
    "-1": (with_value(-1), ["0001.mat holds -1", "from 0 to 58"]),
    "200": (with_value(200), ["0001.mat holds 200"]),
    "a half": (with_value(0.5), ["0001.mat holds 0.5"]),
    "nan": (with_value(float("nan")), ["0001.mat holds nan"]),
    "another variable": ({"variable": "gt"}, ["0001.mat has no variable 'groundtruth', only gt"]),
    "an unknown name": ({"names": [*LISTED[:-1], "sword"]}, ["label_list.mat lists 'sword'"]),
    "a name twice": ({"names": [*LISTED[:-1], "watch"]}, ["label_list.mat lists 'watch' twice"]),
}


@pytest.mark.reliability("copies of Clothing Co-Parsing")
@pytest.mark.parametrize(("changes", "parts"), OTHER.values(), ids=OTHER)
def test_another_hosts_copy_that_cannot_be_believed_is_refused(
    changes: dict[str, Any], parts: list[str], tmp_path: Path
) -> None:
    source = rehosted(tmp_path / "source", **changes)
    refusal(lambda: ccp.convert(source, tmp_path / "out"), str(source), *parts)
    assert not (tmp_path / "out").exists()


@pytest.mark.reliability("copies of Clothing Co-Parsing")
def test_files_that_are_no_maps_of_their_own_are_refused(tmp_path: Path) -> None:
    source = rehosted(tmp_path / "source")
    maps = source / "annotations" / "pixel-level"
    for name, content, parts in (
        ("1.mat", (maps / "0001.mat").read_bytes(), ["0001.mat and 1.mat have the same number"]),
        ("copy.mat", b"", ["copy.mat is not called by a number"]),
        ("0001.mat", b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400), ["0001.mat is of MATLAB 7.3"]),
        ("0001.mat", b"no such file", ["0001.mat cannot be read"]),
    ):
        (maps / name).write_bytes(content)
        refusal(lambda: ccp.convert(source, tmp_path / "out"), *parts)
        if name != "0001.mat":
            (maps / name).unlink()


def test_a_conversion_knows_what_it_was_made_from(tmp_path: Path) -> None:
    source = rehosted(tmp_path / "source")
    states = [ccp.state(source)]
    file = source / "annotations" / "pixel-level" / "0002.mat"
    savemat(file, {"groundtruth": TRUTH}, do_compression=True)
    os.utime(file, ns=(0, 0))
    states.append(ccp.state(source))
    file.rename(file.with_name("0003.mat"))
    states.append(ccp.state(source))
    photo = source / "photos" / "0001.jpg"
    photo.write_bytes(photo.read_bytes() + b"\0")
    states.append(ccp.state(source))
    assert len(set(states)) == 4 and ccp.state(source) == states[-1]

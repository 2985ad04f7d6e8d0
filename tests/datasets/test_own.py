"""Your data: COCO files with other labels and photos with masks become data set folders, pixel for pixel."""

import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle
from PIL import Image
from pycocotools import mask as coco_mask

from modanet_utils.__main__ import main
from modanet_utils.classes import IGNORE
from modanet_utils.datasets import ccp
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.datasets.own import convert
from modanet_utils.imbalance.check import check

MAP = "labels:\n  jeans: pants\n  'shirt, blouse': top\n  sleeve: background\n  unclear: ignore\n  Boot: boots\n"


def picture(file: Path, height: int = 20, width: int = 30, seed: str = "") -> None:
    """A photo of its own: no two of other names, or seeds, are alike."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(f"{seed}{file.name}".encode()))
    cv2.imwrite(str(file), cv2.resize(rng.integers(0, 256, (4, 3, 3), np.uint8), (width, height)))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---------------------------------------------------------------------------------------- COCO


def foreign(folder: Path, **changes: Any) -> Path:
    """A COCO file as others write it: names, ids from 0, folders in file names, polygons and run lengths."""
    rle = coco_mask.encode(np.asfortranarray(np.pad(np.ones((4, 5), np.uint8), ((2, 14), (20, 5)))))
    rle["counts"] = rle["counts"].decode()
    categories = [{"id": i, "name": n} for i, n in enumerate(["jeans", "shirt, blouse", "sleeve", "unclear", "boot"])]
    things = [
        annotation("b", 0, [rectangle(0, 10, 20, 10)], iscrowd=0),
        annotation("b", 1, [rectangle(0, 0, 10, 9)]),
        annotation("b", 2, [rectangle(0, 0, 3, 3)]),
        annotation("b", 3, [rectangle(0, 5, 4, 4)]),
        annotation("b", 4, rle),
        annotation("a", 1, [rectangle(1, 1, 4, 4)]),
    ]
    images = [record(i) | {"id": i, "file_name": f"train/{i}.jpg"} for i in ("b", "a", "gone")]
    parts = {"images": images, "annotations": things, "categories": categories} | changes
    for one in ("a", "b"):
        picture(folder / "images" / "train" / f"{one}.jpg")
    (folder / "instances.json").write_text(json.dumps(parts))
    (folder / "map.yaml").write_text(MAP)
    return folder


def test_a_foreign_coco_file_becomes_a_dataset_pixel_for_pixel(tmp_path: Path) -> None:
    source = foreign(tmp_path / "mine")
    before = content(source)
    said = convert(source, tmp_path / "out", source / "map.yaml")
    dataset = open_dataset(tmp_path / "out")
    assert {one["file_name"]: i for i, one in dataset.images.items()} == {"train/b.jpg": 1, "train/a.jpg": 2}
    expected = np.zeros((20, 30), np.uint8)
    expected[10:, :20], expected[:9, :10], expected[5:9, :4], expected[2:6, 20:25] = 8, 9, IGNORE, 3
    assert np.array_equal(dataset.label_map(1), expected)
    assert dataset.annotations[1][1]["source_label"] == "shirt, blouse"
    assert dataset.image(1).shape == (20, 30, 3) and not dataset.problems
    for line in (
        *("a COCO file, 3 images listed", "1 missing, 0 unreadable, 0 of the wrong size, 2 usable"),
        *("top: shirt, blouse (2)", "background: sleeve (1)", "ignore: unclear (1)", "boots: boot (1)"),
    ):
        assert line in said
    assert content(source) == before
    again = content(tmp_path / "out")
    assert convert(source, tmp_path / "out", source / "map.yaml") == said and content(tmp_path / "out") == again


def test_what_is_not_used_is_named_and_labels_that_nothing_has(tmp_path: Path) -> None:
    source = foreign(tmp_path / "mine")
    coco = json.loads((source / "instances.json").read_text())
    coco["annotations"] += [annotation("a", 0, [[1, 2]]), annotation("b", 0, [])]
    (source / "instances.json").write_text(json.dumps(coco))
    (source / "map.yaml").write_text(MAP + "  wellington: boots\n")
    picture(source / "images" / "extra.jpg")
    said = convert(source, tmp_path / "out", source / "map.yaml")
    file = tmp_path / "out" / "not_used.txt"
    assert "not used, for one of each: missing: train/gone.jpg; without annotation: extra.jpg; polygons" in said
    assert f"(all: {file})" in said and "map map names labels that nothing here has: wellington\n" in said + "\n"
    assert file.read_text().splitlines() == [
        "missing: train/gone.jpg",
        "without annotation: extra.jpg",
        "polygons with fewer than three corners: annotation 6 of image 2",
        "annotations without a polygon: annotation 7 of image 1",
    ]
    coco["annotations"] = coco["annotations"][:-2]
    (source / "instances.json").write_text(json.dumps(coco))
    picture(source / "images" / "train" / "gone.jpg")
    (source / "images" / "extra.jpg").unlink()
    assert "not used" not in convert(source, tmp_path / "out", source / "map.yaml") and not file.exists()


def test_photos_that_a_file_names_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, names = foreign(tmp_path / "mine"), tmp_path / "left_out.txt"
    arguments = ["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]
    names.write_text("train\\A.jpg\n\n")
    assert main([*arguments, "--without", str(names)]) == 0
    assert "0 of the wrong size, 1 usable; 0 without annotation; 1 left out as asked\n" in capsys.readouterr().out
    left = open_dataset(tmp_path / "out")
    assert [one["file_name"] for one in left.images.values()] == ["train/b.jpg"]
    assert "left out as asked: train/a.jpg\n" in (tmp_path / "out" / "not_used.txt").read_text()
    assert main(arguments) == 0
    assert open_dataset(tmp_path / "out").fingerprint != left.fingerprint, "a run of one is none of the other"
    names.write_text("train/a.jpg\nc.jpg\n")
    capsys.readouterr()
    assert main([*arguments, "--without", str(names)]) == 2
    assert capsys.readouterr().err == f"{names} names 1 that are none of the photos, c.jpg for one: correct it.\n"
    assert main([*arguments, "--without", str(tmp_path / "nowhere.txt")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    names.write_bytes(b"\xff\xfe\x00")
    assert main([*arguments, "--without", str(names)]) == 2
    assert capsys.readouterr().err == f"{names} is no text: name a photo a line, as an audit does.\n"


def test_photos_elsewhere_are_named_or_linked(tmp_path: Path) -> None:
    source = foreign(tmp_path / "mine")
    (source / "images" / "train").rename(tmp_path / "Photos")
    (tmp_path / "Photos" / "a.jpg").rename(tmp_path / "Photos" / "A.JPG")
    file = source / "instances.json"
    with pytest.raises(
        DatasetError, match=r"no usable photo of the 3 annotated images \(3 missing, .*; train/b.jpg for"
    ):
        convert(file, tmp_path / "none", source / "map.yaml")
    convert(file, tmp_path / "out", source / "map.yaml", tmp_path / "Photos", link=True)
    assert (tmp_path / "out" / "images").resolve() == tmp_path / "Photos"
    assert len(open_dataset(tmp_path / "out").ids) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Photos", "mine", "out"]


def test_our_own_labels_need_no_map_and_ids_stay(tmp_path: Path) -> None:
    categories = [{"id": 70, "name": "Scarf/Tie"}, {"id": 5, "name": "hair"}]
    images = [record(i) | {"id": i, "file_name": f"train/{n}.jpg"} for i, n in ((12, "a"), (7, "b"))]
    things = [annotation(12, 70, [rectangle(0, 0, 4, 4)]), annotation(7, 5, [rectangle(0, 0, 4, 4)])]
    convert(foreign(tmp_path / "mine", images=images, annotations=things, categories=categories), tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert dataset.ids == [7, 12] and [dataset.label_map(i)[0, 0] for i in dataset.ids] == [14, 13]


BAD_COCO: dict[str, tuple[dict[str, Any], str]] = {
    "label": ({"categories": [{"id": i, "name": f"no{i}"} for i in range(5)]}, "says nothing of 5 of 5 labels, 'no0'"),
    "category": ({"annotations": [annotation("b", 99, [])]}, "has a category or an image that the file does not list"),
    "image": ({"annotations": [annotation("z", 0, [])]}, "has a category or an image that the file does not list"),
    "size": (
        {"annotations": [annotation("b", 0, {"size": [3, 4], "counts": "x"})]},
        "its run lengths are of size .3, 4.",
    ),
    "ids": ({"images": [record(1), record(1)]}, "two images with the same id"),
    "category ids": ({"categories": [{"id": 0, "name": n} for n in ("jeans", "boot")]}, "two categories with the same"),
    "one photo of two": (
        {"images": [record(i) | {"id": i, "file_name": f"{n}/b.jpg"} for i, n in (("b", "train"), ("a", "more"))]},
        "b.jpg is the only photo for train/b.jpg and more/b.jpg: give each its own, once.",
    ),
    "list": ({"images": [record(1) | {"id": [1]}]}, "is a list or an object"),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("changes", "said"), BAD_COCO.values(), ids=BAD_COCO)
def test_a_bad_coco_file_gets_one_sentence_and_leaves_nothing(
    changes: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source = foreign(tmp_path / "mine", **changes)
    assert main(["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]) == 2
    err = capsys.readouterr().err
    assert said.replace(".3, 4.", "[3, 4]") in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_not_recognised_or_ambiguous_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="is not recognised: it needs a COCO file"):
        convert(tmp_path / "empty", tmp_path / "out")
    source = foreign(tmp_path / "mine")
    (source / "second.json").write_text("{}")
    with pytest.raises(DatasetError, match="holds 2 annotation files: give one of them, as in .*instances.json"):
        convert(source, tmp_path / "out")
    picture(source / "images" / "x" / "c.jpg")
    picture(source / "images" / "y" / "c.jpg")
    parts = json.loads((source / "instances.json").read_text())
    parts["images"][0]["file_name"] = "c.jpg"
    (source / "instances.json").write_text(json.dumps(parts))
    with pytest.raises(DatasetError, match="holds several photos called c.jpg: give the folder of one"):
        convert(source / "instances.json", tmp_path / "out", source / "map.yaml")


@pytest.mark.reliability("file names")
def test_nothing_outside_the_given_folders_is_read(tmp_path: Path) -> None:
    picture(tmp_path / "secret.jpg")
    images = [
        record(i) | {"file_name": name} for i, name in enumerate(("../../secret.jpg", str(tmp_path / "secret.jpg")))
    ]
    images.append(record(9) | {"file_name": "train/a.jpg"})
    source = foreign(tmp_path / "mine", images=images, annotations=[annotation(9, 0, [rectangle(0, 0, 4, 4)])])
    said = convert(source, tmp_path / "out", source / "map.yaml")
    assert "2 missing" in said and open_dataset(tmp_path / "out").ids == [9]
    assert sorted(path.name for path in (tmp_path / "out" / "images").rglob("*.jpg")) == ["a.jpg"]


# ---------------------------------------------------------------------------------------- masks

VALUES = np.repeat(np.repeat(np.array([[0, 1], [2, 255]], np.uint8), 10, 0), 15, 1)
"""20x30: nothing, jeans, a shirt, and what no legend names."""
TRUTH = np.array([0, 8, 9], np.uint8)[np.minimum(VALUES, 2)]
TRUTH[VALUES == 255] = IGNORE
COLOURS = np.zeros((256, 3), np.uint8)
COLOURS[[1, 2, 255]] = (255, 0, 0), (0, 128, 7), (9, 9, 9)


def photos_with_masks(folder: Path, mask: Image.Image, legend: str | None, masks: str = "masks") -> Path:
    for name in ("7", "sub/12"):
        picture(folder / "photos" / f"{name}.jpg")
        (folder / masks / name).parent.mkdir(parents=True, exist_ok=True)
        mask.save(folder / masks / f"{name}.png")
    picture(folder / "photos" / "spare.jpg")
    if legend is not None:
        (folder / masks / "classes.txt").write_text(legend)
    (folder / "map.yaml").write_text(MAP)
    return folder


def palette() -> Image.Image:
    mask = Image.fromarray(VALUES)
    mask.putpalette(COLOURS.tobytes())
    return mask


LEGENDS = {
    "names": (Image.fromarray(VALUES), "background\njeans\nshirt, blouse\n"),
    "palette and names": (palette(), "background\njeans\nshirt, blouse\n"),
    "values": (Image.fromarray(VALUES), "# a comment\n2 shirt, blouse\n\n1: jeans\n"),
    "values last": (Image.fromarray(VALUES), "jeans\t1\nshirt, blouse 2\n"),
    "grey as RGB": (Image.fromarray(VALUES).convert("RGB"), "1 jeans\n2 shirt, blouse"),
    "16 bits": (Image.fromarray(VALUES.astype(np.uint16)), "1 jeans\n2 shirt, blouse"),
    "colours": (Image.fromarray(COLOURS[VALUES]), "jeans:255,0,0::\nshirt, blouse:0,128,7::\nunclear:9,9,9::\n"),
    "palette and colours": (palette(), "jeans:255,0,0\nshirt, blouse:0,128,7\nunclear: 9,9,9\n"),
}


@pytest.mark.parametrize(("mask", "legend"), LEGENDS.values(), ids=LEGENDS)
def test_photos_with_masks_become_a_dataset_pixel_for_pixel(mask: Image.Image, legend: str, tmp_path: Path) -> None:
    source = photos_with_masks(tmp_path / "mine", mask, legend)
    said = convert(source, tmp_path / "out", source / "map.yaml")
    dataset = open_dataset(tmp_path / "out")
    assert {i: one["file_name"] for i, one in dataset.images.items()} == {7: "7.jpg", 12: "sub/12.jpg"}
    for image_id in dataset.ids:
        assert np.array_equal(dataset.label_map(image_id), TRUTH)
    assert "photos with masks, 2 images listed" in said and "2 usable; 1 without annotation" in said


@pytest.mark.parametrize("how", ["values: {1: jeans, 2: 'shirt, blouse'}", 'colors: {"#f00": jeans, "#008007": Boot}'])
def test_a_map_says_what_values_or_colours_mean(how: str, tmp_path: Path) -> None:
    source = photos_with_masks(tmp_path / "mine", palette(), None, masks="labels")
    (source / "map.yaml").write_text(MAP + how)
    if "colors" in how:
        with pytest.raises(DatasetError, match="colour #090909 is not in map map: name what it stands for there"):
            convert(source, tmp_path / "out", source / "map.yaml")
        (source / "map.yaml").write_text(MAP + how.replace("}", ', "#090909": unclear}'))
    convert(source, tmp_path / "out", source / "map.yaml")
    expected = np.where(TRUTH == 9, 3, TRUTH) if "colors" in how else TRUTH
    assert np.array_equal(open_dataset(tmp_path / "out").label_map(7), expected)


def test_a_published_map_reads_its_label_maps(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.uint8).repeat(30).reshape(20, 30)
    source = photos_with_masks(tmp_path / "lip", Image.fromarray(values), None)
    said = convert(source, tmp_path / "out", "lip")
    (source / "classes.txt").write_text("background\nHat\nHair\n")  # says the same
    assert convert(source, tmp_path / "out", "lip") == said
    (source / "classes.txt").write_text("background\nHat\nJeans\n")
    with pytest.raises(
        DatasetError, match="classes.txt calls 2 'Jeans', map lip calls it 'Hair': correct or take away"
    ):
        convert(source, tmp_path / "other", "lip")
    assert "map lip cannot express bag, belt: no label" in said and "skin: Face (2), Left-arm (2)" in said
    rows = open_dataset(tmp_path / "out").label_map(7)[:, 0].tolist()
    assert rows == [0, 12, 14, 0, 7, 9, 6, 5, 0, 8, 5, 13, 11, 15, 15, 15, 15, 15, 4, 4]


BAD_MASKS: dict[str, tuple[Image.Image, str | None, str]] = {
    "no legend": (
        Image.fromarray(VALUES),
        None,
        "nothing says what the values of the masks stand for: add",
    ),
    "unknown value": (Image.fromarray(VALUES), "0 background\n1 jeans", "value 2 is not in "),
    "many values": (
        Image.fromarray(np.arange(3, 23, dtype=np.uint8).repeat(30).reshape(20, 30)),
        "1 jeans",
        "value 9, value 10 (20 in all) is not in ",
    ),
    "smoothed colours": (
        palette().convert("RGB").resize((30, 20), Image.Resampling.BICUBIC, (0, 0, 29, 19)),
        "jeans:255,0,0",
        "edges: export",
    ),
    "unknown label": (Image.fromarray(VALUES), "1 jean\n2 shirt, blouse", "says nothing of 1 of 3 labels, 'jean'"),
    "colours": (Image.fromarray(COLOURS[VALUES]), "1 jeans", "is coloured, but"),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("mask", "legend", "said"), BAD_MASKS.values(), ids=BAD_MASKS)
def test_masks_that_cannot_be_read_get_one_sentence(
    mask: Image.Image, legend: str | None, said: str, tmp_path: Path
) -> None:
    source = photos_with_masks(tmp_path / "mine", mask, legend)
    with pytest.raises(DatasetError) as error:
        convert(source, tmp_path / "out", source / "map.yaml")
    assert said in str(error.value) and "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_damaged_masks_and_photos(tmp_path: Path) -> None:
    source = photos_with_masks(tmp_path / "mine", Image.fromarray(VALUES), "background\njeans\nshirt, blouse")
    picture(source / "photos" / "7.jpg", 30, 20)
    said = convert(source, tmp_path / "out", source / "map.yaml")
    assert "0 missing, 0 unreadable, 1 of the wrong size, 1 usable" in said
    (source / "masks" / "7.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"Mask .*7.png cannot be decoded: replace the file\.$"):
        convert(source, tmp_path / "out", source / "map.yaml")
    assert open_dataset(tmp_path / "out").ids == [12]
    Image.fromarray(VALUES // 2).save(source / "masks" / "7.png", "JPEG")
    with pytest.raises(DatasetError, match=r"Mask .*7.png is a JPEG by its content"):
        convert(source, tmp_path / "out", source / "map.yaml")
    palette().save(source / "masks" / "7.png")
    other = palette()
    other.putpalette(COLOURS[::-1].tobytes())  # as of a program that orders the colours of each picture anew
    other.save(source / "masks" / "sub" / "12.png")
    with pytest.raises(DatasetError, match=r"12.png gives value 0 another colour than masks before it: give 'colors'"):
        convert(source, tmp_path / "out", source / "map.yaml")


# ---------------------------------------------------------------------------------------- CCP, and the check


def test_clothing_co_parsing_is_recognised_and_converted_as_ever(ccp_source: Path, tmp_path: Path) -> None:
    for folder in ("photos", "annotations/pixel-level"):
        (tmp_path / "ccp" / folder).mkdir(parents=True)
    (tmp_path / "ccp" / "label_list.mat").symlink_to(ccp_source / "label_list.mat")
    for number in ("0001", "0002", "0003"):
        for name in (f"photos/{number}.jpg", f"annotations/pixel-level/{number}.mat"):
            (tmp_path / "ccp" / name).symlink_to(ccp_source / name)
    convert(tmp_path / "ccp", tmp_path / "out")
    ccp.convert(tmp_path / "ccp", tmp_path / "same")
    assert content(tmp_path / "out") == content(tmp_path / "same")
    with pytest.raises(DatasetError, match="has a table of its own: give it alone, and no option"):
        convert(tmp_path / "ccp", tmp_path / "out", "lip")


def test_the_check_says_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    things = [annotation(i, 1 + i % 2, [rectangle(0, 0, 15, 10 * (i % 2) + 2)]) for i in range(1, 9)]
    images = [record(i) | {"file_name": f"train/{i}.jpg"} for i in range(1, 10)]
    categories = [{"id": 1, "name": "jeans"}, {"id": 2, "name": "unclear"}]
    source = foreign(tmp_path / "mine", images=images, annotations=things, categories=categories)
    for i in range(1, 9):
        picture(source / "images" / "train" / f"{i}.jpg")
    (source / "images" / "train" / "2.jpg").write_bytes((source / "images" / "train" / "1.jpg").read_bytes())
    assert main(["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]) == 0
    said = capsys.readouterr().out
    assert "1 missing" in said and "near-duplicates: 2 photos in 1 scenes, which stay on one side" in said
    pants = next(line for line in said.splitlines() if line.startswith("pants "))
    assert pants.split()[:3] == ["pants", f"{4 * 30 / 4800:.3%}", "4"]
    assert next(line for line in said.splitlines() if line.startswith("ignore ")).split()[1:] == [
        f"{4 * 180 / 4800:.3%}",
        "4",
    ]
    assert "no photo of part train shows: bag, belt, boots" in said
    picture(tmp_path / "out" / "images" / "train" / "3.jpg", 40, 30)
    (tmp_path / "out" / "images" / "train" / "4.jpg").write_bytes(b"no picture")
    (tmp_path / "out" / "images" / "train" / "5.jpg").unlink()
    coco = json.loads((tmp_path / "out" / "annotations.json").read_text())
    for one in coco["images"]:
        one.pop("group", None)
    (tmp_path / "out" / "annotations.json").write_text(json.dumps(coco))
    second = tmp_path / "out" / "images" / "train" / "2.jpg"
    second.write_bytes(second.read_bytes() + b"0")  # alike, and no longer the same bytes, which opening would group
    before = content(tmp_path / "out")
    said = check(tmp_path / "out", quiet=True)
    assert "left out: 1 images without a photo" in said
    assert "photos: 0 missing, 1 unreadable, 1 of the wrong size, 5 usable" in said
    assert "2 photos in 1 scenes; 2 of them may end in different parts: convert the folder" in said
    assert content(tmp_path / "out") == before


def test_the_check_says_that_hardly_any_pixel_has_a_label(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    far = [annotation("a", 0, [rectangle(900, 900, 9, 9)])]
    source = foreign(tmp_path / "mine", annotations=far)
    picture(source / "images" / "train" / "gone.jpg")
    assert main(["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]) == 2
    said = capsys.readouterr()
    assert "only 0.000% of the pixels have a label: outlines must be there" in said.out
    assert "1 of 1 objects looked at have no pixel inside of their image" in said.err

"""Collections as tools export them: in parts, with names and ids of their own, become one data set folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import annotation, record, rectangle
from PIL import Image
from test_own import content, picture

from modanet_utils.__main__ import main
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.datasets.own import convert
from modanet_utils.project import ProjectError

TRUTH = np.zeros((20, 30), np.uint8)
TRUTH[2:11, 2:8], TRUTH[2:11, 10:16] = 8, 9
BOXES = {8: (2, 2, 6, 9), 9: (10, 2, 6, 9)}


def coco(*names: str, first: int = 1) -> dict[str, Any]:
    """A file of these photos, each with pants and a top."""
    images = [record(i) | {"file_name": name} for i, name in enumerate(names, first)]
    things = [annotation(one["id"], label, [rectangle(*box)]) for one in images for label, box in BOXES.items()]
    return {
        "images": images,
        "annotations": things,
        "categories": [{"id": 8, "name": "pants"}, {"id": 9, "name": "top"}],
    }


def put(file: Path, found: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found))


def cocos_own(root: Path) -> None:
    """Ids and names that meet; captions beside the outlines, as in COCO's download."""
    for part, photos in (("train2017", ("1.jpg", "2.jpg")), ("val2017", ("1.jpg",))):
        put(root / "annotations" / f"instances_{part}.json", coco(*photos))
        put(root / "annotations" / f"captions_{part}.json", {"annotations": []})
        for name in photos:
            picture(root / part / name, seed=part)


def roboflow(root: Path) -> None:
    for part, photos in (("train", ("1.jpg", "2.jpg")), ("valid", ("1.jpg",))):
        put(root / part / "_annotations.coco.json", coco(*photos, first=0))
        for name in photos:
            picture(root / part / name, seed=part)


def masks(root: Path) -> None:
    for part, photos in (("train", ("1", "2")), ("val", ("1",))):
        for name in photos:
            picture(root / part / "images" / f"{name}.jpg", seed=part)
            (root / part / "masks").mkdir(exist_ok=True)
            Image.fromarray(TRUTH).save(root / part / "masks" / f"{name}.png")
    (root / "classes.txt").write_text("8 pants\n9 top\n")


LAYOUTS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "COCO": (cocos_own, ["train2017/1.jpg", "train2017/2.jpg", "val2017/1.jpg"]),
    "Roboflow": (roboflow, ["train/1.jpg", "train/2.jpg", "valid/1.jpg"]),
    "masks": (masks, ["train/images/1.jpg", "train/images/2.jpg", "val/images/1.jpg"]),
}


@pytest.mark.parametrize(("make", "names"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_parts_of_a_collection_are_joined(make: Callable[[Path], None], names: list[str], tmp_path: Path) -> None:
    make(tmp_path / "mine")
    before = content(tmp_path / "mine")
    said = convert(tmp_path / "mine", tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert {i: one["file_name"] for i, one in dataset.images.items()} == dict(enumerate(names, 1))
    for image_id, name in enumerate(names, 1):
        assert np.array_equal(dataset.label_map(image_id), TRUTH)
        assert (tmp_path / "out" / "images" / name).read_bytes() == (tmp_path / "mine" / name).read_bytes()
    assert "3 images listed" in said and said.splitlines()[1].startswith("joined: ")
    assert "3 usable; 0 without annotation" in said and content(tmp_path / "mine") == before
    with pytest.raises(ProjectError, match="is no folder of all photos, to which images/ could link: leave out --link"):
        convert(tmp_path / "mine", tmp_path / "linked", link=True)


def test_sources_that_are_named_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    cocos_own(tmp_path / "a")
    masks(tmp_path / "b")
    (tmp_path / "left.txt").write_text("a/val2017/1.jpg\nb/train/images/2.jpg\n")  # as an audit of the joined one names
    sources = [str(tmp_path / "a" / "annotations" / "instances_val2017.json"), str(tmp_path / "b")]
    assert main(["convert", *sources, str(tmp_path / "out"), "--without", str(tmp_path / "left.txt")]) == 0
    out = capsys.readouterr().out
    assert f"{', '.join(sources)}: a COCO file and photos with masks, 4 images listed\njoined: " in out
    names = [one["file_name"] for one in open_dataset(tmp_path / "out").images.values()]
    assert names == ["b/train/images/1.jpg", "b/val/images/1.jpg"] and "2 left out as asked" in out
    assert main(["convert", str(tmp_path / "nowhere"), *sources, str(tmp_path / "new")]) == 2
    error = capsys.readouterr().err
    assert "nowhere does not exist: give a COCO file" in error and error.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_photo_of_two_parts_is_refused(tmp_path: Path) -> None:
    for part in ("train", "val"):
        put(tmp_path / "mine" / "annotations" / f"{part}.json", coco("1.jpg"))
    picture(tmp_path / "mine" / "images" / "1.jpg")
    with pytest.raises(ProjectError, match=r"1.jpg is the only photo for 1.jpg and 1.jpg: give each its own, once"):
        convert(tmp_path / "mine", tmp_path / "out")


def test_a_mask_is_left_out_by_its_photos_name(tmp_path: Path) -> None:
    masks(tmp_path / "mine")
    (tmp_path / "mine" / "train" / "classes.txt").write_text("8 pants\n9 top\n")
    (tmp_path / "left.txt").write_text("2.jpg\n")  # the mask is 2.png
    said = convert(tmp_path / "mine" / "train", tmp_path / "out", without=tmp_path / "left.txt")
    assert "1 usable; 0 without annotation; 1 left out as asked" in said
    assert [one["file_name"] for one in open_dataset(tmp_path / "out").images.values()] == ["1.jpg"]


# ---------------------------------------------------------------------------------------- tools


def text_ids(found: dict[str, Any]) -> None:
    for one in found["annotations"]:
        one |= {"image_id": str(one["image_id"]), "category_id": str(one["category_id"])}


def named(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda found: found["images"][0].update(file_name=name)


def box_alone(found: dict[str, Any]) -> None:
    found["images"].append(record(2) | {"file_name": "b.jpg"})
    found["annotations"].append({"image_id": 2, "category_id": 9, "bbox": [1, 1, 5, 5]})


TOOLS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "FiftyOne": ("data/a.jpg", text_ids),
    "FiftyOne's boxes": ("data/a.jpg", box_alone),
    "Label Studio": ("images/a.jpg", named("images\\a.jpg")),
    "Label Studio's uploads": ("images/a.jpg", named("/label-studio/data/media/upload/1/a.jpg")),
    "labelme on Windows": ("JPEGImages/a.jpg", named("C:\\Users\\me\\JPEGImages\\a.jpg")),
    "CVAT": ("images/default/a.jpg", lambda found: found["categories"].append({"id": 3, "name": "unused"})),
    "Roboflow": ("a.jpg", lambda found: found["categories"].insert(0, {"id": 0, "name": "clothes"})),
}


@pytest.mark.parametrize(("photo", "change"), TOOLS.values(), ids=TOOLS)
def test_what_a_tool_exports_is_read(photo: str, change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    found = coco("a.jpg")
    change(found)
    put(tmp_path / "mine" / "result.json", found)
    picture(tmp_path / "mine" / photo)
    convert(tmp_path / "mine", tmp_path / "out")
    assert np.array_equal(open_dataset(tmp_path / "out").label_map(1), TRUTH)


def test_masks_of_cvat_are_read(tmp_path: Path) -> None:
    colours = np.zeros((10, 3), np.uint8)
    colours[[8, 9]] = (51, 221, 255), (250, 50, 83)
    picture(tmp_path / "mine" / "JPEGImages" / "x y.jpg")
    for folder in ("SegmentationClass", "SegmentationObject"):
        (tmp_path / "mine" / folder).mkdir()
        Image.fromarray(colours[TRUTH]).save(tmp_path / "mine" / folder / "x y.png")
    legend = "# label:color_rgb:parts:actions\nbackground:0,0,0::\npants:51,221,255::\ntop:250,50,83::\n"
    (tmp_path / "mine" / "labelmap.txt").write_text(legend)
    convert(tmp_path / "mine", tmp_path / "out")
    assert np.array_equal(open_dataset(tmp_path / "out").label_map(1), TRUTH)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no categories": (lambda found: found.pop("categories"), "it has no list 'categories': export outlines as COCO."),
    "labelme's own": (lambda found: [found.pop(key) for key in [*found]], "no list 'images': export outlines as COCO."),
    "no size": (lambda found: found["images"][0].pop("width"), "height, id, width: export outlines as COCO."),
    "runs": (
        lambda found: found["annotations"][0].update(segmentation={"size": [20, 30], "counts": "abc"}),
        "cannot be used, as its run lengths cannot be read: export it again or remove it.",
    ),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_no_tool_should_export_gets_one_sentence(
    change: Callable[[dict[str, Any]], Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    found = coco("a.jpg")
    change(found)
    put(tmp_path / "mine" / "result.json", found)
    picture(tmp_path / "mine" / "a.jpg")
    assert main(["convert", str(tmp_path / "mine"), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.endswith(f"{said}\n") and error.count("\n") == 1 and "result.json" in error
    assert not (tmp_path / "out").exists()

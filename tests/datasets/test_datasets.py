"""The dataset format: label maps against pycocotools, what bad files get, and the two real sources."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from scipy.io import loadmat, savemat

from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets import ccp, modanet, writing
from modanet_utils.datasets.coco import Dataset, DatasetError, class_pixels, open_dataset

NAN, INF = float("nan"), float("inf")
HEIGHT, WIDTH = 20, 30
GOOD = rectangle(2, 3, 10, 8)


def straightforward(dataset: Dataset, image_id: int) -> np.ndarray:
    """The label map by the documented rule, with whole masks and nothing clever."""
    size = dataset.images[image_id]["height"], dataset.images[image_id]["width"]
    masks = []
    for one in dataset.annotations[image_id]:
        rles = coco_mask.frPyObjects(one["segmentation"], *size)
        mask = coco_mask.decode(coco_mask.merge(rles) if isinstance(rles, list) else rles).astype(bool)
        masks.append((int(mask.sum()), one["category_id"], mask))
    out = np.zeros(size, np.uint8)
    for _, label, mask in sorted(masks, key=lambda entry: entry[0], reverse=True):
        out[mask] = label
    return out


def block(top: int, left: int, height: int, width: int) -> np.ndarray:
    """A mask of the 20x30 image."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) > 20
    return text


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err.strip()
    assert said and "\n" not in said
    return said


# ---------------------------------------------------------------------------------------- label maps


def test_a_polygon_covers_its_pixels_and_nothing_else(coco: Callable[..., Dataset]) -> None:
    truth = coco(annotation(1, 3, [rectangle(4, 5, 6, 7)])).label_map(1)
    assert truth.dtype == np.uint8
    assert truth.shape == (HEIGHT, WIDTH)
    assert np.array_equal(truth, 3 * block(5, 4, 7, 6))


def test_every_label_is_painted_with_its_number(coco: Callable[..., Dataset]) -> None:
    dataset = coco(*(annotation(1, n, [rectangle(2 * (n - 1), 0, 2, 1)]) for n in range(1, 16)))
    assert dataset.label_map(1)[0].tolist() == [n for n in range(1, 16) for _ in range(2)]
    assert dataset.present(1) == set(range(1, 16))


def test_large_is_painted_before_small_whatever_the_area_field_and_the_order_say(
    coco: Callable[..., Dataset],
) -> None:
    pants = annotation(1, 8, [rectangle(0, 0, 20, 15)], area=1)
    belt = annotation(1, 2, [rectangle(2, 5, 10, 2)], area=99999)
    expected = 8 * block(0, 0, 15, 20)
    expected[5:7, 2:12] = 2
    for pair in ((pants, belt), (belt, pants)):
        assert np.array_equal(coco(*pair).label_map(1), expected)


def test_rasterised_area_decides_not_the_box(coco: Callable[..., Dataset]) -> None:
    # The triangle's box (400) is larger than the square (256), its own area (about 200) is smaller.
    triangle = annotation(1, 9, [[0, 0, 20, 0, 0, 20]])
    square = annotation(1, 6, [rectangle(0, 0, 16, 16)])
    for pair in ((triangle, square), (square, triangle)):
        truth = coco(*pair).label_map(1)
        assert truth[2, 2] == 9
        assert truth[15, 15] == 6


def test_of_two_equally_large_objects_the_later_is_on_top(coco: Callable[..., Dataset]) -> None:
    top, skirt = (annotation(1, label, [rectangle(x, 0, 8, 4)]) for label, x in ((9, 0), (11, 4)))
    assert coco(top, skirt).label_map(1)[0, :12].tolist() == [9] * 4 + [11] * 8
    assert coco(skirt, top).label_map(1)[0, :12].tolist() == [9] * 8 + [11] * 4


def test_one_annotation_of_several_polygons_is_one_thing(coco: Callable[..., Dataset]) -> None:
    # 2 x 30 pixels of footwear are more than the 50 of the bag: painted first, although each shoe is smaller.
    shoes = annotation(1, 4, [rectangle(0, 0, 6, 5), rectangle(10, 0, 6, 5)])
    bag = annotation(1, 1, [rectangle(4, 0, 10, 5)])
    dataset = coco(bag, shoes)
    assert [(thing.label, thing.area) for thing in dataset.things(1)] == [(4, 60), (1, 50)]
    assert dataset.label_map(1)[0, :17].tolist() == [4] * 4 + [1] * 10 + [4] * 2 + [0]


def test_overlapping_polygons_of_one_annotation_count_once(coco: Callable[..., Dataset]) -> None:
    dataset = coco(annotation(1, 4, [rectangle(0, 0, 6, 5), rectangle(3, 0, 6, 5)]))
    assert dataset.things(1)[0].area == 45


def test_a_things_mask_is_its_box(coco: Callable[..., Dataset]) -> None:
    thing = coco(annotation(1, 4, [rectangle(7, 2, 5, 3)])).things(1)[0]
    assert thing.box == (7, 2, 5, 3)
    assert thing.mask().shape == (3, 5)
    assert thing.mask().all()


@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "list of counts"])
def test_run_lengths(compressed: bool, coco: Callable[..., Dataset]) -> None:
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    if compressed:
        counts = coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()
    else:
        column_major = mask.ravel(order="F").astype(int)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], column_major])))
        counts = np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()
    dataset = coco(annotation(1, 15, {"size": [HEIGHT, WIDTH], "counts": counts}))
    assert np.array_equal(dataset.label_map(1), 15 * mask)


def test_run_lengths_of_another_size_are_refused(coco: Callable[..., Dataset]) -> None:
    with pytest.raises(DatasetError, match=r"annotations.json: annotation 1 of image 1 .* size") as error:
        coco(annotation(1, 15, {"size": [WIDTH, HEIGHT], "counts": [0, 600]}))
    one_sentence(error)


COORDINATES = st.one_of(st.integers(-15, 45), st.floats(-15, 45, width=32))
POLYGONS = st.lists(COORDINATES, min_size=3, max_size=8).flatmap(
    lambda x: st.lists(COORDINATES, min_size=len(x), max_size=len(x)).map(
        lambda y: [float(v) for pair in zip(x, y, strict=True) for v in pair]
    )
)
THINGS = st.tuples(st.integers(1, 15), st.lists(POLYGONS, min_size=1, max_size=3))


@settings(max_examples=150, deadline=None)
@given(things=st.lists(THINGS, max_size=6))
def test_label_map_equals_pycocotools_on_random_polygons(things: list[tuple[int, list[list[float]]]]) -> None:
    dataset = Dataset(
        name="random",
        root=Path(),
        fingerprint="",
        images={1: record(1)},
        annotations={1: [annotation(1, label, polygons) for label, polygons in things]},
        labels={n: n for n in range(1, 16)},
    )
    assert np.array_equal(dataset.label_map(1), straightforward(dataset, 1))


def test_label_map_equals_pycocotools_on_modanet(modanet_excerpt: Path) -> None:
    dataset = open_dataset(modanet_excerpt, annotations_only=True)
    assert len(dataset.ids) == 1073
    assert not dataset.problems
    for image_id in dataset.ids[:100]:
        assert np.array_equal(dataset.label_map(image_id), straightforward(dataset, image_id)), image_id


def test_class_pixels(coco: Callable[..., Dataset]) -> None:
    dataset = coco(
        annotation(1, 1, [rectangle(0, 0, 5, 5)]),
        annotation(2, 1, [rectangle(0, 0, 5, 1)]),
        annotation(2, 15, [rectangle(0, 4, 2, 2)]),
        images=[record(1), record(2, 10, 10)],
    )
    pixels = class_pixels(dataset)
    assert pixels.shape == (16,)
    assert pixels.dtype == np.int64
    assert {LABELS[i]: int(n) for i, n in enumerate(pixels) if n} == {"background": 666, "bag": 30, "skin": 4}
    assert class_pixels(dataset, [2]).tolist() == [91, 5, *[0] * 13, 4]
    assert class_pixels(dataset, []).sum() == 0


# ---------------------------------------------------------------------------------------- flaws

FLAWS = {
    "nan": ([NAN, 1, 5, 1, 5, 5], "not finite"),
    "infinite": ([1, 1, INF, 1, 5, 5], "not finite"),
    "empty": ([], "three corners"),
    "four numbers": ([1, 1, 5, 5], "three corners"),
    "odd": ([1, 1, 5, 1, 5, 5, 3], "odd"),
    "text": ([1, 1, "5", 1, 5, 5], "not a number"),
    "nothing": ([1, 1, None, 1, 5, 5], "not a number"),
    "nested": ([1, 1, [5], 1, 5, 5], "not a number"),
    "a number": (7, "three corners"),
}


@pytest.mark.parametrize(("polygon", "what"), FLAWS.values(), ids=FLAWS)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_flawed_polygon_is_left_out_and_counted_and_a_good_one_kept(
    polygon: Any, what: str, first: bool, coco: Callable[..., Dataset]
) -> None:
    dataset = coco(annotation(1, 2, [polygon, GOOD] if first else [GOOD, polygon]))
    assert [(key, count) for key, count in dataset.problems.items() if what in key] == [
        (next(iter(dataset.problems)), 1)
    ]
    assert np.array_equal(dataset.label_map(1), 2 * block(3, 2, 8, 10))


@pytest.mark.parametrize("segmentation", [[], [[]], None, [[NAN] * 6]], ids=str)
def test_an_annotation_without_a_usable_polygon_leaves_no_trace_but_a_count(
    segmentation: Any, coco: Callable[..., Dataset]
) -> None:
    dataset = coco(annotation(1, 2, segmentation), annotation(1, 3, [GOOD]))
    assert sum(dataset.problems.values()) == 1
    assert np.array_equal(dataset.label_map(1), 3 * block(3, 2, 8, 10))


@pytest.mark.parametrize("segmentation", [{}, {"size": [HEIGHT, WIDTH]}, {"counts": "abc"}], ids=str)
def test_incomplete_run_lengths_are_left_out_and_counted(
    segmentation: dict[str, Any], coco: Callable[..., Dataset]
) -> None:
    dataset = coco(annotation(1, 2, segmentation), annotation(1, 3, [GOOD]))
    assert sum(dataset.problems.values()) == 1
    assert np.array_equal(dataset.label_map(1), 3 * block(3, 2, 8, 10))


def test_a_number_that_no_float_holds_is_left_out_and_counted(coco: Callable[..., Dataset]) -> None:
    dataset = coco(annotation(1, 2, [[10**400] * 6, GOOD]))
    assert sum(dataset.problems.values()) == 1
    assert np.array_equal(dataset.label_map(1), 2 * block(3, 2, 8, 10))


FAR = {
    "around everything": ([-1e12, -1e12, 1e12, -1e12, 1e12, 1e12, -1e12, 1e12], rectangle(-5, -5, 60, 60)),
    "half-plane": ([1, -1e12, 12, -1e12, 12, 1e12, 1, 1e12], rectangle(1, -5, 11, 60)),
    "diagonal": ([1, 1, 1e12, 1, 1e12, 1e12], [1, 1, 100, 1, 100, 100]),
    "elsewhere": ([1e12, 1e12, 2e12, 1e12, 2e12, 2e12], [50, 50, 60, 50, 60, 60]),
    "an edge where it is cut": ([-120, 2, 10, 2, 10, 1e12, -120, 1e12], rectangle(-5, 2, 15, 60)),
    "thin and long": ([-1e12, 7, 1e12, 7, 1e12, 9, -1e12, 9], rectangle(-5, 7, 60, 2)),
}


@pytest.mark.parametrize(("far", "near"), FAR.values(), ids=FAR)
def test_a_polygon_that_reaches_far_outside_is_cut_not_dropped(
    far: list[float], near: list[float], coco: Callable[..., Dataset]
) -> None:
    maps = [coco(annotation(1, 5, [polygon])).label_map(1) for polygon in (far, near)]
    assert np.array_equal(*maps)


# ---------------------------------------------------------------------------------------- opening


def test_ids_ascend_and_nothing_depends_on_the_order_of_the_file(coco: Callable[..., Dataset]) -> None:
    images = [record(i, 10 + i, 30) for i in (7, 30, 4, 100, 1)]
    annotations = [annotation(i, 1 + i % 13, [rectangle(1, 1, 5, i % 7 + 2)]) for i in (30, 7, 1, 4, 100)]
    one, other = coco(*annotations, images=images), coco(*annotations[::-1], images=images[::-1])
    assert one.ids == other.ids == [1, 4, 7, 30, 100]
    for image_id in one.ids:
        assert np.array_equal(one.label_map(image_id), other.label_map(image_id))
    assert one.fingerprint != other.fingerprint


def test_the_fingerprint_is_of_the_annotations_alone(tmp_path: Path) -> None:
    first = write_coco(tmp_path / "a", [record(1)], [annotation(1, 1, [GOOD])])
    second = write_coco(tmp_path / "b", [record(1)], [annotation(1, 1, [GOOD])])
    cv2.imwrite(str(second / "images" / "1.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert open_dataset(first).fingerprint == open_dataset(second).fingerprint
    other = write_coco(tmp_path / "c", [record(1)], [annotation(1, 2, [GOOD])])
    assert open_dataset(other).fingerprint != open_dataset(first).fingerprint


@pytest.mark.parametrize("name", ["scarf/tie", "scarf & tie", "Scarf & Tie "])
def test_both_spellings_of_scarf_and_tie_are_known(name: str, tmp_path: Path) -> None:
    categories = [{"id": 13, "name": name}, {"id": 77, "name": "hair"}, {"id": 78, "name": "skin"}]
    annotations = [annotation(1, category, [rectangle(x, 0, 2, 2)]) for category, x in ((13, 0), (77, 4))]
    dataset = open_dataset(write_coco(tmp_path / "d", [record(1)], annotations, categories))
    assert dataset.label_map(1)[0, :6].tolist() == [13, 13, 0, 0, 14, 14]


def test_photos_come_as_stored_rgb(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "d", [record(1)], [])
    photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(folder / "images" / "1.png"), photo[..., ::-1])
    image = open_dataset(folder).image(1)
    assert image.dtype == np.uint8
    assert np.array_equal(image, photo)


def test_annotations_only_needs_no_photos(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "d", [record(1)], [annotation(1, 1, [GOOD])], photos=False)
    for root in (folder, folder / "annotations.json"):
        assert open_dataset(root, annotations_only=True).label_map(1).any()
    with pytest.raises(DatasetError, match="put the photos there") as error:
        open_dataset(folder)
    one_sentence(error)


def test_an_image_without_its_photo_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "d", [record(1), record(2)], [annotation(1, 1, [GOOD])])
    (folder / "images" / "1.png").unlink()
    dataset = open_dataset(folder)
    assert dataset.ids == [2]
    assert dataset.problems == {"images without a photo": 1, "annotations of images that are not used": 1}
    (folder / "images" / "2.png").unlink()
    with pytest.raises(DatasetError, match="none of the 2 photos") as error:
        open_dataset(folder)
    one_sentence(error)


def test_a_photo_that_goes_away_is_undecodable_or_of_another_size(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "d", [record(i) for i in (1, 2, 3)], [])
    dataset = open_dataset(folder)
    (folder / "images" / "1.png").unlink()
    (folder / "images" / "2.png").write_bytes(b"not a picture")
    cv2.imwrite(str(folder / "images" / "3.png"), np.zeros((WIDTH, HEIGHT, 3), np.uint8))
    for image_id, what in ((1, "missing"), (2, "cannot be decoded"), (3, "20x30 pixels.*says 30x20")):
        with pytest.raises(DatasetError, match=what) as error:
            dataset.image(image_id)
        assert f"{image_id}.png" in one_sentence(error)


def test_an_unknown_image_is_named(coco: Callable[..., Dataset]) -> None:
    for ask in (Dataset.label_map, Dataset.image, Dataset.size):
        with pytest.raises(DatasetError, match="Image 99 is not in") as error:
            ask(coco(), 99)
        one_sentence(error)


def coco_text(**changes: Any) -> str:
    content = {"images": [record(1)], "annotations": [], "categories": writing.CATEGORIES} | changes
    return json.dumps({key: value for key, value in content.items() if value is not ...})


BAD_FILES = {
    "empty": ("", "not JSON"),
    "cut": ('{"images": [', "not JSON"),
    "binary": (b"\xff\xfe\x00\x01", "not JSON"),
    "a list": ("[]", "not a COCO file"),
    "no images": (coco_text(images=...), "not a COCO file.*'images'"),
    "no annotations": (coco_text(annotations=...), "not a COCO file.*'annotations'"),
    "no categories": (coco_text(categories=...), "not a COCO file.*'categories'"),
    "images as mapping": (coco_text(images={"1": record(1)}), "not a COCO file.*'images'"),
    "image without size": (coco_text(images=[{"id": 1, "file_name": "1.png"}]), "lacks one of.*height"),
    "annotation without category": (coco_text(annotations=[{"image_id": 1}]), "lacks one of.*category_id"),
    "nothing listed": (coco_text(images=[]), "lists no images"),
    "same id twice": (coco_text(images=[record(1), record(1)]), "same id"),
    "unknown category name": (coco_text(categories=[{"id": 3, "name": "sword"}]), "'sword'.*boots.*hair"),
    "renumbered category": (coco_text(categories=[{"id": 4, "name": "boots"}]), "'boots'.*renumber"),
    "unlisted category": (coco_text(annotations=[annotation(1, 99, [GOOD])]), "category 99"),
}


@pytest.mark.parametrize(("content", "what"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_annotation_file_gets_one_sentence(content: str | bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    file = tmp_path / "annotations.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for annotations_only in (True, False):
        with pytest.raises(DatasetError, match=what) as error:
            if "category 99" in what and not annotations_only:
                (tmp_path / "images" / "1.png").touch()
            if not annotations_only and not what.startswith(("not JSON", "not a COCO")):
                (tmp_path / "images" / "1.png").touch()
            open_dataset(tmp_path, annotations_only)
        assert str(file) in one_sentence(error)


def test_a_root_that_is_not_there_or_holds_nothing(tmp_path: Path) -> None:
    for root, what in ((tmp_path / "nowhere", "does not exist"), (tmp_path, "holds no annotations.json")):
        with pytest.raises(FileNotFoundError, match=what) as error:
            open_dataset(root)
        assert str(root) in one_sentence(error)


# ---------------------------------------------------------------------------------------- writing


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_photos_of_one_scene_share_a_group(tmp_path: Path) -> None:
    # Smooth random pictures: no two are alike. 2 shows the scene of 5 a little brighter, 3 that of 2.
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 200, (4, 3, 3), np.uint8), (120, 160)) for _ in range(4)]
    pictures = {1: scenes[0], 2: scenes[1], 3: scenes[1] + 20, 4: scenes[2], 5: scenes[1] + 10, 6: scenes[3]}
    (tmp_path / "photos").mkdir()
    photos = {f"{i}.png": tmp_path / "photos" / f"{i}.png" for i in pictures}
    for i, picture in pictures.items():
        cv2.imwrite(str(photos[f"{i}.png"]), picture)
    images = [record(i, 160, 120) for i in pictures]
    dataset = open_dataset(writing.write(tmp_path / "out", {"name": "scenes"}, images, [], photos))
    assert {i: r["group"] for i, r in dataset.images.items() if "group" in r} == {2: 2, 3: 2, 5: 2}


def test_nothing_is_left_of_an_interrupted_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_coco(tmp_path / "source", [record(1)], [])
    photos = {"1.png": source / "images" / "1.png"}
    (tmp_path / "place").mkdir()

    def write() -> Path:
        return writing.write(tmp_path / "place" / "out", {"name": "a"}, [record(1)], [], photos)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "mark_scenes_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert not list((tmp_path / "place").iterdir())
    before = content_of(write())
    with monkeypatch.context() as patch:
        patch.setattr(writing, "mark_scenes_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert [p.name for p in (tmp_path / "place").iterdir()] == ["out"]
    assert content_of(tmp_path / "place" / "out") == before  # an earlier result survives


# ---------------------------------------------------------------------------------------- Clothing Co-Parsing

GUIDE = """
bag          bag, purse, wallet
belt         belt
boots        boots
footwear     shoes, heels, pumps, flats, loafers, sandals, sneakers, wedges, clogs
outer        coat, jacket, blazer, cardigan, sweater, jumper, suit, romper, vest, cape, hoodie, sweatshirt
dress        dress
sunglasses   sunglasses, glasses
pants        pants, jeans, leggings
top          top, blouse, t-shirt, shirt, bodysuit, bra
shorts       shorts
skirt        skirt
headwear     hat
scarf & tie  scarf, tie
hair         hair
skin         skin
"""
FOLDED = {folded: line[:13].strip() for line in GUIDE.strip().splitlines() for folded in line[13:].split(", ")}


def fake_ccp(folder: Path) -> tuple[Path, list[str], dict[int, np.ndarray]]:
    """CCP's layout with three small photos; image 2 has no foreground. Returns names and label maps too."""
    names = ["null", *FOLDED, "gloves", "tights"]
    rng = np.random.default_rng(0)
    truths = {
        1: rng.integers(0, len(names), (23, 17)).astype(np.uint8),
        2: np.zeros((12, 9), np.uint8),
        30: np.repeat(np.arange(len(names), dtype=np.uint8)[None], 7, 0),
    }
    (folder / "annotations" / "pixel-level").mkdir(parents=True)
    (folder / "photos").mkdir()
    savemat(folder / "label_list.mat", {"label_list": np.array([names], object)})
    for i, truth in truths.items():
        savemat(folder / "annotations" / "pixel-level" / f"{i:04d}.mat", {"groundtruth": truth})
        photo = rng.integers(0, 256, (*truth.shape, 3), np.uint8)
        cv2.imwrite(str(folder / "photos" / f"{i:04d}.jpg"), photo)
    return folder, names, truths


def folded(names: list[str]) -> np.ndarray:
    """Label of every CCP value, by the guide's table."""
    return np.array([LABELS.index(FOLDED.get(name, "background")) for name in names], np.uint8)


def test_the_table_is_the_guides() -> None:
    assert {name: label for label, names in ccp.TABLE.items() for name in names} == FOLDED
    assert sum(map(len, ccp.TABLE.values())) == len(FOLDED)
    assert tuple(ccp.TABLE) == LABELS[1:]


def test_conversion_keeps_every_pixel(tmp_path: Path) -> None:
    source, names, truths = fake_ccp(tmp_path / "source")
    dataset = open_dataset(ccp.convert(source, tmp_path / "out"))
    assert ccp.label_names(source) == names
    assert dataset.ids == [1, 2, 30]
    assert not dataset.annotations[2]
    for image_id, truth in truths.items():
        assert np.array_equal(dataset.label_map(image_id), folded(names)[truth])
        assert dataset.image(image_id).shape == (*truth.shape, 3)
    assert all(not path.is_symlink() for path in (tmp_path / "out").rglob("*"))


def test_conversion_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, _, _ = fake_ccp(tmp_path / "source")
    out = tmp_path / "out"
    for _ in range(2):  # converting again replaces the earlier result
        assert ccp.main([str(source), str(out)]) == 0
        assert "out: 3 photos, " in capsys.readouterr().out
    assert ccp.main([str(source)]) == 2
    assert "arguments are required: DESTINATION" in one_line(capsys)


def test_conversion_refuses_a_destination_that_holds_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, _, _ = fake_ccp(tmp_path / "source")
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("years of work")
    other = write_coco(tmp_path / "other", [record(1)], [])
    for destination in (thesis, other, thesis / "chapter.txt"):
        before = content_of(tmp_path)
        assert ccp.main([str(source), str(destination)]) == 2
        assert "holds something else" in capsys.readouterr().err
        assert content_of(tmp_path) == before


def test_what_a_damaged_source_gets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, _, truths = fake_ccp(tmp_path / "source")
    out = tmp_path / "out"
    cv2.imwrite(str(source / "photos" / "0030.jpg"), np.zeros((*truths[30].shape[::-1], 3), np.uint8))
    assert ccp.main([str(source), str(out)]) == 2
    assert "copy is damaged" in capsys.readouterr().err
    (source / "photos" / "0030.jpg").unlink()
    assert ccp.main([str(source), str(out)]) == 2
    assert "incomplete" in capsys.readouterr().err
    shutil.rmtree(source / "annotations")
    assert ccp.main([str(source), str(out)]) == 2
    assert "is not Clothing Co-Parsing" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_the_real_copy_has_the_class_shares_of_its_label_maps(ccp_source: Path, real_ccp: Dataset) -> None:
    names = ccp.label_names(ccp_source)
    assert len(names) == 59
    assert set(FOLDED) <= set(names)
    maps = sorted((ccp_source / "annotations" / "pixel-level").glob("*.mat"))
    assert real_ccp.ids == [int(path.stem) for path in maps]
    assert len(real_ccp.ids) == 1004
    pixels, painted = np.zeros(len(LABELS), np.int64), np.zeros(len(LABELS), np.int64)
    for path in maps:
        truth = folded(names)[loadmat(path)["groundtruth"]]
        pixels += np.bincount(truth.ravel(), minlength=len(LABELS))
        # A CCP pixel has one label, so the run lengths' areas add up to the label map's; drawn for a sample.
        areas = [(thing.label, thing.area) for thing in real_ccp.things(int(path.stem))]
        here = np.bincount(*zip(*areas, strict=True), minlength=16) if areas else np.zeros(16)
        painted += here.astype(np.int64)
        painted[0] += truth.size - here.astype(np.int64).sum()
        if int(path.stem) % 25 == 1:
            assert np.array_equal(real_ccp.label_map(int(path.stem)), truth)
    assert np.array_equal(painted, pixels)


def test_the_real_copy_keeps_the_photo_without_foreground(real_ccp: Dataset) -> None:
    assert [i for i in real_ccp.ids if not real_ccp.annotations[i]] == [536]
    assert not real_ccp.label_map(536).any()


# ---------------------------------------------------------------------------------------- ModaNet


@pytest.fixture
def brought(tmp_path: Path) -> tuple[Path, Path]:
    """An annotation file of seven images and a photo folder: 1 and 20 (in a folder) are usable, one is not
    annotated, one missing, one no picture, one cut off, one turned."""
    rng = np.random.default_rng(0)
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    images = [record(i, 60, 40) | {"file_name": f"{i}.jpg", "license": 3} for i in range(1, 7)]
    images.append(record(20, 60, 40) | {"file_name": "more/20.jpg", "license": 3})
    for one in images:
        size = (40, 60, 3) if one["id"] == 6 else (60, 40, 3)
        scene = cv2.resize(rng.integers(0, 256, (4, 3, 3), np.uint8), size[1::-1])  # no two are alike
        cv2.imwrite(str(photos / one["file_name"]), np.clip(scene + rng.normal(0, 12, size), 0, 255))
    (photos / "3.jpg").unlink()
    (photos / "4.jpg").write_bytes(b"\xff\xd8\xffnot a picture")
    (photos / "5.jpg").write_bytes((photos / "5.jpg").read_bytes()[:-900])
    annotations = [annotation(i, 13, [rectangle(1, 1, 9, 9)], id=i) for i in (20, 1, 3, 4, 5, 6)]
    annotations.append(annotation(20, 2, [[NAN] * 6, rectangle(1, 2, 3, 3)], id=99))
    categories = [{"id": 2, "name": "belt"}, {"id": 13, "name": "scarf/tie"}]
    file = tmp_path / "instances.json"
    file.write_text(json.dumps({"images": images[::-1], "annotations": annotations, "categories": categories}))
    return file, photos


def test_the_usable_images_become_a_dataset(brought: tuple[Path, Path], tmp_path: Path) -> None:
    file, photos = brought
    before = content_of(photos)
    said, folder = modanet.prepare(file, photos, tmp_path / "out"), tmp_path / "out"
    assert "1 missing, 2 unreadable, 1 of the wrong size, 2 usable" in said and "2 images, 3 objects" in said
    dataset = open_dataset(folder)
    assert dataset.ids == [1, 20]
    assert dataset.images[20]["license"] == 3
    assert dataset.image(20).shape == (60, 40, 3)
    assert np.array_equal(dataset.label_map(20)[:6, :6], np.pad([[2] * 3] * 3, ((2, 1), (1, 2))) + 13 * np.array(
        [[x > 0 and y > 0 and not (1 <= x < 4 and 2 <= y < 5) for x in range(6)] for y in range(6)]
    ))  # fmt: skip
    assert (folder / "images").is_symlink()
    assert (folder / "images").resolve() == photos.resolve()
    assert content_of(photos) == before
    assert modanet.prepare(file, photos, tmp_path / "out") == said  # again: replaced by the same


def test_the_report_says_it_in_words(
    brought: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert modanet.main([*map(str, brought), str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    size = brought[0].stat().st_size
    for part in (
        f"official file: no ({size:,} bytes instead of 105,924,292)",
        "7 listed, 6 of them annotated",
        "annotated images: 1 missing, 2 unreadable, 1 of the wrong size, 2 usable",
        "left out: 1 polygons with a coordinate that is not finite",
        "2 images, 3 objects",
        "not used, for one of each: missing: 3.jpg; unreadable: 4.jpg; of the wrong size: 6.jpg; polygons with",
    ):
        assert part in said
    named = (tmp_path / "out" / "not_used.txt").read_text().splitlines()
    assert named[:3] == ["missing: 3.jpg", "unreadable: 4.jpg", "unreadable: 5.jpg"] and len(named) == 5


def test_the_official_file_is_known_by_size_and_md5(
    brought: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, photos = brought
    monkeypatch.setattr(modanet, "OFFICIAL_BYTES", file.stat().st_size)
    said = modanet.prepare(file, photos, tmp_path / "same size")
    assert said.startswith("official file: no (") and "MD5" in said
    monkeypatch.setattr(modanet, "OFFICIAL_MD5", "0" * 31 + "1")
    assert modanet.prepare(file, photos, tmp_path / "same size").startswith("official file: no (")
    import hashlib

    monkeypatch.setattr(modanet, "OFFICIAL_MD5", hashlib.md5(file.read_bytes()).hexdigest())
    assert modanet.prepare(file, photos, tmp_path / "official").startswith("official file: yes (")
    names = [open_dataset(tmp_path / folder).name for folder in ("same size", "official")]
    assert names == ["ModaNet (not the official file)", "ModaNet"]


def test_photos_of_one_scene_share_a_group_in_modanet_too(brought: tuple[Path, Path], tmp_path: Path) -> None:
    file, photos = brought
    shutil.copyfile(photos / "20.jpg" if (photos / "20.jpg").exists() else photos / "more" / "20.jpg", photos / "3.jpg")
    said = modanet.prepare(file, photos, tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert {i: r.get("group") for i, r in dataset.images.items()} == {1: None, 3: 3, 20: 3}
    assert "2 photos share 1 scenes (at most 2 in one)" in said


def test_the_groups_are_those_of_every_other_source(tmp_path: Path) -> None:
    """ModaNet's photos are decoded in another way than CCP's; what counts as one scene must not differ."""
    rng = np.random.default_rng(1)
    scenes = [cv2.resize(rng.integers(0, 200, (5, 4, 3), np.uint8), (200, 300)) for _ in range(8)]
    (tmp_path / "photos").mkdir()
    images = [record(i, 300, 200) | {"file_name": f"{i}.jpg"} for i in range(1, 17)]
    for i in range(16):
        picture = np.clip(scenes[i % 8] + rng.normal(6 * (i // 8) * (i % 8), 3, (300, 200, 3)), 0, 255)
        cv2.imwrite(str(tmp_path / "photos" / f"{i + 1}.jpg"), picture)
    photos = {one["file_name"]: tmp_path / "photos" / one["file_name"] for one in images}
    annotations = [annotation(i, 1, [GOOD]) for i in range(1, 17)]
    folder = writing.write(tmp_path / "a", {}, [dict(one) for one in images], annotations, photos)
    expected = {i: r["group"] for i, r in open_dataset(folder).images.items() if "group" in r}
    modanet.prepare(folder / "annotations.json", tmp_path / "photos", tmp_path / "b")
    assert {i: r["group"] for i, r in open_dataset(tmp_path / "b").images.items() if "group" in r} == expected
    assert 2 <= len(set(expected.values())) < 8


def test_what_bad_use_of_modanet_gets(
    brought: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, photos = brought
    places = {name: tmp_path / name for name in ("empty", "thesis", "notes.json", "val.json", "copy.txt")}
    places["empty"].mkdir()
    places["thesis"].mkdir()
    (places["thesis"] / "chapter.txt").write_text("years of work")
    places["notes.json"].write_text("no JSON")
    places["val.json"].write_text(coco_text(annotations=...))
    shutil.copyfile(file, places["copy.txt"])
    out = tmp_path / "out"
    cases = [
        ((file, tmp_path / "nowhere", out), "is no folder of photos"),
        ((file, file, out), "is no folder of photos"),
        ((tmp_path / "nowhere.json", photos, out), "Annotation file"),
        ((places["copy.txt"], photos, out), "does not end in .json"),
        ((places["notes.json"], photos, out), "is not JSON"),
        ((places["val.json"], photos, out), "no list 'annotations'"),
        ((file, places["empty"], out), "no usable photo of the 6 annotated .*6 missing, 0 unreadable, 0 of"),
        ((file, photos, places["thesis"]), "holds something else"),
        ((file, photos, photos), "already holds photos"),
        ((file, photos, tmp_path), "already holds photos"),
    ]
    before = content_of(tmp_path)
    for arguments, what in cases:
        assert modanet.main([str(path) for path in arguments]) == 2
        said = capsys.readouterr().err.strip()
        assert "\n" not in said
        assert pytest.approx(1) == len([1 for _ in [0] if __import__("re").search(what, said)]), said
        assert content_of(tmp_path) == before
    assert modanet.main([str(file)]) == 2
    assert "arguments are required: PHOTOS, DESTINATION" in one_line(capsys)


def test_photos_that_someone_put_into_the_dataset_folder_are_not_lost(
    brought: tuple[Path, Path], tmp_path: Path
) -> None:
    file, photos = brought
    modanet.prepare(file, photos, folder := tmp_path / "out")
    (folder / "images").unlink()
    photos.rename(folder / "images")
    before = content_of(folder)
    for source in (folder / "images", tmp_path / "elsewhere"):
        source.mkdir(exist_ok=True)
        with pytest.raises(DatasetError, match="already holds photos"):
            modanet.prepare(file, source, folder)
    assert content_of(folder) == before


def test_the_excerpt_needs_its_photos(modanet_excerpt: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none|no usable photo of the 1072 annotated"):
        modanet.prepare(modanet_excerpt, tmp_path, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_excerpt_with_photos_becomes_a_dataset(modanet_excerpt: Path, tmp_path: Path) -> None:
    coco = json.loads(modanet_excerpt.read_text())
    (tmp_path / "photos").mkdir()
    for one in coco["images"][:8]:
        noise = np.random.default_rng(one["id"]).integers(
            0, 256, (one["height"] // 50, one["width"] // 50, 3), np.uint8
        )
        cv2.imwrite(str(tmp_path / "photos" / one["file_name"]), cv2.resize(noise, (one["width"], one["height"])))
    said = modanet.prepare(modanet_excerpt, tmp_path / "photos", tmp_path / "out")
    assert "1,073 listed, 1,072 of them annotated" in said and "0 unreadable, 0 of the wrong size" in said
    dataset, source = open_dataset(tmp_path / "out"), open_dataset(modanet_excerpt, annotations_only=True)
    for image_id in dataset.ids:
        assert np.array_equal(dataset.label_map(image_id), source.label_map(image_id))
    assert set(dataset.labels.values()) >= set(range(1, len(CLASSES)))


def test_a_photo_with_something_after_its_end_is_whole(tmp_path: Path) -> None:
    """Phones append a film; cut inside the photo, a thumbnail in its header does not stand for its end."""
    folder = write_coco(tmp_path / "coco", [record(1)], [annotation(1, 9, [rectangle(1, 1, 5, 5)])])
    file = next((folder / "images").iterdir())
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    header = b"\xff\xe1" + (2 + len(whole)).to_bytes(2, "big") + whole  # as EXIF holds a thumbnail
    file.write_bytes(whole[:2] + header + b"\xff" + whole[2:] + bytes(5000))
    dataset = open_dataset(folder)
    assert dataset.image(1).shape == (20, 30, 3)
    file.write_bytes(whole[:2] + header + whole[2:-200])
    with pytest.raises(DatasetError, match="is cut off"):
        dataset.image(1)


def test_a_photo_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """OpenCV reads half a JPEG without complaint."""
    folder = write_coco(tmp_path / "cut", [record(1)], [annotation(1, 9, [rectangle(1, 1, 5, 5)])])
    photo = next((folder / "images").iterdir())
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    photo.write_bytes(whole + b"something after the end")
    assert open_dataset(folder).image(1).shape == (20, 30, 3)
    photo.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"Photo .* is cut off: replace the file\.$"):
        open_dataset(folder).image(1)

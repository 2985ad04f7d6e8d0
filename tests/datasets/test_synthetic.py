"""Drawn figures: the same bytes for the same seed, ModaNet's frequencies, and whole folders or none."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets.coco import DatasetError, class_pixels, open_dataset
from modanet_utils.datasets.synthetic import drawn as synthetic
from modanet_utils.datasets.synthetic.drawn import VERSION, annotate, draw, draw_truth, generate, main
from modanet_utils.datasets.synthetic.wardrobe import even_draws

IMAGES = 6


def files(folder: Path) -> dict[str, str]:
    """Every file's path inside a folder, and the SHA-256 of its bytes."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def truth_of(seed: int, index: int) -> np.ndarray:
    instances, labels = draw_truth(seed, index)
    return np.array([0, *labels], np.uint8)[instances]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("synthetic") / "six", IMAGES, seed=0, workers=1)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Pixels per label of the first 240 images' truth, (240, 16)."""
    return np.stack([np.bincount(truth_of(0, index).ravel(), minlength=len(LABELS)) for index in range(240)])


# ------------------------------------------------------------------------------------ reproducible


def test_the_bytes_depend_on_the_seed_alone(drawn: Path, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", IMAGES, seed=0, workers=2)
    assert files(again) == files(drawn)
    assert len(files(drawn)) == IMAGES + 1


def test_another_seed_draws_other_images(drawn: Path, tmp_path: Path) -> None:
    other = files(generate(tmp_path / "other", 2, seed=1, workers=1))
    assert not set(other.values()) & set(files(drawn).values())
    assert len(set(files(drawn).values())) == IMAGES + 1


def test_an_image_does_not_depend_on_how_many_are_drawn(drawn: Path, tmp_path: Path) -> None:
    few = generate(tmp_path / "few", 2, seed=0, workers=1)
    photos = [f"images/{number:06d}.jpg" for number in (1, 2)]
    assert {name: files(few)[name] for name in photos} == {name: files(drawn)[name] for name in photos}
    small, large = (open_dataset(folder) for folder in (few, drawn))
    for i in small.ids:
        assert small.annotations[i] == large.annotations[i]


def test_the_truth_does_not_depend_on_whether_it_is_coloured() -> None:
    for index in range(3):
        _, instances, labels, _ = draw(4, index)
        plain, plain_labels = draw_truth(4, index)
        np.testing.assert_array_equal(instances, plain)
        assert labels == plain_labels


DRAWN = {  # things and foreground pixels of the first four images
    "2": [
        ([14, 15, 4, 4, 9, 8, 1], 48462),
        ([14, 15, 4, 4, 9, 8, 2, 1], 47238),
        ([15, 4, 4, 8, 9, 1, 14], 49066),
        ([14, 15, 4, 4, 9, 10, 5, 12, 14, 15, 4, 4, 8, 9], 75177),
    ]
}


def test_another_drawing_has_another_version() -> None:
    """Folders that were drawn before are kept while the version is the same, so the drawing must be as well."""
    for index, (things, foreground) in enumerate(DRAWN[VERSION]):
        instances, labels = draw_truth(0, index)
        assert labels == things
        # Another processor may round an outline to the next pixel, here and there.
        assert (instances > 0).sum() == pytest.approx(foreground, rel=0.002)


# ------------------------------------------------------------------------------------ frequencies


def test_sixty_images_show_every_class_and_hair_and_skin(pixels: np.ndarray) -> None:
    for first in range(0, 240, 60):
        images = (pixels[first : first + 60] > 0).sum(0)
        assert images.min() >= 3, dict(zip(LABELS, images.tolist(), strict=True))


def test_every_person_has_hair_or_hat_and_skin(pixels: np.ndarray) -> None:
    assert (pixels[:, LABELS.index("skin")] > 0).all()
    assert (pixels[:, [LABELS.index("hair"), LABELS.index("headwear")]].sum(1) > 0).all()


def test_class_shares_are_within_a_factor_of_two_of_modanets(pixels: np.ndarray, modanet_excerpt: Path) -> None:
    real = class_pixels(open_dataset(modanet_excerpt, annotations_only=True))[: len(CLASSES)]
    share = pixels.sum(0)
    share[0] += share[len(CLASSES) :].sum()
    ratio = (share[: len(CLASSES)] / share[: len(CLASSES)].sum()) / (real / real.sum())
    assert ((ratio > 0.5) & (ratio < 2)).all(), dict(zip(CLASSES, ratio.round(2).tolist(), strict=True))


def test_classes_are_worn_about_as_often_as_in_modanet(pixels: np.ndarray, modanet_excerpt: Path) -> None:
    excerpt = open_dataset(modanet_excerpt, annotations_only=True)
    real = np.array([sum(c in excerpt.present(i) for i in excerpt.ids) for c in range(1, len(CLASSES))])
    ratio = (pixels[:, 1 : len(CLASSES)] > 0).mean(0) / (real / len(excerpt.ids))
    assert ((ratio > 0.5) & (ratio < 2)).all(), dict(zip(CLOTHING, ratio.round(2).tolist(), strict=True))


def test_draws_are_even_in_any_run_of_images() -> None:
    draws = np.array([even_draws(3, index) for index in range(1000)])
    assert ((draws >= 0) & (draws < 1)).all()
    for first in (0, 137, 760):
        run = draws[first : first + 240]
        # Independent draws would be off by 0.019 at one standard deviation, and more for the worst of ten.
        assert np.abs((run < 0.1).mean(0) - 0.1).max() < 0.02
    assert not np.array_equal(even_draws(3, 0), even_draws(4, 0))


# ------------------------------------------------------------------------------------ annotations


def test_annotations_are_coco_as_modanet_writes_it(drawn: Path) -> None:
    coco = json.loads((drawn / "annotations.json").read_text())
    assert coco["info"]["version"] == VERSION
    assert [category["id"] for category in coco["categories"]] == list(range(1, 16))
    assert [record["id"] for record in coco["images"]] == list(range(1, IMAGES + 1))
    assert len({one["id"] for one in coco["annotations"]}) == len(coco["annotations"]) > 6 * IMAGES
    for record in coco["images"]:
        assert cv2.imread(str(drawn / "images" / record["file_name"])).shape == (record["height"], record["width"], 3)
    for one in coco["annotations"]:
        assert set(one) == {"id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd"}
        left, top, width, height = one["bbox"]
        assert one["area"] == width * height and one["iscrowd"] == 0
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in one["segmentation"]])
        assert points.min(0).tolist() == [left, top] and points.max(0).tolist() == [left + width, top + height]
        assert points.min() >= 0 and (points <= (400, 600)).all()
        assert all(len(polygon) >= 6 for polygon in one["segmentation"])
        rle = coco_mask.merge(coco_mask.frPyObjects(one["segmentation"], 600, 400))
        assert coco_mask.area(rle) > 0


def test_the_reader_finds_what_was_drawn(drawn: Path) -> None:
    dataset = open_dataset(drawn)
    assert dataset.name == "synthetic" and not dataset.problems
    wrong = total = 0
    for index, i in enumerate(dataset.ids):
        truth, read = truth_of(0, index), dataset.label_map(i)
        wrong += (truth != read).sum()
        total += (truth > 0).sum()
        assert set(np.unique(read)) <= set(np.unique(truth))
    # Outlines may leave the drawing by 0.6 pixels: 1.6% of the figures' pixels here.
    assert wrong / total < 0.03


def test_a_polygon_goes_round_a_hole_through_which_the_background_is_seen() -> None:
    instances = np.zeros((60, 60), np.int16)
    instances[10:50, 10:50] = 1
    instances[20:40, 20:40] = 0
    (one,) = annotate(instances, [9])
    mask = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(one["segmentation"], 60, 60)))
    np.testing.assert_array_equal(mask, instances)
    assert len(one["segmentation"]) == 2 and one["bbox"] == [10, 10, 40, 40] and one["category_id"] == 9


def test_what_is_hidden_or_a_scrap_is_not_annotated() -> None:
    instances = np.zeros((30, 30), np.int16)
    instances[5:20, 5:20] = 2
    instances[25, 25:28] = 3
    assert [one["category_id"] for one in annotate(instances, [9, 11, 2])] == [11]


# ----------------------------------------------------------------------------------- whole or none


def snapshot(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


BAD = {
    "no images": (["--images", "0"], "images=0"),
    "fewer than none": (["--images", "-3"], "images=-3"),
    "negative seed": (["--seed", "-1"], "seed=-1"),
    "no workers": (["--workers", "0"], "workers=0"),
}


@pytest.mark.parametrize(("arguments", "what"), BAD.values(), ids=BAD)
def test_a_parameter_out_of_range_gets_one_sentence_and_leaves_nothing(
    arguments: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "new" / "set"), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert what in said.err and "needs images >= 1, seed >= 0 and workers >= 1" in said.err
    assert snapshot(tmp_path) == []


@pytest.mark.parametrize("arguments", [["--images", "many"], ["--bogus"]], ids=" ".join)
def test_arguments_that_cannot_be_read_leave_nothing(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "set"), *arguments]) == 2
    said = capsys.readouterr().err
    assert arguments[-1] in said and said.count("\n") == 1
    assert snapshot(tmp_path) == []


def make_file(path: Path) -> None:
    path.write_text("mine")


def make_folder(path: Path) -> None:
    path.mkdir()
    make_file(path / "notes.txt")


@pytest.mark.parametrize("make", [make_file, make_folder])
def test_something_else_at_the_destination_is_left_alone(
    make: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "mine")
    before = files(tmp_path)
    assert main([str(tmp_path / "mine"), "--images", "1", "--workers", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "choose another destination or remove it first" in said
    assert files(tmp_path) == before


def test_a_complete_dataset_is_left_alone_and_one_of_other_parameters_refused(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = generate(tmp_path / "one", 1, seed=5, workers=1)
    before = files(one)
    monkeypatch.setattr(synthetic, "draw", None)
    assert generate(one, 1, seed=5, workers=1) == one
    for images, seed in ((2, 5), (1, 6)):
        with pytest.raises(DatasetError, match=f"the synthetic dataset of {images} images with seed {seed}"):
            generate(one, images, seed, workers=1)
    assert files(one) == before
    (one / "images" / "000001.jpg").unlink()
    with pytest.raises(DatasetError, match="holds something other"):
        generate(one, 1, seed=5, workers=1)


@pytest.mark.parametrize("moment", ["draw", "annotate", "_write_annotations"])
def test_nothing_is_left_of_an_interrupted_drawing(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, original = [], getattr(synthetic, moment)

    def interrupted(*arguments: object) -> object:
        calls.append(moment)
        if len(calls) == 2 or moment == "_write_annotations":
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(synthetic, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "set", 3, seed=0, workers=1)
    assert snapshot(tmp_path) == []


def test_the_command_draws_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "a" / "set"), "--images", "1", "--seed", "5", "--workers", "1"]) == 0
    assert capsys.readouterr().out == f"1 images in {tmp_path / 'a' / 'set'}\n"
    assert open_dataset(tmp_path / "a" / "set").ids == [1]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["set"]

"""Cost does not depend on how many images there are: counting on run lengths, large files, what cannot be read."""

import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import annotation, record, rectangle, write_coco, write_street
from hypothesis import given, settings
from hypothesis import strategies as st

from modanet_utils.classes import IGNORE, LABELS
from modanet_utils.datasets.coco import Dataset, DatasetError, class_pixels, open_dataset
from modanet_utils.splits import split
from modanet_utils.training import samples as training_samples
from modanet_utils.training.samples import Packed, Samples
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig
from tests.bench import resampled

# ------------------------------------------------------------------------------- counting on run lengths

CORNERS = st.lists(st.floats(-3, 33, width=32), min_size=6, max_size=16).map(lambda v: v[: len(v) // 2 * 2])
THINGS = st.lists(st.tuples(st.sampled_from([1, 2, 4, 14]), st.lists(CORNERS, min_size=1, max_size=2)), max_size=7)


def drawn(things: list[tuple[int, list[list[float]]]]) -> Dataset:
    return Dataset(
        name="drawn",
        root=Path(),
        fingerprint="",
        images={1: record(1)},
        annotations={1: [annotation(1, label, polygons) for label, polygons in things]},
        labels={n: n for n in range(1, 16)},
    )


@settings(max_examples=150, deadline=None)
@given(things=THINGS)
def test_pixels_are_those_of_the_label_map(things: list[tuple[int, list[list[float]]]]) -> None:
    dataset = drawn(things)
    expected = np.bincount(dataset.label_map(1).ravel(), minlength=len(LABELS))
    assert dataset.pixels(1).tolist() == expected.tolist()
    assert dataset.pixels(1, dataset.things(1)).tolist() == expected.tolist()


def test_pixels_of_real_annotations_are_those_of_their_label_maps(modanet_excerpt: Path) -> None:
    dataset = open_dataset(modanet_excerpt, annotations_only=True)
    ids = dataset.ids[::5]
    expected = sum(np.bincount(dataset.label_map(i).ravel(), minlength=len(LABELS)) for i in ids)
    assert class_pixels(dataset, ids).tolist() == expected.tolist()


# ---------------------------------------------------------------------------------------- large files


@pytest.fixture
def small(coco: Callable[..., Dataset]) -> Dataset:
    """Two images of 20x30: a top with a belt on it, and nothing."""
    return coco(
        annotation(1, 9, [rectangle(5, 3, 10, 12), rectangle(20, 3, 4, 4)]),
        annotation(1, 2, [rectangle(5, 9, 10, 2)]),
        images=[record(1), record(2)],
    )


def test_resampled_images_are_like_those_they_are_drawn_from(small: Dataset, tmp_path: Path) -> None:
    dataset = open_dataset(resampled.write(tmp_path / "new" / "many.json", 300, small), annotations_only=True)
    assert dataset.ids == list(range(1, 301)) and not dataset.problems
    filled = [i for i in dataset.ids if dataset.annotations[i]]
    assert 100 < len(filled) < 200
    for image_id in filled:
        top, belt = dataset.annotations[image_id]
        assert dataset.present(image_id) == {9, 2} and dataset.size(image_id) == (20, 30)
        assert [len(polygon) for polygon in top["segmentation"] + belt["segmentation"]] == [8, 8, 8]
        left, upper, width, height = top["bbox"]
        assert top["area"] == width * height and 16 <= width <= 22 and left + width <= 30 and upper + height <= 20
        assert all(isinstance(value, int) for polygon in top["segmentation"] for value in polygon)
    assert len({json.dumps(dataset.annotations[i][0]["segmentation"]) for i in filled}) > 20
    pixels, original = class_pixels(dataset) / len(filled), class_pixels(small)
    assert pixels[9] == pytest.approx(original[9], rel=0.1) and pixels[2] == pytest.approx(original[2], rel=0.25)


def test_resampling_is_repeatable_and_another_seed_gives_another_file(small: Dataset, tmp_path: Path) -> None:
    one, same, other = (
        resampled.write(tmp_path / f"{name}.json", 20, small, seed).read_bytes()
        for name, seed in (("one", 0), ("same", 0), ("other", 1))
    )
    assert one == same != other
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["one.json", "other.json", "same.json"]


@pytest.mark.parametrize("images", [0, -1])
def test_resampling_no_images_is_refused(images: int, small: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give at least 1"):
        resampled.write(tmp_path / "none.json", images, small)
    assert not (tmp_path / "none.json").exists()


def test_resampling_nothing_is_refused(coco: Callable[..., Dataset], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw from"):
        resampled.write(tmp_path / "none.json", 3, coco())


def test_the_command_says_what_it_wrote_or_what_is_missing(
    small: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    like = str(small.root)
    assert resampled.main([str(tmp_path / "some.json"), "--like", like, "--images", "7"]) == 0
    assert f"7 images, {(tmp_path / 'some.json').stat().st_size:,} bytes" in capsys.readouterr().out
    assert resampled.main([str(tmp_path / "x.json"), "--like", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_large_file_has_the_statistics_of_the_real_excerpt(modanet_excerpt: Path, tmp_path: Path) -> None:
    real = open_dataset(modanet_excerpt, annotations_only=True)
    large = open_dataset(resampled.write(tmp_path / "large.json", 2000, real), annotations_only=True)
    assert not large.problems
    assert sum(map(len, large.annotations.values())) / 2000 == pytest.approx(5467 / 1073, rel=0.05)
    # 105,924,292 bytes for 52,377 images is what ModaNet's own file takes.
    assert (tmp_path / "large.json").stat().st_size / 2000 == pytest.approx(105_924_292 / 52_377, rel=0.1)
    shares = [class_pixels(dataset) for dataset in (real, large)]
    before, after = (pixels[1:14] / pixels.sum() for pixels in shares)
    assert np.corrcoef(np.log(before), np.log(after))[0, 1] > 0.98
    parts = split(large)
    assert [len(parts[part]) for part in ("train", "val", "test")] == [1200, 500, 300]


def test_equal_corners_are_held_once(coco: Callable[..., Dataset]) -> None:
    first, second = (coco(annotation(1, 9, [[1000, 2000, 1000, 3000, 3000, 3000]])).annotations[1][0] for _ in range(2))
    (polygon,) = first["segmentation"]
    assert polygon[0] is polygon[2] and polygon[3] is polygon[5]
    assert polygon == second["segmentation"][0]


@pytest.mark.parametrize("enabled", [True, False])
def test_opening_leaves_garbage_collection_as_it_was(enabled: bool, tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "tiny", [record(1)], [], photos=False)
    before = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        open_dataset(folder, annotations_only=True)
        assert gc.isenabled() is enabled
        (folder / "annotations.json").write_text("no JSON")
        with pytest.raises(DatasetError):
            open_dataset(folder, annotations_only=True)
        assert gc.isenabled() is enabled
    finally:
        gc.enable() if before else gc.disable()


# ------------------------------------------------------------------------------- memory of a training


def test_an_epoch_over_more_images_keeps_no_more_of_them(
    coco: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_samples, "CACHE_BYTES", 4 * 64 * 32 * 10)
    monkeypatch.setattr(Dataset, "image", lambda self, image_id: np.zeros((*self.size(image_id), 3), np.uint8))
    config, held = TrialConfig(image_height=64, image_width=32), []
    for images in (20, 200):
        dataset = coco(images=[record(i) for i in range(1, images + 1)])
        samples = Samples(dataset, dataset.ids, config, train=True)
        for epoch in (1, 2):
            for index in range(images):
                samples[epoch, index]
        held.append(sum(array.nbytes for pair in samples.kept.values() for array in pair))
    assert held[0] == held[1] == training_samples.CACHE_BYTES
    assert sys.getsizeof(samples.unread.untyped_storage()) < 1000  # a byte a photo is all that grows


def test_a_worker_copies_no_more_memory_for_more_images(
    coco: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked worker shares its parent's memory until it writes; Python writes into what it looks at."""
    rollup = "/proc/{}/smaps_rollup"
    if not Path(rollup.format("self")).is_file():
        pytest.skip("only Linux tells a process's private memory")

    if "FRESH_PROCESS" not in os.environ:  # a parent with a large heap of its own would hide what is measured
        again = [sys.executable, "-m", "pytest", "-q", "-k", "worker_copies", __file__]
        done = subprocess.run(again, env=os.environ | {"FRESH_PROCESS": "1"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        return

    def private(pid: int) -> int:
        text = Path(rollup.format(pid)).read_text()
        return 1024 * sum(int(kb) for kb in re.findall(r"Private_\w+:\s+(\d+) kB", text))

    ids, corners = range(1, 1001), [float(x) for x in range(600)]
    dataset = coco(images=[record(i) for i in ids])
    for i in ids:
        dataset.annotations[i].append(annotation(i, 2, [[x + i / 7 for x in corners]]))
    size = len(ids) * len(corners) * sys.getsizeof(1.0)
    assert size > 10 << 20, "what a copy of all would take"
    monkeypatch.setattr(training_samples, "CACHE_BYTES", 0)
    monkeypatch.setattr(Dataset, "image", lambda self, image_id: np.zeros((*self.size(image_id), 3), np.uint8))
    monkeypatch.setattr(Dataset, "label_map", looked_at)
    config = TrialConfig(image_height=32, image_width=32, batch_size=20, workers=1, augmentation=False)
    samples = Samples(dataset, dataset.ids, config, train=True)
    loader = iter(training_samples.loader(samples, config, [(0, index) for index in range(len(ids))], drop_last=True))
    (worker,) = loader._workers
    for _ in range(len(ids) // 40):  # half of them: by then it has what it needs to work, in whatever process this runs
        next(loader)
    before = private(worker.pid)
    for batch in loader:
        last = batch
    assert set(last[1].unique().tolist()) == {2, IGNORE}, "all were looked at"
    assert private(worker.pid) - before < size / 5


def looked_at(dataset: Dataset, image_id: int) -> np.ndarray:
    """Stands for a label map: all numbers of an image's polygons are looked at, and the pixels say the class."""
    (one,) = dataset.annotations[image_id]
    assert sum(max(corners) for corners in one["segmentation"]) > 0
    return np.full(dataset.size(image_id), one["category_id"], np.uint8)


def test_packed_records_are_those_that_were_packed() -> None:
    records = {7: {"a": [1.5]}, 3: [], -2: "x", 9: None}
    packed = Packed(records, [9, 3, 7])
    assert dict(packed) == {3: [], 7: {"a": [1.5]}, 9: None} and len(packed) == 3
    for absent in (-2, 4, 10):
        with pytest.raises(KeyError):
            packed[absent]


# ------------------------------------------------------------------------------- what cannot be read


@pytest.fixture
def photos(tmp_path: Path) -> Dataset:
    """The street, to be damaged."""
    return open_dataset(write_street(tmp_path / "street"))


def file(dataset: Dataset, image_id: int) -> Path:
    return dataset.root / "images" / dataset.images[image_id]["file_name"]


def tiny(dataset: Dataset, **values: object) -> TrialConfig:
    plain = {"image_height": 64, "image_width": 32, "encoder_weights": None, "batch_size": 4, "epochs": 1}
    return TrialConfig(data_root=str(dataset.root), **(plain | values))


def test_a_photo_that_cannot_be_read_is_ignored_and_the_others_stay_the_same(photos: Dataset) -> None:
    expected = [Samples(photos, photos.ids, tiny(photos), train=True)[3, index] for index in range(12)]
    file(photos, 5).write_bytes(b"no picture")
    file(photos, 8).unlink()
    cv2.imwrite(str(file(photos, 10)), np.zeros((50, 5, 3), np.uint8))
    samples = Samples(photos, photos.ids, tiny(photos), train=True)
    for _ in range(2):  # read, then remembered
        for index, (photo, truth) in enumerate(expected):
            found = samples[3, index]
            assert (found[0].shape, found[0].dtype, found[1].dtype) == (photo.shape, photo.dtype, truth.dtype)
            if index in (4, 7, 9):
                assert (found[1] == IGNORE).all()
            else:
                assert torch.equal(found[0], photo) and torch.equal(found[1], truth)
    assert samples.unread.nonzero()[:, 0].tolist() == [4, 7, 9]
    with pytest.raises(DatasetError, match=r"At least 3 of 12 photos cannot be read, 5.png for one; up to 1% are"):
        samples.check()


def test_a_worker_process_reports_what_it_could_not_read(photos: Dataset) -> None:
    file(photos, 3).write_bytes(b"no picture")
    config = tiny(photos, workers=1)
    samples = Samples(photos, photos.ids, config, train=False)
    for _ in training_samples.loader(samples, config, [(0, i) for i in range(12)], drop_last=False):
        pass
    assert samples.unread.nonzero()[:, 0].tolist() == [2]


def test_a_training_counts_leaves_out_and_says_so(
    photos: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    parts = split(photos)
    for part in ("train", "val", "test"):
        file(photos, parts[part][0]).write_bytes(b"no picture")
    monkeypatch.setattr(training_samples, "UNREAD_SHARE", 0.5)
    run = run_trial(tiny(photos, batch_size=7), tmp_path / "runs")
    assert run.history[0]["photos_left_out"] == 2
    assert run.provenance["photos_left_out"] == {"train and val": 2, "test": 1}
    assert run.counts[0].sum() == 0 < run.counts[1:].sum()
    assert run.ids == parts["test"] and np.isfinite(run.history[0]["loss"])
    assert "2 photos could not be read and are left out" in capsys.readouterr().out


@pytest.mark.reliability("photos")
@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_too_many_photos_that_cannot_be_read_stop_a_training_in_one_sentence(
    part: str, photos: Dataset, tmp_path: Path
) -> None:
    damaged = file(photos, split(photos)[part][0])
    damaged.write_bytes(b"no picture")
    with pytest.raises(
        DatasetError, match=rf"photos cannot be read, {damaged.name} for one; up to 1% are left out: replace"
    ):
        run_trial(tiny(photos, batch_size=7), tmp_path / "runs", quiet=True)
    assert not list((tmp_path / "runs").glob("*/scores.json"))


def test_a_picture_that_opencv_refuses_counts_as_unreadable(photos: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("CV_IO_MAX_IMAGE_PIXELS")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    with pytest.raises(DatasetError, match="cannot be decoded"):
        photos.image(1)

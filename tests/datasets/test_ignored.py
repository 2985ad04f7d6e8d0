"""Pixels that neither teach nor count (255, category ``ignore``) on their way through the package."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_street
from hypothesis import given, settings
from hypothesis import strategies as st

from modanet_utils.classes import HAIR, IGNORE, LABELS, SKIN
from modanet_utils.datasets.coco import Dataset, DatasetError, class_pixels, open_dataset
from modanet_utils.datasets.weights import class_weights, image_pixels
from modanet_utils.datasets.writing import CATEGORIES, IGNORED_ID
from modanet_utils.errors.cases import Case
from modanet_utils.errors.places import of_the_shapes, on_the_body
from modanet_utils.imbalance.explore import explore
from modanet_utils.imbalance.scan import scan
from modanet_utils.imbalance.tables import class_table
from modanet_utils.metrics import confusion_counts, scores
from modanet_utils.splits import split
from modanet_utils.training.samples import Samples, check_unread
from modanet_utils.trials import TrialConfig

BOXES = st.lists(
    st.tuples(st.sampled_from([1, 9, 14, 16]), *[st.integers(0, 25)] * 2, *[st.integers(1, 15)] * 2), max_size=6
)


def with_ignored(folder: Path) -> Dataset:
    """The street, on every photo of which an area is ignored, over a garment; photo 4 is ignored as a whole."""
    write_street(folder)
    coco = json.loads((folder / "annotations.json").read_text())
    coco["categories"] = [*CATEGORIES, {"id": IGNORED_ID, "name": "ignore"}]
    for number, one in enumerate(coco["images"]):
        box = rectangle(0, 0, one["width"], one["height"]) if one["id"] == 4 else rectangle(3, 8, 6, 6)
        coco["annotations"].append(annotation(one["id"], IGNORED_ID, [box], id=1000 + number))
        if one["id"] == 4:
            coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] != 4 or a["id"] >= 1000]
    (folder / "annotations.json").write_text(json.dumps(coco))
    return open_dataset(folder)


@pytest.fixture(scope="module")
def ignored(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return with_ignored(tmp_path_factory.mktemp("ignored") / "street")


@settings(max_examples=60, deadline=None)
@given(boxes=BOXES)
def test_pixels_are_those_of_the_label_map_without_the_ignored(boxes: list[tuple[int, ...]]) -> None:
    labels = {n: n for n in range(1, 16)} | {IGNORED_ID: IGNORE}
    things = [annotation(1, label, [rectangle(*box)]) for label, *box in boxes]
    dataset = Dataset("drawn", Path(), "", {1: record(1)}, {1: things}, labels)
    truth = dataset.label_map(1)
    assert dataset.pixels(1).tolist() == np.bincount(truth[truth != IGNORE], minlength=len(LABELS)).tolist()
    found = scan(dataset, quiet=True)
    assert found.pixels[0].tolist() == dataset.pixels(1).tolist()
    assert sorted(found.objects["label"]) == sorted(thing.label for thing in dataset.things(1) if thing.label != IGNORE)


def test_counting_and_exploring(ignored: Dataset, tmp_path: Path) -> None:
    found = scan(ignored, quiet=True)
    table = class_table(found)
    total = sum(height * width for height, width in map(ignored.size, ignored.ids))
    assert class_pixels(ignored).sum() == total - sum((ignored.label_map(i) == IGNORE).sum() for i in ignored.ids)
    assert table["share"].sum() == pytest.approx(1) and list(table.index) == list(LABELS)
    pixels = image_pixels(ignored, ignored.ids)
    assert np.isfinite(class_weights(pixels, "inverse_sqrt")).all() and not pixels[ignored.ids.index(4)].any()
    assert sum(map(len, split(ignored).values())) == 12
    assert "12 images" in explore(ignored.root, tmp_path / "out")


def test_what_is_predicted_under_ignored_pixels_counts_nowhere(ignored: Dataset) -> None:
    rng = np.random.default_rng(0)
    for image_id in ignored.ids:
        truth = ignored.label_map(image_id)
        truth[-4:, :9] = SKIN
        prediction = rng.integers(0, 14, truth.shape).astype(np.uint8)
        other = np.where(truth == IGNORE, (prediction + 5) % 14, prediction).astype(np.uint8)
        counts = confusion_counts(truth, prediction)
        assert counts.sum() == (truth != IGNORE).sum() and np.array_equal(counts, confusion_counts(truth, other))
        limit = np.zeros_like(prediction)
        for look in (on_the_body, of_the_shapes):
            first, second = (look(truth, answer, limit, 2.0) for answer in (prediction, other))
            assert all(np.array_equal(first[name], second[name]) for name in first)
        assert np.array_equal(Case(1, truth, prediction).wrong, Case(1, truth, other).wrong)
        assert scores(counts).shape[0] and counts[HAIR].sum() == (truth == HAIR).sum()


def test_a_photo_that_is_ignored_as_a_whole_has_been_read(ignored: Dataset) -> None:
    config = TrialConfig(data_root=str(ignored.root), image_height=64, image_width=32, encoder_weights=None)
    samples = Samples(ignored, ignored.ids, config, train=True)
    for index, image_id in enumerate(ignored.ids):
        _, truth = samples[0, index]
        assert (truth == IGNORE).any() and bool((truth == IGNORE).all()) == (image_id == 4)
    assert not samples.unread.any()


def test_a_photo_that_is_ignored_as_a_whole_does_not_stop_the_scoring(ignored: Dataset) -> None:
    check_unread(ignored, [4], total=12)
    with pytest.raises(DatasetError, match="At least 1 of 12 photos cannot be read, 5.png for one"):
        check_unread(ignored, [4, 5], total=12)

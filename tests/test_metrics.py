import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, SKIN

TRUTHS, PREDICTIONS = 16, 14
BAG, BELT, TOP = CLASSES.index("bag"), CLASSES.index("belt"), CLASSES.index("top")

truth_labels = st.one_of(st.integers(0, TRUTHS - 1), st.just(IGNORE))
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)


@st.composite
def label_pairs(draw):
    shape = draw(shapes)
    truth = draw(hnp.arrays(np.uint8, shape, elements=truth_labels))
    prediction = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, PREDICTIONS - 1)))
    return truth, prediction


def stacks(max_images=4):
    return st.integers(1, max_images).flatmap(
        lambda images: hnp.arrays(np.int64, (images, TRUTHS, PREDICTIONS), elements=st.integers(0, 3))
    )


def counts_of(pixels: dict[tuple[int, int], int]) -> np.ndarray:
    counts = np.zeros((TRUTHS, PREDICTIONS), dtype=np.int64)
    for pair, number in pixels.items():
        counts[pair] = number
    return counts


def brute_force_counts(truth, prediction):
    counts = [[0] * PREDICTIONS for _ in range(TRUTHS)]
    for t, p in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        if t != IGNORE:
            counts[t][p] += 1
    return counts


def brute_force_scores(truth, prediction):
    """Scores from sets of pixels, class by class."""
    pixels = [
        (0 if t >= PREDICTIONS else t, p)
        for t, p in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True)
        if t != IGNORE
    ]
    rows = []
    for label in range(PREDICTIONS):
        true = {i for i, (t, _) in enumerate(pixels) if t == label}
        predicted = {i for i, (_, p) in enumerate(pixels) if p == label}
        hits = len(true & predicted)
        precision = hits / len(predicted) if predicted else math.nan
        recall = hits / len(true) if true else math.nan
        iou = hits / len(true | predicted) if true | predicted else math.nan
        f1 = 2 * hits / (len(true) + len(predicted)) if true | predicted else math.nan
        rows.append([iou, precision, recall, f1, len(true), int(bool(true))])
    return rows


# ---------------------------------------------------------------------------------------- counting


@given(label_pairs())
@settings(deadline=None)
def test_counts_equal_a_loop_over_pixels(pair):
    truth, prediction = pair
    counts = metrics.confusion_counts(truth, prediction)
    assert counts.dtype == np.int64
    assert counts.tolist() == brute_force_counts(truth, prediction)


@given(label_pairs())
@settings(deadline=None)
def test_scores_equal_sets_of_pixels(pair):
    table = metrics.scores(metrics.confusion_counts(*pair))
    np.testing.assert_allclose(table.to_numpy(float), brute_force_scores(*pair), rtol=1e-12)


@given(label_pairs())
@settings(deadline=None)
def test_counts_of_parts_add_up(pair):
    truth, prediction = pair
    rows = len(truth) // 2
    parts = [metrics.confusion_counts(truth[s], prediction[s]) for s in (slice(rows), slice(rows, None))]
    np.testing.assert_array_equal(sum(parts), metrics.confusion_counts(truth, prediction))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.int64, np.uint64])
def test_every_integer_dtype_and_memory_order_counts_alike(dtype):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, TRUTHS, (13, 17)).astype(dtype)
    prediction = rng.integers(0, PREDICTIONS, (13, 17)).astype(dtype)
    expected = brute_force_counts(truth, prediction)
    assert metrics.confusion_counts(truth, prediction).tolist() == expected
    assert metrics.confusion_counts(np.asfortranarray(truth), prediction).tolist() == expected
    assert metrics.confusion_counts(truth.T, prediction.T).tolist() == expected
    assert metrics.confusion_counts(truth[::-1], prediction[::-1]).tolist() == expected


def test_tensors_and_other_numbers_of_labels_count():
    truth, prediction = torch.tensor([[0, 1, 255]]), torch.tensor([[1, 1, 0]])
    assert metrics.confusion_counts(truth, prediction, 2, 2).tolist() == [[0, 1], [0, 1]]


def test_inputs_are_not_changed():
    truth, prediction = np.array([[3, 255]], np.uint8), np.array([[2, 4]], np.uint8)
    metrics.confusion_counts(truth, prediction)
    assert truth.tolist() == [[3, 255]] and prediction.tolist() == [[2, 4]]


def test_nothing_to_count_gives_zeros():
    ignored = np.full((4, 5), IGNORE, np.uint8)
    assert metrics.confusion_counts(ignored, np.zeros((4, 5), np.uint8)).sum() == 0
    assert metrics.confusion_counts(np.zeros((0, 5), np.uint8), np.zeros((0, 5), np.uint8)).sum() == 0


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), r"truth has shape .* prediction"),
        (np.zeros((2, 2)), np.zeros((2, 2), np.uint8), "truth must hold integer labels.*float64"),
        (np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.float32), "prediction must hold integer.*float32"),
        (np.zeros((2, 2), bool), np.zeros((2, 2), np.uint8), "truth must hold integer labels.*bool"),
        (np.array([16], np.uint8), np.array([0], np.uint8), "truth holds label 16"),
        (np.array([254], np.uint8), np.array([0], np.uint8), "truth holds label 254"),
        (np.array([-1]), np.array([0]), "truth holds label -1"),
        (np.array([256]), np.array([0]), "truth holds label 256"),
        (np.array([0], np.uint8), np.array([14], np.uint8), "prediction holds label 14"),
        (np.array([255], np.uint8), np.array([255], np.uint8), "prediction holds label 255"),
        (np.array([0]), np.array([70_000]), "prediction holds label 70000"),
        (torch.zeros(1, dtype=torch.bfloat16), torch.zeros(1, dtype=torch.int64), "truth cannot be read"),
    ],
)
def test_unusable_labels_are_refused_by_name(truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        metrics.confusion_counts(truth, prediction)


def test_a_photo_is_counted_in_milliseconds():
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, PREDICTIONS, (2, 55, 83), dtype=np.uint8)
    truth, prediction = np.kron(blocks, np.ones((1, 10, 10), np.uint8))
    seconds = []
    for _ in range(15):
        start = time.perf_counter()
        metrics.confusion_counts(truth, prediction)
        seconds.append(time.perf_counter() - start)
    # About 0.002 s; a comparison per pair of labels takes 0.02 s and more. The best of 15 is not load.
    assert min(seconds) < 0.01


# ------------------------------------------------------------------------------------------ scores


def test_known_table():
    counts = counts_of(
        {
            (0, 0): 50,
            (0, BAG): 5,
            (BAG, BAG): 15,
            (BAG, 0): 10,
            (BELT, 0): 4,
            (HAIR, HEADWEAR): 6,
            (HAIR, 0): 14,
            (SKIN, 0): 8,
        }
    )
    table = metrics.scores(counts)
    assert list(table.columns) == ["iou", "precision", "recall", "f1", "support", "images"]
    assert tuple(table.index) == CLASSES and table.index.name == "class"
    assert table["support"].dtype == table["images"].dtype == np.int64
    # Background's truth: its own 55 pixels, 20 of hair and 8 of skin; hits 50 + 14 + 8; 10 + 4 others.
    expected = {
        "background": (72 / 97, 72 / 86, 72 / 83, 144 / 169, 83, 1),
        "bag": (15 / 30, 15 / 20, 15 / 25, 30 / 45, 25, 1),
        "belt": (0, math.nan, 0, 0, 4, 1),  # never predicted
        "headwear": (0, 0, math.nan, 0, 0, 0),  # only made up
        "boots": (math.nan, math.nan, math.nan, math.nan, 0, 0),  # neither
    }
    for name, row in expected.items():
        np.testing.assert_allclose(table.loc[name].to_numpy(float), row, rtol=1e-12, err_msg=name)
    assert metrics.clothing_mean_iou(counts) == pytest.approx((0.5 + 0 + 0) / 3)
    assert metrics.defined_mean(metrics.class_scores(counts).iou) == pytest.approx((72 / 97 + 0.5) / 4)
    assert metrics.accuracy(counts) == pytest.approx(87 / 112)
    assert metrics.background_share(counts) == pytest.approx(83 / 112)


def test_hair_and_skin_are_background():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 50, (5, TRUTHS, PREDICTIONS))
    folded = counts[:, :PREDICTIONS].copy()
    folded[:, 0] += counts[:, HAIR] + counts[:, SKIN]
    before = counts.copy()
    assert metrics.scores(counts).equals(metrics.scores(folded))
    for measure in (metrics.image_mean_iou, metrics.accuracy):
        np.testing.assert_array_equal(measure(counts), measure(folded))
    np.testing.assert_array_equal(counts, before)


def test_all_ignored_is_undefined_everywhere():
    counts = counts_of({})
    table = metrics.scores(counts)
    assert table[["iou", "precision", "recall", "f1"]].isna().all(axis=None)
    assert not table[["support", "images"]].any(axis=None)
    for measure in (metrics.clothing_mean_iou, metrics.accuracy):
        assert np.isnan(measure(counts))
    assert np.isnan(metrics.image_mean_iou(counts[None]))


def test_perfect_prediction_scores_one():
    counts = np.zeros((3, TRUTHS, PREDICTIONS), dtype=np.int64)
    counts[:, range(PREDICTIONS), range(PREDICTIONS)] = 7
    assert (metrics.scores(counts)[["iou", "precision", "recall", "f1"]] == 1).all(axis=None)
    for measure in (metrics.clothing_mean_iou, metrics.image_mean_iou, metrics.accuracy):
        assert (measure(counts) == 1).all()


@given(stacks())
@settings(deadline=None)
def test_scores_pool_before_they_divide(counts):
    pooled, summed = metrics.scores(counts), metrics.scores(counts.sum(axis=0))
    assert pooled.drop(columns="images").equals(summed.drop(columns="images"))
    present = (metrics.fold_body(counts).sum(axis=2) > 0).sum(axis=0)
    assert pooled["images"].tolist() == present.tolist()


@given(stacks(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_images_is_irrelevant(counts, random):
    order = random.sample(range(len(counts)), len(counts))
    assert metrics.scores(counts).equals(metrics.scores(counts[order]))


@given(stacks())
@settings(deadline=None)
def test_scores_agree_with_each_other(counts):
    table = metrics.scores(counts).dropna()
    assert ((table["iou"] >= 0) & (table["iou"] <= table["f1"]) & (table["f1"] <= 1)).all()
    np.testing.assert_allclose(table["f1"], 2 * table["iou"] / (1 + table["iou"]), rtol=1e-12)
    assert (table["iou"] <= table[["precision", "recall"]].min(axis=1) + 1e-12).all()


def test_mean_over_images_counts_only_classes_in_the_truth():
    first = counts_of({(BAG, BAG): 6, (BAG, 0): 2, (TOP, TOP): 4, (0, BELT): 9})  # bag 6/8, top 1, belt made up
    second = counts_of({(TOP, 0): 5})  # top 0
    third = counts_of({(0, 0): 5, (0, BAG): 2})  # no clothing in the truth: left out
    found = metrics.image_mean_iou(np.stack([first, second, third]))
    np.testing.assert_allclose(found, [(0.75 + 1) / 2, 0, np.nan])
    assert metrics.defined_mean(found) == pytest.approx(((0.75 + 1) / 2 + 0) / 2)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.zeros((16, 14)), "must be integers"),
        (np.zeros((16, 13), int), "shape"),
        (np.zeros((13, 14), int), "shape"),
        (np.zeros((17, 14), int), "shape"),
        (np.zeros(14, int), "shape"),
        (np.zeros((1, 2, 16, 14), int), "shape"),
        (np.full((16, 14), -1), "negative"),
    ],
)
def test_unusable_counts_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        metrics.scores(counts)


# ------------------------------------------------------------------------------------ body and leaks


def test_body_shares():
    counts = counts_of(
        {
            (HAIR, HEADWEAR): 6,
            (HAIR, TOP): 4,
            (HAIR, 0): 30,
            (SKIN, TOP): 5,
            (SKIN, BAG): 1,
            (SKIN, 0): 14,
            (0, HEADWEAR): 2,
            (TOP, HEADWEAR): 4,
            (HEADWEAR, HEADWEAR): 50,
        }
    )
    assert metrics.hair_as_headwear(counts) == pytest.approx(6 / 40)
    assert metrics.hair_as_clothing(counts) == pytest.approx(10 / 40)
    assert metrics.skin_as_clothing(counts) == pytest.approx(6 / 20)
    assert metrics.headwear_false_positives_on_hair(counts) == pytest.approx(6 / 12)
    assert metrics.leak(counts, [HAIR, SKIN], [TOP]) == pytest.approx(9 / 60)


def test_shares_without_pixels_or_without_body_labels_are_undefined():
    shares = (
        metrics.hair_as_headwear,
        metrics.hair_as_clothing,
        metrics.skin_as_clothing,
        metrics.headwear_false_positives_on_hair,
    )
    square = np.ones((3, PREDICTIONS, PREDICTIONS), dtype=np.int64)
    for share in shares:
        assert np.isnan(share(counts_of({(HEADWEAR, HEADWEAR): 5})))
        assert np.isnan(share(square)).all() and share(square).shape == (3,)


def test_measures_keep_leading_dimensions():
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 5, (2, 3, TRUTHS, PREDICTIONS))
    measures = [
        metrics.clothing_iou,
        metrics.clothing_mean_iou,
        metrics.accuracy,
        metrics.background_share,
        metrics.hair_as_headwear,
        metrics.headwear_false_positives_on_hair,
        metrics.skin_as_clothing,
        lambda c: metrics.class_scores(c).recall,
    ]
    for measure in measures:
        together = measure(counts.astype(float))
        for at in np.ndindex(2, 3):
            np.testing.assert_array_equal(together[at], measure(counts[at]))


# -------------------------------------------------------------------------------------- boundaries


def brute_force_band(mask, width):
    height, length = mask.shape
    band = set()
    for y, x in np.argwhere(mask):
        around = range(-width, width + 1)
        near = [(y + dy, x + dx) for dy in around for dx in around]
        if any(not (0 <= v < height and 0 <= u < length and mask[v, u]) for v, u in near):
            band.add((int(y), int(x)))
    return band


@pytest.mark.parametrize("width", [1, 2, 3])
def test_bands_equal_a_loop_over_pixels(width):
    rng = np.random.default_rng(width)
    truth = np.kron(rng.integers(0, 2, (4, 4), dtype=np.uint8), np.ones((5, 5), np.uint8))
    holed = np.roll(truth, 1, axis=1)
    holed[3:6, 7:12] = IGNORE
    for labels in (truth, holed):
        band = {tuple(at) for at in np.argwhere(metrics.inner_band(labels == 1, width)).tolist()}
        assert band == brute_force_band(labels == 1, width)


def test_bands_see_what_iou_does_not():
    truth = np.zeros((60, 60), np.uint8)
    truth[10:50, 10:50] = 1
    shifted = np.roll(truth, 1, axis=0)
    iou = metrics.scores(metrics.confusion_counts(truth, shifted)).loc["bag", "iou"]
    assert iou == pytest.approx(39 / 41)
    # Two square rings, 2 pixels thick, one a row lower: they share 2 whole rows, 35 rows of both sides, and
    # 2 rows where a side of the one meets a strip of the other.
    ring = 40 * 40 - 36 * 36
    shared = 2 * 40 + 35 * 4 + 2 * 4
    bands = [metrics.inner_band(labels, 2) for labels in (truth, shifted)]
    assert (bands[0] & bands[1]).sum() == shared and [band.sum() for band in bands] == [ring, ring]
    assert shared / (2 * ring - shared) < 0.7 < iou

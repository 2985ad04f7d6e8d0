import json
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLASSES, CLOTHING, HAIR, HEADWEAR

BAG, TOP = CLASSES.index("bag"), CLASSES.index("top")


def random_counts(images=30, seed=0, high=50):
    return np.random.default_rng(seed).integers(0, high, (images, 16, 14))


def other_prediction(counts, seed=1, share=0.3):
    """The same truth; some of the background predicted for each label becomes the right class."""
    moved = np.random.default_rng(seed).binomial(counts[:, :14, 0], share)
    changed = counts.copy()
    changed[:, :14, 0] -= moved
    changed[:, range(14), range(14)] += moved
    return changed


def bag_recall(counts):
    return metrics.class_scores(counts).recall[..., BAG]


# --------------------------------------------------------------------------------------- bootstrap


def test_resamples_are_pooled_scores_of_the_drawn_images():
    counts, seen = random_counts(7), []

    def measure(summed):
        seen.append(summed)
        return metrics.clothing_mean_iou(summed)

    statistics.bootstrap(counts, measure, resamples=100, seed=3)
    total, left_out, resampled = seen
    np.testing.assert_array_equal(total, counts.sum(axis=0)[None])
    for image in range(7):
        np.testing.assert_array_equal(left_out[image, 0], np.delete(counts, image, axis=0).sum(axis=0))
    weights = np.random.default_rng(3).multinomial(7, np.full(7, 1 / 7), size=100)
    for draw, summed in zip(weights, resampled, strict=True):
        np.testing.assert_array_equal(summed[0], counts[np.repeat(np.arange(7), draw)].sum(axis=0))


def test_chunks_draw_what_one_matrix_draws(monkeypatch):
    counts = random_counts()
    whole = statistics.bootstrap(counts, metrics.clothing_iou, resamples=250)
    monkeypatch.setattr(statistics, "_WEIGHTS_IN_MEMORY", 37 * len(counts))
    for one, other in zip(whole, statistics.bootstrap(counts, metrics.clothing_iou, 250), strict=True):
        np.testing.assert_array_equal(one, other)


def test_sums_stay_exact_for_large_images():
    counts = np.zeros((3, 16, 14), np.int64)
    counts[:, 0, 0] = 2**50 + np.array([1, 3, 5])
    seen = []
    statistics.bootstrap(counts, lambda c: seen.append(c) or metrics.accuracy(c), resamples=100)
    assert {int(value) for value in seen[-1][:, 0, 0, 0]} <= {3 * 2**50 + odd for odd in range(3, 16, 2)}


def test_scalars_and_arrays():
    counts = random_counts()
    mean = statistics.bootstrap(counts, metrics.clothing_mean_iou, 200)
    assert all(isinstance(number, float) for number in mean)
    assert mean.low < mean.value < mean.high
    assert mean.value == pytest.approx(metrics.scores(counts)["iou"].iloc[1:].mean())
    classes = statistics.bootstrap(counts, metrics.clothing_iou, 200)
    assert classes.value.shape == classes.low.shape == classes.high.shape == (13,)
    np.testing.assert_array_equal(classes.value, metrics.scores(counts)["iou"].to_numpy()[1:])
    assert (classes.low <= classes.value).all() and (classes.value <= classes.high).all()


def test_the_seed_decides_the_interval():
    counts = random_counts()
    first = statistics.bootstrap(counts, metrics.clothing_mean_iou, 300, seed=1)
    assert first == statistics.bootstrap(counts, metrics.clothing_mean_iou, 300, seed=1)
    assert first != statistics.bootstrap(counts, metrics.clothing_mean_iou, 300, seed=2)
    assert first.low < first.value < first.high


def test_the_interval_of_a_mean_is_students():
    # With equal support everywhere, recall is the mean over images: the textbook interval applies.
    rng = np.random.default_rng(5)
    counts = np.zeros((150, 16, 14), np.int64)
    counts[:, BAG, BAG] = np.round(rng.normal(500, 100, 150)).clip(0, 1000)
    counts[:, BAG, 0] = 1000 - counts[:, BAG, BAG]
    recall = counts[:, BAG, BAG] / 1000
    half = 1.976 * recall.std(ddof=1) / math.sqrt(150)  # t with 149 degrees of freedom
    estimate = statistics.bootstrap(counts, bag_recall, resamples=20_000)
    # A 2.5% quantile of 20,000 draws has a standard error of 2% of the half width: three of them.
    assert estimate.low == pytest.approx(recall.mean() - half, abs=0.06 * half)
    assert estimate.high == pytest.approx(recall.mean() + half, abs=0.06 * half)


def test_degrees_of_freedom_follow_the_images_that_matter():
    normal = np.random.default_rng(0).normal(size=(4000, 1))
    assert statistics._tails(normal).freedom[0] == pytest.approx(3999, rel=0.1)
    few = np.zeros((4000, 1))
    few[:8] = np.where(np.arange(8) % 2, 1.0, -1.0)[:, None]
    # Eight equal squares: 2 * 8**2 / (8 - 8**2 / 4000).
    assert statistics._tails(few).freedom[0] == pytest.approx(16, rel=0.01)
    one = np.zeros((4000, 1))
    one[0] = 1
    assert statistics._tails(one).freedom[0] == pytest.approx(2, rel=0.01)
    assert statistics._tails(np.ones((9, 1))).freedom[0] == 8
    assert statistics._tails(np.array([[0.0], [1.0]])).freedom[0] == 1
    assert np.isnan(statistics._tails(np.ones((1, 1))).freedom[0])


def test_acceleration_follows_the_skewness():
    # One image of n: sum of cubes over 6 * (sum of squares)**1.5 is about 1 / 6; leaving the image out lowers
    # the score, so it stretches the upper tail.
    left_out = np.ones((4000, 2))
    left_out[0] = (0, 2)
    np.testing.assert_allclose(statistics._tails(left_out).acceleration, [1 / 6, -1 / 6], rtol=0.01)
    symmetric = np.array([[-1.0], [0.0], [1.0]])
    assert statistics._tails(symmetric).acceleration[0] == 0


def test_few_images_make_the_interval_longer_than_plain_percentiles():
    counts, seen = random_counts(100), []
    counts[9:, BAG] = 0

    def measure(summed):
        seen.append(bag_recall(summed))
        return seen[-1]

    estimate = statistics.bootstrap(counts, measure)
    low, high = np.nanquantile(seen[-1], (0.025, 0.975))
    assert estimate.low < low and high < estimate.high


def test_undefined_scores_have_no_interval():
    counts = random_counts(20)
    counts[:, BAG] = 0  # absent
    assert all(math.isnan(number) for number in statistics.bootstrap(counts, bag_recall, 200))
    counts[0, BAG, BAG] = 5  # carried by a single image
    estimate = statistics.bootstrap(counts, bag_recall, 200)
    assert estimate.value == 1 and math.isnan(estimate.low) and math.isnan(estimate.high)
    counts[1, BAG, 0] = 5  # by two: resamples without either are left out
    estimate = statistics.bootstrap(counts, bag_recall, 200)
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0, 1)
    assert math.isnan(statistics.bootstrap(counts[:1], bag_recall, 200).low)


def test_undefined_in_more_than_half_of_the_resamples_means_no_interval():
    defined = np.linspace(0, 1, 100)
    plain = statistics.Tails(np.array([1e9]), np.array([0.0]))
    for undefined, expected in ((100, True), (101, False)):
        draws = np.append(defined, np.full(undefined, np.nan))[:, None]
        low, high = statistics._percentiles(draws, plain)
        assert np.isfinite(low[0]) == np.isfinite(high[0]) == expected
    low, high = statistics._percentiles(defined[:, None], plain)
    np.testing.assert_allclose([low[0], high[0]], [(0.025 * 101 - 1) / 99, (0.975 * 101 - 1) / 99], rtol=1e-6)


def test_a_constant_score_has_an_interval_of_length_zero():
    counts = random_counts(20)
    counts[:, BAG, BAG] = 0
    assert statistics.bootstrap(counts, bag_recall, 200) == (0.0, 0.0, 0.0)


def test_seeds_are_averaged_on_the_same_images():
    counts = random_counts()
    seeds = np.stack([counts, other_prediction(counts, 1), other_prediction(counts, 2)])
    together = statistics.bootstrap(seeds, metrics.clothing_iou, 300)
    expected = np.mean([metrics.scores(each)["iou"].to_numpy()[1:] for each in seeds], axis=0)
    np.testing.assert_allclose(together.value, expected, rtol=1e-12)
    same = statistics.bootstrap(np.stack([counts, counts]), metrics.clothing_iou, 300)
    for one, other in zip(same, statistics.bootstrap(counts, metrics.clothing_iou, 300), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_two_thousand_resamples_take_less_than_a_second():
    counts = random_counts(150)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        statistics.bootstrap(counts, metrics.clothing_iou)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1  # about 0.1 s


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        (np.zeros((5, 16, 14)), {}, "counts must be integers"),
        (np.zeros((16, 14), int), {}, "counts has shape"),
        (np.zeros((0, 16, 14), int), {}, "counts has shape"),
        (np.full((5, 16, 14), -2), {}, "negative"),
        (np.zeros((5, 16, 14), int), {"resamples": 10}, "resamples is 10"),
    ],
)
def test_unusable_arguments_are_refused(counts, options, message):
    with pytest.raises(ValueError, match=message):
        statistics.bootstrap(counts, metrics.clothing_mean_iou, **options)
    with pytest.raises(ValueError, match=message.replace("counts", "counts_a")):
        statistics.paired_comparison(counts, counts, metrics.clothing_mean_iou, **options)


# -------------------------------------------------------------------------------- paired comparison


def test_a_trial_does_not_differ_from_itself():
    counts = random_counts()
    result = statistics.paired_comparison(counts, counts, metrics.clothing_iou, 300)
    for array, expected in zip(result, (0, 0, 0, 1), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_swapping_the_trials_turns_the_sign():
    counts = random_counts()
    other = other_prediction(counts)
    forth = statistics.paired_comparison(counts, other, metrics.clothing_iou, 500)
    back = statistics.paired_comparison(other, counts, metrics.clothing_iou, 500)
    np.testing.assert_allclose(forth.difference, -back.difference, rtol=1e-12)
    np.testing.assert_allclose(forth.low, -back.high, rtol=1e-9)
    np.testing.assert_allclose(forth.p, back.p, rtol=1e-9)


def test_pairing_is_by_image():
    # Both trials vary much from image to image, the second is always a little better.
    rng = np.random.default_rng(0)
    a, b = np.zeros((2, 60, 16, 14), np.int64)
    hits = rng.integers(100, 800, 60)
    a[:, BAG, BAG], b[:, BAG, BAG] = hits, hits + 50
    a[:, BAG, 0], b[:, BAG, 0] = 1000 - hits, 950 - hits
    result = statistics.paired_comparison(a, b, bag_recall, 500)
    np.testing.assert_allclose(result[:3], 0.05, rtol=1e-9)
    assert result.p < 0.01
    alone = statistics.bootstrap(a, bag_recall, 500)
    assert alone.high - alone.low > 0.08


@pytest.mark.parametrize("share", [0.002, 0.005, 0.01, 0.02, 0.05])
def test_p_below_five_percent_goes_with_an_interval_that_leaves_out_zero(share):
    counts = random_counts(40, seed=4)
    other = other_prediction(counts, seed=5, share=share)
    other[::2] = counts[::2]
    result = statistics.paired_comparison(counts, other, metrics.clothing_iou, 1000)
    clear = np.abs(result.p - 0.05) > 0.01  # a resample more or less decides at the margin
    outside = (result.low > 0) | (result.high < 0)
    assert clear.any()
    np.testing.assert_array_equal(outside[clear], (result.p < 0.05)[clear])


def test_more_resamples_allow_smaller_p():
    counts = random_counts(100)
    better = other_prediction(counts, share=0.9)
    few, many = (
        statistics.paired_comparison(counts, better, metrics.clothing_mean_iou, number).p for number in (500, 5000)
    )
    assert 2 / 5001 < many < few < 0.02


def test_pairs_must_be_of_the_same_images():
    counts = random_counts()
    with pytest.raises(ValueError, match="counts_a has .*counts_b"):
        statistics.compare_mean_iou(counts, counts[:-1])
    with pytest.raises(ValueError, match="other images or another order"):
        statistics.compare_mean_iou(counts, counts[::-1])


def test_comparison_of_undefined_scores_is_undefined():
    counts = random_counts()
    counts[:, BAG] = 0
    counts[:, :, BAG] = 0
    table = statistics.compare_trials(counts, other_prediction(counts), resamples=200)
    assert table.loc["bag"].isna().all()
    assert table.drop(index="bag").notna().all(axis=None)


def test_compare_trials_is_the_difference_of_the_tables():
    counts = random_counts()
    other = other_prediction(counts)
    table = statistics.compare_trials(counts, other, resamples=300)
    assert tuple(table.index) == CLOTHING and table.index.name == "class"
    scores = [metrics.scores(each).loc[list(CLOTHING)] for each in (counts, other)]
    np.testing.assert_allclose(table["iou"], scores[1]["iou"] - scores[0]["iou"], rtol=1e-9, atol=1e-12)
    assert (table["iou_low"] <= table["iou"]).all() and (table["iou"] <= table["iou_high"]).all()
    np.testing.assert_allclose(table["p_holm"], statistics.holm(table["p"]))
    alone = statistics.paired_comparison(counts, other, metrics.clothing_iou, 300)
    np.testing.assert_allclose(table["p"], alone.p)
    primary = statistics.compare_mean_iou(counts, other, resamples=300)
    after, before = (metrics.clothing_mean_iou(one.sum(axis=0)) for one in (other, counts))
    assert primary.difference == pytest.approx(after - before)


# ------------------------------------------------------------------------------------------- holm


def test_holm_known_values():
    adjusted = statistics.holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02], rtol=1e-12)
    np.testing.assert_allclose(statistics.holm([0.5, math.nan, 0.02]), [0.5, math.nan, 0.04])
    assert statistics.holm([]).size == 0
    for wrong in ([1.2], [-0.1], [[0.1]]):
        with pytest.raises(ValueError, match="p_values"):
            statistics.holm(wrong)


@given(hnp.arrays(float, st.integers(1, 13), elements=st.floats(0, 1)))
@settings(deadline=None)
def test_holm_equals_its_definition(p):
    ordered = sorted(range(len(p)), key=lambda i: p[i])
    expected, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(ordered):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        expected[i] = running
    np.testing.assert_allclose(statistics.holm(p), expected, rtol=1e-12)


# ---------------------------------------------------------------------------------- report, verdict


def test_summary_holds_plain_values_of_the_score_table():
    counts = random_counts()
    counts[:, BAG] = 0
    counts[:, :, BAG] = 0
    summary = json.loads(json.dumps(statistics.test_summary(counts, resamples=200), allow_nan=False))
    assert list(summary) == [
        "mean_iou",
        "mean_iou_interval",
        "mean_iou_with_background",
        "mean_iou_per_image",
        "pixel_accuracy",
        "classes",
        "body",
    ]
    table = metrics.scores(counts)
    assert tuple(summary["classes"]) == CLASSES
    for name, row in summary["classes"].items():
        low, high = row.pop("iou_interval") or (math.nan, math.nan)
        assert not low > row["iou"] and not row["iou"] > high if name != "bag" else math.isnan(low)
        assert list(row) == ["iou", "precision", "recall", "f1", "support", "images"]
        expected = table.loc[name].astype(object)
        assert row == expected.where(expected.notna(), None).to_dict()
    assert summary["classes"]["bag"]["iou"] is None
    assert summary["mean_iou"] == pytest.approx(metrics.scores(counts)["iou"].iloc[1:].mean())
    assert summary["mean_iou_with_background"] == pytest.approx(metrics.scores(counts)["iou"].mean())
    body = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing")
    assert tuple(summary["body"]) == body
    for name, share in summary["body"].items():
        assert share["value"] == pytest.approx(float(getattr(metrics, name)(counts.sum(axis=0))))
        assert share["interval"][0] < share["value"] < share["interval"][1]
    alone = statistics.bootstrap(counts, metrics.hair_as_headwear, 200)
    assert summary["body"]["hair_as_headwear"]["interval"] == pytest.approx([alone.low, alone.high])


def test_summary_of_one_image_has_no_intervals():
    counts = random_counts(1)
    counts[:, HAIR] = counts[:, HAIR] * 0
    counts[:, :, HEADWEAR] = 0
    summary = statistics.test_summary(counts, resamples=100)
    assert summary["mean_iou_interval"] is None
    assert summary["body"]["hair_as_headwear"] == {"value": None, "interval": None}
    assert summary["classes"]["top"]["iou_interval"] is None and summary["classes"]["top"]["images"] == 1


@pytest.mark.parametrize(
    ("interval", "claim", "expected"),
    [
        ((0.1, 0.3), {"above": 0}, "supported"),
        ((-0.3, -0.1), {"above": 0}, "refuted"),
        ((-0.1, 0.1), {"above": 0}, "inconclusive"),
        ((0.0, 0.0), {"above": 0}, "refuted"),
        ((0.0, 0.1), {"above": 0}, "inconclusive"),
        ((0.01, 0.04), {"below": 0.05}, "supported"),
        ((0.06, 0.09), {"below": 0.05}, "refuted"),
        ([0.04, 0.06], {"below": 0.05}, "inconclusive"),
        ((0.05, 0.06), {"below": 0.05}, "refuted"),
        ((math.nan, math.nan), {"below": 0.05}, "inconclusive"),
        ((None, None), {"above": 0}, "inconclusive"),
        (None, {"above": 0}, "inconclusive"),
    ],
)
def test_verdict(interval, claim, expected):
    assert statistics.verdict(interval, **claim) == expected


def test_verdict_refuses_what_is_no_claim():
    for claim in ({}, {"above": 0, "below": 1}):
        with pytest.raises(ValueError, match="exactly one"):
            statistics.verdict((0, 1), **claim)
    with pytest.raises(ValueError, match="ends before"):
        statistics.verdict((1, 0), above=0)


# -------------------------------------------------------------------------------------- simulation
# Images of a known super-population, scored by two trials of equal skill: the interval should hold the
# population's score in 95% of the datasets, and the comparison call 5% of them different or fewer.

DATASETS, IMAGES, RESAMPLES = 300, 150, 500
PRESENCE = np.array([0.8, 0.3, 0.1, 0.06])
"""Share of images with the class: the rarest is in nine of 150."""
SKILL = np.array([0.6, 0.4, 0.4, 0.25])
MEASURES = ("iou 120 images", "iou 45 images", "iou 15 images", "iou 9 images", "mean iou", "leak")
MONTE_CARLO = 2 * math.sqrt(0.95 * 0.05 / DATASETS)
"""Two standard errors of an observed share of 95%: 0.025."""


def simulated_measure(counts):
    iou = metrics.clothing_iou(counts)
    others = [metrics.clothing_mean_iou(counts), metrics.leak(counts, 5, 4)]
    return np.concatenate([iou, np.stack(others, axis=-1)], axis=-1)


def simulate(images, seed):
    """Counts ``(2 trials, images, 6, 5)``: background, four garments, and a body label that leaks."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((2, images, 6, 5), dtype=np.int64)
    garment = np.arange(1, 5)
    area = np.where(rng.random((images, 4)) < PRESENCE, rng.gamma(1.5, 8000, (images, 4)), 0).astype(np.int64)
    difficulty = rng.normal(size=(images, 4))
    body = rng.gamma(1.5, 6000, images).astype(np.int64) + 1
    for trial in counts:
        skill = np.log(SKILL / (1 - SKILL)) + 0.8 * difficulty + 0.6 * rng.normal(size=(images, 4))
        missed = rng.random((images, 4)) < 0.2 * (1 - SKILL)
        hits = (area * np.where(missed, 0, 1 / (1 + np.exp(-skill)))).astype(np.int64)
        made_up = rng.gamma(1, 2000, (images, 4)) * (rng.random((images, 4)) < 0.1 * PRESENCE)
        trial[:, garment, garment] = hits
        trial[:, garment, 0] = (area - hits) // 2
        trial[:, garment, garment % 4 + 1] = area - hits - (area - hits) // 2
        trial[:, 0, 1:] = (made_up + hits * rng.beta(1, 6, (images, 4))).astype(np.int64)
        trial[:, 0, 0] = 500_000 - trial[:, 0, 1:].sum(axis=1)
        leaks = np.where(rng.random(images) < 0.2, rng.beta(1, 3, images), rng.beta(1, 100, images))
        trial[:, 5, 4] = (body * leaks).astype(np.int64)
        trial[:, 5, 0] = body - trial[:, 5, 4]
    return counts


@pytest.fixture(scope="module")
def datasets():
    return simulate(DATASETS * IMAGES, seed=11).reshape(2, DATASETS, IMAGES, 6, 5)


def test_intervals_cover_the_population(datasets):
    population = simulated_measure(sum(simulate(100_000, seed).sum(axis=(0, 1)) for seed in (1, 2, 3)))
    covered, covered_plainly = [], []
    for number, counts in enumerate(datasets[0]):
        draws = []

        def measure(summed, draws=draws):
            draws.append(simulated_measure(summed))
            return draws[-1]

        _, low, high = statistics.bootstrap(counts, measure, RESAMPLES, seed=number)
        covered.append((low <= population) & (population <= high))
        low, high = np.nanquantile(draws[-1][:, 0], (0.025, 0.975), axis=0)
        covered_plainly.append((low <= population) & (population <= high))
    coverage = pd.Series(np.mean(covered, axis=0), MEASURES)
    plain = pd.Series(np.mean(covered_plainly, axis=0), MEASURES)
    print(pd.DataFrame({"coverage": coverage, "plain percentiles": plain}).round(3))
    assert coverage.between(0.92 - MONTE_CARLO, 0.97 + MONTE_CARLO).all(), coverage
    assert 0.93 < coverage.mean() < 0.97, coverage
    # The simulation is able to fail: the interval that is not expanded does.
    assert plain["iou 9 images"] < 0.92 - MONTE_CARLO


def test_equal_trials_are_seldom_called_different(datasets):
    results = [
        statistics.paired_comparison(a, b, simulated_measure, RESAMPLES, seed=number)
        for number, (a, b) in enumerate(zip(*datasets, strict=True))
    ]
    p = np.stack([result.p for result in results])
    positives = pd.Series((p <= 0.05).mean(axis=0), MEASURES)
    family = np.mean([statistics.holm(row[:4]).min() <= 0.05 for row in p])
    print(positives.round(3), f"any of four after Holm: {family:.3f}")
    assert (positives <= 0.05 + MONTE_CARLO).all(), positives
    assert positives.mean() <= 0.05
    assert family <= 0.05


def test_a_better_trial_is_found(datasets):
    found = []
    for number, counts in enumerate(datasets[0, :60]):
        better = counts.copy()
        # Half of what is missed as background, a quarter of all misses, becomes right.
        gained = counts[:, range(1, 5), 0] // 2
        better[:, range(1, 5), 0] -= gained
        better[:, range(1, 5), range(1, 5)] += gained
        result = statistics.paired_comparison(counts, better, simulated_measure, RESAMPLES, seed=number)
        assert (result.difference[:5] > 0).all()
        found.append(result.p < 0.05)
    power = pd.Series(np.mean(found, axis=0), MEASURES)
    print(power.round(2))
    assert (power[["iou 120 images", "iou 45 images", "mean iou"]] > 0.75).all(), power
    assert (power[["iou 15 images", "iou 9 images"]] > 0.3).all(), power


# ------------------------------------------------------------------------- rank correlation over classes


def test_interval_of_a_rank_correlation_over_classes() -> None:
    low, high = statistics.rank_correlation_interval(0.5, 28)
    centre, half = math.atanh(0.5), 1.959964 * math.sqrt(1.06 / 25)
    assert (low, high) == pytest.approx((math.tanh(centre - half), math.tanh(centre + half)), abs=1e-6)
    assert all(math.isnan(end) for end in statistics.rank_correlation_interval(float("nan"), 13))
    with pytest.raises(ValueError, match="pairs is 3"):
        statistics.rank_correlation_interval(0.1, 3)
    end = math.tanh(1.959964 * math.sqrt(1.06))
    assert statistics.rank_correlation_interval(0.0, 4) == pytest.approx((-end, end), abs=1e-6)


def test_that_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Pairs of normal variables with a correlation whose rank correlation is known."""
    rng = np.random.default_rng(0)
    rho = 0.6
    truth = 6 / math.pi * math.asin(rho / 2)
    held = 0
    for _ in range(2000):
        x = rng.normal(size=13)
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=13)
        low, high = statistics.rank_correlation_interval(float(stats.spearmanr(x, y).statistic), 13)
        held += low <= truth <= high
    assert 0.92 < held / 2000 < 0.98


def test_the_interval_over_seeds_is_welchs() -> None:
    """By hand: means 2 and 5, variances 1 and 4, three seeds each; 50 / 17 degrees of freedom."""
    found = statistics.difference_over_seeds([1, 2, 3], [3, 5, 7])
    assert found.value == 3
    half = stats.t.ppf(0.975, 50 / 17) * math.sqrt(1 / 3 + 4 / 3)
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half))
    alone = statistics.difference_over_seeds([1], [3, 5, 7])
    assert alone.value == 4 and math.isnan(alone.low) and math.isnan(alone.high)


def test_the_interval_over_seeds_covers_what_it_says() -> None:
    rng = np.random.default_rng(0)
    ends = [statistics.difference_over_seeds(*rng.normal(0, 1, (2, 3)))[1:] for _ in range(2000)]
    assert 0.94 <= np.mean([low <= 0 <= high for low, high in ends]) <= 0.98  # Welch's is on the safe side

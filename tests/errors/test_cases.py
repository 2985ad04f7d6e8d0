"""Cases chosen by rule, and what is said below them."""

from types import SimpleNamespace

import numpy as np
import pytest

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, SKIN
from modanet_utils.errors.cases import DISPUTED, Case, cases_of, choose_cases, disputes
from modanet_utils.metrics import image_mean_iou

TOP = CLASSES.index("top")
DRESS = CLASSES.index("dress")


def row(*labels: int) -> np.ndarray:
    return np.array([labels], np.uint8)


@pytest.fixture
def case() -> Case:
    truth, prediction = row(TOP, TOP, TOP, 0, HAIR, HAIR, IGNORE, SKIN), row(TOP, 0, DRESS, 0, HEADWEAR, 0, TOP, 0)
    return Case(7, truth, prediction, None, "a blouse, or a dress")


def test_what_is_wrong_is_found_and_ignored_pixels_are_not(case: Case) -> None:
    np.testing.assert_array_equal(case.wrong, [[0, 1, 1, 0, 1, 0, 0, 0]])
    assert case.hair_called_headwear == 0.5
    assert case.score == pytest.approx(1 / 3)
    assert case.box(head=True)[1] == slice(4, 6)
    assert case.box() == (slice(0, 1), slice(0, 8))


def test_a_caption_says_the_score_and_the_largest_confusion_or_the_hair(case: Case) -> None:
    assert case.caption() == "image 7, IoU 0.33 *\ntop called background"
    assert case.caption(head=True) == "image 7 *\n50% of the hair"
    right = Case(8, row(TOP), row(TOP))
    assert right.caption() == "image 8, IoU 1.00\nnothing is wrong"
    assert disputes([right]) == ""
    assert "In 1 of these 2 photos" in disputes([right, case]) and "7 (a blouse, or a dress)" in disputes([right, case])


def test_an_image_is_judged_by_the_classes_it_shows(after: np.ndarray) -> None:
    scores = image_mean_iou(after)
    np.testing.assert_allclose(scores[:2], [180 / 230, 60 / 110])
    assert np.isnan(scores[2])


def test_cases_are_chosen_by_rule(before: np.ndarray, after: np.ndarray) -> None:
    cases = choose_cases([7, 5, 9], after, number=2, seed=3)
    assert cases["worst"] == [5, 7]
    assert cases["hair"] == [7, 5]
    assert len(set(cases["random"])) == 2 and set(cases["random"]) <= {7, 5, 9}
    assert cases == choose_cases([7, 5, 9], after, number=2, seed=3)
    assert choose_cases([7, 5, 9], before, number=5)["hair"] == []
    assert choose_cases([7, 5, 9], after, number=5)["worst"] == [5, 7]  # the third shows no clothing


def test_photos_are_held_only_where_they_may_be_shown_and_disputes_belong_to_their_data_set() -> None:
    photo, (name, known) = np.zeros((1, 1, 3), np.uint8), next(iter(DISPUTED.items()))
    image = next(iter(known))
    dataset = SimpleNamespace(name=name, label_map=lambda i: row(TOP), image=lambda i: photo)
    (hidden,) = cases_of(dataset, {"worst": [image]}, {image: row(0)}, photos=False)["worst"]  # type: ignore[arg-type]
    assert hidden.photo is None and hidden.dispute == known[image]
    dataset.name = "another"
    (shown,) = cases_of(dataset, {"worst": [image]}, {image: row(0)}, photos=True)["worst"]  # type: ignore[arg-type]
    assert shown.photo is photo and shown.dispute == ""

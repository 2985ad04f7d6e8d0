"""Changed pictures: the controls are what they claim, nothing else is touched, the truth goes with the picture."""

import numpy as np
import pytest

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, SKIN
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.errors.causes import pictures as errors_causes_pictures
from modanet_utils.errors.causes.pictures import (
    Cutout,
    Scene,
    compose,
    cut_out,
    directions,
    distance_moved,
    evenly,
    from_lab,
    head,
    mean_color,
    nearness,
    paste,
    recolor,
    resized,
    scene,
    to_lab,
    wear,
    without_person,
)

TOP, PANTS = CLASSES.index("top"), CLASSES.index("pants")


@pytest.fixture
def person() -> Scene:
    """A person of 60x40 pixels in noise: hair, face, top and pants; two columns of padding at the right."""
    rng = np.random.default_rng(0)
    truth = np.zeros((60, 40), np.uint8)
    truth[6:12, 16:24] = HAIR
    truth[12:16, 17:23] = SKIN
    truth[16:34, 14:26] = TOP
    truth[34:56, 15:25] = PANTS
    truth[:, 38:] = IGNORE
    colors = {0: (120, 150, 180), HAIR: (70, 45, 30), SKIN: (220, 180, 150), TOP: (160, 30, 40), PANTS: (30, 40, 90)}
    photo = np.full((60, 40, 3), 10.0)
    for label, color in colors.items():
        photo[truth == label] = color
    photo += rng.normal(0, 8, photo.shape)
    return Scene(np.clip(photo, 0, 255).astype(np.uint8), truth)


@pytest.fixture
def hat() -> Cutout:
    labels = np.full((4, 10), HEADWEAR, np.uint8)
    labels[0, :2] = labels[0, -2:] = 0
    return Cutout(np.full((4, 10, 3), (200, 30, 160), np.uint8), labels)


def moved(before: np.ndarray, after: np.ndarray, mask: np.ndarray) -> float:
    return float(np.linalg.norm(mean_color(after, mask) - mean_color(before, mask)))


# ------------------------------------------------------------------------------------------- colour


def test_lab_is_cie_lab_and_comes_back() -> None:
    np.testing.assert_allclose(to_lab([[255, 255, 255], [0, 0, 0]]), [[100, 0, 0], [0, 0, 0]], atol=0.1)
    red = to_lab([255, 0, 0])
    np.testing.assert_allclose(red, [53.24, 80.09, 67.20], atol=0.3)  # the published values of sRGB's red
    colors = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    assert np.abs(from_lab(to_lab(colors)).astype(int) - colors).max() <= 1
    assert to_lab(np.zeros((0, 3), np.uint8)).shape == (0, 3)


@pytest.mark.parametrize("distance", [6, 12, 18, 24, 30])
def test_treatment_and_controls_move_the_mean_colour_equally_far(person: Scene, distance: float) -> None:
    hair, background = person.truth == HAIR, person.truth == 0
    hats = to_lab([[220, 40, 40], [240, 230, 60], [20, 20, 20], [230, 60, 200]])
    hairs = to_lab([[230, 200, 140], [160, 110, 70], [20, 15, 15], [180, 180, 180]])
    toward = directions(mean_color(person.photo, hair), 30, hats, hairs)
    for mask, way in ((hair, toward[0]), (hair, toward[1]), (background, toward[0])):
        after = recolor(person.photo, mask, way, distance)
        assert moved(person.photo, after, mask) == pytest.approx(distance, abs=0.3)
        assert distance_moved(person.photo, after, mask) == moved(person.photo, after, mask)


def test_recolouring_touches_the_mask_alone_and_keeps_the_texture(person: Scene) -> None:
    hair, original = person.truth == HAIR, person.photo.copy()
    changed = recolor(person.photo, hair, [1, 0.3, 0.5], 20)
    np.testing.assert_array_equal(changed[~hair], person.photo[~hair])
    np.testing.assert_array_equal(person.photo, original)
    before, after = (to_lab(photo[hair]) for photo in (person.photo, changed))
    steps = after - before
    assert steps.std(axis=0).max() < 1.5  # every pixel takes the same step, but for rounding to bytes
    way = steps.mean(axis=0) / np.linalg.norm(steps.mean(axis=0))
    np.testing.assert_allclose(way, np.array([1, 0.3, 0.5]) / np.linalg.norm([1, 0.3, 0.5]), atol=0.03)


def test_no_distance_and_no_pixels_change_nothing(person: Scene) -> None:
    np.testing.assert_array_equal(recolor(person.photo, person.truth == HAIR, [1, 0, 0], 0), person.photo)
    np.testing.assert_array_equal(recolor(person.photo, person.truth == HEADWEAR, [1, 0, 0], 9), person.photo)


def test_at_the_edge_of_what_a_screen_can_show_the_way_is_still_as_long() -> None:
    photo = np.full((4, 4, 3), 8, np.uint8)
    photo[:2] = 60
    mask = np.ones((4, 4), bool)
    assert moved(photo, recolor(photo, mask, [0, 0, -1], 15), mask) == pytest.approx(15, abs=0.5)


def test_one_way_leads_to_hats_and_the_other_to_hair() -> None:
    hats = np.array([[50.0, 60, 0], [50, 61, 0], [50, 62, 0], [12, 0, 0]])
    hairs = np.array([[60.0, 5, 20], [61, 5, 20], [62, 5, 20], [14, 0, 0]])
    toward_hat, toward_hair = directions(np.array([20.0, 5, 5]), 30, hats, hairs)
    assert np.linalg.norm(toward_hat) == pytest.approx(1) and np.linalg.norm(toward_hair) == pytest.approx(1)
    ends = np.array([20.0, 5, 5]) + 30 * np.array([toward_hat, toward_hair])
    hat_end, hair_end = nearness(ends, hairs) - nearness(ends, hats)
    assert hat_end > 0 > hair_end
    assert toward_hat[1] > 0.5 and toward_hair[2] > 0.2


def test_without_a_colour_far_enough_the_farthest_gives_the_way() -> None:
    hats, hairs = np.array([[25.0, 0, 0], [22, 0, 0]]), np.array([[20.0, 3, 0], [20, 1, 0]])
    toward_hat, toward_hair = directions(np.array([20.0, 0, 0]), 30, hats, hairs)
    np.testing.assert_allclose([toward_hat, toward_hair], [[1, 0, 0], [0, 1, 0]])


def test_nearness_is_to_the_third_nearest_or_to_the_last() -> None:
    palette = np.array([[0.0, 0, 0], [1, 0, 0], [4, 0, 0], [9, 0, 0]])
    assert nearness([0, 0, 0], palette) == 4
    assert nearness([0, 0, 0], palette[:2]) == 1
    assert nearness(np.zeros((2, 5, 3)), palette).shape == (2, 5)


def test_a_palette_has_a_colour_for_every_scene_that_shows_enough(person: Scene) -> None:
    found = errors_causes_pictures.palette([person, person], HAIR)
    np.testing.assert_allclose(found, [mean_color(person.photo, person.truth == HAIR)] * 2)
    assert errors_causes_pictures.palette([person], HEADWEAR).shape == (0, 3)


# ------------------------------------------------------------------------------------------- pasting


def test_pasting_changes_photo_and_truth_at_the_same_pixels_and_nothing_else(person: Scene, hat: Cutout) -> None:
    original = person.truth.copy()
    out = paste(person, hat, 3, 15)
    mask = out.truth == HEADWEAR
    assert mask.sum() == (hat.labels > 0).sum() == 36
    assert (out.photo[mask] == (200, 30, 160)).all()
    np.testing.assert_array_equal(out.photo[~mask], person.photo[~mask])
    np.testing.assert_array_equal(out.truth[~mask], person.truth[~mask])
    np.testing.assert_array_equal(person.truth, original)
    np.testing.assert_array_equal(np.argwhere(mask).min(axis=0), [3, 15])


def test_what_falls_beside_the_picture_or_on_padding_is_dropped(person: Scene, hat: Cutout) -> None:
    out = paste(person, hat, -2, 33)
    assert (out.truth == HEADWEAR).sum() == 2 * 5  # two of four rows, five of ten columns
    np.testing.assert_array_equal(out.truth == IGNORE, person.truth == IGNORE)
    np.testing.assert_array_equal(out.photo[:, 38:], person.photo[:, 38:])


def test_a_cutout_is_the_labels_in_their_box(person: Scene) -> None:
    part = cut_out(person, [HAIR, SKIN])
    assert part is not None and part.labels.shape == (10, 8)
    assert set(np.unique(part.labels)) == {0, HAIR, SKIN}
    np.testing.assert_array_equal(part.photo, person.photo[6:16, 16:24])
    half = resized(part, 0.5)
    assert half.labels.shape == (5, 4) and set(np.unique(half.labels)) <= {0, HAIR, SKIN}


def test_hats_are_whole_pieces_off_the_edge(person: Scene, hat: Cutout) -> None:
    worn, cut = paste(person, hat, 3, 15), paste(person, hat, -2, 15)
    padded = paste(person, hat, 20, 28)
    found = errors_causes_pictures.hats([person, worn, cut, padded])
    assert len(found) == 1
    np.testing.assert_array_equal(found[0].labels, hat.labels)


def test_the_head_is_hair_and_skin_at_the_top(person: Scene, hat: Cutout) -> None:
    assert head(person) == (6, 20.0, 8)
    assert head(paste(person, hat, 3, 15)) is None
    raised = person.truth.copy()
    raised[2:5, 8:12] = SKIN  # a hand above the head
    assert head(Scene(person.photo, raised)) is None


def test_a_hat_is_worn_and_hangs_beside_at_the_same_size(person: Scene, hat: Cutout) -> None:
    worn, beside, hair = wear(person, hat)
    on, off = worn.truth == HEADWEAR, beside.truth == HEADWEAR
    assert on.sum() == off.sum() > 0
    assert (person.truth[off] == 0).all()
    assert (person.truth[on] == HAIR).any()
    rows = [np.flatnonzero(mask.any(axis=1)) for mask in (on, off)]
    assert rows[0][0] == rows[1][0]  # room enough at the same height
    np.testing.assert_array_equal(hair, (person.truth == HAIR) & ~on)
    assert hair.any() and ((worn.truth == HAIR) == hair).all()
    np.testing.assert_array_equal(worn.photo[~on], person.photo[~on])
    np.testing.assert_array_equal(beside.photo[~off], person.photo[~off])


def test_without_room_beside_no_hat_is_put_on(person: Scene, hat: Cutout) -> None:
    full = np.where(person.truth == 0, TOP, person.truth).astype(np.uint8)
    full[:6] = IGNORE
    assert wear(Scene(person.photo, full), hat) is None


# ------------------------------------------------------------------------------------------- composing


def test_a_person_is_bridged_from_background_to_background() -> None:
    truth = np.zeros((6, 20), np.uint8)
    truth[:, 8:12], truth[5] = TOP, TOP
    photo = np.full((6, 20, 3), 255, np.uint8)
    photo[:, :6], photo[:, 14:] = 0, 80
    out = without_person(Scene(photo, truth))
    assert not out.truth.any()
    np.testing.assert_array_equal(out.photo[0, :6], photo[0, :6])
    np.testing.assert_allclose(out.photo[0, 5:15, 0], np.linspace(0, 80, 10), atol=1)
    np.testing.assert_array_equal(out.photo[5], out.photo[2])  # no background of its own: the nearest row's


def test_a_person_is_bridged_with_two_pixels_around() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    truth = np.zeros((12, 20), np.uint8)
    truth[5:7, 8:12] = TOP
    rows, columns = np.nonzero((without_person(Scene(photo, truth)).photo != photo).any(axis=2))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 8, 6, 13)


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.3])
def test_composed_people_overlap_as_asked(person: Scene, overlap: float) -> None:
    background = without_person(person)
    figure = cut_out(person, range(1, 16))
    pair = compose(background, figure, figure, overlap)
    assert overlap <= pair.covered < overlap + 0.12 and (overlap > 0 or pair.covered == 0)
    assert not (pair.rear_seen & pair.front_seen).any()
    labelled = (pair.together.truth > 0) & (pair.together.truth != IGNORE)
    np.testing.assert_array_equal(pair.rear_seen | pair.front_seen, labelled)
    for alone, seen in ((pair.rear, pair.rear_seen), (pair.front, pair.front_seen)):
        np.testing.assert_array_equal(alone.truth[seen], pair.together.truth[seen])
        np.testing.assert_array_equal(alone.photo[seen], pair.together.photo[seen])
        own = (alone.truth > 0) & (alone.truth != IGNORE)
        np.testing.assert_array_equal(alone.photo[~own], background.photo[~own])
    whole = (pair.rear.truth > 0) & (pair.rear.truth != IGNORE)
    assert (whole & pair.front_seen).sum() / whole.sum() == pytest.approx(pair.covered)


def test_covered_is_a_share_of_the_rear_person(person: Scene) -> None:
    """With people of unlike size: what is covered of the one is another share of the other."""
    figure, background = cut_out(person, range(1, 16)), without_person(person)
    middle = len(figure.photo) // 2
    half = figure._replace(photo=figure.photo[:middle], labels=figure.labels[:middle])
    for rear, front in ((figure, half), (half, figure)):
        pair = compose(background, rear, front, 0.3)
        whole = (pair.rear.truth > 0) & (pair.rear.truth != IGNORE)
        assert (whole & pair.front_seen).sum() / whole.sum() == pytest.approx(pair.covered)
        assert (whole & pair.front_seen).sum() / pair.front_seen.sum() != pytest.approx(pair.covered, rel=0.2)


def test_the_silhouette_is_the_front_person_in_one_colour(person: Scene) -> None:
    figure = cut_out(person, range(1, 16))
    pair = compose(without_person(person), figure, figure, 0.3)
    colors = pair.silhouette.photo[pair.front_seen]
    assert (colors == colors[0]).all()
    assert not pair.silhouette.truth[pair.front_seen].any()
    np.testing.assert_array_equal(pair.silhouette.photo[~pair.front_seen], pair.rear.photo[~pair.front_seen])
    np.testing.assert_array_equal(pair.silhouette.truth[~pair.front_seen], pair.rear.truth[~pair.front_seen])


def test_the_rear_person_stands_still(person: Scene) -> None:
    figure, background = cut_out(person, range(1, 16)), without_person(person)
    pairs = [compose(background, figure, figure, overlap) for overlap in (0, 0.3)]
    np.testing.assert_array_equal(pairs[0].rear.photo, pairs[1].rear.photo)


def test_choices_are_evenly_spaced() -> None:
    assert evenly([3, 5, 8], 5) == [3, 5, 8]
    assert evenly(list(range(10)), 4) == [0, 2, 5, 7]


def test_a_scene_is_what_the_network_sees(street) -> None:
    dataset, box = open_dataset(street), Letterbox(64, 32)
    one = scene(dataset, dataset.ids[0], box)
    np.testing.assert_array_equal(one.photo, box.image(dataset.image(dataset.ids[0])))
    np.testing.assert_array_equal(one.truth, box.label_map(dataset.label_map(dataset.ids[0])))

"""Letterbox geometry against loops over pixels; augmentation that depends on its key and nothing else."""

import functools
import random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modanet_utils import augment as module
from modanet_utils.augment import PADDING, WORN_OVER, Letterbox, augment, paste, training_transform
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, SKIN

SIDES = st.integers(1, 70)
LETTERBOXES = st.builds(Letterbox, st.integers(8, 48), st.integers(8, 48))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
BLOCKS = SHAPES.flatmap(lambda shape: hnp.arrays(np.uint8, shape, elements=st.integers(0, 15)))


# --------------------------------------------------------------------------------------- letterbox


@given(letterbox=LETTERBOXES, height=SIDES, width=SIDES)
@settings(deadline=None)
def test_the_picture_fills_one_side_is_centred_and_keeps_its_aspect_ratio(
    letterbox: Letterbox, height: int, width: int
) -> None:
    top, left, h, w = letterbox.box(height, width)
    assert h == letterbox.height or w == letterbox.width
    below, right = letterbox.height - top - h, letterbox.width - left - w
    assert 0 <= top <= below <= top + 1 and 0 <= left <= right <= left + 1
    scale = min(letterbox.height / height, letterbox.width / width)
    assert h == 1 or abs(h - scale * height) <= 0.5 + 1e-9
    assert w == 1 or abs(w - scale * width) <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((600, 400), (0, 0, 288, 192)),
        ((400, 600), (80, 0, 128, 192)),  # landscape
        ((400, 400), (48, 0, 192, 192)),
        ((1000, 10), (0, 94, 288, 3)),
        ((5000, 1), (0, 95, 288, 1)),  # never thinner than a pixel
        ((30, 20), (0, 0, 288, 192)),  # enlarged
    ],
)
def test_known_boxes(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert Letterbox(288, 192).box(*size) == box


@given(letterbox=LETTERBOXES, height=SIDES, width=SIDES)
@settings(deadline=None)
def test_labels_are_those_of_the_nearest_pixel_centre_and_padding_is_ignored(
    letterbox: Letterbox, height: int, width: int
) -> None:
    top, left, h, w = letterbox.box(height, width)
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    for index, axis, inner, side in ((rows, 0, h, height), (columns, 1, w, width)):
        out = letterbox.label_map(index)
        inside = out[top : top + h, left : left + w]
        assert out.shape == (letterbox.height, letterbox.width) and out.dtype == np.uint8
        assert inside.max() < side
        assert (out == IGNORE).sum() == out.size - inside.size
        chosen = np.moveaxis(inside, axis, 0)
        assert (chosen == chosen[:, :1]).all()
        centres = (np.arange(inner) + 0.5) * side / inner
        # OpenCV counts in 1/65536 of a pixel: up to 48 steps of half that are 0.0004 pixels.
        assert np.abs(chosen[:, 0] + 0.5 - centres).max() <= 0.5 + 0.0005


@given(blocks=BLOCKS, factor=st.integers(1, 4))
@settings(deadline=None)
def test_enlarging_by_a_whole_number_and_shrinking_by_an_odd_one_are_exact(blocks: np.ndarray, factor: int) -> None:
    height, width = blocks.shape
    enlarged = Letterbox(factor * height, factor * width).label_map(blocks)
    np.testing.assert_array_equal(enlarged, np.kron(blocks, np.ones((factor, factor), np.uint8)))
    odd = 2 * factor - 1
    large = np.kron(blocks, np.ones((odd, odd), np.uint8))
    np.testing.assert_array_equal(Letterbox(height, width).label_map(large), blocks)


@given(blocks=BLOCKS, factor=st.sampled_from([1, 3, 5]), more=st.integers(0, 5))
@settings(deadline=None)
def test_photo_and_labels_land_on_the_same_pixels(blocks: np.ndarray, factor: int, more: int) -> None:
    height, width = blocks.shape
    large = np.kron(blocks, np.ones((factor, factor), np.uint8))
    letterbox = Letterbox(height + more, width)
    top, left, h, w = letterbox.box(*large.shape)
    assert (h, w) == blocks.shape
    photo = letterbox.image(np.stack([16 * large, large, 255 - large], 2))
    inside = photo[top : top + h, left : left + w]
    np.testing.assert_array_equal(inside, np.stack([16 * blocks, blocks, 255 - blocks], 2))
    np.testing.assert_array_equal(letterbox.label_map(large)[top : top + h, left : left + w], blocks)
    padded = letterbox.label_map(large) == IGNORE
    assert (photo[padded] == PADDING).all()
    assert padded.sum() == more * width


def test_a_shrunk_photo_is_averaged() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[::2] = 200
    assert (Letterbox(10, 10).image(stripes) == 100).all()


# ------------------------------------------------------------------------------------- augmentation


@pytest.fixture(scope="module")
def figure() -> tuple[np.ndarray, np.ndarray]:
    """A dark photo with bright rectangles, labelled 4 and 13; between the two numbers lie other labels."""
    truth = np.zeros((96, 64), np.uint8)
    truth[20:50, 12:40], truth[56:90, 26:58] = 4, 13
    return np.where(truth[..., None] > 0, 230, 20).astype(np.uint8).repeat(3, 2), truth


def test_the_same_key_gives_the_same_sample_whatever_came_before(figure: tuple[np.ndarray, np.ndarray]) -> None:
    keys = [(seed, epoch, index) for seed in (0, 1) for epoch in (1, 2) for index in (0, 1, 2)]
    transform = training_transform()
    first = {key: augment(transform, *figure, *key) for key in keys}
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 - the global one has no say
    for key in random.sample(keys, len(keys)):
        for one in (transform, training_transform()):
            image, truth = augment(one, *figure, *key)
            np.testing.assert_array_equal(image, first[key][0])
            np.testing.assert_array_equal(truth, first[key][1])


def test_another_seed_epoch_or_index_gives_another_sample(figure: tuple[np.ndarray, np.ndarray]) -> None:
    transform = training_transform()
    keys = [(0, 1, 2), (1, 1, 2), (0, 2, 2), (0, 1, 3), (0, 2, 1), (2, 1, 0), (1, 2, 0)]
    assert len({augment(transform, *figure, *key)[0].tobytes() for key in keys}) == len(keys)


def test_labels_are_never_mixed_and_what_enters_from_outside_is_ignored(
    figure: tuple[np.ndarray, np.ndarray],
) -> None:
    transform = training_transform()
    ignored = []
    for index in range(60):
        image, truth = augment(transform, *figure, 0, 1, index)
        assert image.shape == figure[0].shape and image.dtype == np.uint8
        assert truth.shape == figure[1].shape and truth.dtype == np.uint8
        assert set(np.unique(truth)) <= {0, 4, 13, IGNORE}
        ignored.append((truth == IGNORE).mean())
    assert np.mean(np.array(ignored) > 0) > 0.3  # shrunk, shifted or turned away from an edge
    assert max(ignored) < 0.5


def test_photo_and_labels_move_together(figure: tuple[np.ndarray, np.ndarray]) -> None:
    transform = training_transform()
    moved = 0
    for index in range(60):
        image, truth = augment(transform, *figure, 0, 1, index)
        known = (truth != IGNORE).astype(np.uint8)
        clothing = ((truth > 0) & (truth != IGNORE)).astype(np.uint8)
        square = np.ones((3, 3), np.uint8)
        edge = cv2.dilate(clothing, square) != cv2.erode(clothing, square)
        sure = ~edge & (cv2.erode(known, square) > 0)
        bright = image[..., 1] > 125
        assert (bright[sure] == (clothing[sure] > 0)).all(), index
        assert sure.mean() > 0.4
        moved += not np.array_equal(truth, figure[1])
    assert moved > 40


def test_nothing_is_written_into_the_sample_that_was_given(figure: tuple[np.ndarray, np.ndarray]) -> None:
    image, truth = (array.copy() for array in figure)
    transform = training_transform()
    for index in range(30):
        augment(transform, image, truth, 0, 1, index)
    np.testing.assert_array_equal(image, figure[0])
    np.testing.assert_array_equal(truth, figure[1])


@pytest.mark.parametrize("name", ["HorizontalFlip", "Affine", "RandomBrightnessContrast", "HueSaturationValue"])
def test_an_argument_that_albumentations_does_not_know_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.A, name, functools.partial(getattr(module.A, name), no_such_argument=1))
    with pytest.raises(UserWarning, match="no_such_argument"):
        training_transform()


# ----------------------------------------------------------------------------------- pasted garments

BOOTS, FOOTWEAR, PANTS = (CLASSES.index(name) for name in ("boots", "footwear", "pants"))


def person(scale: int, top: int, middle: int, feet: int, hat: bool) -> tuple[np.ndarray, np.ndarray]:
    """A stick of a person, six units high from the face down; every label's pixels have its number as colour."""
    truth = np.zeros((64, 48), np.uint8)
    columns = slice(middle - scale, middle + scale)
    truth[top - scale : top, columns] = HEADWEAR if hat else HAIR
    truth[top : top + scale, columns] = SKIN
    truth[top + scale : top + 5 * scale, columns] = PANTS
    truth[top + 5 * scale : top + 6 * scale, columns] = feet
    return np.repeat(truth[..., None], 3, axis=2), truth


@pytest.mark.parametrize("label", [HEADWEAR, BOOTS])
def test_a_garment_lands_where_it_is_worn_whatever_size_and_place_its_giver_has(label: int) -> None:
    image, truth = person(4, 20, 30, FOOTWEAR, hat=False)
    bare = truth.copy()
    paste(image, truth, *person(8, 10, 12, BOOTS, hat=True), label)
    there, wanted = truth == label, (bare == HAIR if label == HEADWEAR else bare == FOOTWEAR)
    assert (there & wanted).sum() >= 0.8 * wanted.sum() and there.sum() <= 1.3 * wanted.sum()
    assert (image[there] == label).mean() > 0.6  # its colours come along; at its edge they are mixed
    untouched = ~there & (truth != IGNORE)
    assert (truth[untouched] == bare[untouched]).all() and (image[untouched] == bare[untouched][:, None]).all()
    assert ((truth == IGNORE) == ((bare == FOOTWEAR) & ~there & (label == BOOTS))).all()


@pytest.mark.parametrize("label", WORN_OVER)
def test_nothing_is_pasted_without_a_garment_or_a_person(label: int) -> None:
    empty = np.zeros((64, 48, 3), np.uint8), np.zeros((64, 48), np.uint8)
    for wearer, giver in ((empty, person(8, 10, 20, BOOTS, True)), (person(8, 10, 20, FOOTWEAR, False), empty)):
        image, truth = (each.copy() for each in wearer)
        paste(image, truth, *giver, label)
        assert (truth == wearer[1]).all() and (image == wearer[0]).all()

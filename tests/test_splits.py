"""The split: sizes, what it depends on, and that rare classes and scenes are where they should be."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco
from hypothesis import given
from hypothesis import strategies as st

from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.splits import PARTS, split

CLOTHING_LABELS = range(1, len(CLOTHING) + 1)


def dataset(shows: dict[int, set[int]], groups: dict[int, int] | None = None) -> Dataset:
    """Image id to the labels that its annotations name, and to its scene where it has one; nothing is drawn."""
    groups = groups or {}
    return Dataset(
        name="listed",
        root=Path(),
        fingerprint="",
        images={i: {"id": i} | ({"group": groups[i]} if i in groups else {}) for i in shows},
        annotations={i: [{"category_id": label} for label in labels] for i, labels in shows.items()},
        labels={label: label for label in range(1, 16)},
    )


def by_chance(images: int, seed: int = 0) -> Dataset:
    """Every class is worn in its own share of the images, from 4% (bag) to 80% (scarf & tie)."""
    rng = np.random.default_rng(seed)
    shares = np.geomspace(0.04, 0.8, len(CLOTHING))
    return dataset({int(i): {c for c, share in enumerate(shares, 1) if rng.random() < share} for i in range(images)})


def holders(data: Dataset, label: int, ids: list[int]) -> int:
    return sum(label in data.present(i) for i in ids)


# ------------------------------------------------------------------------------------------- sizes


@given(st.sets(st.integers(0, 10**6), min_size=3, max_size=150), st.integers(0, 5), st.randoms(use_true_random=False))
def test_every_image_is_in_one_part_and_no_part_is_an_image_off(
    ids: set[int], seed: int, chance: random.Random
) -> None:
    data = dataset({i: set(chance.sample(range(1, 16), chance.randrange(5))) for i in ids})
    parts = split(data, seed)
    assert list(parts) == ["train", "val", "test"]
    assert sorted(i for part in parts.values() for i in part) == sorted(ids)
    for name, share in PARTS.items():
        assert parts[name] == sorted(parts[name])
        assert parts[name] and abs(len(parts[name]) - share * len(ids)) < 1


@pytest.mark.parametrize(
    ("images", "sizes"),
    [(3, [1, 1, 1]), (4, [2, 1, 1]), (10, [6, 3, 1]), (12, [7, 3, 2]), (100, [60, 25, 15]), (1004, [602, 251, 151])],
)
def test_known_sizes(images: int, sizes: list[int]) -> None:
    assert [len(part) for part in split(by_chance(images)).values()] == sizes


@pytest.mark.parametrize("images", [1, 2])
def test_fewer_than_three_images_cannot_be_split(images: int) -> None:
    with pytest.raises(ValueError, match=f"^Dataset 'listed' has {images} images; a split needs 3: add other photos.$"):
        split(by_chance(images))


# ------------------------------------------------------------------------------- what it depends on


def test_this_split_is_for_ever() -> None:
    """Recorded results name their split by its seed alone."""
    parts = split(dataset({i: {1 + i % 13} if i % 3 else {9, 12} for i in range(1, 21)}))
    assert parts == {
        "train": [2, 4, 5, 9, 10, 13, 14, 15, 16, 18, 19, 20],
        "val": [1, 3, 7, 12, 17],
        "test": [6, 8, 11],
    }


@pytest.mark.parametrize("seed", [0, 3])
def test_neither_the_order_of_the_file_nor_the_number_of_objects_matters(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    images = [record(i, **({"group": 5} if i in (5, 9) else {})) for i in range(1, 41)]
    objects = [annotation(i, chance.randrange(1, 14), [rectangle(1, 1, 5, 5)]) for i in range(1, 41) for _ in range(3)]
    first = write_coco(tmp_path / "first", images, objects, photos=False)
    again = write_coco(
        tmp_path / "again", chance.sample(images, 40), chance.sample(objects, 120) + objects[:30], photos=False
    )
    assert split(open_dataset(first, True), seed) == split(open_dataset(again, True), seed)


def test_another_seed_gives_another_split() -> None:
    data = by_chance(100)
    parts = [split(data, seed) for seed in range(5)]
    assert len({tuple(part["test"]) for part in parts}) == 5
    assert split(data) == parts[0]


# --------------------------------------------------------------------------------- classes and scenes


def assert_every_part_shows_every_class(data: Dataset, seed: int) -> None:
    """Rare classes are within one image of their share, others no worse than a split by lot, at three deviations."""
    parts = split(data, seed)
    for label in CLOTHING_LABELS:
        held = holders(data, label, data.ids)
        often = held / len(data.ids)
        for name, share in PARTS.items():
            found = holders(data, label, parts[name])
            by_lot = math.sqrt(share * (1 - share) * often * (1 - often) * len(data.ids))
            allowed = 1 if often < 0.25 else 3 * by_lot
            assert found >= 1 and abs(found - share * held) <= allowed, (CLASSES[label], name, found, share * held)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rare_classes_are_shared_by_all_parts(seed: int) -> None:
    assert_every_part_shows_every_class(by_chance(400, seed), seed)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_class_in_four_images_is_in_all_parts(seed: int) -> None:
    data = dataset({i: {12} if i in (7, 41, 70, 90) else {9} for i in range(100)})
    assert [holders(data, 12, part) for part in split(data, seed).values()] == [2, 1, 1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_real_photos_show_every_class_in_every_part(real_ccp: Dataset, seed: int) -> None:
    assert_every_part_shows_every_class(real_ccp, seed)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_modanet_shows_every_class_in_every_part(modanet_excerpt: Path, seed: int) -> None:
    assert_every_part_shows_every_class(open_dataset(modanet_excerpt, annotations_only=True), seed)


@given(
    st.lists(st.integers(1, 6), min_size=3, max_size=30),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_a_scene_is_never_divided(sizes: list[int], seed: int, chance: random.Random) -> None:
    ids = iter(chance.sample(range(1000), sum(sizes)))
    scenes = [sorted(next(ids) for _ in range(size)) for size in sizes]
    groups = {i: scene[0] for scene in scenes if len(scene) > 1 for i in scene}
    data = dataset({i: set(chance.sample(range(1, 14), 2)) for scene in scenes for i in scene}, groups)
    parts = split(data, seed)
    where = {i: name for name, part in parts.items() for i in part}
    assert all(len({where[i] for i in scene}) == 1 for scene in scenes)
    assert sorted(where) == sorted(data.ids)
    for name, share in PARTS.items():
        assert parts[name] and abs(len(parts[name]) - share * len(where)) <= max(sizes) + 1


@pytest.mark.parametrize("sizes", [[100, 100, 100], [90, 5, 5], [50, 50, 50, 1], [40, 40, 40, 40]])
def test_no_part_is_empty_however_large_the_scenes_are(sizes: list[int]) -> None:
    scenes = [range(start, start + size) for start, size in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True)]
    data = dataset({int(i): {9} for scene in scenes for i in scene}, {int(i): int(s[0]) for s in scenes for i in s})
    for seed in range(5):
        assert all(split(data, seed).values())


def test_fewer_than_three_scenes_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="has 2 groups of photos that belong together; a split needs 3: add other"):
        split(dataset({i: {9} for i in range(9)}, {i: i % 2 for i in range(9)}))


@pytest.mark.parametrize("seed", range(24))
def test_scenes_that_fit_nowhere_do_not_all_end_in_one_part(seed: int) -> None:
    """In some of these orders two scenes of 5 find no room of their own in any part."""
    scenes = [range(3), range(3, 6), range(6, 11), range(11, 16)]
    shows = {i: {label} for label, scene in enumerate(scenes, 1) for i in scene}
    data = dataset(shows, {i: scene[0] for scene in scenes for i in scene})
    sizes = [len(part) for part in split(data, seed).values()]
    assert all(abs(size - share * 16) <= 5 for size, share in zip(sizes, PARTS.values(), strict=True)), sizes


def test_real_photos_of_one_scene_stay_together(real_ccp: Dataset) -> None:
    scenes: dict[int, set[int]] = {}
    for i, one in real_ccp.images.items():
        scenes.setdefault(one.get("group", i), set()).add(i)
    shared = [scene for scene in scenes.values() if len(scene) > 1]
    assert shared
    for seed in range(5):
        parts = [set(part) for part in split(real_ccp, seed).values()]
        assert all(any(scene <= part for part in parts) for scene in shared)


def test_neither_masks_nor_photos_are_read(coco: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    data = coco(*(annotation(i, 9, [rectangle(1, 1, 5, 5)]) for i in (1, 2, 3)), images=[record(i) for i in (1, 2, 3)])
    for name in ("things", "label_map", "image"):
        monkeypatch.delattr(Dataset, name)
    assert sorted(sum(split(data).values(), [])) == [1, 2, 3]

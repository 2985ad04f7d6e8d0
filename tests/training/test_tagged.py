"""Photos with tags only: how they are split, labelled by a network and measured; and how rare photos are repeated."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from conftest import annotation, record, rectangle, write_coco
from scipy.io import savemat
from torch import nn

from modanet_utils.augment import Letterbox
from modanet_utils.classes import IGNORE, LABELS
from modanet_utils.datasets import ccp, writing
from modanet_utils.datasets.coco import DatasetError, joined, open_dataset
from modanet_utils.datasets.writing import IGNORED_ID
from modanet_utils.project import ProjectError
from modanet_utils.training import loop, posthoc, presence, pseudo
from modanet_utils.training.runs import Run
from modanet_utils.training.samples import EpochOrder, Samples, repeat_factors
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig

BOX = Letterbox(32, 32)


class Fixed(nn.Module):
    """A network whose answer is a probability per output, the same everywhere."""

    def __init__(self, probabilities: dict[str, float]) -> None:
        super().__init__()
        p = torch.full((len(LABELS),), 1e-9)
        for name, value in probabilities.items():
            p[LABELS.index(name)] = value
        self.logits = nn.Parameter(p.log(), requires_grad=False)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.logits.view(1, -1, 1, 1).expand(len(photos), -1, *photos.shape[2:])


def tiny(root: Path, **values: Any) -> TrialConfig:
    shared: dict[str, Any] = {"image_height": 32, "image_width": 32, "encoder_weights": None, "batch_size": 4}
    return TrialConfig(data_root=str(root), **{**shared, "epochs": 1, "outputs": 16, **values})


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """Twelve photos with tags, of which the first looks like one with pixel labels in ``labelled``."""
    rng = np.random.default_rng(5)
    records = [record(100 + i, 40, 30, tags=["top", "hair", ("bag", "boots")[i % 2]]) for i in range(12)]
    folder = write_coco(tmp_path / "tagged", records, [])
    for one in records:
        cv2.imwrite(str(folder / "images" / one["file_name"]), rng.integers(0, 256, (40, 30, 3), np.uint8))
    return folder


@pytest.fixture
def labelled(tagged: Path, tmp_path: Path) -> Path:
    records = [record(1, 40, 30), record(2, 40, 30)]
    folder = write_coco(tmp_path / "labelled", records, [])
    first = cv2.imread(str(next(iter(sorted((tagged / "images").iterdir())))))
    cv2.imwrite(
        str(folder / "images" / records[0]["file_name"]), np.clip(first.astype(int) + 3, 0, 255).astype(np.uint8)
    )
    cv2.imwrite(str(folder / "images" / records[1]["file_name"]), np.zeros((40, 30, 3), np.uint8))
    return folder


def test_the_tagged_photos_of_ccp_become_a_dataset_with_tags(tmp_path: Path) -> None:
    source = tmp_path / "ccp"
    for folder in ("photos", "annotations/image-level"):
        (source / folder).mkdir(parents=True)
    names = ["null", "hat", "jeans", "watch", "skin"]
    savemat(source / "label_list.mat", {"label_list": np.array([names], object)})
    savemat(source / "annotations" / "image-level" / "1005.mat", {"tags": np.array([[0, 1, 2, 3, 4]], np.uint8)})
    cv2.imwrite(str(source / "photos" / "1005.jpg"), np.zeros((20, 10, 3), np.uint8))
    dataset = open_dataset(ccp.convert_tagged(source, tmp_path / "made"))
    assert dataset.ids == [1005] and dataset.size(1005) == (20, 10)
    assert {LABELS[label] for label in dataset.present(1005)} == {"headwear", "pants", "skin"}
    (source / "photos" / "1005.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"1005\.jpg is missing"):
        ccp.convert_tagged(source, tmp_path / "again")


def test_halves_share_no_photo_hold_both_garments_and_no_look_alike(tagged: Path, labelled: Path) -> None:
    halves = pseudo.halves(open_dataset(tagged), open_dataset(labelled))
    teach, measure = set(halves["teach"]), set(halves["measure"])
    assert not teach & measure
    ids = open_dataset(tagged).ids
    assert set(ids) - teach - measure == {ids[0]}, "the photo that resembles a pixel-labelled one"
    for half in (teach, measure):
        assert {i % 2 for i in half} == {0, 1}
    with pytest.raises(DatasetError, match="has no tags"):
        pseudo.halves(open_dataset(labelled), open_dataset(labelled))


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ({"background", "top"}, "top"),  # 0.5 of 0.7
        ({"background", "bag"}, None),  # 0.2 and 0.2: neither is sure
        ({"background", "top", "headwear"}, None),  # what is most probable is worn, but 0.5 of 0.8
        ({"headwear"}, "headwear"),
    ],
)
def test_a_pseudo_label_is_the_surest_that_the_tags_allow(allowed: set[str], expected: str | None) -> None:
    net = Fixed({"background": 0.2, "top": 0.5, "bag": 0.2, "headwear": 0.1})
    labels = {LABELS.index(name) for name in allowed}
    found = pseudo.pseudo_label_map(net, np.zeros((40, 30, 3), np.uint8), BOX, labels)  # type: ignore[arg-type]
    assert found.shape == (40, 30) and found.dtype == np.uint8
    assert np.unique(found).tolist() == [IGNORE if expected is None else LABELS.index(expected)]


def test_pseudo_labels_are_averaged_over_the_mirror_image() -> None:
    class Left(Fixed):
        """Sure of a top on the left, of a bag on the right of whatever it is shown."""

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            out = super().forward(photos).clone()
            half = photos.shape[3] // 2
            out[:, LABELS.index("top"), :, :half] = 20
            out[:, LABELS.index("bag"), :, half:] = 20
            return out

    allowed = {LABELS.index("top"), LABELS.index("bag")}
    net = Left({"background": 1.0})
    assert (pseudo.pseudo_label_map(net, np.zeros((32, 32, 3), np.uint8), BOX, allowed) == IGNORE).all()  # type: ignore[arg-type]


@pytest.fixture
def teacher(street: Path, tmp_path: Path) -> Run:
    return run_trial(tiny(street), tmp_path / "runs", quiet=True)


def test_a_run_labels_the_teaching_half_and_they_teach(
    teacher: Run, tagged: Path, labelled: Path, street: Path, tmp_path: Path
) -> None:
    folder = pseudo.write_pseudo_labels(teacher, tagged, labelled, tmp_path / "pseudo")
    made = open_dataset(folder)
    assert made.ids == pseudo.halves(open_dataset(tagged), open_dataset(labelled))["teach"]
    truth = np.stack([made.label_map(image_id) for image_id in made.ids])
    assert IGNORE in truth and set(np.unique(truth)) <= {*range(16), IGNORE}
    for image_id in made.ids:  # counted on run lengths as painted; what is ignored belongs to no label
        painted = np.bincount(made.label_map(image_id).ravel(), minlength=256)
        assert made.pixels(image_id).tolist() == painted[:16].tolist()
    beside = street.parent / "street_pseudo"
    beside.symlink_to(folder)
    try:
        samples, order = loop._lessons(open_dataset(street), [1, 2, 3], tiny(street, pseudo_labels="street_pseudo"))
        run = run_trial(tiny(street, pseudo_labels="street_pseudo"), tmp_path / "runs", quiet=True)
    finally:
        beside.unlink()
    assert len(samples) == 3 + len(made.ids) and len(order) == 3  # an epoch stays as long
    drawn = {draw for order.epoch in range(40) for _, draw in order}
    assert drawn == set(range(len(samples)))
    image, target = samples[0, 3]
    assert image.shape == (3, 32, 32) and (target == IGNORE).any()
    assert run.history[0]["loss"] > 0 and run.config.hash != teacher.config.hash


def test_a_network_without_skin_and_hair_cannot_label(
    street: Path, tagged: Path, labelled: Path, tmp_path: Path
) -> None:
    run = run_trial(tiny(street, outputs=14), tmp_path / "runs", quiet=True)
    with pytest.raises(ProjectError, match="outputs 16"):
        pseudo.write_pseudo_labels(run, tagged, labelled, tmp_path / "pseudo")
    assert not (tmp_path / "pseudo").exists()


def test_datasets_with_a_common_id_are_not_joined(street: Path, labelled: Path) -> None:
    with pytest.raises(DatasetError, match="both have image 1"):
        joined(open_dataset(street), open_dataset(labelled))


def test_what_is_found_on_the_measuring_half_is_kept_with_the_run(teacher: Run, tagged: Path, labelled: Path) -> None:
    assert presence.measured(teacher) is None
    found = presence.measure(teacher, tagged, labelled)
    assert found.ids == pseudo.halves(open_dataset(tagged), open_dataset(labelled))["measure"]
    assert found.pixels.shape == (len(found.ids), 14) and (found.pixels.sum(axis=1) == 40 * 30).all()
    assert found.worn[:, LABELS.index("top")].all() and not found.worn[:, LABELS.index("dress")].any()
    again = presence.measured(teacher)
    assert again is not None and again.ids == found.ids
    np.testing.assert_array_equal(again.pixels, found.pixels)
    np.testing.assert_array_equal(again.worn, found.worn)


# ------------------------------------------------------------------------------------------ without another training


def test_what_a_finished_network_gains_is_kept_with_the_run(teacher: Run, street: Path) -> None:
    dataset = open_dataset(street)
    assert posthoc.measured(teacher.folder) is None
    found = posthoc.measure(teacher, dataset)
    kept = posthoc.measured(teacher.folder)
    assert kept is not None and all(np.array_equal(kept[name], value) for name, value in found.items())
    plain, flipped, shifted = found["validation"]
    assert shifted >= plain, "no change is among what was tried"
    photos = [dataset.image(image_id) for image_id in teacher.ids]
    sizes = [photo.shape[0] * photo.shape[1] for photo in photos]
    for way in ("flipped", "shifted"):
        assert found[way].sum((1, 2)).tolist() == teacher.counts.sum((1, 2)).tolist() == sizes
    net, mirrored = teacher.network(), np.ascontiguousarray(photos[0][:, ::-1])
    both = [posthoc.averaged(net, one, BOX)[1] for one in (photos[0], mirrored)]
    torch.testing.assert_close(both[0], both[1].flip(2))


# ------------------------------------------------------------------------------------------ repeated photos


def test_repeat_factors_follow_the_share_of_photos(street: Path) -> None:
    dataset = open_dataset(street)  # every photo shows a top and pants, three each a bag, boots, skirt, headwear
    factors = repeat_factors(dataset, dataset.ids, 0.5)
    np.testing.assert_allclose(factors, np.sqrt(0.5 / 0.25))
    np.testing.assert_array_equal(repeat_factors(dataset, dataset.ids, 0.2), 1)


def test_rare_photos_are_drawn_more_often_and_an_epoch_stays_as_long() -> None:
    order = EpochOrder(4, seed=0, draws=4, repeats=np.array([1, 1, 1, 2.5]))
    times = np.zeros(4)
    for order.epoch in range(400):
        draws = [draw for _, draw in order]
        assert len(draws) == len(order) == 4 and len(set(draws)) == 4  # a second time has its own augmentation
        times += np.bincount(np.array(draws) % 4, minlength=4)
    share = times / times.sum()
    assert abs(share[3] - 2.5 / 5.5) < 0.04 and np.ptp(share[:3]) < 0.04


def test_without_repeats_the_order_is_the_permutation_that_recorded_runs_had() -> None:
    order = EpochOrder(7, seed=3)
    order.epoch = 5
    assert [draw for _, draw in order] == np.random.default_rng([3, 5]).permutation(7).tolist()


def test_a_share_of_the_photos_gets_a_garment_that_is_not_worn_yet(street: Path) -> None:
    dataset = open_dataset(street)
    config = tiny(street, augmentation=False, image_height=64)
    plain, always = (Samples(dataset, dataset.ids, config.but(pasted=chance), train=True) for chance in (0.0, 1.0))
    worn = {label for label in always.wearing if always.wearing[label]}
    assert worn and not plain.wearing
    new = set()
    for index in range(len(always)):
        before, after = (set(samples[1, index][1].unique().tolist()) for samples in (plain, always))
        added = after - before - {IGNORE}
        assert len(added) <= 1 and added <= worn
        new |= added
        for samples in (plain, always):  # again the same, and what is remembered stays as it was read
            assert torch.equal(samples[1, index][0], samples[1, index][0])
    assert new == worn
    assert not Samples(dataset, dataset.ids, config.but(pasted=1.0), train=False).wearing


def test_the_ignored_category_is_listed_only_where_it_is_used(tmp_path: Path) -> None:
    photo = tmp_path / "1.png"
    cv2.imwrite(str(photo), np.zeros((20, 30, 3), np.uint8))
    for label, listed in ((9, False), (IGNORED_ID, True)):
        one = annotation(1, label, [rectangle(2, 3, 10, 8)])
        made = writing.write(tmp_path / str(label), {"name": "x"}, [record(1)], [one], {record(1)["file_name"]: photo})
        categories = json.loads((made / "annotations.json").read_text())["categories"]
        assert ({"ignore"} <= {category["name"] for category in categories}) is listed
        assert set(np.unique(open_dataset(made).label_map(1))) == {0, IGNORE if listed else label}


def test_labels_that_a_trial_needs_are_made_or_what_is_missing_is_said(
    teacher: Run, tagged: Path, labelled: Path, tmp_path: Path
) -> None:
    config = tiny(labelled, pseudo_labels="labelled_pseudo")
    assert pseudo.missing(tiny(labelled), None) is None
    assert "modanet convert ccp-tags" in (pseudo.missing(config, teacher) or "")
    tagged.rename(tmp_path / "labelled_tagged")
    assert "train combined_body first" in (pseudo.missing(config, None) or "")
    assert pseudo.missing(config, teacher) is None
    assert open_dataset(tmp_path / "labelled_pseudo").ids and pseudo.missing(config, None) is None

"""One's own photo: any picture in, labels out; through the command, from a folder of one's own."""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from reporting import tree
from safetensors.torch import load_file, save_file
from torch import nn

from modanet_utils import model, segment
from modanet_utils.__main__ import main
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, HAIR, LABELS, SKIN
from modanet_utils.datasets.synthetic.drawn import draw
from modanet_utils.datasets.writing import masks
from modanet_utils.photo import network
from modanet_utils.photo.network import open_network
from modanet_utils.photo.pictures import read
from modanet_utils.photo.plots import SIDES, overlay
from modanet_utils.plots import PALETTE
from modanet_utils.project import ROOT, ProjectError
from modanet_utils.thresholds import ALARM_SHARE, SURE
from modanet_utils.training import posthoc
from modanet_utils.training.predict import predict_logits
from modanet_utils.training.weights import WEIGHTS
from modanet_utils.trials import PREFERRED, TrialConfig


def write_run(folder: Path, outputs: int = 16) -> Path:
    """A run folder with what prediction reads of it: configuration and weights, these of an untrained network."""
    config = TrialConfig(image_height=64, image_width=32, encoder_weights=None, attention=None, outputs=outputs)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.plain()))
    torch.manual_seed(0)
    net = model.build(config.encoder, None, None, outputs=outputs)
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, folder / WEIGHTS)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """A drawn person, ``(600, 400, 3)``."""
    return draw(0, 1)[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a user."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(path: Path, seed: int = 0, size: tuple[int, int] = (40, 30), **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)).save(path, **options)
    return path


# ---------------------------------------------------------------------------------------- pictures


def small(scene: np.ndarray) -> Image.Image:
    return Image.fromarray(scene).resize((60, 90))


FORMATS: dict[str, Callable[[Image.Image, Path], None]] = {
    "rgb.jpg": lambda picture, path: picture.save(path, quality=95),
    "rgb.png": lambda picture, path: picture.save(path),
    "alpha.png": lambda picture, path: picture.convert("RGBA").save(path),
    "palette.png": lambda picture, path: picture.quantize(256).save(path),
    "palette.gif": lambda picture, path: picture.quantize(256).save(path),
    "photo.webp": lambda picture, path: picture.save(path, quality=95),
    "photo.bmp": lambda picture, path: picture.save(path),
    "cmyk.jpg": lambda picture, path: picture.convert("CMYK").save(path, quality=95),
    "cmyk.tif": lambda picture, path: picture.convert("CMYK").save(path),
    "named.anything": lambda picture, path: picture.save(path, format="PNG"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_the_same_picture(name: str, scene: np.ndarray, tmp_path: Path) -> None:
    picture = small(scene)
    FORMATS[name](picture, tmp_path / name)
    found = read(tmp_path / name)
    assert found.shape == (90, 60, 3) and found.dtype == np.uint8
    assert np.abs(found.astype(int) - np.asarray(picture)).mean() < 6


def test_grey_and_sixteen_bits_are_what_they_are_with_eight(scene: np.ndarray, tmp_path: Path) -> None:
    grey = np.asarray(small(scene).convert("L"))
    Image.fromarray(grey).save(tmp_path / "8.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16.tif")
    Image.fromarray(grey.astype(np.float32) / 255).save(tmp_path / "float.tif")
    for name in ("8.png", "16.png", "16.tif", "float.tif"):
        np.testing.assert_array_equal(read(tmp_path / name), np.dstack([grey] * 3), err_msg=name)


@pytest.mark.reliability("photos")
def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for size, name in (((40, 30), "large.png"), ((80, 60), "huge.png")):
        with pytest.raises(ProjectError, match=f"{name} cannot be used .it has more than 89 megapixels.: "):
            read(save(tmp_path / name, size=size))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_whatever_its_exif_says(orientation: int, scene: np.ndarray, tmp_path: Path) -> None:
    upright = np.asarray(small(scene))
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "photo.png"), upright)


def test_arrays_of_one_meaning_are_one_picture(scene: np.ndarray) -> None:
    for same in (
        scene.astype(np.uint16) * 257,
        scene / 255,
        (scene / 255).astype(np.float32),
        np.dstack([scene, np.full(scene.shape[:2], 255, np.uint8)]),
        Image.fromarray(scene),
        Image.fromarray(scene).convert("RGBA"),
    ):
        np.testing.assert_array_equal(read(same), scene)
    np.testing.assert_array_equal(read(scene[..., 0]), read(scene[..., :1]))
    hidden = np.dstack([scene, np.zeros(scene.shape[:2], np.uint8)])
    assert (read(hidden) == 255).all(), "what is transparent is white, whatever lies below"


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((4, 4, 3), np.int16), "A picture of int16 with"),
        (np.zeros((4, 4), bool), "A picture of bool with"),
        (np.full((4, 4), 1.5), "with these values has more than one meaning"),
        (np.full((4, 4), -0.1), "with these values has more than one meaning"),
        (np.full((4, 4), np.nan), "with these values has more than one meaning"),
        (np.zeros((0, 4, 3), np.uint8), r"of shape \(0, 4, 3\) cannot be used"),
        (np.zeros((3, 4, 5), np.uint8), r"of shape \(3, 4, 5\) cannot be used"),
        (torch.zeros(3, 8, 9), r"of shape \(3, 8, 9\) cannot be used"),
        (None, r"of shape \(\) cannot be used"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_without_one_meaning_is_refused(picture: Any, said: str, tiny: Path) -> None:
    with pytest.raises(ProjectError, match=said):
        segment(picture, tiny)


# ---------------------------------------------------------------------------------------- network


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (5, 300), (300, 2), (64, 32), (90, 400)])
def test_labels_are_those_of_the_enlarged_logits(
    size: tuple[int, int], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "BAND", 3000)  # several bands even here
    photo = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    answer = open_network(tiny).look(photo)
    logits = predict_logits(open_network(tiny).net, photo, Letterbox(64, 32), fold=False)
    expected = logits.max(0).indices.numpy()
    assert answer.labels.shape == size and answer.labels.dtype == np.uint8
    assert (answer.labels != expected).mean() < 1e-3, "rounding alone may part them"
    sure = logits.softmax(0).max(0).values.numpy()
    for label in np.unique(expected):
        assert answer.share[label] == pytest.approx((expected == label).mean(), abs=1e-3)
        assert answer.confidence[label] == pytest.approx(sure[expected == label].mean(), abs=1e-3)
    assert np.isnan(answer.confidence[answer.share == 0]).all()


def test_the_default_is_the_recommended_run_where_it_is_there(project: Path, folder: Path) -> None:
    with pytest.raises(ProjectError, match="^No trained network is here: "):
        open_network()
    for name in reversed(PREFERRED):
        run = write_run(project / "reports" / "ccp" / "runs" / name)
        found = [open_network(one).folder for one in (None, name, f"reports/ccp/runs/{name}", run)]
        assert found == [run.resolve()] * 4


def not_finite(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    save_file(weights | {name: torch.full_like(weights[name], torch.nan)}, folder / WEIGHTS)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "was kept without weights": lambda folder: (folder / WEIGHTS).unlink(),
    "weights.safetensors is damaged": lambda folder: (folder / WEIGHTS).write_bytes(
        (folder / WEIGHTS).read_bytes()[:-99]
    ),
    "damaged, or of another network": lambda folder: torch.save(nn.Linear(1, 1).state_dict(), folder / WEIGHTS),
    "or of another network": lambda folder: save_file({"x": torch.zeros(1)}, folder / WEIGHTS),
    "not finite": not_finite,
    "config.json is damaged": lambda folder: (folder / "config.json").write_text("{"),
    "config.json is damaged (outputs is 15": lambda folder: (folder / "config.json").write_text('{"outputs": 15}'),
    "config.json is damaged (": lambda folder: (folder / "config.json").write_text("[]"),
    "holds no config.json": lambda folder: (folder / "config.json").unlink(),
}


@pytest.mark.reliability("run folders")
@pytest.mark.parametrize("said", DAMAGES)
def test_a_run_that_cannot_be_used_gets_one_sentence(
    said: str, tiny: Path, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    run = shutil.copytree(tiny, folder / "run")
    DAMAGES[said](run)
    photo = save(folder / "photo.png")
    assert main(["predict", str(photo), "--run", str(run)]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1 and not (folder / "predictions").exists()


def test_an_unknown_run_is_answered_with_those_that_are_there() -> None:
    with pytest.raises(ProjectError, match="Run 'combined_boddy' is unknown: did you mean 'combined_body'"):
        open_network("combined_boddy")


# ---------------------------------------------------------------------------------------- the command


def test_a_folder_of_photos_is_segmented(tiny: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    save(folder / "in" / "a.png", 0)
    save(folder / "in" / "b.jpg", 1, (50, 80))
    (folder / "in" / "notes.txt").write_text("no picture, and not named as one")
    (folder / "in" / "._a.png").write_bytes(b"what macOS puts beside a photo")
    assert main(["predict", "in", "--run", str(tiny)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("1 of 2 · ") and "a.png: " in said[0]
    assert said[1].startswith("2 of 2 · b.jpg: ") and "predictions/predictions.json" in said[2]
    out = folder / "predictions"
    files = [f"{name}.{kind}.png" for name in "ab" for kind in ("labels", "overlay")]
    assert sorted(path.name for path in out.iterdir()) == [*files, "predictions.json"]
    coco = COCO(out / "predictions.json")
    assert {c["id"]: c["name"] for c in coco.cats.values()} == dict(enumerate(LABELS[1:], 1))
    for image in coco.imgs.values():
        stored = Image.open(out / image["labels"])
        labels = np.asarray(stored)
        assert stored.mode == "P" and stored.getpalette() == PALETTE.ravel().tolist()[: len(stored.getpalette() or [])]
        assert labels.shape == (image["height"], image["width"])
        np.testing.assert_array_equal(labels, segment(image["file_name"], tiny))
        painted = np.zeros_like(labels)
        for one in coco.imgToAnns[image["id"]]:
            painted[coco.annToMask(one) > 0] = one["category_id"]
            about = image["classes"][LABELS[one["category_id"]]]
            assert one["area"] / labels.size == pytest.approx(about["share"]) and one["score"] == about["confidence"]
        np.testing.assert_array_equal(painted, labels)
        assert len(coco.imgToAnns[image["id"]]) == len(image["classes"]) == len(set(np.unique(labels)) - {0})


def test_masks_are_those_that_cocos_own_encoder_makes() -> None:
    rng = np.random.default_rng(0)
    for labels in (rng.choice([0, 1, 9, 255], (13, 7)), np.full((3, 4), 2), np.zeros((3, 4)), np.eye(5)):
        labels = labels.astype(np.uint8)
        found = masks(labels)
        assert [label for label, _ in found] == [label for label in np.unique(labels).tolist() if label]
        for label, about in found:
            rle = coco_mask.encode(np.asfortranarray(labels == label, np.uint8))
            assert about["segmentation"] == {"size": list(labels.shape), "counts": rle["counts"].decode()}
            assert about["area"] == (labels == label).sum() and about["bbox"] == coco_mask.toBbox(rle).tolist()


def test_nothing_that_is_there_is_overwritten(tiny: Path, folder: Path) -> None:
    photos = [save(folder / name, seed) for seed, name in enumerate(("x/a.png", "y/a.png", "x/a.jpg", "x/a-2.png"))]
    arguments = ["predict", *map(str, photos), "--run", str(tiny), "--out", "seen"]
    assert main(arguments) == 0
    out, before = folder / "seen", tree(folder / "seen")
    images = json.loads((out / "predictions.json").read_text())["images"]
    assert [one["labels"] for one in images] == [f"{name}.labels.png" for name in ("a", "a-2", "a-3", "a-2-2")]
    for one in images:
        np.testing.assert_array_equal(np.asarray(Image.open(out / one["labels"])), segment(one["file_name"], tiny))
    assert main(arguments) == 0
    after = tree(out)
    assert len(after) == 2 * len(before) and before.items() <= after.items() and "predictions-2.json" in after


@pytest.mark.reliability("photos")
def test_what_is_no_picture_is_said_and_the_others_are_done(
    tiny: Path, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    (folder / "bare").mkdir()
    whole = save(folder / "whole.jpg", 0, (200, 100)).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    names = ["bare", "text.jpg", "nowhere.jpg", "empty.png", "cut.jpg"]
    assert main(["predict", *names, "whole.jpg", "--run", str(tiny)]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == len(names)
    for name, line in zip(names, said.err.splitlines(), strict=True):
        assert name in line and line.endswith(("picture file.", "as JPEG or PNG.", "replace the file."))
    assert "6 of 6 · whole.jpg" in said.out and "1 of 6 done" in said.out
    assert (folder / "predictions" / "whole.labels.png").is_file()
    assert main(["predict", "text.jpg", "--run", str(tiny), "--out", "none"]) == 2
    assert not (folder / "none").exists()
    capsys.readouterr()
    assert main(["predict", "whole.jpg", "--run", str(tiny), "--out", "text.jpg"]) == 2
    assert capsys.readouterr().err == "text.jpg is a file: give --out a folder.\n"


def test_a_network_of_fourteen_outputs_knows_no_hair(folder: Path) -> None:
    run = write_run(folder / "run", outputs=14)
    assert segment(save(folder / "photo.png"), run).max() < len(CLASSES)
    assert main(["predict", "photo.png", "--run", "run"]) == 0
    content = json.loads((folder / "predictions" / "predictions.json").read_text())
    assert [one["name"] for one in content["categories"]] == list(CLASSES[1:])


def test_thresholds_kept_with_a_run_are_used(tmp_path: Path, scene: np.ndarray) -> None:
    labels = segment(scene, plain := write_run(tmp_path / "plain"))
    folder, offsets = write_run(tmp_path / "shifted"), np.zeros(len(CLASSES))
    wanted = [label for label in range(1, len(CLASSES)) if label not in np.unique(labels)][0]
    offsets[wanted] = 1e3
    np.savez(folder / posthoc.FILE, validation=np.zeros(3), offsets=offsets, flipped=0, shifted=0)
    assert (segment(scene, folder) == wanted).all()
    (plain / posthoc.FILE).write_bytes(b"PK")
    network._open.cache_clear()
    with pytest.raises(ProjectError, match="posthoc.npz is damaged: delete it"):
        segment(scene, plain)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (400, 3000)])
def test_an_overlay_can_be_looked_at(size: tuple[int, int], tiny: Path) -> None:
    photo = np.full((*size, 3), 90, np.uint8)
    sheet = overlay(open_network(tiny).look(photo))
    assert SIDES[0] <= sheet.width <= SIDES[1] + 250 and sheet.height <= SIDES[1]


# ---------------------------------------------------------------------------------------- kept weights


def test_the_kept_network_finds_a_drawn_person(scene: np.ndarray) -> None:
    answer = open_network("combined_body").look(scene)
    instances, labels = draw(0, 1)[1:3]
    truth = np.array([0, *labels])[instances]
    near = {
        label: ((answer.labels == label) & (truth == label)).sum() / (truth == label).sum() for label in (8, HAIR, SKIN)
    }
    assert min(near.values()) > 0.3 and near[8] > 0.8, "pants, hair and skin are where they were drawn"
    (note,) = answer.notes
    assert note.startswith("the network is unsure where it says headwear (44%), ") and "pants" not in note
    assert answer.classes["pants"]["confidence"] > 0.7
    np.testing.assert_array_equal(segment(scene, "combined_body"), answer.labels)


def test_what_the_network_was_not_trained_on_is_said(scene: np.ndarray) -> None:
    look = open_network("combined_body").look
    noise = np.random.default_rng(0).integers(0, 256, (600, 400, 3), np.uint8)
    assert "almost no clothing was found" in look(noise).notes[0]
    assert "clothing was found nearly everywhere" in look(np.full((600, 400), 128, np.uint8)).notes[0]
    said = " ".join(look(np.hstack([draw(0, 0)[0], draw(0, 2)[0]])).notes)
    assert "several people" in said and "wider than high" in said


def test_a_person_who_lies_and_what_is_transparent_are_said(scene: np.ndarray, folder: Path) -> None:
    look = open_network("combined_body").look
    (said,) = [note for note in look(np.rot90(scene)).notes if "lying" in note]
    assert said.startswith("the person is probably lying on the side") and said.endswith(": turn the picture")
    clear = np.dstack([scene, np.full(scene.shape[:2], 255, np.uint8)])
    assert not any("transparent" in note for note in look(clear).notes), "it could be, and is not"
    clear[:40, :40, 3] = 0
    Image.fromarray(clear).save(folder / "cut.png")
    for photo in (clear, Image.fromarray(clear), folder / "cut.png"):
        answer = look(photo)
        assert answer.notes[-1] == "where it is transparent, the picture was looked at on white"
        assert (answer.photo[:40, :40] == 255).all() and (answer.photo[40:] == scene[40:]).all()


def test_one_sentence_names_the_labels_that_the_network_doubts() -> None:
    labels = np.zeros((100, 60), np.uint8)
    labels[20:80, 20:40] = 9
    share, each = np.full(16, 0.01), np.full(16, np.nan)
    share[9], share[4], each[:6] = 0.2, ALARM_SHARE / 2, [0.2, 0.55, 0.3, 0.599, 0.1, 0.6]
    (note,) = network._notes(labels, share, each, 0.9, "", False)
    assert (
        note == "the network is unsure where it says belt (30%), bag (55%), boots (60%): look there before trusting it"
    )
    each[6] = 0.5
    assert "belt (30%), dress (50%), bag (55%) and 1 more:" in network._notes(labels, share, each, 0.9, "", False)[0]
    (note,) = network._notes(labels, share, each, SURE - 0.01, "", False)
    assert "on average" in note, "unsure of everything: that is said once"
    assert network._notes(labels, share, np.full(16, 0.7), 0.9, "", False) == []


def test_a_portrait_of_a_person_is_called_unsure() -> None:
    photo = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"  # comes with matplotlib
    answer = open_network("combined_body").look(photo)
    assert answer.labels.shape == (600, 512) and answer.share[SKIN] > 0.02
    assert any("unsure" in note for note in answer.notes) and "lying" not in " ".join(answer.notes)


def test_the_astronaut_is_segmented() -> None:
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed, its astronaut is not looked at")
    answer = open_network("combined_body").look(data.astronaut())
    assert answer.labels.shape == (512, 512) and answer.share[SKIN] > 0.02 and answer.notes


def test_nothing_of_the_project_is_written(scene: np.ndarray) -> None:
    before = sorted((ROOT / "reports" / "ccp" / "runs" / "combined_body").iterdir())
    segment(scene, "combined_body")
    assert sorted((ROOT / "reports" / "ccp" / "runs" / "combined_body").iterdir()) == before


@pytest.mark.parametrize(
    "picture", [torch.zeros(4, 4, 3).bfloat16(), [np.zeros((4, 4)), np.zeros((5, 4))]], ids=["", "list"]
)
def test_what_no_array_can_be_made_of_is_refused(picture: Any) -> None:
    with pytest.raises(ProjectError, match=f"A {type(picture).__name__} is no picture: give a file, a PIL image or an"):
        read(picture)


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes there only")
def test_a_name_that_no_terminal_can_show_loses_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "photos" / "a.jpg")
    (tmp_path / "photos" / "a.jpg").rename(tmp_path / "photos" / os.fsdecode(b"caf\xe9.jpg"))
    monkeypatch.setattr(sys, "stdout", told := io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert main(["predict", str(tmp_path / "photos"), "--run", str(tiny), "--out", str(tmp_path / "seen")]) == 0
    told.flush()
    assert b"caf\\udce9.jpg: " in told.buffer.getvalue()  # type: ignore[attr-defined]
    about = json.loads((tmp_path / "seen" / "predictions.json").read_bytes())
    assert Path(about["images"][0]["file_name"]).read_bytes() and len(about["images"]) == 1

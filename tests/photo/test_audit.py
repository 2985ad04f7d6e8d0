"""Photos that show something else than their annotation says come first; measured on exchanged annotations."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco
from PIL import Image
from reporting import tree

from modanet_utils.__main__ import main
from modanet_utils.classes import IGNORE
from modanet_utils.datasets import synthetic
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.photo import audit
from modanet_utils.photo.network import open_network
from tests.bench import exchanged

SWAPPED = (3, 9)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn people, two of whom have each other's annotations, one whose photo is no picture."""
    root = synthetic.generate(tmp_path_factory.mktemp("data") / "drawn", images=28, seed=5, workers=1)
    coco = json.loads((root / "annotations.json").read_text())
    other = dict(zip(SWAPPED, SWAPPED[::-1], strict=True))
    for one in coco["annotations"]:
        one["image_id"] = other.get(one["image_id"], one["image_id"])
    (root / "annotations.json").write_text(json.dumps(coco))
    (root / "images" / coco["images"][-1]["file_name"]).write_bytes(b"no picture")
    return root


def test_exchanged_annotations_come_first(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tree(drawn)
    assert main(["audit", str(drawn), "--run", "combined_body", "--out", "seen"]) == 2
    said = capsys.readouterr()
    dataset = open_dataset(drawn)
    names = [dataset.images[image_id]["file_name"] for image_id in SWAPPED]
    (unread,) = said.err.splitlines()
    assert dataset.images[dataset.ids[-1]]["file_name"] in unread and unread.endswith(": replace the file.")
    assert "run combined_body: 27 photos looked at, 1 could not be read\n" in said.out and "trained on" not in said.out
    with (tmp_path / "seen" / "audit.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(one["file"] for one in rows[:2]) == sorted(names) and len(rows) == 27
    assert [int(one["rank"]) for one in rows] == list(range(1, 28))
    found = [float(one["score"]) for one in rows]
    assert found == sorted(found) and found[1] < audit.MISFIT - 0.1 < audit.MISFIT < np.median(found)
    low = [one["file"] for one in rows if float(one["score"]) < audit.MISFIT]
    assert (tmp_path / "seen" / "left_out.txt").read_text().splitlines() == low
    sheet = Image.open(tmp_path / "seen" / "worst.png")
    assert sheet.width > 4 * 2 * audit.TILE[0] and sheet.height > 4 * audit.TILE[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seen"] and tree(drawn) == before
    left_out = str(tmp_path / "seen" / "left_out.txt")
    assert main(["convert", str(drawn), str(tmp_path / "new"), "--without", left_out]) == 0
    assert len(open_dataset(tmp_path / "new").ids) == 27 - len(low)


def test_a_network_that_was_trained_on_the_photos_is_said_to_be(drawn: Path, tmp_path: Path) -> None:
    network = open_network("combined_body")
    for fingerprint, taught in ((open_dataset(drawn).fingerprint, True), ("another", False)):
        (tmp_path / "provenance.json").write_text(json.dumps({"data": {"fingerprint": fingerprint}}))
        about = audit.Network(tmp_path, network.config, network.net)
        assert audit._taught(open_dataset(drawn), about) is taught


def test_what_cannot_be_audited_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    things = [annotation(i, 9, [rectangle(2, 2, 9, 9)]) for i in range(1, 10)]
    write_coco(tmp_path / "few", [record(i) for i in range(1, 10)], things)
    write_coco(tmp_path / "bare", [record(i) for i in range(1, 13)], [])
    (tmp_path / "file").touch()
    for arguments, words in (
        (["few"], "Of the photos of few 9 can be used: an audit holds each against the others, and needs 10."),
        (["bare"], "bare has no annotations of its photos"),
        (["nowhere"], "Data root nowhere does not exist"),
        (["few", "--out", "file"], "file is a file"),
        (["few", "--run", "combined_boddy"], "did you mean 'combined_body'"),
    ):
        assert main(["audit", *arguments]) == 2
        assert words in (error := capsys.readouterr().err) and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare", "few", "file"]


def test_the_fit_is_the_mean_logarithm_of_what_the_labels_were_given() -> None:
    truth = np.zeros((144, 96), np.uint8)
    truth[:72], truth[72:, :48], truth[100:, 60:] = 9, 14, IGNORE
    planes = audit.annotated(truth).reshape(14, *audit.GRID)
    assert planes[9, :36].min() == 1 and planes[0, 36:48].min() == 1, "hair is background"
    assert planes[:, 51:, 31:].max() == 0 and planes.sum() == (planes > 0).sum()
    certain = np.array([3.0, 1.0]), np.array([[0.0, 1.0, np.nan]] * 2), np.array([[1.0, 2.0, 3.0]] * 2)
    assert audit.scores(*certain) == pytest.approx([3 - (0.95 + 2.9) / 2, 1 - (0.95 + 2.9) / 2])


def test_exchanges_are_pairs_of_one_size_and_a_tenth_of_all() -> None:
    sizes = [(825, 550)] * 9 + [(820, 550)] * 10 + [(831, 550)]
    for seed in range(20):
        found = exchanged.pairs(sizes, np.random.default_rng(seed))
        places = [place for pair in found for place in pair]
        assert len(places) == len(set(places)) == 2 and all(sizes[one] == sizes[other] for one, other in found)
    fits = np.where(np.eye(20, dtype=bool), 1.0, np.random.default_rng(0).uniform(0, 0.5, (20, 20)))
    scores, moved = exchanged.exchanged(fits, [(2, 5)])
    assert np.flatnonzero(moved).tolist() == [2, 5] and exchanged.area(scores[moved], scores[~moved]) == 1
    assert exchanged.area(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.875


def test_the_measurement_is_recorded_whole(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco = json.loads((drawn / "annotations.json").read_text())
    coco["images"].pop()
    coco["images"][0]["group"] = coco["images"][1]["group"] = 1
    kept = {one["id"] for one in coco["images"]}
    coco["annotations"] = [one for one in coco["annotations"] if one["image_id"] in kept]
    root = tmp_path / "data"
    root.mkdir()
    (root / "images").symlink_to(drawn / "images")
    (root / "annotations.json").write_text(json.dumps(coco))
    monkeypatch.setattr(exchanged, "RECORD", tmp_path / "audit.json")
    monkeypatch.setattr(exchanged, "DRAWS", 3)
    assert exchanged.main([str(root), "--run", "combined_body"]) == 0
    found = json.loads((tmp_path / "audit.json").read_text())
    assert found["run"] == "combined_body" and found["same_scene"]["photos"] == 2
    for part in ("test", "validation"):
        low, high = found[part]["area_under_roc"]["interval"]
        assert 0 <= low <= found[part]["area_under_roc"]["value"] <= high <= 1

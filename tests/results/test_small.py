"""What is said of small, partial and drawn data: five classes, twelve test photos, whatever the profile is called."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco

from modanet_utils import metrics, splits, statistics
from modanet_utils.classes import CLASSES
from modanet_utils.comparison import claims, plots, text
from modanet_utils.datasets.coco import Dataset, is_drawn, open_dataset
from modanet_utils.datasets.own import convert
from modanet_utils.datasets.weights import image_pixels
from modanet_utils.results.claims import Claim, decide
from modanet_utils.results.compared import compared, compared_texts
from modanet_utils.results.tables import claims_table, class_table, headline_table, score_table
from modanet_utils.results.workspace import Workspace
from modanet_utils.trials import headline

THERE = ("bag", "footwear", "pants", "top", "skirt")


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """80 figures of 20x30, drawn, and 12 of them in the test part: top and pants on all, the bag on few."""
    things = []
    for i in range(1, 81):
        worn = ["top", "pants", "footwear", *["skirt"] * (i % 2), *["bag"] * (i % 20 == 0)]
        for at, name in enumerate(worn):
            things.append(annotation(i, CLASSES.index(name), [rectangle(2 + 5 * at, 2 + i % 3, 4, 5 + i % 7)]))
    folder = write_coco(tmp_path / "mine", [record(i) for i in range(1, 81)], things, photos=False)
    coco = json.loads((folder / "annotations.json").read_text())
    (folder / "annotations.json").write_text(json.dumps(coco | {"info": {"name": "synthetic"}}))
    return open_dataset(folder, annotations_only=True)


def test_small_and_partial_data_are_said_to_be(data: Dataset, tmp_path: Path) -> None:
    parts = splits.split(data)
    assert len(parts["test"]) == 12
    truths = [data.label_map(image_id) for image_id in parts["test"]]
    guesses = [np.roll(truth, 1, axis=0) for truth in truths]
    found = np.stack([metrics.confusion_counts(*pair) for pair in zip(truths, guesses, strict=True)])
    nothing = np.stack([metrics.confusion_counts(truth, 0 * truth) for truth in truths])
    counts = dict(zip(headline(), (nothing, found, found), strict=True))
    pixels = image_pixels(data, parts["train"])
    work = Workspace("ccp", data, tmp_path, tmp_path / "results.json")
    work.record_dataset(parts, sum(map(data.pixels, data.ids)))
    for name, stack in counts.items():
        entry = {"config": {}, "config_hash": "0", "epochs": 1, "seconds_per_epoch": 1.0, "seeds": [0]}
        work.record_trial(name, entry | {"test": statistics.test_summary(stack)})
    work.record_claims(decide(claims.BASELINE, claims.Evidence(counts, pixels)), "02")
    work.record_claims(decide(claims.COMBINED, claims.Evidence(counts, pixels)), "03")
    results: dict[str, Any] = work.results

    scores = score_table(results["trials"]["combined"]["test"])
    assert scores.index.tolist() == ["background", *THERE, *scores.index[-2:]]
    assert scores.index[-2] == "mean of the 5 clothing classes in these data"
    few = results["trials"]["combined"]["test"]["classes"]["bag"]["images"]
    assert 0 < few < 5 and f"(of {few} photo" in scores.loc["bag", "IoU"] and "photo" not in scores.loc["top", "IoU"]
    assert scores["IoU"].iloc[-2].endswith(" (of 12 photos only)")
    silent = score_table(results["trials"]["cross_entropy"]["test"])
    assert silent["IoU"].iloc[-2].endswith(" (of 12 photos only) (never above background)")
    assert "never above" not in scores.to_string()
    assert class_table(results).index.tolist() == list(THERE)
    assert headline_table(results).index[0] == "mean IoU, 5 clothing classes in these data"
    shown = compared_texts(compared(counts))
    assert shown["classes found"].tolist() == ["0, never above background", "5", "5"]

    said = text.cross_entropy(results).data
    assert said.startswith("**On drawn figures** (synthetic, only 12 test images)") and "real" not in said
    assert "leaves 5 of the 5 clothing classes in these data at zero: bag, " in said
    assert "it never rose above background" in said
    assert "real" not in text.combined(results).data
    long = {"trials": results["trials"] | {"cross_entropy_long": results["trials"]["combined"]}}
    assert "Three times the training brings back " in text.cross_entropy(results | long).data
    drawn = plots.opening_cross_entropy(results)
    assert drawn and "5 of 5 classes are at zero" in drawn[1] and plots.opening_combined(results)

    table = claims_table(results).set_index("claim")
    assert table["measured by"].str.contains("of 12 photos only").sum() >= 8
    assert not table["measured by"].str.contains("13 classes").any()
    ranks = table.loc["Classes with low support score low."]
    assert "over the 5 classes in these data" in ranks["measured by"] and ranks["verdict"] == "inconclusive"
    same = Claim("same", "It never varies.", "number", lambda _: (0.0, 0.0, 0.0), below=0.1)
    evidence = claims.Evidence(counts, pixels)
    assert same.decide(evidence)["verdict"] == "inconclusive"
    plenty = {name: np.concatenate([stack] * 3) for name, stack in counts.items()}
    assert same.decide(claims.Evidence(plenty, pixels))["verdict"] == "supported"


def test_whose_answer_leads_is_decided_by_the_data(data: Dataset, tmp_path: Path) -> None:
    own = {"profile": "mine", "dataset": {"name": "mine", "fingerprint": data.fingerprint, "split": {"test": 40}}}
    (tmp_path / "results.json").write_text(json.dumps(own))
    work = Workspace("mine", data, tmp_path, tmp_path / "results.json")
    assert work.leading()["dataset"]["name"] == "Clothing Co-Parsing", "the figures of a committed notebook are drawn"
    photos = Workspace("mine", Dataset("mine", data.root, data.fingerprint, {}, {}, {}), tmp_path, work.results_path)
    assert photos.leading() == own and photos.elsewhere()["dataset"]["name"] == "Clothing Co-Parsing"


def test_what_is_drawn_stays_known_to_be_when_it_is_converted(data: Dataset, tmp_path: Path) -> None:
    for one in data.images.values():
        (data.root / "images").mkdir(exist_ok=True)
        picture = np.random.default_rng(one["id"]).integers(0, 256, (20, 30, 3), np.uint8)
        cv2.imwrite(str(data.root / "images" / one["file_name"]), picture)
    convert(data.root, tmp_path / "new")
    assert open_dataset(tmp_path / "new").name == "synthetic, mine" and is_drawn("synthetic, mine")
    assert not is_drawn("synthetic fabrics"), "a folder's name says nothing of what is in it"

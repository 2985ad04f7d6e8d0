"""Model cards agree with the files beside them."""

import json
from pathlib import Path

import pytest

from modanet_utils.__main__ import main
from modanet_utils.photo.card import CARD, card, cards, facts
from modanet_utils.project import ROOT
from modanet_utils.results.text import value_text

KEPT = sorted(path.parent for path in ROOT.glob("reports/*/runs/*/weights.safetensors"))


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_every_kept_network_has_a_card_that_is_up_to_date(folder: Path) -> None:
    file = folder / CARD
    assert file.is_file() and file.read_text(encoding="utf-8") == card(folder), "run python -m modanet_utils readme"


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_a_card_says_what_the_files_say(folder: Path) -> None:
    text, found = card(folder), facts(folder)
    scores = found["scores"]
    assert f"**{value_text(scores['mean_iou'], scores['mean_iou_interval'])}**" in text
    for name, row in scores["classes"].items():
        assert f"| {name} | {value_text(row['iou'], row['iou_interval'])} | " in text
    assert f"one of {found['config']['outputs']} labels" in text and f'segment("photo.jpg", "{folder.name}")' in text
    assert ("14 hair, 15 skin" in text) == (found["config"]["outputs"] == 16)
    assert "602 photos to learn from" in text and found["about"]["data"]["fingerprint"] in text
    assert "belt, boots, sunglasses, shorts, headwear and scarf & tie" in text
    for word in ("Apache-2.0", "MIT", "ImageNet"):
        assert word in text
    assert "None" not in text and "{{" not in text and "\n\n\n" not in text


def test_readme_writes_the_cards_of_runs_with_weights_only(project: Path) -> None:
    runs = project / "reports" / "ccp" / "runs"
    for name in ("with", "without"):
        (runs / name).mkdir(parents=True)
        for file in ("config.json", "provenance.json", "scores.json"):
            (runs / name / file).write_text((KEPT[0] / file).read_text())
    (runs / "with" / "weights.safetensors").touch()
    assert list(cards()) == [runs / "with" / CARD]
    assert "not recorded" in card(runs / "with"), "no results.json says how rare classes are"
    about = json.loads((runs / "with" / "provenance.json").read_text())
    (runs / "with" / "provenance.json").write_text(json.dumps(about | {"data": {"name": "Mine", "fingerprint": "ab"}}))
    assert "Data: as Mine has it." in card(runs / "with") and "Clothing Co-Parsing" not in card(runs / "with")
    assert main(["readme"]) == 2 and not (runs / "with" / CARD).exists(), "without README.md nothing is written"

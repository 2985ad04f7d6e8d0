"""The generated parts of README.md, and the pages and pictures beside it."""

import copy
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reporting import complete_results

from modanet_utils.__main__ import main
from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.plots import PALETTE
from modanet_utils.project import ROOT, write_json
from modanet_utils.report.answer import points
from modanet_utils.report.readme import DRAWN, PAGES, README_PARTS, drawn, up_to_date
from modanet_utils.report.templating import rendered
from modanet_utils.results.tables import claims_table, headline_table
from modanet_utils.results.text import markdown, value_text
from modanet_utils.results.workspace import NOTEBOOKS


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    return complete_results()


def test_readme_and_the_pages_beside_it_get_the_recorded_tables(
    project: Path, complete: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    assert main(["readme"]) == 2
    readme = project / "README.md"
    marks = "".join(f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in README_PARTS)
    readme.write_text(f"before\n{marks}after\n")
    assert main(["readme"]) == 2  # nothing recorded yet
    assert readme.read_text().count("old") == len(README_PARTS) and not any((project / name).exists() for name in PAGES)
    write_json(project / "reports" / "ccp" / "results.json", complete)
    assert main(["readme"]) == 0
    text = readme.read_text()
    assert text.startswith("before\n<!-- answer:begin -->\n") and text.endswith("<!-- classes:end -->\nafter\n")
    assert "\nold\n" not in text and all(f"* {one} ([" in text for one in points(complete))
    assert (
        "\n\nCan it be trusted? Each of 1 claims is held against a threshold by its whole 95% interval: 1 sup" in text
    )
    tests = [complete["trials"][name]["test"] for name in ("cross_entropy", "combined")]
    assert f"| **mean** |  | {' | '.join(value_text(test['mean_iou']) for test in tests)} |" in text
    belts = [value_text(test["classes"]["belt"]["iou"]) for test in tests]
    assert f"| belt | {tests[0]['classes']['belt']['images']} | {' | '.join(belts)} |" in text
    trials, claims, speed = (
        (project / "reports" / name).read_text() for name in ("ccp/trials.md", "ccp/claims.md", "speed.md")
    )
    assert markdown(headline_table(complete)) in trials and "Not recorded yet." in trials
    assert markdown(claims_table(complete)) in claims and "Not measured yet." in speed
    assert up_to_date(text) == text
    picture = project / DRAWN
    stamp = picture.stat().st_mtime_ns
    assert main(["readme"]) == 0 and picture.stat().st_mtime_ns == stamp  # the same pixels are not written anew
    for damaged in (
        "no markers",
        text.replace("<!-- classes:end -->", ""),
        text + marks,
        "\n".join(text.split("\n")[::-1]),
    ):
        readme.write_text(damaged)
        assert main(["readme"]) == 2
        assert "once each" in capsys.readouterr().err
        assert readme.read_text() == damaged


def test_readme_and_the_pages_beside_it_are_up_to_date() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert up_to_date(text) == text, "run modanet readme"
    for name, page in PAGES.items():
        assert (ROOT / name).read_text(encoding="utf-8") == page(), f"{name}: run modanet readme"


def test_readme_is_short_and_leads_to_what_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) < 1500
    assert text.count("\n* ") >= 3 and text.count("![") == 3
    for name in NOTEBOOKS:
        assert f"](notebooks/{name}.ipynb)" in text
    for page in ("README.md", "docs/data_and_training.md", *(name for name in PAGES if name.endswith(".md"))):
        links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
        assert [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()] == []


def test_the_picture_of_the_answer_shows_the_recorded_numbers(complete: dict[str, Any]) -> None:
    results = copy.deepcopy(complete)
    results["dataset"]["class_share"] |= {name: 1 / (2 + at) for at, name in enumerate(CLOTHING)}
    results["trials"]["combined"]["test"]["classes"]["belt"] |= {"iou": 0.5, "iou_interval": [0.25, 0.75]}
    results["trials"]["combined"]["test"]["classes"]["boots"] |= {"iou": None, "iou_interval": None}
    picture = ET.fromstring(rendered("chart.svg.j2", results=results, alone=True))
    space = "{http://www.w3.org/2000/svg}"
    own = [one for one in picture if one.get("fill") == "#d55e00" or one.get("stroke") == "#d55e00"]
    marks = [one for one in own if one.get("class") != "key"]  # without the legend's
    labels = [one.text for one in picture.iter(f"{space}text") if one.get("class") == "class"]
    names = [label.partition(" (")[0] for label in labels]
    assert f"belt ({results['trials']['cross_entropy']['test']['classes']['belt']['images']})" in labels
    shares = results["dataset"]["class_share"]
    assert (
        sorted(names) == sorted(CLOTHING) and [shares[name] for name in names] == sorted(map(shares.get, names))[::-1]
    )
    assert len([one for one in marks if one.tag == f"{space}circle"]) == len(CLOTHING) - 1
    # 0 lies at 128 and 1 at 464
    assert ("212.0", "380.0") in [(one.get("x1"), one.get("x2")) for one in marks]
    assert "296.0" in [one.get("cx") for one in marks]
    assert "combined loss 0." in picture.get("aria-label", "")


def test_the_title_of_the_picture_counts_zeros_over_trainings(complete: dict[str, Any]) -> None:
    def finding(results: dict[str, Any]) -> str:
        picture = ET.fromstring(rendered("chart.svg.j2", results=results, alone=True))
        lines = [one.text for one in picture if one.get("class") == "finding"]
        assert picture.get("aria-label", "").startswith(f"{lines[0]} {lines[1]}. ")
        return f"{lines[0]} {lines[1]}"

    results = copy.deepcopy(complete)
    for trial in results["trials"].values():
        for name in CLOTHING:
            trial["test"]["classes"][name] |= {"iou": 0.5, "support": 9}
    trials, results["dataset"]["class_share"] = results["trials"], dict.fromkeys(CLASSES, 0.07)
    assert finding(results) == "Cross-entropy leaves none of 13 classes at zero, the combined loss none"
    trials["combined"]["test"]["classes"]["belt"]["iou"] = 0.0
    trials["cross_entropy-seed1"] = copy.deepcopy(trials["combined"])
    assert finding(results) == "Cross-entropy leaves none or 1 of 13 classes at zero, the combined loss 1"
    trials["recommended"] = copy.deepcopy(trials["cross_entropy"])
    assert finding(results).endswith("the recommended network none")


def test_a_label_map_below_each_drawn_scene() -> None:
    picture = drawn(2)
    assert picture.shape == (404, 268, 3)
    maps = {tuple(pixel) for pixel in picture[204:].reshape(-1, 3).tolist()}
    assert 4 < len(maps) <= len(LABELS) and maps <= {tuple(color) for color in PALETTE[: len(LABELS)].tolist()}
    assert len(np.unique(picture[:200].reshape(-1, 3), axis=0)) > 1000
    assert np.array_equal(np.asarray(Image.open(ROOT / DRAWN))[:, :134], picture[:, :134]), "run modanet readme"

"""The generated parts of README.md."""

from pathlib import Path
from typing import Any

import pytest
from reporting import complete_results

from modanet_utils.__main__ import main
from modanet_utils.comparison.text import over_seeds
from modanet_utils.project import ROOT
from modanet_utils.report.readme import README_PARTS, up_to_date
from modanet_utils.results.schema import write_results
from modanet_utils.results.tables import claims_table, class_table, headline_table
from modanet_utils.results.text import markdown


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    return complete_results()


def test_the_headline_says_how_far_trainings_lie_apart(complete: dict[str, Any]) -> None:
    assert over_seeds(complete).data == "These numbers are of one training each."
    row = {"seeds": 3, "mean_iou": 0.3, "mean_iou_low": 0.28, "mean_iou_high": 0.33, "lowest": 0.29, "highest": 0.32}
    text = over_seeds(complete | {"comparison": {"seeds": {"combined": row}}}).data
    assert "over 3 trainings: combined loss 0.300 [0.280, 0.330], from 0.290 to 0.320." in text


def test_readme_gets_the_recorded_tables(
    project: Path, complete: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    assert main(["readme"]) == 2
    readme = project / "README.md"
    marks = "".join(f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in README_PARTS)
    readme.write_text(f"before\n{marks}after\n")
    assert main(["readme"]) == 2  # nothing recorded yet
    assert readme.read_text().count("old") == len(README_PARTS)
    write_results(project / "reports" / "ccp" / "results.json", complete)
    assert main(["readme"]) == 0
    text = readme.read_text()
    assert text.startswith("before\n<!-- headline:begin -->\n") and text.endswith("<!-- bench:end -->\nafter\n")
    assert "old" not in text and "Not measured yet." in text
    for table in (headline_table, class_table, claims_table):
        assert markdown(table(complete)) in text
    assert "Not recorded yet." in text
    assert up_to_date(text) == text
    for damaged in (
        "no markers",
        text.replace("<!-- claims:end -->", ""),
        text + marks,
        "\n".join(text.split("\n")[::-1]),
    ):
        readme.write_text(damaged)
        assert main(["readme"]) == 2
        assert "once each" in capsys.readouterr().err
        assert readme.read_text() == damaged


def test_the_readme_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert up_to_date(text) == text, "run python -m modanet_utils readme"

"""The tables on speed."""

import json
from pathlib import Path

from reporting import ENTRY

from modanet_utils.project import ROOT
from modanet_utils.report import speed
from tests.bench.turns import AS_TRAINED


def test_what_was_measured_as_readme_quotes_it(tmp_path: Path) -> None:
    assert speed.text(speed.recorded(tmp_path / "none.json")) == "Not measured yet."
    (tmp_path / "bench.json").write_text(json.dumps({"score": ENTRY, "scan": ENTRY}))
    lines = speed.text(speed.recorded(tmp_path / "bench.json")).splitlines()
    assert lines[0] == "| key | compared | ratio [lowest, highest] | seconds | data |"
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| scan", "| score"]
    assert "one thing \\| another | 12.3 [11.9, 128] = theirs / ours | theirs 1.23, ours 0.1 | 3 images |" in lines[2]
    assert lines[-1] == "Measured on: CPU, 2 cores."
    recorded = speed.recorded(ROOT / "reports" / "bench.json")
    text = speed.text(recorded)
    assert all(f"| {name} | {recorded[name]['what']} | " in text for name in recorded if "ratio" in recorded[name])
    assert f"| {AS_TRAINED} | " in text
    page, (low, high) = (ROOT / "reports" / "speed.md").read_text(), recorded["modanet"]["hours"]["a training"]
    assert f"One training on one GPU would take **{low:.0f} to {high:.0f} hours**" in page
    ratios = {"compiled": (11.9, 128), "in bf16": (0.7, 0.8), "fused": (0.9, 1.1), AS_TRAINED: (1.0, 1.0)}
    steps = {
        "variants": {
            name: {"seconds": 0.5, "first_step": 7, "ratio": {"median": 12.345, "low": low, "high": high}}
            for name, (low, high) in ratios.items()
        }
    }
    trials = {name: {"mean_iou": [0.3, [0.2, 0.4]]} for name in ("in bf16", "fused", AS_TRAINED)}
    report = {
        "step": ENTRY | steps,
        "trials": {"data": "3 photos", "provenance": ENTRY["provenance"], "trials": trials},
    }
    (tmp_path / "bench.json").write_text(json.dumps(report))
    text = speed.text(speed.recorded(tmp_path / "bench.json"))
    assert "| in bf16 | 0.5 | 7 | 12.3 [0.7, 0.8] | 0.300 [0.200, 0.400] |" in text
    assert "| compiled | 0.5 | 7 | 12.3 [11.9, 128] | – |" in text and "| trials |" not in text

"""``MODEL_CARD.md`` beside kept weights: what a network is, from the files of its run."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from modanet_utils import statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.metrics import clothing_mean_iou
from modanet_utils.project import ROOT
from modanet_utils.results.tables import score_table
from modanet_utils.results.text import listed, markdown, row_text, value_text
from modanet_utils.thresholds import RARE_SHARE
from modanet_utils.training import posthoc

CARD = "MODEL_CARD.md"


def facts(folder: Path) -> dict[str, Any]:
    """What the run in a folder says of itself: ``config``, ``about`` (its provenance) and ``scores``."""
    names = {"config": "config", "about": "provenance", "scores": "scores"}
    return {key: json.loads((folder / f"{name}.json").read_text("utf-8")) for key, name in names.items()}


def card(folder: Path) -> str:
    """The model card of a run kept beside a report, whose ``results.json`` gives split and shares of the same data."""
    found, results = facts(folder), folder.parent.parent / "results.json"
    data = json.loads(results.read_text("utf-8")).get("dataset", {}) if results.is_file() else {}
    data = data if data.get("fingerprint") == found["about"]["data"]["fingerprint"] else {}
    classes, body, shares = found["scores"]["classes"], found["scores"]["body"], data.get("class_share", {})
    leaks = {name: value_text(body[name]["value"], body[name]["interval"], ".1%") for name in body}
    kept = posthoc.measured(folder)
    again = kept and statistics.ends("mean", statistics.bootstrap(kept["shifted"], clothing_mean_iou))
    template = Environment(loader=PackageLoader("modanet_utils.photo"), keep_trailing_newline=True)
    return template.get_template("model_card.md.j2").render(
        **found,
        name=folder.name,
        split=data.get("split"),
        mean_iou=value_text(found["scores"]["mean_iou"], found["scores"]["mean_iou_interval"]),
        thresholds=again and row_text(again, "mean"),
        table=markdown(score_table(found["scores"]).rename_axis(index=None, columns="class")),
        rare_share=f"{RARE_SHARE:.1%}",
        rare=listed([name for name in CLOTHING if shares.get(name, 1) < RARE_SHARE]) or "not recorded",
        few=listed([name for name in CLOTHING if classes[name]["images"] < 20]) or "none",
        poor=listed([name for name in CLOTHING if (classes[name]["iou"] or 0) < 0.2]) or "none",
        skin=leaks["skin_as_clothing"],
        hair=leaks["hair_as_headwear"],
        on_hair=leaks["headwear_false_positives_on_hair"],
    )


def cards() -> dict[Path, str]:
    """The model card of every run that is kept with weights, by its file."""
    kept = sorted(path.parent for path in ROOT.glob("reports/*/runs/*/weights.safetensors"))
    return {folder / CARD: card(folder) for folder in kept}

"""The lines of Python in README.md do what the text beside them says."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modanet_utils.datasets.synthetic.drawn import draw
from modanet_utils.project import ROOT


def snippets(section: str) -> list[str]:
    """The blocks of Python in a section of README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^## {section}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```python\n(.*?)^```", body, re.MULTILINE | re.DOTALL)


def run(snippet: str, names: dict[str, Any]) -> dict[str, Any]:
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 3
    exec(snippet, names)
    return names


def test_a_photo_is_segmented_in_three_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(draw(0, 1)[0]).save("me.jpg")
    (snippet,) = snippets("Your own photo")
    labels = run(snippet, {})["labels"]
    assert labels.shape == (600, 400) and labels.dtype == np.uint8 and {0, 8, 14, 15} <= set(np.unique(labels))


def test_weights_loss_and_scores_work_without_the_report() -> None:
    weights, loss, scores = snippets("The method without the report")
    rng = np.random.default_rng(0)
    masks = [rng.choice(5, (9, 7), p=[0.6, 0.2, 0.1, 0.05, 0.05]).astype(np.uint8) for _ in range(4)]
    masks[0][:2] = 255
    names: dict[str, Any] = {"np": np, "torch": torch, "masks": masks}
    run(weights, names)
    assert names["weights"].shape == (5,) and names["weights"].mean() == pytest.approx(1)
    assert names["weights"].argmin() == 0, "background is commonest"
    names["targets"] = torch.from_numpy(np.stack(masks).astype(np.int64))
    names["logits"] = torch.zeros(4, 5, 9, 7, requires_grad=True)
    run(loss, names)
    gradient = names["logits"].grad
    assert gradient.abs().sum() > 0 and gradient[0, :, :2].abs().max() == 0, "what is ignored teaches nothing"
    names["guesses"] = [np.where(mask == 255, 0, mask) for mask in masks]
    assert (run(scores, names)["iou"] == 1).all()
    names["guesses"] = [np.zeros_like(mask) for mask in masks]
    valid = np.concatenate([mask[mask < 255] for mask in masks])
    assert run(scores, names)["iou"].tolist() == pytest.approx([(valid == 0).mean(), 0, 0, 0, 0])

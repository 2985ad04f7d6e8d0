"""The data set folder that a profile names."""

import json
from pathlib import Path

import pytest
from reporting import write_dataset

from modanet_utils.datasets import synthetic
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.datasets.find import find_data


def test_synthetic_figures_of_an_earlier_version_are_drawn_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(synthetic, "generate", lambda root, images, seed, **more: asked.append((images, seed)) or root)
    root = write_dataset(project / "data" / "synthetic")
    assert find_data("synthetic", None) == root
    assert open_dataset(root)  # somebody's own data are left alone
    coco = json.loads((root / "annotations.json").read_text())
    coco["info"] = {"name": "synthetic", "version": "0"}
    (root / "annotations.json").write_text(json.dumps(coco))
    find_data("synthetic", None)
    assert not root.exists()
    assert asked == [(240, 0)] * 2

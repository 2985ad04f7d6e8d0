"""Material of the tests about results.json and what is made of it: a tiny data set, and results that lack nothing."""

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import nbformat
import numpy as np
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.writing import CATEGORIES
from modanet_utils.project import ROOT
from modanet_utils.results.workspace import GUIDES, NOTEBOOKS
from modanet_utils.statistics import test_summary as summary_of

DEFAULTS = yaml.safe_load((ROOT / "profiles" / "synthetic.yaml").read_text())
"""The parameters of a notebook with their defaults."""

ENTRY = {
    "what": "one thing | another",
    "ratio_is": "theirs / ours",
    "ratio": {"median": 12.345, "low": 11.9, "high": 128.4, "rounds": 3},
    "seconds": {"theirs": 1.2345, "ours": 0.1},
    "data": "3 images",
    "provenance": {"device": "CPU, 2 cores"},
}
"""What was measured of one comparison, as bench.json holds it."""


def write_dataset(folder: Path, images: int = 4) -> Path:
    """A data set of grey 32x32 pictures with a bag of 4x4 pixels and hair of 2x2 pixels on each."""
    (folder / "images").mkdir(parents=True)
    records, annotations = [], []
    for i in range(1, images + 1):
        cv2.imwrite(str(folder / "images" / f"{i}.png"), np.full((32, 32, 3), 128, np.uint8))
        records.append({"id": i, "file_name": f"{i}.png", "width": 32, "height": 32})
        for category, side in ((1, 4), (14, 2)):
            left = 10 * (category > 1)
            box = [left, 0, left + side, 0, left + side, side, left, side]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i, "category_id": category, "segmentation": [box]}
            )
    coco = {"info": {"name": "tiny"}, "images": records, "annotations": annotations, "categories": CATEGORIES}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def counts(images: int = 12) -> np.ndarray:
    """Counts ``(images, 16, 14)`` in which every class is found and hair leaks into headwear."""
    values = np.random.default_rng(0).integers(0, 5, (images, 16, 14))
    values[:, range(14), range(14)] += 50
    return values


def trial() -> dict[str, Any]:
    entry = {
        "config": {"loss": "cross_entropy"},
        "config_hash": "0" * 12,
        "epochs": 3,
        "seconds_per_epoch": 1.5,
    }
    return entry | {"seeds": [0], "test": summary_of(counts(), resamples=100)}


CLAIM = {
    "id": "rare",
    "statement": "Rare classes are missed.",
    "measure": "mean IoU",
    "value": 0.1,
    "interval": [0.05, 0.2],
    "verdict": "supported",
    "notebook": NOTEBOOKS[1],
}


def complete_results() -> dict[str, Any]:
    """Results that lack nothing."""
    shares = {name: 0.0 for name in CLASSES} | {"background": 0.75, "bag": 0.25}
    dataset = {"name": "tiny", "images": 10, "fingerprint": "ab", "split": {"train": 6, "val": 2, "test": 2}}
    return {
        "profile": "ccp",
        "dataset": dataset | {"class_share": shares},
        "trials": {"cross_entropy": trial(), "cross_entropy_adjusted": trial(), "combined": trial()},
        "claims": [CLAIM],
        "provenance": {"commit": "unknown", "versions": {"python": "3.11.0"}, "device": "CPU, 2 cores"},
    }


def change(found: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(found)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    inner = changed
    for key in parents:
        inner = inner[key]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return changed


def parameters_cell(parameters: dict[str, Any] = DEFAULTS) -> nbformat.NotebookNode:
    cell = new_code_cell("\n".join(f"{key} = {value!r}  # said here" for key, value in parameters.items()))
    cell.metadata["tags"] = ["parameters"]
    return cell


def write_notebooks(folder: Path, codes: dict[int, list[str]]) -> Path:
    """The notebooks with a title, parameters and the given code cells (by index)."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate((*NOTEBOOKS, *GUIDES)):
        neighbour = NOTEBOOKS[(i + 1) % len(NOTEBOOKS)]
        parameters = parameters_cell() if name in NOTEBOOKS else parameters_cell({"photo": None})
        title = f"# Title {i + 1}\n\nIs it *rare*, or `common`?\n\n$$x_i^2$$\n\n[Next]({neighbour}.ipynb)"
        cells = [new_markdown_cell(title), parameters, *map(new_code_cell, codes.get(i, ["1 + 1"]))]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its place in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

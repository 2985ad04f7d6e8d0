"""What every test relies on: no network, no windows, tiny datasets, and a word on what is skipped."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before anything imports the libraries that read these.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import scheduling
import torch
from error_samples import answer_table, counts_after, counts_before
from reliability import Tally

from modanet_utils.datasets import ccp
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.datasets.writing import CATEGORIES
from modanet_utils.project import ROOT

# Not through MPLBACKEND: kernels that tests start would inherit it and show no figures.
mpl.use("agg")

SHARED = Path(os.environ.get("MODANET_UTILS_SHARED") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""Real data, where there are any: ``ccp/`` in the original layout, ``modanet/instances_sample.json``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", action="store_true", help="keep what was tried for reports/reliability.md")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--reliability"):
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--reliability counts in one process: leave out -n.")
        config.pluginmanager.register(Tally())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first; what needs a GPU where there is none is skipped, and the last lines name the reason."""
    items.sort(key=scheduling.rank)
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="there is no CUDA device"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> scheduling.ByFile:
    config.option.loadscopereorder = False  # as sorted here, not by the number of tests
    return scheduling.ByFile(config, log)


# ---------------------------------------------------------------------------------------- real data


def shared_data(name: str, what: str) -> Path:
    """A part of the real data; a test that needs it is skipped where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {what} here: set MODANET_UTILS_SHARED to a folder that holds {name}")
    return path


@pytest.fixture(scope="session")
def ccp_source() -> Path:
    """Clothing Co-Parsing in its original layout."""
    return shared_data("ccp", "copy of Clothing Co-Parsing")


@pytest.fixture(scope="session")
def real_ccp(ccp_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Clothing Co-Parsing, converted once for all tests."""
    return open_dataset(ccp.convert(ccp_source, tmp_path_factory.mktemp("real") / "ccp"))


@pytest.fixture(scope="session")
def modanet_excerpt() -> Path:
    """Annotations of about a thousand ModaNet images, without photos."""
    return shared_data("modanet/instances_sample.json", "excerpt of ModaNet's annotations")


# ---------------------------------------------------------------------------------------- tiny data


def rectangle(left: float, top: float, width: float, height: float) -> list[float]:
    """A polygon that covers exactly these pixels, if they are whole numbers."""
    right, bottom = left + width, top + height
    return [left, top, right, top, right, bottom, left, bottom]


def annotation(image_id: int, category: int, segmentation: Any, **more: Any) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category, "segmentation": segmentation, **more}


def write_coco(
    folder: Path,
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    categories: list[dict[str, Any]] = CATEGORIES,
    photos: bool = True,
) -> Path:
    """A dataset folder; annotations are numbered as listed, photos (PNG, grey) have the records' sizes."""
    folder.mkdir(parents=True)
    content = {
        "info": {"name": "tiny"},
        "images": images,
        "annotations": [{"id": number, **one} for number, one in enumerate(annotations, 1)],
        "categories": categories,
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    if photos:
        (folder / "images").mkdir()
        for record in images:
            grey = np.full((record["height"], record["width"], 3), 128, np.uint8)
            cv2.imwrite(str(folder / "images" / record["file_name"]), grey)
    return folder


def record(image_id: int, height: int = 20, width: int = 30, **more: Any) -> dict[str, Any]:
    return {"id": image_id, "file_name": f"{image_id}.png", "width": width, "height": height, **more}


@pytest.fixture
def coco(tmp_path: Path) -> Callable[..., Dataset]:
    """Opens a dataset of these annotations on one image of 20x30 (or on the given images), without photos."""

    def build(*annotations: dict[str, Any], images: list[dict[str, Any]] | None = None) -> Dataset:
        folder = tmp_path / f"coco-{len(list(tmp_path.iterdir()))}"
        return open_dataset(write_coco(folder, images or [record(1)], list(annotations), photos=False), True)

    return build


def write_street(folder: Path, images: int = 12, seed: int = 0) -> Path:
    """Photos (PNG, sizes between 40x28 and 52x36) of coloured, noisy rectangles that a network can learn.

    Every image holds a top, pants and hair, and one of bag, boots, skirt and headwear in turn.
    """
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (16, 3))
    records, annotations, photos = [], [], []
    for i in range(1, images + 1):
        height, width = (int(v) for v in rng.integers((40, 28), (53, 37)))
        photo = np.full((height, width, 3), 200, np.uint8)
        for label, top in ((14, 1), (9, 8), (8, 22), ((1, 3, 11, 12)[i % 4], 16)):
            left, w, h = int(rng.integers(2, 8)), int(rng.integers(8, 18)), int(rng.integers(6, 14))
            annotations.append(annotation(i, label, [rectangle(left, top, w, h)]))
            photo[top : top + h, left : left + w] = colours[label]
        photos.append(np.clip(photo + rng.normal(0, 12, photo.shape), 0, 255).astype(np.uint8))
        records.append(record(i, height, width))
    write_coco(folder, records, annotations)
    for one, photo in zip(records, photos, strict=True):
        cv2.imwrite(str(folder / "images" / one["file_name"]), photo)
    return folder


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a dataset of 12 small photos; tests leave it as it is."""
    return write_street(tmp_path_factory.mktemp("data") / "street")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own, with the real profiles and tiny notebooks, instead of this one."""
    from reporting import write_notebooks

    folder = tmp_path / "project"
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    write_notebooks(folder / "notebooks", {})
    for name, module in list(sys.modules.items()):  # every module that knows where the project lies
        if name.startswith("modanet_utils") and getattr(module, "ROOT", None) == ROOT:
            monkeypatch.setattr(module, "ROOT", folder)
    return folder


# ---------------------------------------------------------------------------------------- two trials, for errors


@pytest.fixture
def before() -> np.ndarray:
    return counts_before()


@pytest.fixture
def after() -> np.ndarray:
    return counts_after()


@pytest.fixture
def trials(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    return {"cross-entropy": before, "combined loss": after}


@pytest.fixture
def table() -> pd.DataFrame:
    return answer_table()

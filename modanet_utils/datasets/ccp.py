"""Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014; Apache-2.0): 1,004 street photos with pixel labels.

``python -m modanet_utils.datasets.ccp SOURCE DESTINATION`` converts the original layout (``photos/*.jpg``,
``annotations/pixel-level/*.mat``, ``label_list.mat``), folding its 59 labels into ModaNet's 13 classes, hair
and skin. What is not listed below becomes background.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from scipy.io import loadmat

from modanet_utils.classes import LABELS
from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import DatasetError
from modanet_utils.progress import Progress

TABLE: dict[str, tuple[str, ...]] = {
    "bag": ("bag", "purse", "wallet"),
    "belt": ("belt",),
    "boots": ("boots",),
    "footwear": ("shoes", "heels", "pumps", "flats", "loafers", "sandals", "sneakers", "wedges", "clogs"),
    "outer": (
        *("coat", "jacket", "blazer", "cardigan", "sweater", "jumper", "suit", "romper", "vest", "cape"),
        *("hoodie", "sweatshirt"),
    ),
    "dress": ("dress",),
    "sunglasses": ("sunglasses", "glasses"),
    "pants": ("pants", "jeans", "leggings"),
    "top": ("top", "blouse", "t-shirt", "shirt", "bodysuit", "bra"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "headwear": ("hat",),
    "scarf & tie": ("scarf", "tie"),
    "hair": ("hair",),
    "skin": ("skin",),
}
"""Label of this project to the CCP labels that fold into it."""


INFO = {
    "name": "Clothing Co-Parsing",
    "description": "Clothing Co-Parsing, 59 labels folded into ModaNet's 13 classes, hair and skin",
    "license": "Apache-2.0",
    "url": "github.com/bearpaw/clothing-co-parsing",
}


def label_names(source: Path) -> list[str]:
    """CCP's label names, index = value in the ``.mat`` maps."""
    return [str(cell.ravel()[0]) for cell in loadmat(source / "label_list.mat")["label_list"].ravel()]


def mask_of(source: str | Path, image_id: int, names: Sequence[str]) -> np.ndarray:
    """Pixels of some of CCP's own labels in an image, ``(H, W) bool``, from the original layout."""
    source = Path(source)
    values = [label_names(source).index(name) for name in names]
    return np.isin(loadmat(source / "annotations" / "pixel-level" / f"{image_id:04d}.mat")["groundtruth"], values)


def convert(source: str | Path, destination: str | Path, quiet: bool = True) -> Path:
    """Convert CCP's original layout into a dataset folder (written whole or not at all).

    Each CCP label in an image becomes one annotation with an exact run-length mask, so no pixel changes.

    Raises:
        FileNotFoundError: ``source`` is not CCP's layout.
        DatasetError: ``destination`` holds something else, or a label map does not fit its photo.
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    maps = sorted((source / "annotations" / "pixel-level").glob("*.mat"))
    if not maps or not (source / "label_list.mat").is_file():
        needed = "label_list.mat, photos/ and annotations/pixel-level/*.mat"
        raise FileNotFoundError(f"{source} is not Clothing Co-Parsing: it needs {needed}.")
    names = label_names(source)
    label_of = {name: LABELS.index(label) for label, folded in TABLE.items() for name in folded}
    images, photos, progress = [], {}, Progress(len(maps), quiet)
    annotations: list[dict[str, Any]] = []
    for path in progress.over(maps, "converting"):
        photo = source / "photos" / f"{path.stem}.jpg"
        if not photo.is_file():
            raise FileNotFoundError(f"{photo} is missing: the copy of Clothing Co-Parsing is incomplete.")
        truth = loadmat(path)["groundtruth"]
        image_id, (height, width) = int(path.stem), truth.shape
        with Image.open(photo) as header:  # reads the header only
            size = header.size
        if size != (width, height):
            raise DatasetError(f"{photo} is {size} pixels, its label map {(width, height)}: the copy is damaged.")
        for value in np.unique(truth):
            if names[value] in label_of:
                rle = coco_mask.encode(np.asfortranarray(truth == value, np.uint8))
                number, box = len(annotations) + 1, coco_mask.toBbox(rle).astype(int).tolist()
                one = {"id": number, "image_id": image_id, "category_id": label_of[names[value]]}
                one |= {"source_label": names[value], "iscrowd": 0, "area": int(coco_mask.area(rle)), "bbox": box}
                mask = {"size": [height, width], "counts": rle["counts"].decode("ascii")}
                annotations.append(one | {"segmentation": mask})
        images.append({"id": image_id, "file_name": photo.name, "width": width, "height": height})
        photos[photo.name] = photo
    progress.close(f"{len(images):,} label maps read")
    return writing.write(destination, INFO, images, annotations, photos)


def convert_tagged(source: str | Path, destination: str | Path, quiet: bool = True) -> Path:
    """Convert the photos that have tags only (which garments are worn, no pixels) into a dataset folder of their own.

    Its records hold ``"tags"``, labels of this project; it has no annotations.

    Raises:
        FileNotFoundError: ``source`` is not CCP's layout, or a photo is missing.
        DatasetError: ``destination`` holds something else.
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    files = sorted((source / "annotations" / "image-level").glob("*.mat"))
    if not files or not (source / "label_list.mat").is_file():
        needed = "label_list.mat, photos/ and annotations/image-level/*.mat"
        raise FileNotFoundError(f"{source} holds no tags of Clothing Co-Parsing: it needs {needed}.")
    names = label_names(source)
    folds_into = {name: label for label, folded in TABLE.items() for name in folded}
    images, photos, progress = [], {}, Progress(len(files), quiet)
    for path in progress.over(files, "converting"):
        photo = source / "photos" / f"{path.stem}.jpg"
        if not photo.is_file():
            raise FileNotFoundError(f"{photo} is missing: the copy of Clothing Co-Parsing is incomplete.")
        with Image.open(photo) as header:  # reads the header only
            width, height = header.size
        worn = {folds_into.get(names[value]) for value in loadmat(path)["tags"].ravel()} - {None}
        record = {"id": int(path.stem), "file_name": photo.name, "width": width, "height": height}
        images.append(record | {"tags": [label for label in LABELS if label in worn]})
        photos[photo.name] = photo
    progress.close(f"{len(images):,} tag lists read")
    info = INFO | {"name": "Clothing Co-Parsing, tags", "description": "Clothing Co-Parsing, photos with tags only"}
    return writing.write(destination, info, images, [], photos)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m modanet_utils.datasets.ccp``: the exit status."""
    return writing.command("ccp", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014; Apache-2.0): 1,004 street photos with pixel labels.

``python -m modanet_utils.datasets.ccp SOURCE DESTINATION`` converts the original layout (``photos/*.jpg``,
``annotations/pixel-level/*.mat``, ``label_list.mat``), folding its 59 labels into ModaNet's 13 classes, hair
and skin, by ``maps/ccp.yaml``.
"""

import functools
import hashlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import loadmat, whosmat

from modanet_utils.classes import LABELS
from modanet_utils.datasets import writing
from modanet_utils.datasets.mapping import read_map
from modanet_utils.datasets.photos import header
from modanet_utils.datasets.records import MAX_PIXELS, DatasetError, Record, spelling
from modanet_utils.progress import watched
from modanet_utils.project import did_you_mean

_MAP = read_map("ccp")
TABLE: dict[str, tuple[str, ...]] = {
    label: tuple(one for one in _MAP.labels if _MAP.target(one) == label) for label in LABELS[1:]
}
"""Label of this project to the CCP labels that fold into it."""
LIST = "label_list.mat"
INFO = {
    "name": "Clothing Co-Parsing",
    "description": "Clothing Co-Parsing, 59 labels folded into ModaNet's 13 classes, hair and skin",
    "license": "Apache-2.0",
    "url": "github.com/bearpaw/clothing-co-parsing",
}


def label_names(source: Path) -> list[str]:
    """CCP's label names, index = value in the ``.mat`` maps; "null", 0, where the list lacks it.

    DatasetError where the list cannot be read, or holds a name twice or one that CCP does not have.
    """
    file = source / LIST
    names = [" ".join(map(str, cell.ravel())).strip().lower() for cell in _read(file, "label_list").ravel()]
    for name in names:
        if name not in _MAP.labels:
            raise DatasetError(f"{file} lists {name!r}, which is none of CCP's 59: {did_you_mean(name, _MAP.labels)}")
        if names.count(name) > 1:
            raise DatasetError(f"{file} lists {name!r} twice: replace it by that of the original copy.")
    return names if "null" in names else ["null", *names]


def _read(file: Path, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """A variable of a ``.mat`` file, of this shape where it is given; it is looked at before it is unpacked."""
    if not file.is_file():
        raise DatasetError(f"{file} is no regular file: replace it by that of the original copy.")
    try:
        found = {one: its for one, its, _ in whosmat(file)}
        if name in found and math.prod(found[name]) <= MAX_PIXELS and shape in (None, found[name]):
            return loadmat(file, variable_names=[name])[name]
    except NotImplementedError:
        raise DatasetError(f"{file} is of MATLAB 7.3, which is not read: save it with the option -v7.") from None
    except Exception:  # a damaged file can make the reader raise nearly anything
        raise DatasetError(f"{file} cannot be read as a MATLAB file: the copy is damaged.") from None
    if name not in found:
        raise DatasetError(f"{file} has no variable {name!r}, only {', '.join(found) or 'nothing'}: replace the file.")
    raise DatasetError(f"{file} is of shape {found[name]}, its photo of {shape or 'less'}: the copy is damaged.")


def _indices(file: Path, values: np.ndarray, names: list[str], first: int = 0) -> np.ndarray:
    """Indices into the names ``uint8``, which the file numbers from ``first`` on; DatasetError for other values."""
    valid = np.arange(first, first + len(names))
    odd = np.setdiff1d(values, valid) if values.dtype.kind in "buif" else [values.dtype]
    if len(odd):
        numbers = f"whole numbers from {first} to {valid[-1]}"
        raise DatasetError(f"{file} holds {odd[0]}, and labels are {numbers}: replace the file.")
    return (values - first).astype(np.uint8)


def _numbered(source: Path, level: str) -> tuple[dict[int, Path], str]:
    """The ``.mat`` files of this level by their number, ascending, and what to say of the hidden ones."""
    files = sorted((source / "annotations" / level).glob("*.mat"))
    shown = [file for file in files if not file.name.startswith(".")]
    if not shown or not (source / LIST).is_file():
        needed = f"{LIST}, photos/ and annotations/{level}/*.mat"
        raise FileNotFoundError(f"{source} is not Clothing Co-Parsing: it needs {needed}.")
    numbered: dict[int, Path] = {}
    for file in shown:
        if not file.stem.isdecimal():
            raise DatasetError(f"{file} is not called by a number, as CCP's files are: rename or remove it.")
        if (other := numbered.setdefault(int(file.stem), file)) != file:
            raise DatasetError(f"{other} and {file.name} have the same number: remove one.")
    return numbered, f", {len(files) - len(shown)} hidden files skipped" * (len(files) > len(shown))


def _photos(source: Path, listed: dict[int, Path]) -> tuple[dict[int, Record], dict[str, Path]]:
    """The COCO record of each numbered file's photo, and photos by name; other copies write the ending in capitals."""
    there = {file.stem: file for file in sorted((source / "photos").glob("[!.]*.[jJ][pP]*[gG]")) if file.is_file()}
    records, files = {}, {}
    for number, file in listed.items():
        if (photo := there.get(file.stem)) is None:
            missing = source / "photos" / f"{file.stem}.jpg"
            raise FileNotFoundError(f"{missing} is missing: the copy of Clothing Co-Parsing is incomplete.")
        height, width = header(photo)[0]
        records[number] = {"id": number, "file_name": photo.name, "width": width, "height": height}
        files[photo.name] = photo
    return records, files


def state(source: Path) -> str:
    """Digest of what a conversion is made from: names, sizes and times of change of the files, and `TABLE`."""
    folders = (source / "annotations" / "pixel-level", source / "photos")
    files = [source / LIST, *(file for folder in folders for file in sorted(folder.iterdir()))]
    about = [(file.relative_to(source).as_posix(), (at := file.stat()).st_size, at.st_mtime_ns) for file in files]
    return hashlib.sha256(repr((about, TABLE)).encode()).hexdigest()[:16]


def mask_of(source: str | Path, image_id: int, names: Sequence[str]) -> np.ndarray:
    """Pixels of some of CCP's own labels in an image, ``(H, W) bool``, from the original layout."""
    source = Path(source)
    values = [label_names(source).index(name) for name in names]
    return np.isin(loadmat(source / "annotations" / "pixel-level" / f"{image_id:04d}.mat")["groundtruth"], values)


def convert(source: str | Path, destination: str | Path, quiet: bool = True) -> Path:
    """Convert CCP's original layout into a dataset folder (written whole or not at all).

    Each CCP label in an image becomes one annotation with an exact run-length mask, so no pixel changes.
    FileNotFoundError where ``source`` is not CCP's layout, or a photo is missing; DatasetError where ``destination``
    holds something else, or a label map does not fit its photo.
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    maps, hidden = _numbered(source, "pixel-level")
    names, (images, files), made_from = label_names(source), _photos(source, maps), state(source)

    def truth_of(image_id: int) -> np.ndarray:
        record = images[image_id]
        return _read(maps[image_id], "groundtruth", (record["height"], record["width"]))

    # MATLAB counts from 1; nearly every map shows some background, so usually the first is the only one looked at.
    first = 0 if any((truth_of(image_id) == 0).any() for image_id in maps) else 1
    annotations = list[Record]()
    last = f"{len(maps):,} label maps read{hidden}" + ", numbered from 1, as none holds 0" * first
    for image_id, path in watched(maps.items(), "converting", last, quiet):
        truth = _indices(path, truth_of(image_id), names, first)
        for place, mask in writing.masks(truth + 1):  # of the first label, too
            if label := LABELS.index(_MAP.targets[spelling(name := names[place - 1])]):
                one = {"id": len(annotations) + 1, "image_id": image_id, "category_id": label}
                annotations.append(one | {"source_label": name, "iscrowd": 0} | mask)
    return writing.write(destination, INFO, list(images.values()), annotations, files, made_from=made_from)


def convert_tagged(source: str | Path, destination: str | Path, quiet: bool = True) -> Path:
    """Convert the photos that have tags only (which garments are worn, no pixels) into a dataset folder of their own.

    Its records hold ``"tags"``, labels of this project; it has no annotations. Errors as for `convert`.
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    lists, hidden = _numbered(source, "image-level")
    names, (images, files) = label_names(source), _photos(source, lists)
    for image_id, path in watched(lists.items(), "converting", f"{len(lists):,} tag lists read{hidden}", quiet):
        worn = {_MAP.target(names[at]) for at in _indices(path, _read(path, "tags"), names).ravel()}
        images[image_id]["tags"] = [label for label in LABELS[1:] if label in worn]
    info = INFO | {"name": "Clothing Co-Parsing, tags", "description": "Clothing Co-Parsing, photos with tags only"}
    return writing.write(destination, info, list(images.values()), [], files)


main = functools.partial(writing.command, "ccp")

if __name__ == "__main__":
    sys.exit(main())

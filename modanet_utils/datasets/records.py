"""Reads a COCO file: every record is checked here, once; what is meant is read, what is not understood is refused."""

import hashlib
import json
import re
from pathlib import Path
from reprlib import repr as short
from typing import Any

from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.project import ProjectError

IGNORED = "ignore"
"""Category whose pixels neither teach nor count, 255 in a label map."""
MAX_PIXELS = 1 << 26
"""Pixels of the largest image that is read: with its label map it takes half a GiB of memory."""
NEEDED: dict[str, set[str]] = {
    "images": {"id", "file_name", "width", "height"},
    "annotations": {"image_id", "category_id"},
    "categories": {"id", "name"},
}

_ENDLESS = 2**63  # ids are kept as 64-bit numbers

Record = dict[str, Any]


class DatasetError(ProjectError):
    """A dataset that cannot be used; the message says what, where and what to do."""


class _Integers(dict[str, int]):
    """Integers by their digits: corners share them, which takes a third off the memory of a full-size file."""

    def __missing__(self, digits: str) -> int:
        number = int(digits)
        if len(digits) < 5:
            self[digits] = number
        return number


def _unique(pairs: list[tuple[str, Any]]) -> Record:
    """A JSON object; of a key that stands in it twice, JSON readers keep the last and say nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DatasetError(f"key {twice!r} stands twice in one object (its id: {short(found.get('id'))})")
    return found


def parsed(file: Path) -> tuple[Record, str]:
    """The lists of a COCO file, whose records have the keys that are needed, and the file's fingerprint."""
    content = file.read_bytes()
    fingerprint = hashlib.sha256(content).hexdigest()[:16]
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        del content  # a full-size file counts: the text alone is held while it is parsed
        coco = json.loads(text, parse_int=_Integers().__getitem__, object_pairs_hook=_unique)
    except DatasetError as error:
        raise DatasetError(f"{file}: {error}: keep the right one.") from None
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, not text, or an endless number
        why = "no text, perhaps still packed" if isinstance(error, UnicodeDecodeError) else error
        raise DatasetError(f"{file} is not JSON ({why}): download or export it again.") from None
    for part, keys in NEEDED.items():
        if not isinstance(coco, dict) or not isinstance(coco.get(part), list):
            raise DatasetError(f"{file} is not a COCO file, it has no list {part!r}: export outlines as COCO.")
        for at, record in enumerate(coco[part], 1):
            if not isinstance(record, dict) or not keys <= record.keys():
                lacks = f"record {at} of {part!r} lacks one of {', '.join(sorted(keys))}"
                raise DatasetError(f"{file} is not a COCO file, {lacks}: export outlines as COCO.")
            if part == "annotations":
                record.setdefault("segmentation", [])  # of a box alone, which is left out later, and said
    if not coco["images"]:
        raise DatasetError(f"{file} lists no images: there is nothing to open.")
    return coco, fingerprint


def whole(record: Record, key: str, file: Path, kind: str, text: bool = True) -> int:
    """A record's id or size: 7, 7.0 and, for ids, "7"; DatasetError for anything else."""
    value = record[key]
    if type(value) is int and -_ENDLESS <= value < _ENDLESS:  # True is an int, too
        return value
    if isinstance(value, float) and abs(value) < _ENDLESS and value.is_integer():
        return int(value)
    if text and isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value):
        return int(value)
    which = f"{kind} {short(record.get('id'))}" if key != "id" else f"a record of the {kind}s"
    raise DatasetError(f"{file}: {key} of {which} is {short(value)}: give a whole number.")


def image_records(coco: Record, file: Path) -> dict[int, Record]:
    """Image id to its record, ascending, with ids and sizes as integers."""
    images: dict[int, Record] = {}
    for record in coco["images"]:
        number = record["id"] = whole(record, "id", file, "image")
        if number in images:
            raise DatasetError(f"{file} lists two images with the same id, {number}: give each its own.")
        for key in ("width", "height"):
            side = record[key] = whole(record, key, file, "image", text=False)
            if side < 1:
                raise DatasetError(f"{file}: {key} of image {number} is {side}: give the photo's, in pixels.")
        if record["width"] * record["height"] > MAX_PIXELS:
            size = f"{record['width']}x{record['height']} pixels"
            raise DatasetError(f"{file}: image {number} has {size}; at most {MAX_PIXELS:,} are read: scale it down.")
        if not isinstance(record["file_name"], str) or not record["file_name"].strip():
            name = short(record["file_name"])
            raise DatasetError(f"{file}: file_name of image {number} is {name}: give the name of its photo.")
        if record.get("group", 0) is None:
            del record["group"]
        if not isinstance(record.get("group", 0), int | str):
            group = short(record["group"])
            raise DatasetError(f"{file}: group of image {number} is {group}: give one number or text a scene.")
        if "tags" in record and not (isinstance(record["tags"], list) and all(tag in LABELS for tag in record["tags"])):
            tags, valid = short(record["tags"]), ", ".join(LABELS[1:])
            raise DatasetError(f"{file}: tags of image {number} are {tags}: give a list of {valid}.")
        images[number] = record
    return dict(sorted(images.items()))


def category_labels(coco: Record, file: Path) -> dict[int, int]:
    """Category id to label: clothing by ModaNet's number (its name is checked), hair and skin by name."""
    labels: dict[int, int] = {}
    for category in coco["categories"]:
        number, name = whole(category, "id", file, "category"), str(category["name"]).strip().lower()
        if name in LABELS[len(CLASSES) :]:
            label = LABELS.index(name)
        elif name == IGNORED:
            label = IGNORE
        elif number in range(1, len(CLASSES)) and spelling(name) == spelling(CLASSES[number]):
            label = number
        else:
            known = f"this format knows 1-13 as ModaNet numbers them ({', '.join(CLASSES[1:])}), hair and skin"
            its = short(category["name"])
            raise DatasetError(f"{file}: category {number} is {its}; {known}: rename or renumber it.")
        if labels.setdefault(number, label) != label:
            raise DatasetError(f"{file} lists category {number} under two names, {name!r} for one: give each its own.")
    return labels


def spelling(label: object) -> str:
    """What is left of a label where its spelling does not matter: scarf/tie, Scarf & Tie."""
    return "".join(filter(str.isalnum, str(label).lower()))

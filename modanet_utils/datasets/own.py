"""Your data: a COCO file, or photos with a mask each, becomes a data set folder; a map says which label is which."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from modanet_utils.classes import LABELS
from modanet_utils.datasets import ccp, writing
from modanet_utils.datasets.coco import ANNOTATIONS, DatasetError, is_drawn, open_dataset
from modanet_utils.datasets.mapping import NUMBERS, LabelMap, read_map
from modanet_utils.datasets.photos import files_below, matched
from modanet_utils.datasets.records import IGNORED, parsed, spelling
from modanet_utils.datasets.sources import Photos, Record, counted, is_database, name_unused, open_photos, save, usable

PHOTOS = ("images", "photos")
MASKS = ("masks", "labels", "annotations")
LEGENDS = ("classes.txt", "labels.txt", "names.txt", "label_names.txt", "labelmap.txt", "legend.txt")
"""Names a legend of masks may have: a name a line, or ``7 jeans``, ``jeans 7`` or ``jeans:255,0,0``."""


class Found(NamedTuple):
    """What a source holds: its name if it is drawn, records, annotations with their own label, where its photos are."""

    kind: str
    drawn: str
    records: list[Record]
    things: list[dict[str, Any]]
    photos: Path


def convert(
    source: str | Path,
    destination: str | Path,
    label_map: str | Path | None = None,
    photos: str | Path | None = None,
    link: bool = False,
    quiet: bool = True,
    without: Path | None = None,
) -> str:
    """Make a data set folder of whatever is recognised, whole or not at all, and say what was read.

    Arguments are those of ``modanet convert own``, whose help explains them (the map: `mapping`). ProjectError where
    nothing is recognised, labels are not in the map, no photo or not ``destination`` can be used.
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    fold = read_map(label_map)
    if (source / "label_list.mat").is_file():
        if label_map is not None or photos is not None or link or without is not None:
            raise DatasetError(f"{source} is Clothing Co-Parsing, which has a table of its own: give no option.")
        return f"{source}: Clothing Co-Parsing, converted into {ccp.convert(source, destination, quiet)}"
    found = _masks(source, fold, photos) or _coco(source, photos)
    name = ", ".join(filter(None, [found.drawn, source.resolve().name]))
    info = {"name": name, "description": f"{name}, converted by {fold.name}", "license": "its owner's", "url": ""}
    writing.replaced(destination, info)
    numbers = fold.numbers((one["source_label"] for one in found.things), source)
    asked, there = _asked(without, [str(one["file_name"]) for one in found.records]), _photos(found, link)
    wanted = [one for one in found.records if str(one["file_name"]) not in asked]
    images, verdicts, scenes = usable(there, wanted, quiet)
    ids = {one["id"] for one in images}
    kept = [
        one | {"id": place, "category_id": min(numbers[one["source_label"]], writing.IGNORED_ID)}  # 255 has one, too
        for place, one in enumerate((o for o in found.things if numbers[o["source_label"]]), 1)
        if one["image_id"] in ids
    ]
    fill = None if link else lambda folder: save(there, images, folder, quiet)
    writing.write(destination, info, images, kept, {}, found.photos if link else None, fill)
    bare = len(images) - len({one["image_id"] for one in kept})
    spare = sorted(set(there.all()) - set(there.names.values()))
    others = {"without annotation": [] if is_database(found.photos) else spare, "left out as asked": sorted(asked)}
    lines = [
        f"{source}: {found.kind}, {len(found.records):,} images listed",
        f"photos: {counted(verdicts)}; {len(spare):,} without annotation; {len(asked):,} left out as asked",
        *name_unused(destination, verdicts | others | open_dataset(destination).unused),
        f"near-duplicates: {sum(scenes):,} photos in {len(scenes):,} scenes, which stay on one side of a split",
        *[f"without any object, so that all of them is background: {bare:,} photos"] * (bare > 0),
    ]
    return "\n".join([*lines, *_folded(found.things, numbers, fold)])


def _photos(found: Found, link: bool) -> Photos:
    there = open_photos(found.photos, found.records)
    if there.unsure:
        raise DatasetError(f"{found.photos} holds several photos called {there.unsure[0]}: give the folder of one.")
    taken: dict[str, Record] = {}
    for one in found.records:
        photo = there.names.get(one["id"])
        if photo and (other := taken.setdefault(photo, one)) is not one:  # half of them would show another picture
            both = f"{other['file_name']} and {one['file_name']}"
            raise DatasetError(f"{found.photos}: {photo} is the only photo for {both}: give each its own, once.")
    if link and is_database(found.photos):
        raise DatasetError(f"{found.photos} is an LMDB, to which images/ cannot link: leave out --link.")
    return there


def _asked(file: Path | None, names: list[str]) -> set[str]:
    """Those of the photos that a file names, one a line; DatasetError where it names one that is none of them."""
    try:
        text = "" if file is None else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DatasetError(f"{file} is no text: name a photo a line, as an audit does.") from None
    lines = list(filter(None, map(str.strip, text.splitlines())))
    found = matched(lines, names)
    if lost := [one for one in lines if one not in found]:
        raise DatasetError(f"{file} names {len(lost):,} that are none of the photos, {lost[0]} for one: correct it.")
    return set(found.values())


def _folded(things: list[dict[str, Any]], numbers: dict[str, int], fold: LabelMap) -> list[str]:
    """A line for each of our labels: which of theirs became it, how many objects of each; and what the map lacks."""
    names = {number: name for name, number in NUMBERS.items()}
    counts = Counter(one["source_label"] for one in things)
    theirs: dict[int, list[str]] = {}
    for label, count in counts.most_common():
        theirs.setdefault(numbers[label], []).append(f"{label} ({count:,})")
    known = {LABELS[0], IGNORED, *map(spelling, numbers)}
    never = [one for one in fold.labels if spelling(one) not in known]
    return [
        *(f"{names[number]}: {', '.join(theirs[number])}" for number in sorted(theirs)),
        *[f"{fold.name} names labels that nothing here has: {', '.join(never)}"] * any(never),
        *(f"{fold.name} cannot express {one}" for one in fold.lacks),
    ]


# ------------------------------------------------------------------------------------------------ COCO


def _coco(source: Path, photos: str | Path | None) -> Found:
    file = source if source.is_file() else _json_in(source)
    coco, _ = parsed(file)
    try:
        records, things = _read(coco, file)
    except TypeError:
        raise DatasetError(f"{file}: an id or a mask's size is a list or an object: give whole numbers.") from None
    root = source if source.is_dir() else file.parent
    beside = next((root / name for name in PHOTOS if (root / name).is_dir()), root)
    folder = beside if photos is None else Path(photos).expanduser()
    name = str(coco["info"].get("name")) if isinstance(coco.get("info"), dict) else ""
    return Found("a COCO file", name if is_drawn(name) else "", records, things, folder)


def _read(coco: dict[str, Any], file: Path) -> tuple[list[Record], list[dict[str, Any]]]:
    """Records in ascending order of id, which is theirs where all are whole numbers; things with their own label."""
    names = {one["id"]: str(one["name"]) for one in coco["categories"]}
    ids = [one["id"] for one in coco["images"]]
    for what, different in (("images", {*ids}), ("categories", names)):
        if len(different) < len(coco[what]):
            raise DatasetError(f"{file} lists two {what} with the same id: give each its own.")
    whole = all(isinstance(one, int) for one in ids)
    number = {one: one if whole else place for place, one in enumerate(ids, 1)}
    records = {one["id"]: one | {"id": number[one["id"]]} for one in coco["images"]}
    things = []
    for one in coco["annotations"]:
        where = f"{file}: annotation {one.get('id')}"
        if one["category_id"] not in names or one["image_id"] not in number:
            raise DatasetError(f"{where} has a category or an image that the file does not list: correct it.")
        mask, record = one["segmentation"], records[one["image_id"]]
        if isinstance(mask, dict) and list(mask.get("size", ())) != [record["height"], record["width"]]:
            size = f"{record['height']}x{record['width']}"
            raise DatasetError(f"{where} has a mask of size {mask.get('size')}, and its image is {size}: correct it.")
        things.append(one | {"image_id": number[one["image_id"]], "source_label": names[one["category_id"]]})
    return sorted(records.values(), key=lambda one: one["id"]), things


def _json_in(source: Path) -> Path:
    if not source.is_dir():
        raise FileNotFoundError(f"{source} does not exist: give a COCO file, or a folder of photos and annotations.")
    files = [source / ANNOTATIONS] if (source / ANNOTATIONS).is_file() else []
    files = files or sorted([*source.glob("*.json"), *source.glob("annotations/*.json")])
    if len(files) == 1:
        return files[0]
    if files:
        raise DatasetError(f"{source} holds {len(files)} annotation files: give one of them, as in {files[0]}.")
    raise DatasetError(
        f"{source} is not recognised: it needs a COCO file (.json), or photos in {' or '.join(PHOTOS)} and PNG masks "
        f"in {', '.join(MASKS)}, or Clothing Co-Parsing's label_list.mat."
    )


# ------------------------------------------------------------------------------------------------ masks


def _masks(source: Path, fold: LabelMap, photos: str | Path | None) -> Found | None:
    """What photos and PNG masks of the same names hold; None where there are no masks."""
    folders = {source / name: sorted(files_below(source / name)) for name in MASKS}
    files = {root: [one for one in names if one.lower().endswith(".png")] for root, names in folders.items()}
    root = next((root for root in files if files[root]), None)
    if root is None:
        return None
    beside = next((source / name for name in PHOTOS if (source / name).is_dir()), source / PHOTOS[0])
    legend = _legend(source, root, fold)
    shown: dict[int, list[int]] = {}
    stems = [Path(name).stem for name in files[root]]
    digits = all(one.isascii() and one.isdigit() for one in stems) and len({*map(int, stems)}) == len(stems)
    records, things = [], []
    for place, (name, stem) in enumerate(zip(files[root], stems, strict=True), 1):
        image_id = int(stem) if digits else place
        codes, labels = _codes(root / name, legend, shown)
        record = {"id": image_id, "file_name": name, "width": codes.shape[1], "height": codes.shape[0]}
        records.append(record)
        there = np.unique(codes).tolist()
        if unknown := [code for code in there if code not in labels]:
            what = ", ".join(f"value {one}" if legend.values else f"colour #{one:06x}" for one in unknown[:8])
            what += f" ({len(unknown)} in all)" * (len(unknown) > 8)
            smooth = ", unless they are of smoothed edges: export masks without" * (len(unknown) > len(labels))
            raise DatasetError(f"{root / name}: {what} is not in {legend.name}: name what it stands for there{smooth}.")
        for value, mask in writing.masks(codes + 1):  # of code 0, too
            code = value - 1
            if fold.target(labels[code]) != LABELS[0]:
                one = {"image_id": image_id, "source_label": labels[code], "segmentation": mask["segmentation"]}
                things.append(one | mask)
    return Found("photos with masks", "", records, things, beside if photos is None else Path(photos).expanduser())


def _legend(source: Path, masks: Path, fold: LabelMap) -> LabelMap:
    """The map with what a file beside the masks says of their values or colours."""
    file = next((folder / name for folder in (masks, source) for name in LEGENDS if (folder / name).is_file()), None)
    mine: dict[Any, str] = {**fold.values, **fold.colors}
    if file is None and mine:
        return fold
    if file is None:
        names = ", ".join(LEGENDS)
        raise DatasetError(
            f"{source}: nothing says what the values of the masks stand for: add one of {names} with a name a line, "
            f"or give a map (--map) with 'values' or 'colors'."
        )
    values: dict[int, str] = {}
    colors: dict[tuple[int, ...], str] = {}
    lines = [one.strip() for one in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    for place, line in enumerate(one for one in lines if one and not one.startswith("#")):
        if color := re.fullmatch(r"([^:]+):\s*(\d+),\s*(\d+),\s*(\d+)\b.*", line):
            colors[tuple(map(int, color.groups()[1:]))] = color[1].strip()
        elif value := re.fullmatch(r"(\d+)[\s,:;]+(.+)", line):
            values[int(value[1])] = value[2]
        elif value := re.fullmatch(r"(.+?)[\s,:;]+(\d+)", line):
            values[int(value[2])] = value[1]
        else:
            values[place] = line
    theirs: dict[Any, str] = {**values, **colors}
    for code, label in theirs.items():
        if spelling(mine.get(code, label)) != spelling(label):
            both = f"{file} calls {code} {label!r}, {fold.name} calls it {mine[code]!r}"
            raise DatasetError(f"{both}: correct or take away the one that is not of these masks.")
    return fold if mine else LabelMap(str(file), fold.targets, values, colors)


def _codes(file: Path, legend: LabelMap, shown: dict[int, list[int]]) -> tuple[np.ndarray, dict[int, str]]:
    """A number for every pixel of a mask, ``(H, W)``, and its label; ``shown``: which colours palettes gave values."""
    try:
        with Image.open(file) as picture:
            lossy, palette = picture.format == "JPEG", picture.getpalette() if picture.mode == "P" else None
            grey = picture.mode in ("1", "L", "P", "I", "I;16")
            pixels = np.asarray(picture if grey and legend.values else picture.convert("RGB"))
    except Exception:  # a damaged file can make a decoder raise nearly anything
        raise DatasetError(f"Mask {file} cannot be decoded: replace the file.") from None
    if lossy:
        raise DatasetError(f"Mask {file} is a JPEG by its content, which changes values: export PNG masks anew.")
    if pixels.ndim == 3 and legend.values and not legend.colors:
        if (pixels != pixels[..., :1]).any():
            raise DatasetError(f"Mask {file} is coloured, but {legend.name} names values: give it 'colors'.")
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        for value in np.unique(pixels).tolist() if palette else ():
            if shown.setdefault(value, color := (palette or [])[3 * value :][:3]) != color:
                what = f"Mask {file} gives value {value} another colour than masks before it"
                raise DatasetError(f"{what}: give 'colors' instead of values, or masks of one palette or none.")
        return pixels.astype(np.int64), {0: LABELS[0], 255: IGNORED} | legend.values
    named = {(red << 16) + (green << 8) + blue: label for (red, green, blue), label in legend.colors.items()}
    return pixels.astype(np.int64) @ (1 << 16, 1 << 8, 1), {0: LABELS[0]} | named

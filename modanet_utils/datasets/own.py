"""Your data: a COCO file, or photos with a mask each, becomes a data set folder; a map says which label is which."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from modanet_utils.classes import LABELS
from modanet_utils.datasets import ccp, writing
from modanet_utils.datasets.coco import ANNOTATIONS, DatasetError, is_drawn, open_dataset
from modanet_utils.datasets.mapping import NUMBERS, LabelMap, read_map
from modanet_utils.datasets.masks import flaws, run_flaw
from modanet_utils.datasets.photos import PART, files_below, matched
from modanet_utils.datasets.records import IGNORED, image_records, parsed, spelling
from modanet_utils.datasets.sources import Photos, Record, counted, is_database, name_unused, open_photos, save, usable

PHOTOS = ("images", "photos", "JPEGImages", "img_dir")
MASKS = ("masks", "labels", "annotations", *(f"SegmentationClass{one}" for one in ("", "PNG", "Aug")), "ann_dir")
LEGENDS = ("classes.txt", "labels.txt", "names.txt", "label_names.txt", "labelmap.txt", "class_names.txt", "legend.txt")
"""Names a legend of masks may have: a name a line, or ``7 jeans``, ``jeans 7`` or ``jeans:255,0,0``."""
_TAIL = re.compile(r"[._-](mask|segm?|labels?|gt)\.png$", re.IGNORECASE)  # where photos have none
_SCALED = ("L;2", "L;4", "LA;16B", "RGB;16B", "RGBA;16B")  # of PNG, by Pillow: 1 of 4 bits is 17, 1 of 16 bits is 0


class Found(NamedTuple):
    """What a source holds: its name if it is drawn, records, annotations with their own label, where its photos are."""

    kind: str
    drawn: str
    records: list[Record]
    things: list[dict[str, Any]]
    photos: Path


def convert(
    source: str | Path | Sequence[Path],
    destination: str | Path,
    label_map: str | Path | None = None,
    photos: str | Path | None = None,
    link: bool = False,
    quiet: bool = True,
    without: Path | None = None,
) -> str:
    """Make a data set folder of whatever is recognised, whole or not at all, and say what was read.

    Arguments are those of ``modanet convert own``; ProjectError where something of it cannot be used.
    """
    given = [Path(one).expanduser() for one in ([source] if isinstance(source, str | Path) else source)]
    where, destination = ", ".join(map(str, given)), Path(destination).expanduser()
    fold = read_map(label_map)
    if any((one / "label_list.mat").is_file() for one in given):
        if len(given) > 1 or label_map is not None or photos is not None or link or without is not None:
            raise DatasetError(f"{where}: Clothing Co-Parsing has a table of its own: give it alone, and no option.")
        return f"{where}: Clothing Co-Parsing, converted into {ccp.convert(given[0], destination, quiet)}"
    sources = {one: top for top in given for one in _sources(top)}
    found = [_masks(one, top, fold, photos) or _coco(one, photos) for one, top in sources.items()]
    number = itertools.count(1)
    for one in found if len(found) > 1 else ():  # whose ids may meet
        ids = {record["id"]: next(number) for record in one.records}
        for part, key in ((one.records, "id"), (one.things, "image_id")):
            part[:] = [each | {key: ids[each[key]]} for each in part]
    records, things = [each for one in found for each in one.records], [each for one in found for each in one.things]
    drawn = next((one.drawn for one in found if one.drawn), "")
    name = ", ".join(filter(None, [drawn, *(one.resolve().name for one in given)]))
    info = {"name": name, "description": f"{name}, converted by {fold.name}", "license": "its owner's", "url": ""}
    writing.replaced(destination, info)
    numbers = fold.numbers((one["source_label"] for one in things), where)
    there = _photos(found, link)
    asked = _asked(without, records, there)
    images, verdicts, scenes = usable(there, [one for one in records if one["id"] not in asked], quiet)
    used = {one["id"] for one in images}
    kept = [
        one | {"id": place, "category_id": min(numbers[one["source_label"]], writing.IGNORED_ID)}  # 255 has one, too
        for place, one in enumerate((o for o in things if numbers[o["source_label"]]), 1)
        if one["image_id"] in used
    ]
    of = there.root if link else None
    writing.write(destination, info, images, kept, {}, of, lambda folder: save(there, images, folder, quiet))
    bare = len(images) - len({one["image_id"] for one in kept})
    spare = sorted(set(there.all()) - set(there.names.values()))
    others = {"without annotation": [] if is_database(there.root) else spare, "left out as asked": [*asked.values()]}
    lines = [
        f"{where}: {' and '.join({one.kind: 0 for one in found})}, {len(records):,} images listed",
        *[f"joined: {', '.join(map(str, sources))}; all are split anew, whatever their part was"] * (len(found) > 1),
        f"photos: {counted(verdicts)}; {len(spare):,} without annotation; {len(asked):,} left out as asked",
        *name_unused(destination, verdicts | others | open_dataset(destination).unused),
        f"near-duplicates: {sum(scenes):,} photos in {len(scenes):,} scenes, which stay on one side of a split",
        *[f"without any object, so that all of them is background: {bare:,} photos"] * (bare > 0),
    ]
    return "\n".join([*lines, *_folded(things, numbers, fold)])


def _sources(top: Path) -> list[Path]:
    """What a folder stands for: itself, or the parts of one collection in it, annotation files or folders."""
    if not top.exists():
        raise FileNotFoundError(f"{top} does not exist: give a COCO file, or a folder of photos and annotations.")
    if top.is_file() or _mask_files(top):
        return [top]
    files = _annotation_files(top)
    if len(files) > 1 and not all(PART.search(one.stem) for one in files):
        raise DatasetError(f"{top} holds {len(files)} annotation files: give one of them, as in {files[0]}.")
    folders = [one for one in sorted(top.iterdir()) if one.is_dir() and PART.match(one.name)] if not files else []
    if found := files + [part for one in folders for part in ([one] if _mask_files(one) else _annotation_files(one))]:
        return found
    known = f"photos in {' or '.join(PHOTOS)} and PNG masks in {', '.join(MASKS)}, or Clothing Co-Parsing's files"
    raise DatasetError(f"{top} is not recognised: it needs a COCO file (.json), or {known}.")


def _photos(found: list[Found], link: bool) -> Photos:
    places: dict[Path, list[Record]] = {}
    for one in found:
        places.setdefault(one.photos, []).extend(one.records)
    there, taken = open_photos(*places.items()), dict[str, Record]()
    if there.unsure:
        raise DatasetError(f"{there.root} holds several photos called {there.unsure[0]}: give the folder of one.")
    for record in (record for one in found for record in one.records):
        photo = there.names.get(record["id"])
        if photo and (other := taken.setdefault(photo, record)) is not record:  # half would show another picture
            both = f"{other['file_name']} and {record['file_name']}"
            raise DatasetError(f"{there.root}: {photo} is the only photo for {both}: give each its own, once.")
    if link and (len(places) > 1 or is_database(there.root)):
        raise DatasetError(f"{there.root} is no folder of all photos, to which images/ could link: leave out --link.")
    return there


def _asked(file: Path | None, records: list[Record], there: Photos) -> dict[int, str]:
    """Those of the photos, by id, that a file names, one a line; DatasetError where it names one that is none."""
    try:
        text = "" if file is None else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DatasetError(f"{file} is no text: name a photo a line, as an audit does.") from None
    lines = list(filter(None, map(str.strip, text.splitlines())))
    ids = {str(one["file_name"]): one["id"] for one in records}
    ids |= {there.target(one): one["id"] for one in records if one["id"] in there.names}  # as the data set calls it
    found = matched(lines, ids)
    if lost := [one for one in lines if one not in found]:
        raise DatasetError(f"{file} names {len(lost):,} that are none of the photos, {lost[0]} for one: correct it.")
    return {ids[name]: name for name in sorted(found.values())}


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


def _coco(source: Path, photos: str | Path | None) -> Found:
    coco, _ = parsed(source)
    try:
        records, things = _read(coco, source)
    except TypeError:
        raise DatasetError(f"{source}: an id or a mask's size is a list or an object: give whole numbers.") from None
    root = source.parent.parent if source.parent.name == "annotations" else source.parent
    part = source.stem.removeprefix("instances_")  # as COCO's own calls the folder of its photos
    places = [root / part, *(root / name / part for name in PHOTOS), *(root / name for name in PHOTOS), root]
    folder = next(one for one in places if one.is_dir()) if photos is None else Path(photos).expanduser()
    name = str(coco["info"].get("name")) if isinstance(coco.get("info"), dict) else ""
    return Found("a COCO file", name if is_drawn(name) else "", records, things, folder)


def _read(coco: dict[str, Any], file: Path) -> tuple[list[Record], list[dict[str, Any]]]:
    """Records in ascending order of id, which is theirs where all are whole numbers; things with their own label."""
    _id = lambda one: int(one) if isinstance(one, str) and one.isdecimal() else one  # noqa: E731 - "7" is 7 elsewhere
    names = {_id(one["id"]): str(one["name"]) for one in coco["categories"]}
    ids = [_id(one["id"]) for one in coco["images"]]
    for what, different in (("images", {*ids}), ("categories", names)):
        if len(different) < len(coco[what]):
            raise DatasetError(f"{file} lists two {what} with the same id: give each its own.")
    whole = all(type(one) is int and abs(one) < 2**63 for one in ids)
    number = {one: one if whole else place for place, one in enumerate(ids, 1)}
    foreign = {"group"} if file.name == ANNOTATIONS else {"group", "tags"}  # mean other things elsewhere
    images = [{key: one[key] for key in one if key not in foreign} for one in coco["images"]]
    records = image_records({"images": [one | {"id": number[key]} for key, one in zip(ids, images, strict=True)]}, file)
    things = []
    for one in coco["annotations"]:
        where = f"{file}: annotation {one.get('id')}"
        category, image = _id(one["category_id"]), _id(one["image_id"])
        if category not in names or image not in number:
            raise DatasetError(f"{where} has a category or an image that the file does not list: correct it.")
        mask, record = one["segmentation"], records[number[image]]
        sound = isinstance(mask, dict) and not flaws(mask)
        if flaw := run_flaw(mask, record["height"], record["width"]) if sound else None:
            raise DatasetError(f"{where} cannot be used, as {flaw}: export it again or remove it.")
        things.append(one | {"image_id": number[image], "source_label": names[category]})
    return [*records.values()], things


def _annotation_files(source: Path) -> list[Path]:
    files = sorted([*source.glob("[!.]*.json"), *source.glob("annotations/[!.]*.json")])
    ours = [one for one in files if one == source / ANNOTATIONS]
    return ours or [one for one in files if one.stem.startswith("instances_")] or files  # COCO's own has captions, too


def _masks(source: Path, top: Path, fold: LabelMap, photos: str | Path | None) -> Found | None:
    """What photos and PNG masks of the same names hold; None where there are no masks."""
    if not (there := _mask_files(source)):
        return None
    root, files = there
    beside = next((source / name for name in PHOTOS if (source / name).is_dir()), source / PHOTOS[0])
    folder = beside if photos is None else Path(photos).expanduser()
    alike = {Path(one).stem for one in files_below(folder) if root not in (folder / one).parents}
    tails = all(map(_TAIL.search, files)) and alike.isdisjoint(Path(one).stem for one in files)
    legend = _legend((root, source, top), fold)
    shown: dict[int, list[int]] = {}
    names = [_TAIL.sub(".png", name) for name in files] if tails else files
    stems = [Path(name).stem for name in names]
    digits = all(one.isascii() and one.isdigit() for one in stems) and len({*map(int, stems)}) == len(stems)
    records, things = list[Record](), []
    for place, (name, photo, stem) in enumerate(zip(files, names, stems, strict=True), 1):
        image_id = int(stem) if digits else place
        codes, labels = _codes(root / name, legend, shown)
        record = {"id": image_id, "file_name": photo, "width": codes.shape[1], "height": codes.shape[0]}
        records += image_records({"images": [record]}, root / name).values()
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
    return Found("photos with masks", "", records, things, folder)


def _mask_files(source: Path) -> tuple[Path, list[str]] | None:
    """The folder of masks in a source, and the names of the PNG files below it; None where there are none."""
    for root in (source / name for name in MASKS):
        if files := sorted(one for one in files_below(root) if one.lower().endswith(".png")):
            return root, files
    return None


def _legend(folders: tuple[Path, ...], fold: LabelMap) -> LabelMap:
    """The map with what a file in the first folder that has one says of the masks' values or colours."""
    file = next((folder / name for folder in folders for name in LEGENDS if (folder / name).is_file()), None)
    mine: dict[Any, str] = {**fold.values, **fold.colors}
    if file is None and mine:
        return fold
    if file is None:
        how = f"add one of {', '.join(LEGENDS)} with a name a line, or give a map (--map) with 'values' or 'colors'"
        raise DatasetError(f"{folders[-1]}: nothing says what the values of the masks stand for: {how}.")
    theirs, plain, content = dict[Any, str](), list[str](), file.read_bytes()
    lines = map(str.strip, content.decode(json.detect_encoding(content), "replace").splitlines())
    for line in (one for one in lines if one and not one.startswith("#")):
        if color := re.fullmatch(r"(?:\d+[\s,:;]+)?(.+?)[\s,:;]+(\d+)[\s,]+(\d+)[\s,]+(\d+)\b.*", line):
            code, label = tuple[Any, str]((tuple(map(int, color.groups()[1:])), color[1]))
        elif value := re.fullmatch(r"(\d+)[\s,:;]+(.+)", line):
            code, label = int(value[1]), value[2]
        elif value := re.fullmatch(r"(.+?)[\s,:;]+(\d+)", line):
            code, label = int(value[2]), value[1]
        else:
            plain.append(line)
            continue
        if theirs.setdefault(code, label) != label:
            raise DatasetError(f"{file} calls {code} both {theirs[code]!r} and {label!r}: keep the right one.")
    if not theirs and plain and fold.target(plain[0]) not in (LABELS[0], IGNORED, None):  # and all labels would shift
        what = f"{file}: its first line, {plain[0]!r}, would stand for value 0, nearly everywhere background"
        raise DatasetError(f"{what}: number the lines, as in '1 {plain[0]}', or '0 {plain[0]}' if it is so.")
    theirs = theirs or dict(enumerate(plain))  # beside numbers, a line without is a heading
    for code, label in theirs.items():
        if spelling(mine.get(code, label)) != spelling(label):
            both = f"{file} calls {code} {label!r}, {fold.name} calls it {mine[code]!r}"
            raise DatasetError(f"{both}: correct or take away the one that is not of these masks.")
    values, colors = ({one: theirs[one] for one in theirs if isinstance(one, int) is whole} for whole in (True, False))
    return fold if mine else LabelMap(str(file), fold.targets, values, colors)


def _codes(file: Path, legend: LabelMap, shown: dict[int, list[int]]) -> tuple[np.ndarray, dict[int, str]]:
    """A number for every pixel of a mask, ``(H, W)``, and its label; ``shown``: which colours palettes gave values."""
    try:
        with Image.open(file) as picture:
            lossy, palette = picture.format == "JPEG", picture.getpalette() if picture.mode == "P" else None
            scaled = legend.values and picture.tile and picture.tile[0][3] in _SCALED
            grey = picture.mode in ("1", "L", "P", "I", "I;16")
            pixels = np.asarray(picture if grey and legend.values else picture.convert("RGB"))
            hidden = "A" in picture.getbands() and pixels[np.asarray(picture.getchannel("A")) == 0].any()
    except Exception:  # a damaged file can make a decoder raise nearly anything
        raise DatasetError(f"Mask {file} cannot be decoded: replace the file.") from None
    index = pixels.ndim == 3 and bool(legend.values) and not legend.colors
    coloured = index and bool(np.ptp(pixels, 2).any())
    flaws = {
        "is a JPEG by its content, which changes values: export PNG masks anew": lossy,
        "has more or less than 8 bits a value, which readers scale: export 8 bits, or a palette": scaled,
        "is coloured where it is transparent: export it without transparency, as it is meant": hidden,
        f"is coloured, but {legend.name} names values: name colours, as in 'jeans:255,0,0'": coloured,
    }
    if flaw := next(filter(flaws.get, flaws), None):
        raise DatasetError(f"Mask {file} {flaw}.")
    pixels = pixels[..., 0] if index else pixels
    if pixels.ndim == 2:
        for value in np.unique(pixels).tolist() if palette else ():
            if shown.setdefault(value, color := (palette or [])[3 * value :][:3]) != color:
                what = f"Mask {file} gives value {value} another colour than masks before it"
                raise DatasetError(f"{what}: give 'colors' instead of values, or masks of one palette or none.")
        return pixels.astype(np.int64), {0: LABELS[0], 255: IGNORED} | legend.values
    named = {(red << 16) + (green << 8) + blue: label for (red, green, blue), label in legend.colors.items()}
    return pixels.astype(np.int64) @ (1 << 16, 1 << 8, 1), {0: LABELS[0]} | named

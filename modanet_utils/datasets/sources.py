"""Where photos come from: a folder, or PaperDoll's LMDB; which can be used is known before anything is written."""

import importlib
import io
import os
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import DatasetError
from modanet_utils.datasets.photos import PART, files_below, is_turned, orientation
from modanet_utils.datasets.records import Record
from modanet_utils.progress import spread, watched
from modanet_utils.project import ProjectError, write_whole

Named = dict[str, list[str]]
"""By what was found: the names of files, or which annotations, that it was found of."""
UNUSED = "not_used.txt"
UNREAD = (".gif", ".avif", ".heic", ".heif")  # by training; a JPEG beside one is the photo
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", *UNREAD)
FORMATS = ("JPEG", "MPO", "PNG", "BMP", "WEBP", "TIFF", "PPM")
"""What OpenCV, by which training reads photos, reads as well, whatever the file is called."""


class Photos:
    """Photos in a folder, found by the names in COCO records: as they are, or with another ending or more zeros."""

    def __init__(self, root: Path, records: Iterable[Record]) -> None:
        self.root = root
        self.names: dict[int, str] = {}  # image id to its photo's name in the folder, of those that were found
        self.twice: list[str] = []  # names that several photos have
        self.unsure: list[str] = []  # those of which none is named exactly, and the first is taken
        wanted = {one["id"]: PurePosixPath(str(one["file_name"]).replace("\\", "/")) for one in records}
        keys = {_key(path) for path in wanted.values()}
        alike: dict[int | str, list[str]] = {}
        for name in sorted(self.all()):
            if (key := _key(PurePosixPath(name))) in keys:
                alike.setdefault(key, []).append(name)
        for image_id, path in wanted.items():
            near = [one for one in alike.get(_key(path), []) if not _is_of_another_part(one, path)]
            near = [one for one in near if not one.lower().endswith(UNREAD)] or near
            exact = [one for one in near if one == str(path)]
            exact += [one for one in near if PurePosixPath(one).with_suffix("") == path.with_suffix("")]
            if near:
                self.names[image_id] = (exact or near)[0]
            if len(near) > 1:
                self.twice.append(str(path))
                self.unsure += [str(path)] * (not exact)

    def all(self) -> Iterable[str]:
        """The names of all photos that are there."""
        return (name for name in files_below(self.root) if name.lower().endswith(ENDINGS))

    def read(self, image_id: int) -> bytes:
        """The encoded photo of one that was found."""
        return (self.root / self.names[image_id]).read_bytes()

    def target(self, record: Record) -> str:
        """What a found photo is called in a data set's images/."""
        return self.names[record["id"]]


class Database(Photos):
    """Photos in an LMDB, for reading only: a key is a photo's number, a value its encoded bytes, as in PaperDoll's."""

    def __init__(self, root: Path, records: Iterable[Record]) -> None:
        try:
            lmdb = importlib.import_module("lmdb")
        except ImportError:
            raise ProjectError(f"Reading {root} needs the package lmdb: install it with `pip install lmdb`.") from None
        self.lock = threading.Lock()  # a process opens an LMDB once at a time
        self.open = partial(lmdb.open, str(root), subdir=root.is_dir(), readonly=True, lock=False, readahead=False)
        try:
            with self.open() as base:
                needs = (base.info()["last_pgno"] + 1) * base.stat()["psize"]
        except lmdb.Error as error:
            raise DatasetError(f"{root} cannot be opened as an LMDB ({error}): download or unpack it again.") from None
        file = root / "data.mdb" if root.is_dir() else root
        if (size := file.stat().st_size) < needs:  # reading beyond the end would kill the process
            raise DatasetError(f"{file} is cut off, {size:,} bytes of {needs:,}: download or unpack it again.")
        super().__init__(root, records)

    def all(self) -> Iterable[str]:
        with self.open() as base, base.begin() as view, view.cursor() as cursor:
            yield from (key.decode("utf-8", "replace") for key in cursor.iternext(values=False))

    def read(self, image_id: int) -> bytes:
        """The encoded photo; opened for each, since what was read of 40 GB stays in memory until the LMDB is closed."""
        with self.lock, self.open() as base, base.begin() as view:
            return view.get(self.names[image_id].encode())

    def target(self, record: Record) -> str:
        return PurePosixPath(str(record["file_name"]).replace("\\", "/")).name  # never outside of images/


class Several(Photos):
    """Photos of several folders as one, called by the way to them from the folder that holds these folders."""

    def __init__(self, places: list[Photos]) -> None:
        self.root = Path(os.path.commonpath([one.root.absolute() for one in places]))
        ways = [(one, one.root.absolute().relative_to(self.root)) for one in places]
        self.names = {key: (way / name).as_posix() for one, way in ways for key, name in one.names.items()}
        self.unsure = [(way / name).as_posix() for one, way in ways for name in one.unsure]
        there = {(way / name).as_posix() for one, way in ways for name in one.all()}
        self.all = lambda: there  # type: ignore[method-assign]


def is_database(root: Path) -> bool:
    """Whether this is an LMDB, a file or a folder; by its first bytes, or by the name of the file in the folder."""
    if not root.is_file():
        return (root / "data.mdb").is_file()
    with root.open("rb") as file:
        return file.read(20)[16:] == b"\xde\xc0\xef\xbe"


def open_photos(*places: tuple[Path, Iterable[Record]]) -> Photos:
    """The photos of COCO records in a folder, an LMDB, or several folders; FileNotFoundError or ProjectError if not."""
    for root, records in places:
        if is_database(root):
            if len(places) > 1:
                raise DatasetError(f"{root} is an LMDB, whose photos cannot be joined with others: convert it alone.")
            return Database(root, records)
        if not root.is_dir():
            raise FileNotFoundError(f"{root} is no folder of photos, and no LMDB of them: give one that is there.")
    opened = [Photos(*place) for place in places]
    return opened[0] if len(opened) == 1 else Several(opened)


def usable(photos: Photos, records: list[Record], quiet: bool) -> tuple[list[Record], Named, list[int]]:
    """The records whose photos can be used, with the names and the scenes of these; the verdicts on all; the scenes.

    A verdict is "missing", "unreadable", "of the wrong size" or "usable", each with the file names of its records.
    Scenes are those of `writing.mark_scenes`. DatasetError where no photo can be used.
    """
    verdicts: Named = {"missing": [], "unreadable": [], "of the wrong size": []}
    images: list[Record] = []
    thumbnails: list[np.ndarray] = []
    last = f"{len(records):,} photos looked up"
    looked_at = spread(lambda record: _verdict(photos, record), records, "reading photos", last, quiet)
    for record, (verdict, small) in zip(records, looked_at, strict=True):
        verdicts.setdefault(verdict, []).append(str(record["file_name"]))
        if small is not None:
            thumbnails.append(small)
            images.append(record | {"file_name": photos.target(record)})
    if not images:
        most = max(verdicts, key=lambda verdict: len(verdicts[verdict]))
        found = f"{counted(verdicts)}; {verdicts[most][0]} for one"
        files = "files, JPEG or PNG, are named and sized as in the annotations, or as the masks"
        what = f"{photos.root} holds no usable photo of the {len(records)} annotated images"
        raise DatasetError(f"{what} ({found}): give the folder whose {files}.")
    return images, verdicts, writing.mark_scenes(images, np.stack(thumbnails))


def counted(verdicts: Named) -> str:
    """Verdicts as a sentence lists them: how many of each."""
    return ", ".join(f"{len(names):,} {verdict}" for verdict, names in verdicts.items())


def name_unused(folder: Path, verdicts: Named) -> list[str]:
    """Name all that is not used of a source in a file of the data set; a line that gives one of each, if there are."""
    unused, file = {what: names for what, names in verdicts.items() if names and what != "usable"}, folder / UNUSED
    file.unlink(missing_ok=True)
    if not unused:
        return []
    write_whole(file, "".join(f"{what}: {name}\n" for what, names in unused.items() for name in names))
    return [f"not used, for one of each: {'; '.join(f'{w}: {n[0]}' for w, n in unused.items())} (all: {file})"]


def save(photos: Photos, records: list[Record], folder: Path, quiet: bool) -> None:
    """Write the photos of these records into a folder, one at a time, under their file names."""
    for record in watched(records, "copying photos", quiet=quiet):
        file = folder / record["file_name"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photos.read(record["id"]))


def _verdict(photos: Photos, record: Record) -> tuple[str, np.ndarray | None]:
    """Verdict on a photo and, if usable, its `writing.thumbnail`; Pillow refuses a truncated file, OpenCV would not."""
    if record["id"] not in photos.names:
        return "missing", None
    size = record["width"], record["height"]
    try:
        with Image.open(io.BytesIO(photos.read(record["id"]))) as picture:
            if picture.format not in FORMATS or picture.mode == "F":
                return "unreadable", None
            turned = is_turned(picture.size, orientation(picture), size)
            if picture.size != size and not turned:
                return "of the wrong size", None
            picture.draft("RGB", (picture.width // 4, picture.height // 4))
            pixels = np.asarray((ImageOps.exif_transpose(picture) if turned else picture).convert("RGB"))
    except Exception:  # a damaged file can make a decoder raise nearly anything
        return "unreadable", None
    return "usable", writing.thumbnail(pixels)


def _is_of_another_part(*names: str | PurePosixPath) -> bool:
    """Whether both names name a part of a collection, and another one: parts may number their photos alike."""
    one, other = ({part.lower() for part in PART.findall(str(PurePosixPath(name).parent))} for name in names)
    return bool(one and other and not one & other)


def _key(name: PurePosixPath) -> int | str:
    """What photos that stand for each other share: 0012.JPG and 12.png, or a.jpg and A.PNG."""
    stem = name.stem if name.suffix.lower() in ENDINGS else name.name
    return int(stem) if stem.isascii() and stem.isdigit() else stem.lower()

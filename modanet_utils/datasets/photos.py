"""The files of a data set's photos: found by name, told apart by content, decoded, turned as EXIF says."""

import contextlib
import hashlib
import os
import re
import tempfile
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from modanet_utils.datasets.records import DatasetError

Size = tuple[int, int]
PART = re.compile(r"(?<![a-z])(train|val|test)", re.IGNORECASE)  # as in instances_val2017.json, and valid/
_DAMAGED = (b"Corrupt JPEG", b"Premature end of JPEG", b"Invalid SOS", b"Unsupported marker")
_stderr = threading.Lock()


def files_below(folder: Path) -> set[str]:
    """Names of the regular files below a folder, relative to it: no pipes, and none of macOS's ``._name``."""
    found, todo = set(), [str(folder)] if folder.is_dir() else []
    start = len(str(folder)) + 1
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif entry.is_file() and not entry.name.startswith("._"):
                    found.add(entry.path[start:])
    return found


def matched(names: Iterable[str], there: Iterable[str]) -> dict[str, str]:
    """The file of each name that has one: the same name, or else the only one that differs just in capitals, Unicode
    form, backslashes or a leading ``images/``.

    >>> matched(["a.jpg", "IMAGES\\\\B.JPG", "c.jpg"], {"a.jpg", "b.jpg", "C.jpg", "c.JPG"})
    {'a.jpg': 'a.jpg', 'IMAGES\\\\B.JPG': 'b.jpg'}
    """
    names, there = set(names), set(there)
    found = {name: name for name in names & there}  # nearly always all
    found |= {name: file for name in sorted(names - found.keys()) if (file := os.path.normpath(name)) in there}
    if len(found) < len(names):
        files, wanted = defaultdict(list), defaultdict(list)
        for file in there - set(found.values()):  # a photo that has its own record is no other's
            files[_meant(file)].append(file)
        for name in sorted(names - found.keys()):
            wanted[_meant(name)].append(name)
        pairs = ((wanted[key], files[key]) for key in wanted if key in files)
        found |= {mine[0]: theirs[0] for mine, theirs in pairs if len(mine) == len(theirs) == 1}
    return found


def _meant(name: str) -> str:
    """What is left of a file name where capitals, Unicode form and the folder ``images/`` do not matter."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return os.path.normpath(plain.replace("\\", "/")).removeprefix("images/")


def identical(files: dict[int, str], folder: Path) -> list[list[int]]:
    """Groups of the ids, two or more, whose photos are one file or hold the same bytes; what is no picture is none.

    Only files of one size are opened, and read as a whole only where the bytes in their middle are the same, too.
    """
    ids: dict[str, list[int]] = defaultdict(list)
    for image_id, name in files.items():
        ids[name].append(image_id)
    same = [list(ids)]
    for key in (os.path.getsize, _middle, lambda file: hashlib.sha256(Path(file).read_bytes()).digest()):
        alike: dict[Any, list[str]] = defaultdict(list)
        for at, names in enumerate(same):
            for name in names:
                alike[at, key(f"{folder}{os.sep}{name}")].append(name)
        same = [group for group in alike.values() if len(group) > 1]
    several = {name for group in same for name in group}
    groups = [*same, *([name] for name, its in ids.items() if len(its) > 1 and name not in several)]
    found = (sorted(image_id for name in group for image_id in ids[name]) for group in groups)
    return [group for group in found if len(group) > 1 and _is_picture(folder / files[group[0]])]


def _middle(file: str) -> bytes:
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - half of a large collection is looked at
        stream.seek(stream.seek(0, os.SEEK_END) // 2)
        return stream.read(64)


def orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8, of an opened picture that has not been decoded; Pillow turns TIFF files by itself."""
    known = picture.format in ("JPEG", "MPO") or "exif" in picture.info  # to look for it in others would read them
    with contextlib.suppress(Exception):  # EXIF that is damaged turns nothing
        return int(picture.getexif().get(0x0112, 1)) if known else 1
    return 1


def header(file: Path) -> tuple[Size, int]:
    """Height and width as stored, and `orientation`, from a photo's header; DatasetError where it is no picture."""
    try:
        with Image.open(file) as picture:
            return (picture.height, picture.width), orientation(picture)
    except Image.DecompressionBombError:
        raise DatasetError(f"Photo {file} claims to have more pixels than are ever read: replace the file.") from None
    except Exception:  # a damaged file can make a decoder raise nearly anything
        raise DatasetError(f"Photo {file} cannot be decoded: replace the file.") from None


def _is_picture(file: Path) -> bool:
    with contextlib.suppress(DatasetError):
        return bool(header(file))
    return False


def is_turned(stored: Size, orientation: int, annotated: Size) -> bool:
    """Whether a photo is to be turned as EXIF says: its annotated size is that of the picture which viewers show.

    Of half a turn, a mirror image and a square no size can tell: whoever annotated saw what viewers show.
    """
    return 1 < orientation <= 8 and annotated == (stored[::-1] if orientation > 4 else stored)


def read_photo(file: Path, size: Size) -> np.ndarray:
    """The photo of an annotated (height, width), ``(H, W, 3) uint8`` RGB; see `Dataset.image`."""
    if not file.is_file():
        raise DatasetError(f"Photo {file} is missing: put it there or open the dataset again without it.")
    stored, turns = header(file)  # before anything is decoded: it may be far larger than its annotation says
    turned = is_turned(stored, turns, size)
    if stored != size and not turned:
        its, said = (f"{width}x{height}" for height, width in (stored, size))
        raise DatasetError(f"Photo {file} is {its} pixels, but its annotation says {said}: replace the file.")
    data = file.read_bytes()  # OpenCV cannot open every file name: one that is not UTF-8 ends the process
    photo, damaged = decoded(data, cv2.IMREAD_COLOR | (0 if turned else cv2.IMREAD_IGNORE_ORIENTATION))
    if _cut_off(data):
        raise DatasetError(f"Photo {file} is cut off: replace the file.")
    if photo is None or photo.shape[:2] != size:
        raise DatasetError(f"Photo {file} cannot be decoded: replace the file.")
    if damaged:
        raise DatasetError(f"Photo {file} is damaged, a part of the picture is not as it was: replace the file.")
    return cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)


def decoded(data: bytes, flags: int) -> tuple[np.ndarray | None, bool]:
    """The photo, BGR, if it is one, and whether its data are damaged: libjpeg tells stderr, and nobody else."""
    with _stderr, tempfile.TemporaryFile() as said:
        kept = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            photo = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:  # a header that promises more pixels than OpenCV is willing to read
            photo = None
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        said.seek(0)
        lines = said.readlines()
    damages = [line.startswith(_DAMAGED) for line in lines]
    if not all(damages):  # what others said meanwhile
        os.write(2, b"".join(line for line, damage in zip(lines, damages, strict=True) if not damage))
    return photo, any(damages)


def _cut_off(data: bytes) -> bool:
    """Whether a JPEG lacks its end, which a decoder may fill with grey."""
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":  # headers, and thumbnails inside of them
        at += 1 if data[at + 1 : at + 2] == b"\xff" else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(b"\xff\xd9", at) < 0  # anywhere: a camera may write something after the end

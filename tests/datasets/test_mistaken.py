"""What could be read as something else: masks, legends, names and photos that say less than they seem to."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import annotation, record, rectangle
from PIL import Image
from test_own import COLOURS, VALUES, foreign, photos_with_masks, picture

from modanet_utils.__main__ import main
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.datasets.own import convert
from modanet_utils.datasets.photos import read_photo

NAMES = "background\njeans\nshirt, blouse\n"
SMALL = np.minimum(VALUES, 2)


def png(bits: int, kind: int, values: np.ndarray) -> bytes:
    """A PNG file of so many bits a value, of PNG's colour type 0 (grey), 2 (RGB) or 4 (grey and alpha)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    high, wide = values.shape[:2]
    flat = values.reshape(high, -1)
    rows = flat.astype(">u2").view(np.uint8) if bits == 16 else flat
    if bits < 8:
        rows = np.packbits(
            np.unpackbits(flat[..., None].astype(np.uint8), axis=2)[..., 8 - bits :].reshape(high, -1), 1
        )
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", wide, high, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_masks(folder: Path, mask: bytes | Image.Image, legend: str | bytes) -> Path:
    source = photos_with_masks(folder, mask if isinstance(mask, Image.Image) else Image.fromarray(SMALL), None)
    for file in (source / "masks").rglob("*.png") if isinstance(mask, bytes) else ():
        file.write_bytes(mask)
    (source / "classes.txt").write_bytes(legend if isinstance(legend, bytes) else legend.encode())
    return source


def clear(colour: Any) -> Image.Image:
    return Image.fromarray(
        np.dstack([np.broadcast_to(np.uint8(colour), (20, 30, 3)), 255 * (SMALL > 0).astype(np.uint8)])
    )


BITS = "7.png has more or less than 8 bits a value"
WRONG: dict[str, tuple[bytes | Image.Image, str, str]] = {
    "1 of 4 bits would be 17": (png(4, 0, SMALL), NAMES + "Boot\n" * 20, BITS),
    "3 of 2 bits would be ignored": (
        png(2, 0, np.where(SMALL == 2, 3, 0)),
        NAMES,
        BITS,
    ),
    "1 of 16 bits would be 0": (png(16, 2, np.dstack([SMALL] * 3)), NAMES, BITS),
    "and beside an alpha": (png(16, 4, np.dstack([SMALL, SMALL])), NAMES, BITS),
    "the shape is in the alpha": (clear((255, 0, 0)), "jeans:255,0,0\n", "7.png is coloured where it is transparent"),
    "no background": (
        Image.fromarray(SMALL),
        "jeans\nshirt, blouse\nBoot\n",
        "'jeans', would stand for value 0",
    ),
    "a number twice": (Image.fromarray(SMALL), "1 jeans\n1 Boot\n2 shirt, blouse", "calls 1 both 'jeans' and 'Boot'"),
    "values of colours": (Image.fromarray(COLOURS[SMALL]), NAMES, "name colours, as in 'jeans:255,0,0'"),
}


@pytest.mark.reliability("masks")
@pytest.mark.parametrize(("mask", "legend", "said"), WRONG.values(), ids=WRONG)
def test_masks_that_would_be_read_otherwise_than_meant_are_refused(
    mask: bytes | Image.Image, legend: str, said: str, tmp_path: Path
) -> None:
    source = with_masks(tmp_path / "mine", mask, legend)
    with pytest.raises(DatasetError, match=said):
        convert(source, tmp_path / "out", source / "map.yaml")
    assert not (tmp_path / "out").exists()


MEANT: dict[str, tuple[Image.Image, str | bytes]] = {
    "16 bits of Windows": (Image.fromarray(SMALL), NAMES.encode("utf-16")),
    "a mark before UTF-8": (Image.fromarray(SMALL), b"\xef\xbb\xbf0 background\n1 jeans\n2 shirt, blouse\n"),
    "a heading": (Image.fromarray(SMALL), "Pixel value, class\n1, jeans\n2, shirt, blouse\n"),
    "0 is no background": (Image.fromarray(SMALL), "0 background\n1 jeans\n2 shirt, blouse\n"),
    "colours in columns": (Image.fromarray(COLOURS[SMALL]), "jeans,255,0,0\nshirt, blouse 0 128 7\n"),
    "clear and black": (clear(COLOURS[SMALL]), "1,jeans,255,0,0\n2,shirt, blouse,0,128,7\n"),
}


@pytest.mark.parametrize(("mask", "legend"), MEANT.values(), ids=MEANT)
def test_legends_of_other_programs_are_read(mask: Image.Image, legend: str | bytes, tmp_path: Path) -> None:
    source = with_masks(tmp_path / "mine", mask, legend)
    (source / "masks" / "._7.png").write_bytes(b"\0\5\x16\7")  # as macOS leaves beside files
    convert(source, tmp_path / "out", source / "map.yaml")
    assert np.array_equal(open_dataset(tmp_path / "out").label_map(7), np.array([0, 8, 9])[SMALL])


IMAGES = [record(i) | {"id": i, "file_name": f"train/{i}.jpg"} for i in ("b", "a")]
UNSOUND: dict[str, tuple[dict[str, Any], str]] = {
    "size as text": ({"width": "30"}, "width of image 1 is '30': give a whole number."),
    "no size": ({"height": None}, "height of image 1 is None: give a whole number."),
    "no name": ({"file_name": None}, "file_name of image 1 is None: give the name of its photo."),
    "too large": ({"width": 20000, "height": 20000}, "20000x20000 pixels; at most 67,108,864 are read: scale it down."),
}


@pytest.mark.reliability("annotation files")
@pytest.mark.parametrize(("change", "said"), UNSOUND.values(), ids=UNSOUND)
def test_records_that_cannot_be_believed_are_named_before_anything_is_written(
    change: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source = foreign(tmp_path / "mine", images=[IMAGES[0] | change, IMAGES[1]])
    assert main(["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(str(source / "instances.json")) and error.endswith(f"{said}\n") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_other_tools_add_to_records_is_left_alone(tmp_path: Path) -> None:
    images = [one | {"tags": ["outdoor"], "group": {"a": 1}} for one in IMAGES]
    source = foreign(tmp_path / "mine", images=images)
    (source / "._instances.json").write_bytes(b"\0\5\x16\7")
    convert(source, tmp_path / "out", source / "map.yaml")
    assert [sorted(one) for one in open_dataset(tmp_path / "out").images.values()] == [
        ["file_name", "height", "id", "width"]
    ] * 2
    huge = {"b": 2**70, "a": 2**70 + 1}
    source = foreign(tmp_path / "huge", images=[one | {"id": huge[one["id"]]} for one in IMAGES],
                     annotations=[annotation(2**70, 0, [rectangle(0, 0, 4, 4)])])  # fmt: skip
    convert(source, tmp_path / "out2", source / "map.yaml")
    assert open_dataset(tmp_path / "out2").ids == [1, 2]


LOST: dict[str, tuple[Callable[[Any], Any], str]] = {
    "texts": (json.dumps, "has no mask to learn from; left out are 5 polygons with fewer than three corners"),
    "shares of the sides": (
        lambda mask: [[one / 900 for one in mask[0]]] if isinstance(mask, list) else mask,
        "objects looked at have no pixel inside of their image: give coordinates in pixels",
    ),
}


@pytest.mark.parametrize(("change", "said"), LOST.values(), ids=LOST)
def test_a_conversion_that_nothing_can_be_learnt_from_ends_in_that_sentence(
    change: Callable[[Any], Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source = foreign(tmp_path / "mine")
    content = json.loads((source / "instances.json").read_text())
    for one in content["annotations"]:
        one["segmentation"] = change(one["segmentation"])
    (source / "instances.json").write_text(json.dumps(content))
    assert main(["convert", str(source), str(tmp_path / "out"), "--map", str(source / "map.yaml")]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and "Next: " not in told.out


def test_a_photo_of_another_part_is_not_taken_for_one_of_the_same_number(tmp_path: Path) -> None:
    source = foreign(tmp_path / "mine")
    (source / "images" / "train").rename(source / "images" / "val")
    with pytest.raises(DatasetError, match=r"no usable photo of the 3 annotated images \(3 missing"):
        convert(source, tmp_path / "out", source / "map.yaml")
    (source / "images" / "val").rename(source / "images" / "photos")
    convert(source, tmp_path / "out", source / "map.yaml")
    assert len(open_dataset(tmp_path / "out").ids) == 2


# ---------------------------------------------------------------------------------------- photos


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes there only")
def test_a_file_name_that_is_no_utf8_is_one_too(tmp_path: Path) -> None:
    source = photos_with_masks(tmp_path / "mine", Image.fromarray(SMALL), NAMES)
    for file, name in ((source / "masks" / "7.png", b"caf\xe9.png"), (source / "photos" / "7.jpg", b"caf\xe9.jpg")):
        file.rename(file.with_name(os.fsdecode(name)))
    (source / "photos" / "spare.jpg").rename(source / "photos" / os.fsdecode(b"\xe9.jpg"))
    convert(source, tmp_path / "out", source / "map.yaml")
    dataset = open_dataset(tmp_path / "out")
    assert {dataset.image(image_id).shape for image_id in dataset.ids} == {(20, 30, 3)}
    assert (tmp_path / "out" / "not_used.txt").read_text() == "without annotation: \\udce9.jpg\n"


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize(("orientation", "turn"), [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)])
def test_a_photo_is_turned_whatever_its_format(
    orientation: int, turn: Image.Transpose, ending: str, tmp_path: Path
) -> None:
    source, exif = foreign(tmp_path / "mine"), Image.Exif()
    exif[0x0112] = orientation
    picture(file := tmp_path / "seen.png", seed="x")
    shown = Image.open(file).convert("RGB")
    for name in ("a", "b"):
        (source / "images" / "train" / f"{name}.jpg").unlink()
        shown.transpose(turn).save(
            source / "images" / "train" / f"{name}.{ending}", exif=exif, quality=100, lossless=True
        )
    convert(source, tmp_path / "out", source / "map.yaml")
    dataset = open_dataset(tmp_path / "out")
    for image_id in dataset.ids:
        assert np.abs(dataset.image(image_id).astype(int) - np.asarray(shown)).mean() < 9


def test_a_photo_that_only_pillow_can_decode_is_unreadable_at_once(tmp_path: Path) -> None:
    source = foreign(tmp_path / "mine")
    (source / "images" / "train" / "a.jpg").rename(source / "images" / "train" / "a.heic")
    (source / "images" / "train" / "b.jpg").unlink()
    Image.fromarray(np.zeros((20, 30), np.float32)).save(source / "images" / "train" / "b.tif")
    (source / "images" / "train" / "a.heic").write_bytes(b"\0\0\0\x24ftypheic")
    with pytest.raises(DatasetError, match=r"1 missing, 2 unreadable, .*whose files, JPEG or PNG, are named"):
        convert(source, tmp_path / "out", source / "map.yaml")


@pytest.mark.parametrize("ending", ["png", "webp", "jpg"])
def test_exif_that_is_damaged_turns_nothing(ending: str, tmp_path: Path) -> None:
    shown = Image.fromarray(np.arange(1800, dtype=np.uint8).reshape(20, 30, 3))
    shown.save(file := tmp_path / f"a.{ending}", exif=b"Exif\0\0no TIFF", lossless=True)
    assert read_photo(file, (20, 30)).shape == (20, 30, 3)


def test_a_jpeg_beside_what_training_cannot_read_is_the_photo(tmp_path: Path) -> None:
    source = with_masks(tmp_path / "mine", Image.fromarray(SMALL), NAMES)
    for ending in ("avif", "gif", "heic"):  # in another folder, too, as phones keep the originals
        (source / "photos" / f"7.{ending}").write_bytes(b"\0\0\0\x24ftypheic")
        (source / "photos" / "raw").mkdir(exist_ok=True)
        (source / "photos" / "raw" / f"12.{ending}").write_bytes(b"\0\0\0\x24ftypheic")
    convert(source, tmp_path / "out", source / "map.yaml")
    assert [one["file_name"] for one in open_dataset(tmp_path / "out").images.values()] == ["7.jpg", "sub/12.jpg"]


def test_photos_may_have_the_tails_of_their_masks(tmp_path: Path) -> None:
    source = with_masks(tmp_path / "mine", Image.fromarray(SMALL), NAMES)
    for file in [*(source / "masks").rglob("*.png"), *(source / "photos").rglob("*.jpg")]:
        file.rename(file.with_name(f"{file.stem}_seg{file.suffix}"))
    convert(source, tmp_path / "out", source / "map.yaml")
    names = [one["file_name"] for one in open_dataset(tmp_path / "out").images.values()]
    assert names == ["7_seg.jpg", "sub/12_seg.jpg"]
    (source / "masks").rename(source / "photos" / "masks")  # masks among the photos are none of these
    for file in (source / "photos").rglob("*_seg.jpg"):
        file.rename(file.with_name(file.name.replace("_seg", "")))
    (source / "classes.txt").rename(source / "photos" / "classes.txt")
    convert(source / "photos", tmp_path / "mixed", source / "map.yaml", photos=source / "photos")
    assert [one["file_name"] for one in open_dataset(tmp_path / "mixed").images.values()] == ["7.jpg", "sub/12.jpg"]


@pytest.mark.parametrize("tail", ["_mask", "-seg", ".labels", "_segm"])
def test_masks_may_say_that_they_are_masks(tail: str, tmp_path: Path) -> None:
    source = with_masks(tmp_path, Image.fromarray(SMALL), NAMES)
    convert(source, tmp_path / "plain", source / "map.yaml")
    for file in [*(source / "masks").rglob("*.png")]:
        file.rename(file.with_name(f"{file.stem}{tail}.png"))
    convert(source, tmp_path / "named", source / "map.yaml")
    plain, named = (open_dataset(tmp_path / one) for one in ("plain", "named"))
    assert [*named.images.values()] == [*plain.images.values()]

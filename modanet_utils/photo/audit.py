"""``modanet audit``: photos whose annotation does not fit what a network sees on them, for one to look at, worst first.

Of photos that were fetched by their address, some show another picture than the one that was annotated. How well an
annotation fits is the mean logarithm of the probability that the network gives its labels, clothing or not counting
twice as much as which clothing. What is a good fit differs from photo to photo: each is held against how well the
annotations of others fit this photo, and this annotation other photos.
"""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import nn

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, IGNORE
from modanet_utils.datasets.coco import Dataset, open_dataset, with_masks
from modanet_utils.metrics import fold_labels
from modanet_utils.photo.network import Network, open_network
from modanet_utils.photo.plots import painted
from modanet_utils.progress import Progress
from modanet_utils.project import ROOT, ProjectError, check_folder, write_whole
from modanet_utils.training.predict import small_logits

GRID = (72, 48)
"""Height and width of the raster on which a photo's probabilities are held against its labels."""
DOUBT = 0.01
"""Share of every probability that goes to all labels alike: a network that is sure, and wrong, costs no more."""
RECORD = ROOT / "reports" / "ccp" / "audit.json"
"""How well exchanged annotations are found on Clothing Co-Parsing; ``python -m tests.bench.exchanged`` measures it."""
OTHERS = 200
"""Photos of the data set, evenly chosen, by whose annotations the fit of each is judged."""
MISFIT = 0.1
"""Score below which a photo is listed to be left out. On the validation photos of Clothing Co-Parsing, of annotations
that were exchanged 99 of 100 lie below, and 4 of 251 photos, all of which lack or confuse what the person wears."""
TABLE, LEFT_OUT, SHEET = "audit.csv", "left_out.txt", "worst.png"
SHOWN, TILE = 24, (200, 300)
"""Photos on the sheet, and width and height of each there."""
FEWEST = 10
"""Photos without which there are too few others to hold one against."""


def evidence(network: Network, photo: np.ndarray) -> np.ndarray:
    """What a photo ``(H, W, 3) uint8`` speaks for: a number for each class and place of `GRID`, ``(14 * 3456,)``."""
    logits = small_logits(network.net, photo, Letterbox(network.config.image_height, network.config.image_width))
    shares = nn.functional.interpolate(logits.softmax(1), GRID, mode="area")[0].cpu().numpy()
    either = np.repeat([shares[0], 1 - shares[0]], [1, len(CLASSES) - 1], axis=0)  # background, or clothing
    two, all_of_them = ((1 - DOUBT) * of + DOUBT / many for of, many in ((either, 2), (shares, len(CLASSES))))
    return ((np.log(two) + np.log(all_of_them) / 2) / np.prod(GRID)).ravel()


def annotated(truth: np.ndarray) -> np.ndarray:
    """A label map ``(H, W) uint8`` as the share of each class at each place of `GRID`, ``(14 * 3456,)``.

    The scalar product with `evidence` is the fit; ignored pixels belong to no class.
    """
    down, across = GRID
    small = cv2.resize(truth, (4 * across, 4 * down), interpolation=cv2.INTER_NEAREST_EXACT)
    planes = np.arange(len(CLASSES))[:, None, None] == np.where(small == IGNORE, IGNORE, fold_labels(small))
    return planes.reshape(-1, down, 4, across, 4).mean((2, 4), dtype=np.float32).ravel()


def scores(own: np.ndarray, others: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """How much better photos and their annotations fit each other than others: 0 for what one in twenty others reaches.

    ``own`` is the fit of every photo with its annotation, ``(...)``; ``others`` that of the photo with others'
    annotations, ``elsewhere`` that of its annotation with other photos, ``(..., others)``; there NaN is left out.
    """
    return own - (np.nanquantile(others, 0.95, axis=-1) + np.nanquantile(elsewhere, 0.95, axis=-1)) / 2


def scored(dataset: Dataset, network: Network, quiet: bool = True) -> tuple[dict[int, float], list[str]]:
    """Score of every photo that can be read by its id, worst first, and a sentence on each that cannot.

    ProjectError where fewer than `FEWEST` can be read.
    """
    ids, unread, progress = dataset.ids, list[str](), Progress(len(dataset.ids), quiet)

    def pairs(ids: Iterable[int], what: str) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        for image_id in progress.over(ids, what):
            try:
                yield image_id, evidence(network, dataset.image(image_id)), annotated(dataset.label_map(image_id))
            except (OSError, ValueError) as error:
                unread.append(str(error))

    chosen = ids[:: -(-len(ids) // OTHERS)]
    known = list(pairs(chosen, "looking at some photos"))
    if len(known) < FEWEST:
        few = f"Of the photos of {dataset.root} {len(known)} can be used"
        raise ProjectError(f"{few}: an audit holds each against the others, and needs {FEWEST}.")
    there, speak, claim = (np.stack(of) for of in zip(*known, strict=True))
    found = {}
    for image_id, speaks, claims in itertools.chain(known, pairs(set(ids).difference(chosen), "looking at all photos")):
        others, elsewhere = (np.where(there == image_id, np.nan, of) for of in (claim @ speaks, speak @ claims))
        found[image_id] = float(scores(speaks @ claims, others, elsewhere))
    progress.close()
    return dict(sorted(found.items(), key=lambda one: one[1])), unread


def audit(root: Path, out: Path, run: str | None = None) -> bool:
    """Look at every photo of a data set and write what the command's help says; whether all could be read.

    FileNotFoundError or ProjectError where data set, run or ``out`` cannot be used.
    """
    check_folder(out)
    dataset, network = with_masks(open_dataset(root)), open_network(run)
    found, unread = scored(dataset, network, quiet=False)
    for said in filter(None, [dataset.said(), *unread]):
        print(said, file=sys.stderr)
    names = [dataset.images[image_id]["file_name"] for image_id in found]
    table = pd.DataFrame({"file": names, "score": found.values(), "rank": range(1, len(names) + 1)})
    left_out = table.file[table.score < MISFIT]
    write_whole(out / TABLE, table.to_csv(index=False, float_format="%.4f"))
    write_whole(out / LEFT_OUT, "".join(f"{name}\n" for name in left_out))
    write_whole(out / SHEET, sheet(dataset, dict(list(found.items())[:SHOWN])).save)
    read = f"{len(found):,} photos looked at, {len(unread):,} could not be read"
    print(f"{dataset.name}, run {network.folder.name}: {read}")
    if _taught(dataset, network):
        print("The network was trained on a part of these photos, and may have learned what is wrong with them.")
    print(f"{len(left_out):,} fit their annotation badly (score below {MISFIT:g}): {out / LEFT_OUT}")
    print(f"all, worst first: {out / TABLE}; the worst {min(SHOWN, len(found))} to look at: {out / SHEET}")
    return not unread


def _taught(dataset: Dataset, network: Network) -> bool:
    about = network.folder / "provenance.json"
    data = json.loads(about.read_text("utf-8")).get("data", {}) if about.is_file() else {}
    return data.get("fingerprint") == dataset.fingerprint


def sheet(dataset: Dataset, worst: Mapping[int, float]) -> Image.Image:
    """Photos by id beside their annotation in colour, four pairs a row, each with its rank, file and score."""
    (width, height), down = TILE, -(-len(worst) // 4)
    page = Image.new("RGB", (min(4, len(worst)) * (2 * width + 12) + 12, down * (height + 32) + 12), "white")
    pen = ImageDraw.Draw(page)
    for at, (image_id, score) in enumerate(worst.items()):
        left, top = at % 4 * (2 * width + 12) + 12, at // 4 * (height + 32) + 12
        photo = dataset.image(image_id)
        for shift, picture in ((0, photo), (width, painted(photo, dataset.label_map(image_id)))):
            small = ImageOps.contain(Image.fromarray(picture), TILE)
            page.paste(small, (left + shift + (width - small.width) // 2, top))
        name = dataset.images[image_id]["file_name"]
        text = f"{at + 1}. {name if len(name) < 36 else '…' + name[-34:]}, {score:.2f}"
        pen.text((left, top + height + 4), text, fill="black", font=ImageFont.load_default(15))
    return page

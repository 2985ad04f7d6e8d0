"""The whole of ModaNet: its photos out of an LMDB, measured; a training on one GPU, estimated."""

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from modanet_utils import model
from modanet_utils.datasets.writing import CATEGORIES
from modanet_utils.report.speed import recorded
from modanet_utils.splits import PARTS
from modanet_utils.training.samples import Samples
from modanet_utils.trials import TrialConfig, read_profile
from tests.bench.resampled import MODANET_IMAGES
from tests.bench.turns import AS_TRAINED, MEASURED, BenchError, Entry, Options, agree, measured, spread

ANNOTATED = 52_254
"""Of the images that ModaNet's file lists."""
PHOTOS = (1_250, 2_500, 5_000)
WIDTH, HEIGHT = 60, 90  # of the made photos
SUSTAINED = 3e12, 10e12
"""Operations a second that a GPU with 24 GB is assumed to sustain in bf16 on such networks, whose depthwise layers
wait for memory: a few percent of what its data sheet promises for dense products, and up to ten."""
READERS = 8  # cores
TRAINED = 3
"""Operations of a training step beside those of its forward pass: a backward pass counts twice."""

PREPARE = MEASURED.format(
    imports="from modanet_utils.datasets.modanet import prepare",
    stages="""started = time.process_time()
said = prepare(file, sys.argv[2], sys.argv[3])
seconds["prepare"] = time.process_time() - started
found = [line for line in said.splitlines() if line.startswith("photos of annotated images")]""",
)


def made_photos(folder: Path, photos: int) -> Path:
    """An LMDB as PaperDoll's, of so many small photos, no two alike; keys are their numbers."""
    path = folder / f"photos-{photos}.lmdb"
    with lmdb.open(str(path), map_size=1 << 30) as base, base.begin(write=True) as batch:
        for number in range(1, photos + 1):
            patches = np.random.default_rng(number).integers(0, 256, (6, 4, 3), np.uint8)
            picture = cv2.imencode(".jpg", cv2.resize(patches, (WIDTH, HEIGHT)))[1]
            batch.put(str(number).encode(), picture.tobytes())
    return path


def made_annotations(file: Path, images: int) -> Path:
    """A file of so many images, with one object each."""
    outline = [[10, 10, 50, 10, 50, 60, 10, 60]]
    ids = range(1, images + 1)
    coco = {
        "images": [{"id": i, "file_name": f"{i:07d}.jpg", "width": WIDTH, "height": HEIGHT} for i in ids],
        "annotations": [{"id": i, "image_id": i, "category_id": 1 + i % 13, "segmentation": outline} for i in ids],
        "categories": CATEGORIES[:13],
    }
    file.write_text(json.dumps(coco))
    return file


def photos(options: Options) -> Entry:
    """Processor time and peak memory of `modanet convert modanet` by how many of the annotated photos are there."""
    options.scratch.mkdir(parents=True, exist_ok=True)
    largest = min(PHOTOS[-1], options.sizes[-1])
    counts, images = [largest // 4, largest // 2, largest], min(MODANET_IMAGES, options.sizes[-1])
    file = made_annotations(options.scratch / f"made-{images}.json", images)
    bases = {count: made_photos(options.scratch, count) for count in counts}
    told: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    for number in range(options.rounds):
        for count in counts:
            into = options.scratch / f"made-{count}-{number}"
            told[count].append(measured(PREPARE, file, str(bases[count]), str(into)))
            agree(f" {count:,} usable" in told[count][-1]["found"][0], "photos that are used")
    seconds = {count: [one["seconds"]["prepare"] for one in told[count]] for count in counts}
    costs = [np.array(seconds[count]) / count for count in counts]
    peaks = [max(one["peak"] for one in told[count]) for count in counts]
    return {
        "what": f"a data set of ModaNet's size out of an LMDB that holds {counts[0]:,}, {counts[1]:,} or {counts[2]:,} "
        f"of its photos: looked up, checked, compared, copied; processor time, a process each",
        "ratio_is": f"cost per photo at {counts[-1]:,} / at {counts[0]:,}, both with reading all annotations",
        "ratio": spread((costs[-1] / costs[0]).tolist()),
        "seconds": {f"{count:,} photos": statistics.median(seconds[count]) for count in reversed(counts)},
        "data": f"{images:,} made annotations, photos of {WIDTH}x{HEIGHT}; "
        f"peak memory {', '.join(f'{peak:.0f}' for peak in peaks)} MiB",
        "peak_mebibytes": dict(zip(map(str, counts), peaks, strict=True)),
    }


def operations(config: TrialConfig) -> float:
    """Floating point operations of one photo's forward pass, counted on tensors that hold nothing."""
    net = model.build(config.encoder, None, config.attention).to("meta").eval()
    photo = torch.zeros(1, 3, config.image_height, config.image_width, dtype=torch.uint8, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(photo)
    return float(counter.get_total_flops())


def _reading(options: Options, config: TrialConfig, most: int = 48) -> float:
    """Processor seconds to decode, label and augment a photo for training, the median over the first so many."""
    dataset = options.photo_dataset()
    samples = Samples(dataset, options.parts(dataset)["train"][:most], config, train=True)

    def each() -> Iterator[float]:
        for index in range(len(samples)):
            started = time.process_time()
            samples[1, index]
            yield time.process_time() - started

    return statistics.median(each())


def full(options: Options) -> Entry:
    """What one training of profile modanet takes: an estimate from the step that was measured on a CPU."""
    measured_here = recorded(options.report).get("step")
    if not measured_here:
        raise BenchError(f"{options.report} has no entry 'step', from which this is estimated: measure that first.")
    settings = read_profile("modanet").settings
    config = TrialConfig(**{**settings, "encoder_weights": None, "workers": 0, "processes": 1})
    here, there = TrialConfig(), operations(config)
    cpu = TRAINED * operations(here) * here.batch_size / measured_here["variants"][AS_TRAINED]["seconds"]
    photos = {part: round(PARTS[part] * ANNOTATED) for part in ("train", "val")}
    work = config.epochs * there * (TRAINED * photos["train"] + photos["val"])
    reading = _reading(options, config)
    hours = {
        "computing": [work / rate / 3600 for rate in reversed(SUSTAINED)],
        "reading": config.epochs * sum(photos.values()) * reading / READERS / 3600,
        "cpu": work / cpu / 3600,
    }
    return {
        "size": [config.image_height, config.image_width],
        "encoder": config.encoder,
        "epochs": config.epochs,
        "photos": photos,
        "operations": {"forward": there, "ratio": there / operations(here)},
        "sustained": {"assumed": list(SUSTAINED), "cpu": cpu},
        "readers": READERS,
        "seconds_to_read": reading,
        "hours": hours | {"a training": [max(hours["reading"], one) for one in hours["computing"]]},
    }

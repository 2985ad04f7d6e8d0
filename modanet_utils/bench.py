"""How fast the project is, beside what people use; ``make bench``.

``python -m modanet_utils.bench [--only scan,open] [--data FOLDER] [--annotations FILE]`` runs each comparison's
contestants in turns, several times, checks that they computed the same, prints the ratio with its spread, and
writes it into ``reports/bench.json`` under the comparison's name; what was not run keeps its entry. Run it on an
idle machine: two processes that both use all cores slow each other many times over.

The real data are not part of the project: --data is a converted Clothing Co-Parsing folder, --annotations
ModaNet's annotations or an excerpt of them (no photos). Next to the packages of the project this needs
``pip install -c constraints.txt -e '.[bench]'``.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import albumentations as A
import cv2
import numpy as np
import pandas as pd
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from modanet_utils import losses, metrics, model, training
from modanet_utils import statistics as intervals
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.datasets import Dataset, class_pixels, open_dataset, resampled
from modanet_utils.provenance import ROOT, provenance
from modanet_utils.results import markdown, with_interval, write_results
from modanet_utils.splits import split
from modanet_utils.training import Samples, TrialConfig
from modanet_utils.weights import class_weights, image_pixels

REPORT = ROOT / "reports" / "bench.json"
SIZES: tuple[int, ...] = (1_000, 4_000, 16_000, resampled.MODANET_IMAGES)
"""Images of the files on which growth with size is measured."""

Entry = dict[str, Any]


class BenchError(ValueError):
    """A comparison that cannot be made, or whose contestants disagree."""


@dataclass(frozen=True)
class Options:
    """What the comparisons run on, and for how long."""

    data: Path
    annotations: Path | None
    rounds: int = 5
    epochs: int = 4
    """Of the training in loop."""
    minutes: float = 5.0
    photos: int | None = None
    """At most this many photos of a part; all where it is None."""
    sizes: tuple[int, ...] = SIZES
    scratch: Path = ROOT / "build" / "bench"
    runs: Path = ROOT / "reports" / "bench" / "runs"
    """Where the runs of trials are kept, without weights; finished ones are not trained again."""

    def photo_dataset(self) -> Dataset:
        if not (self.data / "annotations.json").is_file():
            raise BenchError(
                f"{self.data} is no converted data set: give --data a folder as modanet_utils.datasets.ccp writes it."
            )
        return open_dataset(self.data)

    def parts(self, dataset: Dataset) -> dict[str, list[int]]:
        return {part: ids[: self.photos] for part, ids in split(dataset).items()}

    def annotation_file(self) -> Path:
        if self.annotations is None or not self.annotations.is_file():
            said = "none is given" if self.annotations is None else f"{self.annotations} does not exist"
            raise BenchError(f"ModaNet's annotations are needed and {said}: give --annotations an excerpt or all.")
        return self.annotations


# ------------------------------------------------------------------------------------------ in turns


def in_turns(contestants: Mapping[str, Callable[[], Any]], rounds: int, warm: bool = True) -> dict[str, list[float]]:
    """Seconds of each contestant, a number a round; who begins a round changes from round to round."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for number in range(-warm, rounds):
        for name in order if number % 2 == 0 else order[::-1]:
            started = time.perf_counter()
            contestants[name]()
            if number >= 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest, highest and number of the values."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "rounds": len(values)}


def compared(what: str, data: str, seconds: dict[str, list[float]], above: str, below: str) -> Entry:
    """An entry of the report: the ratio of two contestants' seconds, round by round."""
    ratios = [a / b for a, b in zip(seconds[above], seconds[below], strict=True)]
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "what": what,
        "ratio_is": f"{above} / {below}",
        "ratio": spread(ratios),
        "seconds": medians,
        "data": data,
    }


def agree(same: bool, what: str) -> None:
    if not same:
        raise BenchError(f"The contestants disagree ({what}): their times are not comparable.")


# ------------------------------------------------------------------------------------------ scan, open, scale


def usual_loop(coco: Any) -> np.ndarray:
    """Pixels per class as it is usually written: a mask an annotation, a comparison a class and image."""
    total = np.zeros(len(CLASSES), np.int64)
    for image_id in coco.getImgIds():
        record = coco.loadImgs(image_id)[0]
        truth = np.zeros((record["height"], record["width"]), np.uint8)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        masks = [(coco.annToMask(one), one["category_id"]) for one in annotations]
        for mask, label in sorted(masks, key=lambda pair: -np.count_nonzero(pair[0])):
            truth[mask == 1] = label
        for label in range(len(CLASSES)):
            total[label] += (truth == label).sum()
    return total


def scan(options: Options) -> Entry:
    from pycocotools.coco import COCO

    file = options.annotation_file()
    dataset = open_dataset(file, annotations_only=True)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(file))
    agree(np.array_equal(class_pixels(dataset)[: len(CLASSES)], usual_loop(coco)), "pixels per class")
    seconds = in_turns({"COCO loop": lambda: usual_loop(coco), "ours": lambda: class_pixels(dataset)}, options.rounds)
    return compared(
        "pixels per class of all images, largest objects painted first; the same counts",
        f"{len(dataset.ids):,} images, {sum(map(len, dataset.annotations.values())):,} annotations ({dataset.name})",
        seconds,
        "COCO loop",
        "ours",
    )


# Processes of their own: memory is a process's. VmHWM begins anew with a program, unlike ru_maxrss on Linux.
_MEASURED = """
import json, re, resource, sys, time
from pathlib import Path
{imports}
def peak():
    try:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
file, seconds = sys.argv[1], {{}}
def timed(name, call):
    started = time.perf_counter()
    result = call()
    seconds[name] = time.perf_counter() - started
    return result
{stages}
print(json.dumps({{"seconds": seconds, "peak": peak(), "found": found}}))
"""
_OPEN_COCO = _MEASURED.format(
    imports="from pycocotools.coco import COCO",
    stages="""coco = timed("open", lambda: COCO(file))
found = [len(coco.imgs), len(coco.anns)]""",
)
_OPEN_OURS = _MEASURED.format(
    imports="from modanet_utils.datasets import open_dataset",
    stages="""dataset = timed("open", lambda: open_dataset(file, annotations_only=True))
found = [len(dataset.ids), sum(map(len, dataset.annotations.values()))]""",
)
_ALL_STAGES = _MEASURED.format(
    imports="""from modanet_utils.datasets import class_pixels, open_dataset
from modanet_utils.exploration import scan
from modanet_utils.splits import split""",
    stages="""dataset = timed("open", lambda: open_dataset(file, annotations_only=True))
parts = timed("split", lambda: split(dataset))
pixels = timed("class pixels", lambda: class_pixels(dataset))
explored = timed("exploration", lambda: scan(dataset, quiet=True))
assert (explored.pixels.sum(0) == pixels).all() and sum(map(len, parts.values())) == len(dataset.ids)
found = [len(dataset.ids), len(explored.objects)]""",
)


_STEPS = _MEASURED.format(
    imports="from modanet_utils import bench", stages="found = bench.step_seconds(Path(file), sys.argv[2])"
)


def measured(program: str, file: Path, *more: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a measured program says: seconds by stage, peak memory of its process in MiB, what it found.

    Args:
        program: Python code made from `_MEASURED`.
        file, more: Its arguments.
        variables: Environment variables to set for it.
    """
    command = [sys.executable, "-c", program, str(file), *more]
    environment = os.environ | (variables or {})
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode:
        raise BenchError(f"A measured program failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def _large_file(options: Options, images: int) -> Path:
    file = options.scratch / f"{options.annotation_file().stem}-{images}.json"
    if not file.is_file():
        resampled.write(file, images, open_dataset(options.annotation_file(), annotations_only=True))
    return file


def opening(options: Options) -> Entry:
    file = _large_file(options, options.sizes[-1])
    said: dict[str, list[dict[str, Any]]] = {"COCO()": [], "ours": []}
    programs = {"COCO()": _OPEN_COCO, "ours": _OPEN_OURS}
    in_turns(
        {name: lambda name=name: said[name].append(measured(programs[name], file)) for name in said}, options.rounds
    )
    agree(said["COCO()"][0]["found"] == said["ours"][0]["found"], "images and annotations")
    images, annotations = said["ours"][0]["found"]
    seconds = {name: [one["seconds"]["open"] for one in told[1:]] for name, told in said.items()}  # the first: warm-up
    entry = compared(
        "opening and indexing an annotation file, ours with all its checks; a process each",
        f"{images:,} images, {annotations:,} annotations, {file.stat().st_size / 1e6:.0f} MB, drawn from an excerpt",
        seconds,
        "COCO()",
        "ours",
    )
    entry["peak_mebibytes"] = {name: max(one["peak"] for one in told) for name, told in said.items()}
    return entry


def scale(options: Options) -> Entry:
    rows = {}
    for images in options.sizes:
        file = _large_file(options, images)
        told = measured(_ALL_STAGES, file)
        total = sum(told["seconds"].values())
        rows[images] = told["seconds"] | {
            "total": total,
            "milliseconds_per_image": 1000 * total / images,
            "peak_mebibytes": told["peak"],
            "megabytes": file.stat().st_size / 1e6,
            "objects": told["found"][1],
        }
    costs = [rows[images]["milliseconds_per_image"] for images in options.sizes]
    largest, smallest = rows[options.sizes[-1]], rows[options.sizes[0]]
    return {
        "what": "opening, checking, splitting and scanning annotation files of growing size, one process, one core",
        "ratio_is": f"cost per image at {options.sizes[-1]:,} images / at {options.sizes[0]:,}",
        "ratio": spread([cost / costs[0] for cost in costs[1:]] or [1.0]) | {"median": costs[-1] / costs[0]},
        "seconds": {f"{options.sizes[-1]:,} images": largest["total"], f"{options.sizes[0]:,}": smallest["total"]},
        "data": f"files of up to {largest['megabytes']:.0f} MB, drawn from an excerpt of ModaNet",
        "sizes": {str(images): row for images, row in rows.items()},
    }


# ------------------------------------------------------------------------------------------ loss, loop


class SMPLoss(nn.Module):
    """Dice, focal and Lovász of SMP, summed, as its users write it."""

    def __init__(self) -> None:
        super().__init__()
        self.terms = nn.ModuleList(
            (
                smp.losses.DiceLoss("multiclass", ignore_index=IGNORE),
                smp.losses.FocalLoss("multiclass", gamma=2.0, ignore_index=IGNORE),
                smp.losses.LovaszLoss("multiclass", ignore_index=IGNORE),
            )
        )

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return sum(term(logits, target) for term in self.terms)


def _batch(dataset: Dataset, ids: list[int], config: TrialConfig) -> tuple[Tensor, Tensor]:
    samples = Samples(dataset, ids[: config.batch_size], config, train=False)
    photos, truths = zip(*(samples[0, index] for index in range(len(samples))), strict=True)
    return torch.stack(photos), torch.stack(truths)


def bare_step(criterion: nn.Module, photos: Tensor, truth: Tensor) -> Callable[[], None]:
    """A training step on tensors in memory: forward, loss, backward, optimiser."""
    net = model.build().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    target = training.training_target(truth, len(CLASSES))

    def step() -> None:
        criterion(net(photos), target).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def bare_forward(photos: Tensor) -> Callable[[], Any]:
    net = model.build().to(memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def forward() -> Tensor:
        return net(photos).argmax(1)

    return forward


def loss(options: Options, repeats: int = 3) -> Entry:
    dataset = options.photo_dataset()
    config, parts = TrialConfig(), options.parts(dataset)
    photos, truth = _batch(dataset, parts["train"], config)
    target = training.training_target(truth, len(CLASSES))
    weights = torch.tensor(class_weights(image_pixels(dataset, parts["train"]), "inverse_sqrt"), dtype=torch.float32)
    with torch.no_grad():
        logits = model.build().train()(photos)
        lovasz = losses.LovaszSoftmaxLoss(losses.LOVASZ_BINS)(logits, target)
        exact = smp.losses.LovaszLoss("multiclass", ignore_index=IGNORE)(logits, target)
    agree(abs(float(lovasz - exact)) <= 1 / (2 * losses.LOVASZ_BINS) + 1e-5, "Lovász")
    steps = {
        "combined loss": bare_step(losses.CombinedLoss(weights), photos, truth),
        "cross-entropy": bare_step(nn.CrossEntropyLoss(ignore_index=IGNORE), photos, truth),
        "SMP losses": bare_step(SMPLoss(), photos, truth),
    }
    contestants = {name: lambda step=step: [step() for _ in range(repeats)] for name, step in steps.items()}
    seconds = {name: [s / repeats for s in told] for name, told in in_turns(contestants, options.rounds).items()}
    data = f"a batch of {len(photos)} photos at {config.image_height}x{config.image_width} in memory ({dataset.name})"
    what = "a training step (forward, loss, backward, optimiser) with Dice + focal + Lovász-Softmax"
    entry = compared(what, data, seconds, "combined loss", "cross-entropy")
    entry["ratio_of_smp"] = compared(what, data, seconds, "SMP losses", "cross-entropy")["ratio"]
    return entry


HUGE_PAGES = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=100000000000"
"""The Makefile's GLIBC_TUNABLES: memory in pages of 2 MiB, kept for the next step instead of given back."""


@dataclass(frozen=True)
class Variant:
    """A training step with something changed; the defaults are how the project trains."""

    glibc_tunables: str = HUGE_PAGES
    channels_last: bool = True
    fused: bool = False
    compiled: bool = False
    bf16: bool = False
    frozen: bool = False
    """The encoder's stem and its first stages, those at a half and a quarter of the resolution, do not learn."""
    decoder: tuple[int, ...] = (128, 64, 48, 32, 16)
    lovasz_bins: int | None = losses.LOVASZ_BINS


AS_TRAINED = "as the project trains"
SMALL_PAGES = "memory in small pages, given back after each use"
EXACT = "Lovász term sorted, exact"
VARIANTS: dict[str, Variant] = {
    AS_TRAINED: Variant(),
    SMALL_PAGES: Variant(glibc_tunables=""),
    EXACT: Variant(lovasz_bins=None),
    "channels first in memory": Variant(channels_last=False),
    "fused AdamW": Variant(fused=True),
    "torch.compile": Variant(compiled=True),
    "bf16 autocast": Variant(bf16=True),
    "bf16 autocast and torch.compile": Variant(bf16=True, compiled=True),
    "early encoder frozen": Variant(frozen=True),
    "decoder half as wide": Variant(decoder=(64, 32, 24, 16, 16)),
}
TRIED = {EXACT: "lovasz_exact", "bf16 autocast": "bf16"}
"""Those for which `trials` trains a whole trial, as they change what is learned and a configuration can name them, to
the folder that is kept."""


def step_seconds(data: Path, name: str, steps: int = 5) -> tuple[float, float]:
    """Seconds of a training step with the combined loss in this process, for a `VARIANTS` name.

    Returns:
        The median over ``steps`` steps, before which three are taken, and the very first, which compiles if asked to.
    """
    variant, config = VARIANTS[name], TrialConfig(loss="combined")
    dataset = open_dataset(data)
    photos, truth = _batch(dataset, split(dataset)["train"], config)
    target = training.training_target(truth, len(CLASSES))
    criterion = losses.CombinedLoss(bins=variant.lovasz_bins)
    net = model.build(decoder_channels=variant.decoder).train()
    if variant.channels_last:
        net = net.to(memory_format=torch.channels_last)
    if variant.frozen:
        early = net.unet.encoder.model
        for part in (early.conv_stem, early.bn1, early.blocks[0], early.blocks[1]):
            part.requires_grad_(False)
    learning = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, 1e-3, weight_decay=1e-2, fused=variant.fused or None)
    forward = torch.compile(net) if variant.compiled else net
    seconds = []
    for _ in range(3 + steps):
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=variant.bf16):
            logits = forward(photos)
        criterion(logits, target).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[3:]), seconds[0]


def step(options: Options) -> Entry:
    options.photo_dataset()
    told: dict[str, list[float]] = {name: [] for name in VARIANTS}
    first: dict[str, list[float]] = {name: [] for name in VARIANTS}

    def run(name: str) -> None:
        variables = {"GLIBC_TUNABLES": VARIANTS[name].glibc_tunables}
        usual, begun = measured(_STEPS, options.data.resolve(), name, variables=variables)["found"]
        told[name].append(usual)
        first[name].append(begun)

    in_turns({name: lambda name=name: run(name) for name in VARIANTS}, options.rounds, warm=False)
    config = TrialConfig()
    entry = compared(
        "a training step with the combined loss: memory in small pages beside huge ones that are kept, as the Makefile "
        "sets it; a process each",
        f"a batch of {config.batch_size} photos at {config.image_height}x{config.image_width} in memory",
        {"small pages": told[SMALL_PAGES], "huge pages": told[AS_TRAINED]},
        "small pages",
        "huge pages",
    )
    entry["variants"] = {
        name: {
            "seconds": statistics.median(seconds),
            "first_step": statistics.median(first[name]),
            "ratio": compared("", "", told, name, AS_TRAINED)["ratio"],
        }
        for name, seconds in told.items()
    }
    return entry


def trials(options: Options) -> Entry:
    """Whole trials that differ in one variant, on the test photos."""
    dataset = options.photo_dataset()
    config = TrialConfig(data_root=str(options.data), loss="combined", class_weights="inverse_sqrt")
    base = training.run_trial(config, options.scratch / "runs")
    told: dict[str, Any] = {AS_TRAINED: _scored(base)}
    for name, folder in TRIED.items():
        variant = VARIANTS[name]
        changed = {"lovasz_bins": variant.lovasz_bins, "mixed_precision": "bf16" if variant.bf16 else "no"}
        run = training.run_trial(replace(config, **changed), options.scratch / "runs")
        training.keep(run, options.runs / folder, weights=False)
        value, low, high, _ = intervals.compare_mean_iou(base.counts, run.counts)
        told[name] = _scored(run) | {"difference": [float(value), [float(low), float(high)]]}
    return {
        "what": "whole trials with the combined loss that differ in one thing, one training each: mean IoU",
        "data": f"{len(base.ids)} test photos at their own size ({dataset.name})",
        "trials": told,
    }


def _scored(run: training.Run) -> dict[str, Any]:
    value, low, high = intervals.bootstrap(run.counts, metrics.clothing_mean_iou)
    return {"mean_iou": [float(value), [float(low), float(high)]], "commit": run.provenance["commit"]}


def loop(options: Options) -> Entry:
    """Every epoch of a training is timed between two checkpoints; after each the bare network runs alone."""
    dataset = options.photo_dataset()
    config = TrialConfig(
        data_root=str(options.data), loss="combined", class_weights="inverse_sqrt", epochs=options.epochs
    )
    parts = options.parts(dataset)
    photos, truth = _batch(dataset, parts["train"], config)
    weights = class_weights(image_pixels(dataset, parts["train"]), config.class_weights)
    step, forward = bare_step(training.build_loss(config, weights), photos, truth), bare_forward(photos)
    seconds: dict[str, list[float]] = {"bare network": [], "training": []}
    bare: dict[str, list[float]] = {"step": [], "forward": []}
    steps = len(parts["train"]) // config.batch_size
    started = 0.0

    def saved(*arguments: Any, save: Callable[..., None] = training._save) -> None:
        nonlocal started
        save(*arguments)
        seconds["training"].append(time.perf_counter() - started)
        for name, told in in_turns({"step": step, "forward": forward}, 8).items():
            bare[name].append(statistics.mean(told))
        seconds["bare network"].append(
            steps * bare["step"][-1] + len(parts["val"]) / config.batch_size * bare["forward"][-1]
        )
        started = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(training, "_save", saved):
        started = time.perf_counter()
        training._train(config, dataset, parts, Path(folder) / "run", training._accelerator(config), True)
    entry = compared(
        "a whole epoch (decoding, augmentation, loss, validation, checkpoint) beside the bare network's time for the "
        "same steps and validation photos on tensors in memory",
        f"{len(parts['train'])} photos to train and {len(parts['val'])} to validate, {options.epochs} epochs "
        f"({dataset.name})",
        seconds,
        "bare network",
        "training",
    )
    entry["first_epoch"] = seconds["bare network"][0] / seconds["training"][0]
    entry["without_credit_for_validation"] = spread(
        [steps * one / whole for one, whole in zip(bare["step"], seconds["training"], strict=True)]
    )
    per_photo = statistics.median(bare["step"]) / config.batch_size
    entry["seconds"] |= {"bare step": statistics.median(bare["step"])}
    entry["pipeline"] = _pipeline(dataset, parts["train"], config, per_photo)
    return entry


def _pipeline(dataset: Dataset, ids: list[int], config: TrialConfig, per_photo: float) -> dict[str, float]:
    """How many times as fast as the step the data come: when photos are decoded, and when they are remembered."""
    samples = Samples(dataset, ids, config, train=True)
    speeds = {}
    for epoch, name in enumerate(("decoding", "remembered"), 1):
        started = time.perf_counter()
        for index in range(len(samples)):
            samples[epoch, index]
        speeds[name] = per_photo / ((time.perf_counter() - started) / len(samples))
    return speeds


# ------------------------------------------------------------------------------------------ epoch, predict


class RecipePhotos(TorchDataset):
    """The data set of SMP's multiclass example: photo and mask files, resized and augmented each time."""

    def __init__(self, pairs: list[tuple[str, str]], config: TrialConfig) -> None:
        self.pairs = pairs
        self.augmentation = A.Compose([A.Resize(config.image_height, config.image_width), A.HorizontalFlip(p=0.5)])

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        photo, mask = self.pairs[index]
        image = cv2.cvtColor(cv2.imread(photo), cv2.COLOR_BGR2RGB)
        sample = self.augmentation(image=image, mask=cv2.imread(mask, cv2.IMREAD_GRAYSCALE))
        return sample["image"].transpose(2, 0, 1).copy(), sample["mask"]


class Recipe:
    """SMP's multiclass example without its Lightning wrapper: ResNet-34 U-Net, its Dice loss, its metrics, Adam."""

    def __init__(self, dataset: Dataset, ids: list[int], folder: Path, config: TrialConfig, total: float) -> None:
        pairs = []
        for image_id in ids:
            truth = dataset.label_map(image_id)
            mask = folder / f"{image_id}.png"
            cv2.imwrite(str(mask), np.where(truth < len(CLASSES), truth, 0).astype(np.uint8))
            pairs.append((str(dataset.root / "images" / dataset.images[image_id]["file_name"]), str(mask)))
        photos = RecipePhotos(pairs, config)
        self.loader = DataLoader(photos, config.batch_size, shuffle=True, num_workers=2, drop_last=True)
        self.net = recipe_network().train()
        self.loss = smp.losses.DiceLoss("multiclass", from_logits=True)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=2e-4)
        steps = max(1, round(total * len(self.loader)))
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=steps, eta_min=1e-5)
        self.stats: list[Any] = []
        self.steps = 0

    def epoch(self, until: float = float("inf")) -> bool:
        """Train for an epoch; False if the time was up before its end."""
        for photos, target in self.loader:
            if time.perf_counter() > until:
                return False
            logits = self.net(photos)
            value = self.loss(logits, target.long())
            predicted = logits.softmax(1).argmax(1)
            self.stats.append(
                smp.metrics.get_stats(predicted, target.long(), mode="multiclass", num_classes=len(CLASSES))
            )
            value.backward()
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
            self.steps += 1
        smp.metrics.iou_score(*(torch.cat(part) for part in zip(*self.stats, strict=True)), reduction="micro-imagewise")
        self.stats.clear()
        return True


def recipe_network() -> model.Net:
    """ResNet-34 U-Net. Its ImageNet weights would come from a hub, so it starts from random ones."""
    unet = smp.create_model("unet", encoder_name="resnet34", encoder_weights=None, classes=len(CLASSES))
    return model.Net(unet, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def epoch(options: Options) -> Entry:
    dataset = options.photo_dataset()
    parts = options.parts(dataset)
    config = TrialConfig(data_root=str(options.data), loss="combined", class_weights="inverse_sqrt")
    weights = class_weights(image_pixels(dataset, parts["train"]), config.class_weights)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        theirs = Recipe(dataset, parts["train"], folder, config, options.rounds)
        ours = _epochs(dataset, parts["train"], config, training.build_loss(config, weights))
        seconds = in_turns({"SMP's recipe": theirs.epoch, "ours": lambda: next(ours)}, options.rounds, warm=False)
        entry = compared(
            "an epoch of training, data pipeline included: EfficientNet-Lite0 U-Net and combined loss beside SMP's "
            "multiclass example (ResNet-34 U-Net, Dice loss, metrics each step, loader with 2 workers)",
            f"{len(parts['train'])} photos at {config.image_height}x{config.image_width}, batches of "
            f"{config.batch_size} ({dataset.name})",
            seconds,
            "SMP's recipe",
            "ours",
        )
        entry["same_time"] = _same_time(dataset, parts, config, entry["seconds"], options.minutes, folder)
    return entry


def _epochs(dataset: Dataset, ids: list[int], config: TrialConfig, criterion: nn.Module) -> Iterator[None]:
    """The training loop of `training` without validation and checkpoints, an epoch at a time."""
    samples = Samples(dataset, ids, config, train=True)
    order = training.EpochOrder(len(samples), config.seed)
    loader = training._loader(samples, config, order, drop_last=True)
    net = model.build().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    while True:
        order.epoch += 1
        for photos, truth in loader:
            criterion(net(photos), training.training_target(truth, config.outputs)).backward()
            optimizer.step()
            optimizer.zero_grad()
        yield


def _same_time(
    dataset: Dataset,
    parts: dict[str, list[int]],
    config: TrialConfig,
    seconds: dict[str, float],
    minutes: float,
    folder: Path,
) -> dict[str, Any]:
    """Validation mean IoU after the same time of training.

    Ours takes as many whole epochs as the minutes hold, with validation and checkpoints; the recipe gets the time
    that these took, its learning rate's schedule is as long, and it validates in the end only. Ours starts from its
    packaged ImageNet weights and, to be fair to a recipe that has to do without, once more from random ones.
    """
    epochs = max(1, int(60 * minutes / seconds["ours"]))
    found: dict[str, Any] = {}
    for name, weights in (("ours", config.encoder_weights), ("ours, random weights", None)):
        again = replace(config, encoder_weights=weights, epochs=epochs)
        run, started = folder / name.replace(" ", "-"), time.perf_counter()
        history, _ = training._train(again, dataset, parts, run, training._accelerator(again), True)
        taken = time.perf_counter() - started
        found[name] = {"epochs": len(history), "seconds": taken, "val_mean_iou": history[-1]["val_mean_iou"]}
    time_given = found["ours"]["seconds"]
    theirs = Recipe(dataset, parts["train"], folder, config, time_given / seconds["SMP's recipe"])
    started = time.perf_counter()
    while theirs.epoch(started + time_given):
        pass
    taken = time.perf_counter() - started
    iou = _stretched_iou(theirs.net, dataset, parts["val"], config)
    return found | {
        "SMP's recipe": {"epochs": theirs.steps / len(theirs.loader), "seconds": taken, "val_mean_iou": iou}
    }


@torch.inference_mode()
def _stretched_iou(net: nn.Module, dataset: Dataset, ids: list[int], config: TrialConfig) -> float:
    """Validation mean IoU of a network that sees whole photos stretched to its input, as it was trained."""
    net.eval()
    counts = np.zeros((len(LABELS), len(CLASSES)), np.int64)
    size = config.image_width, config.image_height
    for image_id in ids:
        photo = cv2.resize(dataset.image(image_id), size, interpolation=cv2.INTER_LINEAR)
        truth = cv2.resize(dataset.label_map(image_id), size, interpolation=cv2.INTER_NEAREST_EXACT)
        logits = net(torch.from_numpy(photo.transpose(2, 0, 1).copy())[None])
        counts += metrics.confusion_counts(truth, logits.argmax(1)[0].to(torch.uint8))
    return metrics.mean_iou(counts)


def predict(options: Options) -> Entry:
    dataset = options.photo_dataset()
    ids = options.parts(dataset)["test"][:16]
    config = TrialConfig()
    letterbox = Letterbox(config.image_height, config.image_width)
    ours = model.build().to(memory_format=torch.channels_last).eval()
    theirs, resize = recipe_network().eval(), A.Resize(config.image_height, config.image_width)

    @torch.inference_mode()
    def usual(image_id: int) -> np.ndarray:
        image = cv2.imread(str(dataset.root / "images" / dataset.images[image_id]["file_name"]))
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        small = torch.from_numpy(resize(image=image)["image"].transpose(2, 0, 1).copy())[None]
        labels = theirs(small).softmax(1).argmax(1)[0].numpy().astype(np.uint8)
        return cv2.resize(labels, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)

    def here(image_id: int) -> np.ndarray:
        return training.predict(ours, dataset.image(image_id), letterbox)

    agree(here(ids[0]).shape == usual(ids[0]).shape == dataset.size(ids[0]), "size of the label map")
    contestants = {"SMP's recipe": usual, "ours": here}
    runs = {name: lambda call=call: [call(image_id) for image_id in ids] for name, call in contestants.items()}
    seconds = {name: [s / len(ids) for s in told] for name, told in in_turns(runs, options.rounds).items()}
    return compared(
        "one photo, from its file to a label map at its own size: ours resizes logits, SMP's recipe (ResNet-34 U-Net) "
        "resizes labels",
        f"{len(ids)} photos one by one ({dataset.name})",
        seconds,
        "SMP's recipe",
        "ours",
    )


# ------------------------------------------------------------------------------------------ score


def score(options: Options) -> Entry:
    dataset = options.photo_dataset()
    ids = options.parts(dataset)["test"][:150]
    rng = np.random.default_rng(0)
    truths = [dataset.label_map(image_id) for image_id in ids]
    folded = [np.where(truth < len(CLASSES), truth, 0).astype(np.uint8) for truth in truths]
    predictions = [_blurred(truth, rng) for truth in folded]

    def ours() -> pd.DataFrame:
        counts = np.stack([metrics.confusion_counts(*pair) for pair in zip(truths, predictions, strict=True)])
        return metrics.scores(counts)

    contestants = {
        "ours": ours,
        "torchmetrics": lambda: _torchmetrics(folded, predictions),
        "scikit-learn": lambda: _sklearn(folded, predictions),
    }
    expected = ours()[["iou", "precision", "recall", "f1"]].fillna(0)  # torchmetrics calls 0 what is undefined
    for name in ("torchmetrics", "scikit-learn"):
        agree(np.allclose(expected, np.nan_to_num(contestants[name]()), rtol=1e-5, atol=1e-7), name)
    seconds = in_turns(contestants, options.rounds)
    fastest = min(("torchmetrics", "scikit-learn"), key=lambda name: statistics.median(seconds[name]))
    return compared(
        f"IoU, precision, recall and F1 per class, pooled over images; the same numbers; {fastest} is the faster one",
        f"{len(ids)} label maps at their own size ({dataset.name}), predictions: the truth moved and speckled",
        seconds,
        fastest,
        "ours",
    )


def _blurred(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A prediction that is wrong along edges and at random: every class is hit, missed and made up."""
    moved = np.roll(truth, (3, -2), (0, 1))
    speckles = rng.random(truth.shape) < 0.02
    moved[speckles] = rng.integers(0, len(CLASSES), np.count_nonzero(speckles))
    return moved


def _torchmetrics(truths: list[np.ndarray], predictions: list[np.ndarray]) -> np.ndarray:
    from torchmetrics import MetricCollection
    from torchmetrics import classification as of

    kinds = (of.MulticlassJaccardIndex, of.MulticlassPrecision, of.MulticlassRecall, of.MulticlassF1Score)
    collection = MetricCollection([kind(len(CLASSES), average=None, ignore_index=IGNORE) for kind in kinds])
    for truth, prediction in zip(truths, predictions, strict=True):
        collection.update(torch.from_numpy(prediction).long(), torch.from_numpy(truth).long())
    found = collection.compute()
    return np.stack([found[kind.__name__].numpy() for kind in kinds], 1)


def _sklearn(truths: list[np.ndarray], predictions: list[np.ndarray]) -> np.ndarray:
    from sklearn.metrics import confusion_matrix

    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for truth, prediction in zip(truths, predictions, strict=True):
        table += confusion_matrix(truth.ravel(), prediction.ravel(), labels=np.arange(len(CLASSES)))
    hits, support, predicted = np.diag(table), table.sum(1), table.sum(0)
    with np.errstate(invalid="ignore"):
        iou, f1 = hits / (support + predicted - hits), 2 * hits / (support + predicted)
        return np.stack([iou, hits / predicted, hits / support, f1], 1)


# ------------------------------------------------------------------------------------------ report

COMPARISONS: dict[str, Callable[[Options], Entry]] = {
    "scan": scan,
    "loss": loss,
    "step": step,
    "trials": trials,
    "loop": loop,
    "epoch": epoch,
    "score": score,
    "open": opening,
    "predict": predict,
    "scale": scale,
}
NEEDS = {"score": ("torchmetrics", "sklearn")}


def line(name: str, entry: Entry) -> str:
    """An entry in one line: its ratio with the spread and the seconds, or what its trials scored."""
    if "trials" in entry:
        return f"{name:8} " + ", ".join(
            f"{side} {with_interval(*told['mean_iou'])}" for side, told in entry["trials"].items()
        )
    seconds = ", ".join(f"{side} {_plain(value)} s" for side, value in entry["seconds"].items())
    return f"{name:8} {ratio_text(entry['ratio'])}  {entry['ratio_is']}  ({seconds})"


def ratio_text(ratio: Mapping[str, float]) -> str:
    """A ratio and its spread: ``12.3 [11.9, 12.8]``."""
    return f"{_plain(ratio['median'])} [{_plain(ratio['low'])}, {_plain(ratio['high'])}]"


def _plain(value: float) -> str:
    """Three digits that count, never in powers of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(results: Mapping[str, Entry]) -> pd.DataFrame:
    """The report as texts: a row a comparison, in the order in which `COMPARISONS` lists them."""
    rows = {
        name: {
            "compared": entry["what"],
            "ratio [lowest, highest]": f"{ratio_text(entry['ratio'])} = {entry['ratio_is']}",
            "seconds": ", ".join(f"{side} {_plain(value)}" for side, value in entry["seconds"].items()),
            "data": entry["data"],
        }
        for name, entry in ((name, results[name]) for name in COMPARISONS if "ratio" in results.get(name, {}))
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(columns="key")


def recorded(path: Path = REPORT) -> dict[str, Entry]:
    """What the report holds; nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def readme_text(path: Path = REPORT) -> str:
    """The report as README.md quotes it."""
    results = recorded(path)
    if not results:
        return "Not measured yet."
    devices = sorted({entry["provenance"]["device"] for entry in results.values()})
    parts = [markdown(table(results)), f"Measured on: {', '.join(devices)}."]
    if said := " ".join(
        filter(None, (_more(name, results.get(name)) for name in ("loss", "loop", "epoch", "open", "scale")))
    ):
        parts.append(said)
    if "step" in results:
        told = results.get("trials", {}).get("trials", {})
        parts += [markdown(variants_table(results["step"], told)), variants_text(results["step"])]
    if "trials" in results:
        parts.append(trials_text(results["trials"]))
    return "\n\n".join(parts)


def _more(name: str, entry: Entry | None) -> str:
    """What the table has no column for."""
    if not entry:
        return ""
    if name == "loss" and "ratio_of_smp" in entry:
        return (
            f"With SMP's three losses a step takes {ratio_text(entry['ratio_of_smp'])} times as long as cross-entropy."
        )
    if name == "loop" and "pipeline" in entry:
        bare = ratio_text(entry["without_credit_for_validation"])
        decoding, remembered = (_plain(entry["pipeline"][name]) for name in ("decoding", "remembered"))
        return (
            "In `loop` the bare network is credited with the validation passes; the bare steps alone are "
            f"{bare} of a whole epoch. Photos come {decoding} times as fast as the step takes them while they are "
            f"decoded, and {remembered} times once they are remembered."
        )
    if name == "epoch" and "same_time" in entry:
        told = ", ".join(
            f"{side} {found['val_mean_iou']:.3f} in {_plain(found['seconds'])} s"
            for side, found in entry["same_time"].items()
        )
        return f"Validation mean IoU after the same time of training: {told}."
    if name == "open" and "peak_mebibytes" in entry:
        peaks = ", ".join(f"{side} {_plain(value)} MiB" for side, value in entry["peak_mebibytes"].items())
        return f"Memory at its peak while opening: {peaks}."
    if name == "scale" and "sizes" in entry:
        peaks = ", ".join(
            f"{int(images):,} images {_plain(row['total'])} s and {_plain(row['peak_mebibytes'])} MiB"
            for images, row in entry["sizes"].items()
        )
        return f"In `scale`: {peaks}."
    return ""


def trials_text(entry: Entry) -> str:
    """Which of the tried variants score as the step as it is, as far as one training each can tell."""
    found: dict[str, list[str]] = {"no clear difference": [], "clearly different": []}
    for name, told in entry["trials"].items():
        if name != AS_TRAINED:
            low, high = told["difference"][1]
            found["no clear difference" if low <= 0 <= high else "clearly different"].append(
                f"{name} {with_interval(*told['difference'])}"
            )
    said = "; ".join(f"{which}: {', '.join(names)}" for which, names in found.items() if names)
    return (
        f"Change of the mean IoU of a whole trial on {entry['data']}, one training each, interval over photos: {said}."
    )


def variants_text(entry: Entry) -> str:
    """Which variants of the training step pay: those whose every round was faster than the step as it is."""
    found: dict[str, list[str]] = {"faster in every round": [], "slower in every round": [], "neither": []}
    for name, told in entry["variants"].items():
        if name != AS_TRAINED:
            faster, slower = told["ratio"]["high"] < 1, told["ratio"]["low"] > 1
            found["faster in every round" if faster else "slower in every round" if slower else "neither"].append(name)
    said = "; ".join(f"{which}: {', '.join(names)}" for which, names in found.items() if names)
    base = entry["variants"][AS_TRAINED]
    paid = [
        f" {name} has paid for its first step after {(told['first_step'] - base['first_step']) / saved:,.0f} steps."
        for name, told in entry["variants"].items()
        if VARIANTS.get(name, Variant()).compiled and (saved := base["seconds"] - told["seconds"]) > 0
    ]
    return f"{said[:1].upper()}{said[1:]}.{''.join(paid)}"


def variants_table(entry: Entry, trials: Mapping[str, Any]) -> pd.DataFrame:
    """Each variant of the training step: seconds, their ratio to the step as it is, and what its trial scored."""
    rows = {
        name: {
            "seconds": _plain(told["seconds"]),
            "the first step's": _plain(told["first_step"]),
            "ratio [lowest, highest]": ratio_text(told["ratio"]),
            "mean IoU of a trial": with_interval(*trials[name]["mean_iou"]) if name in trials else "–",
        }
        for name, told in entry["variants"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(columns="one training step")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns 0, or 2 if a comparison could not be made (the others are kept)."""
    parser = argparse.ArgumentParser("python -m modanet_utils.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default=",".join(COMPARISONS), help="comparisons to run, with commas between them")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "ccp", help="converted data set with photos")
    parser.add_argument("--annotations", type=Path, help="ModaNet's annotations or an excerpt, .json")
    parser.add_argument("--out", type=Path, default=REPORT, help="the report")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="turns of each contestant")
    parser.add_argument("--epochs", type=int, default=Options.epochs, help="epochs of loop")
    parser.add_argument("--minutes", type=float, default=Options.minutes, help="training time of each side in epoch")
    parser.add_argument("--photos", type=int, help="use at most so many photos of a part, to try things out")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="images of the files of scale and open")
    given = parser.parse_args(arguments)
    names = [name.strip() for name in given.only.split(",")]
    unknown = [name for name in names if name not in COMPARISONS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no comparison; there are {', '.join(COMPARISONS)}")
    options = Options(
        data=given.data.expanduser(),
        annotations=given.annotations and given.annotations.expanduser(),
        rounds=given.rounds,
        epochs=given.epochs,
        minutes=given.minutes,
        photos=given.photos,
        sizes=tuple(int(size) for size in given.sizes.split(",")),
    )
    failed, made_by = False, provenance()  # now: the code may be changed while it runs
    for name in names:
        try:
            missing = [package for package in NEEDS.get(name, ()) if importlib.util.find_spec(package) is None]
            if missing:
                raise BenchError(f"{' and '.join(missing)} must be installed: pip install -e '.[bench]'.")
            entry = COMPARISONS[name](options) | {"provenance": made_by}
        except (OSError, ValueError) as error:
            print(f"{name:8} not measured: {error}", file=sys.stderr)
            failed = True
            continue
        print(line(name, entry), flush=True)
        write_results(given.out, recorded(given.out) | {name: entry})
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

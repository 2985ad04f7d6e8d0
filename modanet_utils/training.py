"""A trial: a configuration in, a finished run on disk out."""

import argparse
import contextlib
import copy
import dataclasses
import difflib
import gc
import hashlib
import json
import math
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DataLoaderConfiguration, set_seed
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from modanet_utils import losses, model
from modanet_utils.augment import PADDING, Letterbox, augment, training_transform
from modanet_utils.classes import CLASSES, CLOTHING, IGNORE, LABELS
from modanet_utils.datasets import Dataset as Photos
from modanet_utils.datasets import DatasetError, open_dataset
from modanet_utils.metrics import class_scores, clothing_mean_iou, confusion_counts
from modanet_utils.progress import Progress
from modanet_utils.provenance import ROOT, provenance
from modanet_utils.splits import split
from modanet_utils.statistics import test_summary
from modanet_utils.weights import SCHEMES, class_weights, image_pixels

LOSSES: tuple[str, ...] = ("cross_entropy", "focal", "dice", "lovasz", "combined")
CACHE_BYTES = 1 << 30
"""Decoded and letterboxed samples that one process keeps of one part in memory at the most."""
UNREAD_SHARE = 0.01
"""Photos of a part that may fail to be read; they are counted and left out. Beyond, training stops."""
WEIGHTS = "weights.safetensors"
FINISHED = "scores.json"
"""Written last: a run folder that holds it is finished."""


def _where(default: Any) -> Any:
    """A field that says where or how fast, not what: it does not enter the hash."""
    return field(default=default, metadata={"hashed": False})


@dataclass(frozen=True)
class TrialConfig:
    """Everything a trial depends on, as plain values."""

    data_root: str = _where("")
    """Dataset folder; what enters the run's name is the fingerprint of its annotations."""
    image_height: int = 288
    image_width: int = 192
    """Network input in pixels, multiples of 32."""
    encoder: str = model.LITE0
    encoder_weights: str | None = "packaged"
    attention: str | None = "scse"
    outputs: int = 14
    """14 classes, or 16 to predict hair and skin as well; they are summed into background."""
    loss: str = "cross_entropy"
    class_weights: str = "none"
    gamma: float = 2.0
    dice: float = 1.0
    focal: float = 1.0
    lovasz: float = 1.0
    """Coefficients of the combined loss; a term with 0 is left out."""
    lovasz_bins: int | None = losses.LOVASZ_BINS
    """Resolution of the errors in the Lovász term; None sorts them, which is exact and slow."""
    epochs: int = 15
    batch_size: int = 8
    """Photos per optimiser step, over all processes together."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    augmentation: bool = True
    seed: int = 0
    split_seed: int = 0
    mixed_precision: str = "no"
    workers: int = _where(0)
    processes: int = _where(1)

    def __post_init__(self) -> None:
        _one_of("loss", self.loss, LOSSES)
        _one_of("class_weights", self.class_weights, SCHEMES)
        _one_of("mixed_precision", self.mixed_precision, ("no", "bf16", "fp16"))
        for f in fields(self):
            value = getattr(self, f.name)
            if f.type in (int, float) and (isinstance(value, bool) or not isinstance(value, int | f.type)):
                raise ValueError(f"{f.name} is {value!r}: give a {'whole ' * (f.type is int)}number.")
        bins = self.lovasz_bins
        if bins is not None and (isinstance(bins, bool) or not isinstance(bins, int) or bins < 1):
            raise ValueError(f"lovasz_bins is {bins!r}: give a whole number above 0, or None for the exact term.")
        for name in ("image_height", "image_width"):
            if getattr(self, name) < 32 or getattr(self, name) % 32:
                raise ValueError(f"{name} is {getattr(self, name)}: give a multiple of 32.")
        for name in ("gamma", "dice", "focal", "lovasz", "weight_decay", "workers"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}: give a number that is not negative.")
        for name in ("epochs", "batch_size", "learning_rate", "processes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}: give a number above 0.")
        if self.batch_size % self.processes:
            raise ValueError(f"batch_size {self.batch_size} cannot be shared by {self.processes} processes equally.")

    @classmethod
    def of(cls, **values: Any) -> "TrialConfig":
        """Like the constructor; an unknown name is answered with the nearest valid one."""
        for name in values:
            _one_of("parameter", name, tuple(f.name for f in fields(cls)))
        return cls(**values)

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 over every value that can change a result."""
        hashed = {f.name: getattr(self, f.name) for f in fields(self) if f.metadata.get("hashed", True)}
        return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:12]

    def plain(self) -> dict[str, Any]:
        """The configuration without the place of the data, for files that others read."""
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "data_root"}


def _one_of(what: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        near = difflib.get_close_matches(str(value), valid, 1, 0)[0]
        raise ValueError(f"{what} {value!r} is unknown; did you mean {near!r}? Valid: {', '.join(valid)}.")


@dataclass(frozen=True)
class Run:
    """A finished trial.

    Attributes:
        folder: Where its files are.
        config: Its configuration.
        history: One record per epoch.
        ids: Test image ids, in the order of ``counts``.
        counts: ``(images, 16, 14) int64`` over the test part, at the annotation's own resolution.
        summary: The scores with their intervals, as in results.json.
        provenance: Versions, device, commit, data fingerprint, seconds per epoch, best epoch.
        source: "trained", "resumed" or where the finished run was found.
    """

    folder: Path
    config: TrialConfig
    history: list[dict[str, Any]]
    ids: list[int]
    counts: np.ndarray
    summary: dict[str, Any]
    provenance: dict[str, Any]
    source: str

    def curves(self) -> pd.DataFrame:
        """Validation IoU per epoch (rows, from 1) and class (columns), with "mean" over the clothing classes."""
        rows = {record["epoch"]: record["val_iou"] | {"mean": record["val_mean_iou"]} for record in self.history}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("epoch").astype(float)

    def network(self, device: str | torch.device | None = None) -> model.Net:
        """The trained network in evaluation mode, on the device that Accelerate chooses where none is named.

        Raises:
            FileNotFoundError: The run was kept without its weights.
        """
        file = self.folder / WEIGHTS
        if not file.is_file():
            raise FileNotFoundError(f"The run in {_short(self.folder)} was kept without weights: train it again.")
        return _load(self.config, file).to(_accelerator(self.config).device if device is None else device)


def run_trial(config: TrialConfig, runs: Path | None = None, quiet: bool = False) -> Run:
    """Read, resume or train the trial of a configuration.

    A finished run with the same configuration and data is read back from ``runs`` or from
    ``reports/*/runs``; an interrupted one goes on from its last complete epoch; otherwise it is trained.

    Args:
        config: What to train, on which data.
        runs: Folder of run folders; ``runs/`` in the project by default.
        quiet: Say nothing.

    Raises:
        ValueError: Data that cannot be used, or a loss that became infinite or undefined.
    """
    dataset = open_dataset(config.data_root)
    runs = ROOT / "runs" if runs is None else Path(runs)
    run = find_run(config, dataset, runs)
    if run is None:
        folder = run_folder(config, dataset, runs)
        resumed = any(folder.glob("state-*"))
        _start(config, dataset, folder, quiet)
        run = _read(folder, config, "resumed" if resumed else "trained")
    if not quiet:
        print(f"{config.loss} ({config.hash}): {run.source}, {len(run.history)} epochs.")
    return run


def run_folder(config: TrialConfig, dataset: Photos, runs: Path) -> Path:
    """Where a trial of this configuration on these data is trained."""
    return runs / f"{config.hash}-{dataset.fingerprint[:8]}"


def find_run(config: TrialConfig, dataset: Photos, runs: Path | None = None) -> Run | None:
    """The finished run of a configuration on these data, from ``runs`` or ``reports/*/runs``; None if there is none."""
    runs = ROOT / "runs" if runs is None else runs
    for candidate in (run_folder(config, dataset, runs), *sorted(ROOT.glob("reports/*/runs/*"))):
        if _is_run_of(candidate, config, dataset):
            return _read(candidate, config, f"read from {_short(candidate)}")
    return None


def epochs_done(config: TrialConfig, dataset: Photos, runs: Path | None = None) -> int:
    """Complete epochs of an interrupted training; 0 where it has not begun."""
    states = sorted(run_folder(config, dataset, ROOT / "runs" if runs is None else runs).glob("state-*"))
    return int(states[-1].name.removeprefix("state-")) if states else 0


def keep(run: Run, destination: Path, weights: bool = True) -> None:
    """Copy a finished run beside the report (replacing an older one), with or without its weights."""
    if run.folder.resolve() == destination.resolve():
        return
    shutil.rmtree(destination, ignore_errors=True)
    destination.mkdir(parents=True)
    for file in sorted(run.folder.iterdir()):
        if file.is_file() and file.name != FINISHED and (weights or file.name != WEIGHTS):
            shutil.copyfile(file, destination / file.name)
    shutil.copyfile(run.folder / FINISHED, destination / FINISHED)


# ------------------------------------------------------------------------------------------ data


class Packed(Mapping[int, Any]):
    """Read-only records by image id, held as bytes and unpacked when asked for.

    Python writes into every object that it looks at, so a worker process that looks at the records of its parent
    gets a copy of their memory, more and more of it with every image. Nothing is written into these.
    """

    def __init__(self, records: Mapping[int, Any], ids: list[int]) -> None:
        self._ids = np.sort(np.array(ids, np.int64))
        packed = [pickle.dumps(records[image_id]) for image_id in self._ids.tolist()]
        self._ends = np.cumsum([0, *map(len, packed)])
        self._bytes = np.frombuffer(b"".join(packed), np.uint8)

    def __getitem__(self, image_id: int) -> Any:
        at = int(np.searchsorted(self._ids, image_id))
        if at == len(self._ids) or self._ids[at] != image_id:
            raise KeyError(image_id)
        return pickle.loads(self._bytes[self._ends[at] : self._ends[at + 1]].data)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids.tolist())

    def __len__(self) -> int:
        return len(self._ids)


class Samples(Dataset):
    """Letterboxed photos and truths; an item is asked for as ``(epoch, index)``.

    The epoch travels with the index because a worker process keeps its own copy of this object. A photo that
    cannot be read becomes an empty one, all of it ignored, in its place: the order and the randomness of the
    others stay as they are. ``unread`` marks it, also for the process that started the workers.

    Returns per item:
        photo ``(3, H, W) uint8`` and truth ``(H, W) uint8`` (16 labels, 255 ignored).
    """

    def __init__(self, photos: Photos, ids: list[int], config: TrialConfig, train: bool) -> None:
        self.photos, self.ids, self.seed = photos, ids, config.seed
        if config.workers:
            records = {name: Packed(getattr(photos, name), ids) for name in ("images", "annotations")}
            self.photos = dataclasses.replace(photos, **records)
        self.letterbox = Letterbox(config.image_height, config.image_width)
        self.transform = training_transform() if train and config.augmentation else None
        self.kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        pixels = config.image_height * config.image_width
        self.keep = CACHE_BYTES // (4 * pixels * max(1, config.workers))  # every worker keeps its own
        self.unread = torch.zeros(len(ids), dtype=torch.bool)
        if config.workers:
            self.unread.share_memory_()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        epoch, index = key
        image, truth = self.kept.get(index) or self._read(index)
        if self.transform is not None:
            image, truth = augment(self.transform, image, truth, self.seed, epoch, index)
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), torch.from_numpy(truth)

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode and letterbox; kept for the next epoch while there is room, so that memory stays bounded."""
        try:
            photo = self.photos.image(self.ids[index])
        except DatasetError:
            self.unread[index] = True
            size = self.letterbox.height, self.letterbox.width
            image, truth = np.full((*size, 3), PADDING, np.uint8), np.full(size, IGNORE, np.uint8)
        else:
            image = self.letterbox.image(photo)
            truth = self.letterbox.label_map(self.photos.label_map(self.ids[index]))
        if len(self.kept) < self.keep:
            self.kept[index] = image, truth
        return image, truth

    def check(self) -> None:
        """Raise DatasetError if more photos than `UNREAD_SHARE` could not be read so far."""
        _check_unread(self.photos, [self.ids[index] for index in self.unread.nonzero()[:, 0]], len(self))


def photo_and_truth(photos: Photos, image_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Photo ``(H, W, 3) uint8`` and label map ``(H, W) uint8``; all of it is ignored where the photo cannot be read.

    For those who look at a finished run again: its training has counted such photos, and refused too many.
    """
    try:
        return photos.image(image_id), photos.label_map(image_id)
    except DatasetError:
        size = photos.size(image_id)
        return np.full((*size, 3), PADDING, np.uint8), np.full(size, IGNORE, np.uint8)


def _check_unread(photos: Photos, unread: list[int], total: int) -> None:
    if len(unread) > UNREAD_SHARE * total:
        file = photos.images[unread[0]]["file_name"]
        raise DatasetError(
            f"At least {len(unread)} of {total} photos cannot be read, {file} for one; up to {UNREAD_SHARE:.0%} are "
            f"left out: replace the files."
        )


class EpochOrder(Sampler):
    """Yields ``(epoch, index)``: shuffled by (seed, epoch) alone; ``epoch`` is set by the loop."""

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed, self.epoch = length, seed, 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        return iter([(self.epoch, int(index)) for index in order])


def _begin_worker(_: int) -> None:
    gc.freeze()  # or collecting garbage would write into, and so copy, every object of the parent


def _loader(samples: Samples, config: TrialConfig, order: Any, drop_last: bool) -> DataLoader:
    return DataLoader(
        samples,
        batch_size=min(config.batch_size, len(samples)),
        sampler=order,
        num_workers=config.workers,
        worker_init_fn=_begin_worker,
        persistent_workers=config.workers > 0,
        pin_memory=torch.cuda.is_available(),
        drop_last=drop_last,
    )


# ------------------------------------------------------------------------------------------ training


def build_loss(config: TrialConfig, weights: np.ndarray) -> nn.Module:
    """The configuration's loss, with one weight per network output."""
    w = None
    if config.class_weights != "none":
        # Where hair and skin are outputs of their own they weigh what background weighs.
        w = torch.tensor(np.append(weights, [weights[0]] * (config.outputs - len(weights))), dtype=torch.float32)
    if config.loss == "combined":
        terms = {"dice": config.dice, "focal": config.focal, "lovasz": config.lovasz}
        return losses.CombinedLoss(w, gamma=config.gamma, **terms, bins=config.lovasz_bins)
    return {
        "cross_entropy": lambda: losses.CrossEntropyLoss(w),
        "focal": lambda: losses.FocalLoss(config.gamma, w),
        "dice": lambda: losses.DiceLoss(w),
        "lovasz": lambda: losses.LovaszSoftmaxLoss(config.lovasz_bins),
    }[config.loss]()


def _execute(config: TrialConfig, dataset: Photos, folder: Path, quiet: bool) -> None:
    """Train from the last complete epoch on, score the test part once, finish the run folder."""
    made_by = provenance()  # now: the code may be changed while it runs
    accelerator = _accelerator(config)
    parts = split(dataset, config.split_seed)
    history, seconds = _train(config, dataset, parts, folder, accelerator, quiet)
    best = max(history, key=lambda record: record["val_mean_iou"])
    if accelerator.is_main_process:
        # Rounded before scoring: the file that is kept gives exactly the numbers that are reported.
        half = {name: t.half() if t.is_floating_point() else t for name, t in load_file(folder / "best").items()}
        if not all(t.isfinite().all() for t in half.values() if t.is_floating_point()):
            raise ValueError(f"A weight of the run in {_short(folder)} does not fit half precision: it cannot be kept.")
        save_file(half, folder / WEIGHTS)
    accelerator.wait_for_everyone()
    net = _load(config, folder / WEIGHTS).to(accelerator.device)
    counts = test_counts(net, dataset, parts["test"], config, accelerator, quiet)
    if accelerator.is_main_process:
        about = made_by | {
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
            "seconds_per_epoch": round(float(np.median(seconds)), 2),
            "best_epoch": best["epoch"],
            "processes": accelerator.num_processes,
            "photos_left_out": {
                "train and val": history[-1].get("photos_left_out", 0),
                "test": int((counts.sum((1, 2)) == 0).sum()),
            },
        }
        np.savez_compressed(folder / "counts.npz", ids=np.array(parts["test"]), counts=counts)
        _write(folder / "config.json", config.plain())
        _write(folder / "history.json", history)
        _write(folder / "provenance.json", about)
        _write(folder / FINISHED, test_summary(counts))
        for state in [*folder.glob("state-*"), folder / "best"]:
            shutil.rmtree(state) if state.is_dir() else state.unlink()
    accelerator.wait_for_everyone()


def _accelerator(config: TrialConfig) -> Accelerator:
    AcceleratorState._reset_state()  # or a second trial in a kernel could not have another mixed_precision
    world = int(os.environ.get("WORLD_SIZE", 1))
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision,
        # Accelerate joins torchrun's processes on a CPU only where it is told to use the CPU.
        cpu=world > 1 and not torch.accelerator.is_available(),
        dataloader_config=DataLoaderConfiguration(split_batches=True, non_blocking=True),
    )
    # A state has the network's own names, so that one process can go on where several stopped, and the other way round.
    accelerator.register_save_state_pre_hook(
        lambda nets, weights, _: weights.__setitem__(slice(None), map(accelerator.get_state_dict, nets))
    )
    accelerator.register_load_state_pre_hook(
        lambda nets, _: nets.__setitem__(slice(None), map(accelerator.unwrap_model, nets))
    )
    if accelerator.num_processes != world:
        raise ValueError(f"{world} processes were started, but {accelerator.device.type} can join only one: start one.")
    return accelerator


def _train(
    config: TrialConfig,
    dataset: Photos,
    parts: dict[str, list[int]],
    folder: Path,
    accelerator: Accelerator,
    quiet: bool,
) -> tuple[list[dict[str, Any]], list[float]]:
    set_seed(config.seed)
    samples = Samples(dataset, parts["train"], config, train=True)
    order = EpochOrder(len(samples), config.seed)
    loader = _loader(samples, config, order, drop_last=True)
    validation = Samples(dataset, parts["val"], config, train=False)
    mine = range(accelerator.process_index, len(validation), accelerator.num_processes)
    if accelerator.num_processes > len(validation):
        raise ValueError(
            f"{accelerator.num_processes} processes cannot share {len(validation)} validation photos: start fewer."
        )
    validation_loader = _loader(validation, config, [(0, index) for index in mine], drop_last=False)
    weights = class_weights(image_pixels(dataset, parts["train"]), config.class_weights)
    criterion = build_loss(config, weights).to(accelerator.device)
    net = model.build(config.encoder, config.encoder_weights, config.attention, outputs=config.outputs)
    net = without_unused(net).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * len(loader)
    warm_up = 0.11 if steps == 10 else 0.1  # a tenth of 10 steps ends at step 0, by which PyTorch divides
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=steps, pct_start=warm_up
    )
    net, optimizer, loader, schedule = accelerator.prepare(net, optimizer, loader, schedule)
    history = _restore(accelerator, folder)
    progress = Progress(config.epochs * len(loader), quiet or not accelerator.is_main_process)

    for epoch in range(len(history) + 1, config.epochs + 1):
        order.epoch, started = epoch, time.perf_counter()
        sums: dict[str, Tensor] = {}
        net.train()
        with _divergence_told(epoch):
            for step, (photos, truth) in enumerate(loader, 1):
                samples.check()
                loss = criterion(net(photos), training_target(truth, config.outputs))
                accelerator.backward(loss)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                for name, value in {"loss": loss.detach(), **criterion.last_terms}.items():
                    sums[name] = sums.get(name, 0) + value
                progress.step((epoch - 1) * len(loader) + step, f"epoch {epoch}/{config.epochs}")
            means = {name: float(accelerator.reduce(total, "mean")) / step for name, total in sums.items()}
            if not math.isfinite(means["loss"]):
                raise FloatingPointError(f"the loss became {means['loss']}")
        counts = _validation_counts(net, validation_loader, accelerator)
        history.append(_record(epoch, schedule.get_last_lr()[0], means, counts, time.perf_counter() - started))
        history[-1]["photos_left_out"] = _left_out(samples, validation, accelerator)
        progress.note = f"validation mean IoU {history[-1]['val_mean_iou']:.3f}{_said(history[-1]['photos_left_out'])}"
        _save(accelerator, net, history, folder)
    best, left_out = max(r["val_mean_iou"] for r in history), history[-1].get("photos_left_out", 0)
    progress.close(f"{config.epochs} epochs, best {best:.3f} validation mean IoU{_said(left_out)}")
    return history, [record["seconds"] for record in history]


@contextlib.contextmanager
def _divergence_told(epoch: int) -> Iterator[None]:
    """One sentence for numbers that are not finite, whoever meets them: the loss, its mean, or a GPU, later on."""
    try:
        yield
    except (ValueError, FloatingPointError, RuntimeError) as error:
        met = "the GPU met logits that are not finite; restart the kernel" if "device-side assert" in str(error) else ""
        if not (met or isinstance(error, FloatingPointError) or "must be finite" in str(error)):
            raise
        raise ValueError(
            f"Training diverged in epoch {epoch} ({met or str(error).rstrip('.')}): lower learning_rate or use "
            "mixed_precision='no'."
        ) from error


def without_unused(net: nn.Module) -> nn.Module:
    """The network, where what has no part in its output does not learn.

    SMP builds attention for the skip of the last decoder block, which does not exist. It would get no gradient in any
    case; but several processes would look for such parameters in every step, and a GPU wait for the answer.
    """
    tried = copy.deepcopy(net).to("meta").train()
    tried(torch.zeros((2, 3, 64, 64), dtype=torch.uint8, device="meta")).sum().backward()
    for parameter, one in zip(net.parameters(), tried.parameters(), strict=True):
        parameter.requires_grad_(one.grad is not None)
    return net


def training_target(truth: Tensor, outputs: int) -> Tensor:
    """Truth as the loss wants it: ``(N, H, W) int64``; labels that are no output are background."""
    target = truth.long()
    return target.masked_fill((target >= outputs) & (target != IGNORE), 0)


def class_logits(logits: Tensor) -> Tensor:
    """Network output over the 14 classes, float32: with 16 outputs, hair and skin join background.

    Their probabilities are summed, which on logits is a log-sum-exp.
    """
    logits = logits.float()
    if logits.shape[1] == len(CLASSES):
        return logits
    background = torch.logsumexp(torch.cat([logits[:, :1], logits[:, len(CLASSES) :]], 1), 1, keepdim=True)
    return torch.cat([background, logits[:, 1 : len(CLASSES)]], 1)


def _record(epoch: int, rate: float, means: dict[str, float], counts: np.ndarray, seconds: float) -> dict[str, Any]:
    iou = class_scores(counts).iou[1:]
    return {
        "epoch": epoch,
        "learning_rate": rate,
        **means,
        "val_mean_iou": float(clothing_mean_iou(counts)),
        "val_iou": {name: None if np.isnan(value) else float(value) for name, value in zip(CLOTHING, iou, strict=True)},
        "seconds": round(seconds, 2),
    }


def _left_out(samples: Samples, validation: Samples, accelerator: Accelerator) -> int:
    """Photos of both parts that some process could not read.

    Raises:
        DatasetError: Those of all processes together are too many.
    """
    number = 0
    for part in (samples, validation):
        unread = _sum_over_processes(part.unread.numpy().astype(np.int64), accelerator) > 0
        _check_unread(part.photos, [part.ids[index] for index in unread.nonzero()[0]], len(part))
        number += int(unread.sum())
    return number


def _said(left_out: int) -> str:
    return f", {left_out} photos could not be read and are left out" if left_out else ""


@torch.inference_mode()
def _validation_counts(net: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    """Summed counts ``(16, 14)`` at the network's own resolution: cheap enough for every epoch."""
    total = np.zeros((len(LABELS), len(CLASSES)), np.int64)
    net.eval()
    for photos, truth in loader:
        loader.dataset.check()
        prediction = class_logits(net(photos.to(accelerator.device, non_blocking=True))).argmax(1)
        total += confusion_counts(truth, prediction.to("cpu", torch.uint8))
    return _sum_over_processes(total, accelerator)


def _sum_over_processes(counts: np.ndarray, accelerator: Accelerator) -> np.ndarray:
    if accelerator.num_processes == 1:
        return counts
    return accelerator.reduce(torch.from_numpy(counts).to(accelerator.device), "sum").cpu().numpy()


# ------------------------------------------------------------------------------------------ prediction


@torch.inference_mode()
def predict_logits(net: nn.Module, photo: np.ndarray, letterbox: Letterbox) -> Tensor:
    """Class logits of one photo at its own resolution, ``(14, H, W) float32``, on the network's device.

    Args:
        net: From `Run.network`.
        photo: ``(H, W, 3) uint8`` RGB of any size.
        letterbox: Network input size.
    """
    top, left, height, width = letterbox.box(*photo.shape[:2])
    small = torch.from_numpy(letterbox.image(photo).transpose(2, 0, 1).copy())[None]
    small = small.to(next(net.parameters()).device).contiguous(memory_format=torch.channels_last)
    logits = class_logits(net(small))[:, :, top : top + height, left : left + width]
    return nn.functional.interpolate(logits, photo.shape[:2], mode="bilinear", align_corners=False)[0]


def predict(net: nn.Module, photo: np.ndarray, letterbox: Letterbox) -> np.ndarray:
    """Predicted label map of one photo at its own resolution, ``(H, W) uint8``, 0-13."""
    return winners(predict_logits(net, photo, letterbox)).to("cpu", torch.uint8).numpy()


def winners(logits: Tensor) -> Tensor:
    """The class with the highest logit, ``(14, H, W)`` to ``(H, W) int64``."""
    return logits.max(0).indices  # on a CPU four times as fast as argmax over the first dimension


def test_counts(
    net: nn.Module,
    dataset: Photos,
    ids: list[int],
    config: TrialConfig,
    accelerator: Accelerator | None = None,
    quiet: bool = True,
) -> np.ndarray:
    """Confusion counts of every image at its own resolution, ``(images, 16, 14) int64``.

    A photo that cannot be read has no counts, its row is 0.

    Raises:
        DatasetError: More photos than `UNREAD_SHARE` cannot be read.
    """
    letterbox = Letterbox(config.image_height, config.image_width)
    rank, world = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
    counts = np.zeros((len(ids), len(LABELS), len(CLASSES)), np.int64)
    progress = Progress(len(ids), quiet or rank > 0)
    net.eval()
    unread = np.zeros(len(ids), np.int64)
    for row in range(rank, len(ids), world):
        try:
            photo = dataset.image(ids[row])
        except DatasetError:
            unread[row] = 1
            _check_unread(dataset, [ids[at] for at in unread.nonzero()[0]], len(ids))
            continue
        counts[row] = confusion_counts(dataset.label_map(ids[row]), predict(net, photo, letterbox))
        progress.step(row + 1, "scoring")
    if accelerator:
        counts, unread = (_sum_over_processes(array, accelerator) for array in (counts, unread))
        _check_unread(dataset, [ids[at] for at in unread.nonzero()[0]], len(ids))
    progress.close(f"{len(ids)} images scored{_said(int(unread.sum()))}")
    return counts


# ------------------------------------------------------------------------------------------ files


def _save(accelerator: Accelerator, net: nn.Module, history: list[dict[str, Any]], folder: Path) -> None:
    """Everything needed to go on after this epoch, under one name that appears when it is complete."""
    partial, complete = folder / "partial", folder / f"state-{len(history):04d}"
    if accelerator.is_main_process:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        # Asked of every process, it would write from every process. What differs are states of random numbers that
        # nothing here draws from: augmentation has its own.
        accelerator.save_state(str(partial))
        if history[-1] is max(history, key=lambda record: record["val_mean_iou"]):  # of equals the first
            tensors = accelerator.unwrap_model(net).state_dict()
            save_file({name: t.contiguous().cpu() for name, t in tensors.items()}, partial / "best")
        else:
            shutil.copyfile(folder / "best", partial / "best")
        _write(partial / "history.json", history)
        partial.rename(complete)
        shutil.copyfile(complete / "best", folder / "best")
        for state in sorted(folder.glob("state-*"))[:-1]:
            shutil.rmtree(state)
    accelerator.wait_for_everyone()


def _restore(accelerator: Accelerator, folder: Path) -> list[dict[str, Any]]:
    states = sorted(folder.glob("state-*"))
    if not states:
        return []
    accelerator.load_state(str(states[-1]))
    if accelerator.is_main_process:
        shutil.copyfile(states[-1] / "best", folder / "best")
    return json.loads((states[-1] / "history.json").read_text())


def _load(config: TrialConfig, file: Path) -> model.Net:
    net = model.build(config.encoder, None, config.attention, outputs=config.outputs)  # normalisation is in the file
    net.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in load_file(file).items()})
    return net.to(memory_format=torch.channels_last).eval()


def _is_run_of(folder: Path, config: TrialConfig, dataset: Photos) -> bool:
    if not (folder / FINISHED).is_file():
        return False
    try:
        stored = TrialConfig.of(**json.loads((folder / "config.json").read_text()))
        about = json.loads((folder / "provenance.json").read_text())
    except (OSError, ValueError):  # another version's, or damaged
        return False
    if stored.hash != config.hash or about["data"]["fingerprint"] != dataset.fingerprint:
        return False
    with np.load(folder / "counts.npz") as arrays:  # the split is another where photos were missing
        return arrays["ids"].tolist() == split(dataset, config.split_seed)["test"]


def _read(folder: Path, config: TrialConfig, source: str) -> Run:
    with np.load(folder / "counts.npz") as arrays:
        ids, counts = arrays["ids"].tolist(), arrays["counts"]
    history, about, summary = (
        json.loads((folder / name).read_text()) for name in ("history.json", "provenance.json", FINISHED)
    )
    return Run(folder, config, history, ids, counts, summary, about, source)


def _write(path: Path, content: Any) -> None:
    partial = path.with_name(f".{path.name}")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(path)


def _short(path: Path) -> str:
    """A path as messages show it: relative to the project where it lies inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# ------------------------------------------------------------------------------------------ processes


class LaunchError(RuntimeError):
    """Training in several processes failed; the message says what a process said."""


def _start(config: TrialConfig, dataset: Photos, folder: Path, quiet: bool) -> None:
    """Train here, or in processes of its own where the configuration asks for several and torchrun has not begun."""
    if config.processes > 1 and "WORLD_SIZE" not in os.environ:
        _launch(config, folder.parent)
    else:
        _execute(config, dataset, folder, quiet)


def _launch(config: TrialConfig, runs: Path) -> None:
    """Train in several processes: torchrun in a child, because a notebook's kernel cannot fork onto GPUs."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={config.processes}"]
    command += ["-m", "modanet_utils.training", "--runs", str(runs)]
    for name, value in dataclasses.asdict(config).items():
        command += [f"--{name}", "none" if value is None else str(value)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        # What a process said first; torchrun's own report comes after it.
        said = re.search(r"^(?:\[rank\d+\]: )?[\w.]*Error: (.+)", done.stderr, re.MULTILINE)
        reason = said[1] if said else f"torchrun ended with {done.returncode}."
        raise LaunchError(f"Training in {config.processes} processes failed: {reason}")


def _value(name: str, kind: str, text: str) -> Any:
    if "None" in kind and text.lower() == "none":
        return None
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}: give true or false.")
        return text.lower() == "true"
    kind = kind.split(" | ")[0]
    try:
        return {"int": int, "float": float}.get(kind, str)(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: give a {'whole ' * (kind == 'int')}number.") from None


def _profile_values(profile: str, values: dict[str, Any]) -> dict[str, Any]:
    """A configuration's values as the profile's notebooks have them, changed by these values."""
    from modanet_utils import series, trials, workspace  # they import this module

    parameters = series.read_profile(profile)
    values = {name: parameters[name] for name in trials.SETTINGS} | values
    root = values.pop("data_root", None) or workspace.find_data(profile, parameters["data_root"])
    return {"encoder_weights": trials.encoder_weights(values["encoder"]), "data_root": str(root)} | values


def main(arguments: list[str] | None = None) -> int:
    """``python -m modanet_utils.training [--profile NAME] [--data_root ROOT] [--NAME VALUE ...]``: train one trial.

    With a profile the settings and the data are those that its notebooks use. A run that is finished, in ``runs`` or
    in ``reports/*/runs``, is not trained again. Under torchrun or ``accelerate launch`` every process calls this;
    the first one writes.
    """
    usage = "%(prog)s [--profile NAME] [--data_root ROOT] [--NAME VALUE ...]"
    parser = argparse.ArgumentParser("python -m modanet_utils.training", usage, allow_abbrev=False)
    parser.add_argument("--runs", default=None)
    parser.add_argument("--profile", default=None)
    for f in fields(TrialConfig):
        parser.add_argument(f"--{f.name}", default=argparse.SUPPRESS)
    known, unknown = parser.parse_known_args(arguments)
    given = vars(known)
    runs, profile = Path(given.pop("runs") or ROOT / "runs"), given.pop("profile")
    kinds = {
        f.name: f.type if isinstance(f.type, str) else getattr(f.type, "__name__", str(f.type))
        for f in fields(TrialConfig)
    }
    try:
        for option in unknown:
            _one_of("option", option.split("=")[0], ("--runs", "--profile", *(f"--{name}" for name in kinds)))
        values = {name: _value(name, str(kinds[name]), text) for name, text in given.items()}
        config = TrialConfig.of(**_profile_values(profile, values) if profile else values)
        dataset = open_dataset(config.data_root)
        found = find_run(config, dataset, runs)
        folder = run_folder(config, dataset, runs) if found is None else found.folder
        if found is None:
            _start(config, dataset, folder, quiet=False)
    except (OSError, ValueError, LaunchError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if os.environ.get("RANK", "0") == "0":
        print(f"Finished: {_short(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

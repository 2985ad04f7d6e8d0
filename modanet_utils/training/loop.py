"""The training loop, and what it saves after every epoch."""

import contextlib
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.autograd import grad
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from modanet_utils import losses, model
from modanet_utils.classes import CLASSES, CLOTHING, IGNORE, LABELS
from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.datasets.coco import joined, open_dataset
from modanet_utils.datasets.weights import class_weights, image_pixels
from modanet_utils.metrics import class_scores, clothing_mean_iou, confusion_counts
from modanet_utils.progress import Progress
from modanet_utils.project import ProjectError, whole_folder, write_json
from modanet_utils.thresholds import ALARM_SHARE
from modanet_utils.training import samples as training_samples
from modanet_utils.training.devices import sum_over_processes
from modanet_utils.training.predict import class_logits
from modanet_utils.training.samples import EpochOrder, Samples, check_data, check_unread, left_out_text, repeat_factors
from modanet_utils.training.weights import read_weights
from modanet_utils.trials import TrialConfig


def build_loss(config: TrialConfig, weights: np.ndarray) -> losses._Loss | losses.WithAbsent:
    """The configuration's loss, with one weight per network output."""
    loss = _loss(config, weights)
    return losses.WithAbsent(loss, config.absent, ALARM_SHARE) if config.absent else loss


def _loss(config: TrialConfig, weights: np.ndarray) -> losses._Loss:
    # Where hair and skin are outputs of their own they weigh what background weighs.
    weights = np.append(weights, [weights[0]] * (config.outputs - len(weights)))
    w = None if config.class_weights == "none" else torch.tensor(weights, dtype=torch.float32)
    if config.loss == "combined":
        terms = {"dice": config.dice, "focal": config.focal, "lovasz": config.lovasz}
        return losses.CombinedLoss(w, gamma=config.gamma, **terms, bins=config.lovasz_bins)
    return {
        "cross_entropy": lambda: losses.CrossEntropyLoss(w),
        "focal": lambda: losses.FocalLoss(config.gamma, w),
        "dice": lambda: losses.DiceLoss(w),
        "lovasz": lambda: losses.LovaszSoftmaxLoss(config.lovasz_bins),
    }[config.loss]()


def train(
    config: TrialConfig,
    dataset: Photos,
    parts: dict[str, list[int]],
    folder: Path,
    accelerator: Accelerator,
    quiet: bool,
    start: Path | None = None,
) -> list[dict[str, Any]]:
    """Train from the last complete epoch on, or at first from a run's weights (``start``); a record an epoch.

    Raises:
        ProjectError: Processes, photos, masks or weights that cannot be used, too little memory, a loss not finite.
    """
    set_seed(config.seed)
    samples, order = _lessons(dataset, parts["train"], config)
    validation = Samples(dataset, parts["val"], config, train=False)
    _check_shares(config, len(parts["train"]), len(validation), accelerator.num_processes)
    if accelerator.process_index == 0:
        check_data(dataset, parts)
    loader = training_samples.loader(samples, config, order, drop_last=True)
    mine = range(accelerator.process_index, len(validation), accelerator.num_processes)
    validation_loader = training_samples.loader(validation, config, [(0, index) for index in mine], drop_last=False)
    weights = class_weights(image_pixels(dataset, parts["train"]), config.class_weights)
    criterion = build_loss(config, weights).to(accelerator.device)
    steps = config.epochs * len(loader)
    net, optimizer, schedule = _learner(config, steps, start)
    averaged = _averaged(net, optimizer, config.averaged, accelerator)
    net, optimizer, loader, schedule = accelerator.prepare(net, optimizer, loader, schedule)
    history = _restore(accelerator, folder)
    progress = Progress(steps, quiet or not accelerator.is_main_process, every=0)
    for epoch in range(len(history) + 1, config.epochs + 1):
        order.epoch, started = epoch, time.perf_counter()
        sums: dict[str, Tensor] = {}
        net.train()
        with _told(epoch, config):
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
        counts = _validation_counts(averaged or net, validation_loader, accelerator)
        seconds, left_out = time.perf_counter() - started, _left_out(samples, validation, accelerator)
        history.append(_record(epoch, schedule.get_last_lr()[0], means, counts, seconds, left_out))
        _save(accelerator, averaged or net, history, folder)
        progress.note = f"validation mean IoU {history[-1]['val_mean_iou']:.3f}{left_out_text(left_out)}"
        said = [f"epoch {epoch}/{config.epochs}", f"loss {means['loss']:.3f}", progress.note, f"{seconds:.1f} s"]
        progress.milestone(" · ".join(filter(None, [*said, progress.left()])))
    best, left_out = max(r["val_mean_iou"] for r in history), history[-1].get("photos_left_out", 0)
    progress.close(f"{config.epochs} epochs, best {best:.3f} validation mean IoU{left_out_text(left_out)}")
    return history


def _lessons(dataset: Photos, ids: list[int], config: TrialConfig) -> tuple[Samples, EpochOrder]:
    """What teaches, and in which order; an epoch is as long as the training part, whatever else teaches."""
    draws = len(ids)
    if config.pseudo_labels:
        more = open_dataset(dataset.root.parent / config.pseudo_labels)
        dataset, ids = joined(dataset, more), [*ids, *more.ids]
    repeats = repeat_factors(dataset, ids, config.repeat_threshold) if config.repeat_threshold else None
    return Samples(dataset, ids, config, train=True), EpochOrder(len(ids), config.seed, draws, repeats)


def _learner(config: TrialConfig, steps: int, start: Path | None) -> tuple[nn.Module, Optimizer, LRScheduler]:
    """The network, and AdamW on one cycle of the learning rate."""
    net: nn.Module = model.build(config.encoder, config.encoder_weights, config.attention, outputs=config.outputs)
    if start is not None:
        read_weights(net, start)
    net = without_unused(net).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    warm_up = 0.11 if steps == 10 else 0.1  # a tenth of 10 steps ends at step 0, by which PyTorch divides
    return net, optimizer, OneCycleLR(optimizer, config.learning_rate, total_steps=steps, pct_start=warm_up)


def _averaged(net: nn.Module, optimizer: Optimizer, decay: float, accelerator: Accelerator) -> nn.Module | None:
    """The moving average of a network over the optimizer's steps, saved with the training's state; None without."""
    if not decay:
        return None
    average = get_ema_multi_avg_fn(decay)
    averaged = AveragedModel(net, accelerator.device, multi_avg_fn=average, use_buffers=True)
    accelerator.register_for_checkpointing(averaged)
    optimizer.register_step_post_hook(lambda *_: averaged.update_parameters(net))
    return averaged.module


def _check_shares(config: TrialConfig, train: int, val: int, processes: int) -> None:
    """Refuse processes that would have no photos of their own."""
    if processes > val:
        raise ProjectError(f"{processes} processes cannot share {val} validation photos: start fewer.")
    if train < config.batch_size and train % processes:
        give = f"give batch_size {train - train % processes} or start one."
        raise ProjectError(f"{processes} processes cannot share a batch of all {train} training photos equally: {give}")


FAILURES: Mapping[str, str] = {
    "Expected more than 1 value per channel": "A batch leaves batch normalisation a single value: "
    "raise batch_size, image_height or image_width",
    "out of memory": "The device has too little memory for a batch: lower batch_size, image_height or image_width",
    "t allocate memory": "The machine has too little memory: lower batch_size, workers, image_height or image_width",
    "DataLoader worker": "A process that reads photos was ended, most often for want of memory: lower workers",
}
"""What libraries say of what a setting can put right, and what is said instead."""


@contextlib.contextmanager
def _told(epoch: int, config: TrialConfig) -> Iterator[None]:
    """One sentence for what settings can put right, and for numbers that are not finite, whoever meets them: the loss,
    its mean, or a GPU, later on."""
    try:
        yield
    except (ValueError, FloatingPointError, RuntimeError) as error:
        if told := next((sentence for words, sentence in FAILURES.items() if words in str(error)), None):
            size = f"{config.batch_size} photos of {config.image_height} x {config.image_width} pixels"
            raise ProjectError(f"{told} ({size} a batch, {config.processes} processes).") from error
        met = "the GPU met logits that are not finite; restart the kernel" if "device-side assert" in str(error) else ""
        if not (met or isinstance(error, FloatingPointError) or "must be finite" in str(error)):
            raise
        cause = f"Training diverged in epoch {epoch} ({met or str(error).rstrip('.')})"
        raise ProjectError(f"{cause}: lower learning_rate or use mixed_precision='no'.") from error


def without_unused(net: nn.Module) -> nn.Module:
    """The network, where what has no part in its output does not learn.

    SMP builds attention for the last decoder block's skip, which does not exist: without a gradient in any case, but
    several processes would look for such parameters in every step, and a GPU wait for the answer.
    """
    parameters = [*net.parameters()]
    answer = net.eval()(torch.zeros((1, 3, 64, 64), dtype=torch.uint8))  # draws no random number, keeps no statistics
    for parameter, found in zip(parameters, grad(answer.sum(), parameters, allow_unused=True), strict=True):
        parameter.requires_grad_(found is not None)
    return net.train()


def training_target(truth: Tensor, outputs: int) -> Tensor:
    """Truth as the loss wants it: ``(N, H, W) int64``; labels that are no output are background."""
    target = truth.long()
    return target.masked_fill((target >= outputs) & (target != IGNORE), 0)


def _record(
    epoch: int, rate: float, means: dict[str, float], counts: np.ndarray, seconds: float, left_out: int
) -> dict[str, Any]:
    iou = zip(CLOTHING, class_scores(counts).iou[1:].tolist(), strict=True)
    return {
        "epoch": epoch,
        "learning_rate": rate,
        **means,
        "val_mean_iou": float(clothing_mean_iou(counts)),
        "val_iou": {name: None if math.isnan(value) else value for name, value in iou},
        "seconds": round(seconds, 2),
        "photos_left_out": left_out,
    }


def _left_out(samples: Samples, validation: Samples, accelerator: Accelerator) -> int:
    """Photos of both parts that some process could not read; too many of all processes are a DatasetError."""
    number = 0
    for part in (samples, validation):
        unread = sum_over_processes(part.unread.numpy().astype(np.int64), accelerator) > 0
        check_unread(part.photos, [part.ids[index] for index in unread.nonzero()[0]], len(part))
        number += int(unread.sum())
    return number


@torch.inference_mode()
def _validation_counts(net: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    """Summed counts ``(16, 14)`` at the network's own resolution: cheap enough for every epoch."""
    total, samples = np.zeros((len(LABELS), len(CLASSES)), np.int64), cast(Samples, loader.dataset)
    net.eval()
    for photos, truth in loader:
        samples.check()
        prediction = class_logits(net(photos.to(accelerator.device, non_blocking=True))).argmax(1)
        total += confusion_counts(truth, prediction.to("cpu", torch.uint8))
    return sum_over_processes(total, accelerator)


def _save(accelerator: Accelerator, net: nn.Module, history: list[dict[str, Any]], folder: Path) -> None:
    """Everything needed to go on after this epoch, under one name that appears when it is complete."""
    if accelerator.is_main_process:
        with whole_folder(folder / f"state-{len(history):04d}") as state:
            # By one process: others differ in states of random numbers alone, and augmentation has its own.
            accelerator.save_state(str(state))
            if history[-1] is max(history, key=lambda record: record["val_mean_iou"]):  # of equals the first
                tensors = accelerator.unwrap_model(net).state_dict()
                save_file({name: t.contiguous().cpu() for name, t in tensors.items()}, state / "best")
            else:
                shutil.copyfile(folder / "best", state / "best")
            write_json(state / "history.json", history)
        *older, state = sorted(folder.glob("state-*"))
        shutil.copyfile(state / "best", folder / "best")
        for one in older:
            shutil.rmtree(one)
    accelerator.wait_for_everyone()


def _restore(accelerator: Accelerator, folder: Path) -> list[dict[str, Any]]:
    states = sorted(folder.glob("state-*"))
    if not states:
        return []
    accelerator.load_state(str(states[-1]))
    if accelerator.is_main_process:
        shutil.copyfile(states[-1] / "best", folder / "best")
    return json.loads((states[-1] / "history.json").read_text())

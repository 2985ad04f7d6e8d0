"""A training step: what the loss costs, what variants of it cost and score."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from modanet_utils import losses, metrics, model
from modanet_utils import statistics as intervals
from modanet_utils.classes import CLASSES, IGNORE
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.datasets.weights import class_weights, image_pixels
from modanet_utils.splits import split
from modanet_utils.training.loop import training_target
from modanet_utils.training.runs import Run, keep
from modanet_utils.training.samples import Samples
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig
from tests.bench.turns import AS_TRAINED, MEASURED, Entry, Options, agree, compared, in_turns, measured


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


def batch(dataset: Dataset, ids: list[int], config: TrialConfig) -> tuple[Tensor, Tensor]:
    samples = Samples(dataset, ids[: config.batch_size], config, train=False)
    photos, truths = zip(*(samples[0, index] for index in range(len(samples))), strict=True)
    return torch.stack(photos), torch.stack(truths)


def bare_step(criterion: nn.Module, photos: Tensor, truth: Tensor) -> Callable[[], None]:
    """A training step on tensors in memory: forward, loss, backward, optimiser."""
    net = model.build().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    target = training_target(truth, len(CLASSES))

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
    photos, truth = batch(dataset, parts["train"], config)
    target = training_target(truth, len(CLASSES))
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
    photos, truth = batch(dataset, split(dataset)["train"], config)
    target = training_target(truth, len(CLASSES))
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


STEPS = MEASURED.format(
    imports="from tests.bench import steps", stages="found = steps.step_seconds(Path(file), sys.argv[2])"
)


def step(options: Options) -> Entry:
    options.photo_dataset()
    told: dict[str, list[float]] = {name: [] for name in VARIANTS}
    first: dict[str, list[float]] = {name: [] for name in VARIANTS}

    def run(name: str) -> None:
        variables = {"GLIBC_TUNABLES": VARIANTS[name].glibc_tunables}
        usual, begun = measured(STEPS, options.data.resolve(), name, variables=variables)["found"]
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
    base = run_trial(config, options.scratch / "runs")
    told: dict[str, Any] = {AS_TRAINED: _scored(base)}
    for name, folder in TRIED.items():
        variant = VARIANTS[name]
        changed = {"lovasz_bins": variant.lovasz_bins, "mixed_precision": "bf16" if variant.bf16 else "no"}
        run = run_trial(config.but(**changed), options.scratch / "runs")
        keep(run, options.runs / folder, weights=False)
        value, low, high, _ = intervals.compare_mean_iou(base.counts, run.counts)
        told[name] = _scored(run) | {"difference": [float(value), [float(low), float(high)]]}
    return {
        "what": "whole trials with the combined loss that differ in one thing, one training each: mean IoU",
        "data": f"{len(base.ids)} test photos at their own size ({dataset.name})",
        "trials": told,
    }


def _scored(run: Run) -> dict[str, Any]:
    value, low, high = intervals.bootstrap(run.counts, metrics.clothing_mean_iou)
    return {"mean_iou": [float(value), [float(low), float(high)]], "commit": run.provenance["commit"]}

"""Whole epochs beside the bare network and beside SMP's recipe, and one photo predicted by each."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import albumentations as A
import cv2
import numpy as np
import segmentation_models_pytorch as smp
import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from modanet_utils import metrics, model
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets.coco import Dataset
from modanet_utils.datasets.weights import class_weights, image_pixels
from modanet_utils.training import loop as loop_module
from modanet_utils.training import predict as training_predict
from modanet_utils.training import samples as training_samples
from modanet_utils.training.devices import accelerator_for
from modanet_utils.training.loop import _save, build_loss, train, training_target
from modanet_utils.training.samples import EpochOrder, Samples
from modanet_utils.trials import TRIALS, TrialConfig, trained, trial_config
from tests.bench.steps import bare_forward, bare_step, batch
from tests.bench.turns import Entry, Options, agree, compared, in_turns, spread


def loop(options: Options) -> Entry:
    """Every epoch of a training is timed between two checkpoints; after each the bare network runs alone."""
    dataset = options.photo_dataset()
    config = TrialConfig(
        data_root=str(options.data), loss="combined", class_weights="inverse_sqrt", epochs=options.epochs
    )
    parts = options.parts(dataset)
    photos, truth = batch(dataset, parts["train"], config)
    weights = class_weights(image_pixels(dataset, parts["train"]), config.class_weights)
    step, forward = bare_step(build_loss(config, weights), photos, truth), bare_forward(photos)
    seconds: dict[str, list[float]] = {"bare network": [], "training": []}
    bare: dict[str, list[float]] = {"step": [], "forward": []}
    steps = len(parts["train"]) // config.batch_size
    started = 0.0

    def saved(*arguments: Any, save: Callable[..., None] = _save) -> None:
        nonlocal started
        save(*arguments)
        seconds["training"].append(time.perf_counter() - started)
        for name, told in in_turns({"step": step, "forward": forward}, 8).items():
            bare[name].append(statistics.mean(told))
        seconds["bare network"].append(
            steps * bare["step"][-1] + len(parts["val"]) / config.batch_size * bare["forward"][-1]
        )
        started = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(loop_module, "_save", saved):
        started = time.perf_counter()
        train(config, dataset, parts, Path(folder) / "run", accelerator_for(config), True)
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


def remedies(options: Options, share: int = 16) -> Entry:
    """An epoch of every trial of notebook 06, the real loop on a part of the photos, scaled to all by its steps.

    What does not change a step's time (tags, rates, the weights to start from) is left out: trials that differ in
    nothing else are measured once.
    """
    dataset = options.photo_dataset()
    whole = options.parts(dataset)
    parts = {part: ids[: len(ids) // share] for part, ids in whole.items()}
    seconds: dict[str, float] = {}
    same: dict[str, float] = {}
    for trial in [TRIALS["combined"], *trained("length", "remedies")]:
        config = trial_config(trial.name, options.data)
        config = config.but(epochs=options.epochs, pseudo_labels=None, start_from=None, learning_rate=1e-3)
        if config.hash not in same:
            with tempfile.TemporaryDirectory() as folder:
                told = train(config, dataset, parts, Path(folder) / "run", accelerator_for(config), True)
            scale = (len(whole["train"]) // config.batch_size) / (len(parts["train"]) // config.batch_size)
            same[config.hash] = scale * statistics.median(record["seconds"] for record in told[1:])
        seconds[trial.name] = same[config.hash]
    found = {name: [seconds[name]] for name in ("combined_body_tagged_larger", "combined_body_long")}
    what = "an epoch of a remedy of notebook 06, pictures 1.5 times as high and wide and as they are"
    data = f"{len(whole['train'])} photos, measured on a part of them ({dataset.name})"
    entry = compared(what, data, found, *found)
    return entry | {"epochs": seconds, "fingerprint": dataset.fingerprint}


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
        ours = _epochs(dataset, parts["train"], config, build_loss(config, weights))
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
    order = EpochOrder(len(samples), config.seed)
    loader = training_samples.loader(samples, config, order, drop_last=True)
    net = model.build().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    while True:
        order.epoch += 1
        for photos, truth in loader:
            criterion(net(photos), training_target(truth, config.outputs)).backward()
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
        again = config.but(encoder_weights=weights, epochs=epochs)
        run, started = folder / name.replace(" ", "-"), time.perf_counter()
        history = train(again, dataset, parts, run, accelerator_for(again), True)
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
    return float(metrics.clothing_mean_iou(counts))


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
        return training_predict.predict(ours, dataset.image(image_id), letterbox)

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

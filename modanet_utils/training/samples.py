"""Letterboxed photos and truths, in an order that depends on the seed and the epoch alone."""

import contextlib
import dataclasses
import gc
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from modanet_utils.augment import PADDING, WORN_OVER, Letterbox, augment, paste, training_transform
from modanet_utils.classes import CLASSES, IGNORE
from modanet_utils.datasets.coco import IMAGES, DatasetError
from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.datasets.photos import header, is_turned
from modanet_utils.trials import TrialConfig

CACHE_BYTES = 1 << 30
"""Decoded and letterboxed samples that one process keeps of one part in memory at the most."""
UNREAD_SHARE = 0.01
"""Photos of a part that may fail to be read; they are counted and left out. Beyond, training stops."""


class Packed(Mapping[int, Any]):
    """Read-only records by image id, held as bytes and unpacked when asked for.

    Python writes into every object that it looks at, so a worker would copy its parent's records one by one.
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
    """Letterboxed photos ``(3, H, W) uint8`` and truths ``(H, W) uint8`` (16 labels, 255 ignored).

    An item is asked for as ``(epoch, draw)``, see `EpochOrder`, because a worker keeps its own copy of this object. A
    photo that cannot be read becomes an empty one, all of it ignored: order and randomness of the others stay.
    ``unread`` marks it.
    """

    def __init__(self, photos: Photos, ids: list[int], config: TrialConfig, train: bool) -> None:
        self.photos, self.ids, self.seed = photos, ids, config.seed
        self.letterbox = Letterbox(config.image_height, config.image_width)
        self.transform = training_transform() if train and config.augmentation else None
        self.pasted, self.wearing = config.pasted if train else 0.0, dict[int, list[int]]()
        if self.pasted:
            wearing = {label: [at for at, one in enumerate(ids) if label in photos.present(one)] for label in WORN_OVER}
            self.wearing = {label: at for label, at in wearing.items() if at}
        self.kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        held = 4 * config.image_height * config.image_width * max(1, config.workers)  # every worker keeps its own
        self.keep = CACHE_BYTES // held
        self.unread = torch.zeros(len(ids), dtype=torch.bool)
        if config.workers:
            packed = Packed(photos.images, ids), Packed(photos.annotations, ids)
            self.photos = dataclasses.replace(photos, images=packed[0], annotations=packed[1])
            self.unread.share_memory_()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        epoch, draw = key
        index = draw % len(self)
        image, truth = self.kept.get(index) or self._read(index)
        if self.pasted:
            image, truth = self._with_more(image, truth, np.random.default_rng([self.seed, epoch, draw, 1]))
        if self.transform is not None:
            image, truth = augment(self.transform, image, truth, self.seed, epoch, draw)
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), torch.from_numpy(truth)

    def _with_more(
        self, image: np.ndarray, truth: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """With some chance the person gets a garment of another photo, of a class that is not worn yet."""
        lacking = [label for label in self.wearing if not (truth == label).any()]
        if lacking and rng.random() < self.pasted:
            label = int(rng.choice(lacking))
            giver = int(rng.choice(self.wearing[label]))
            image, truth = image.copy(), truth.copy()
            paste(image, truth, *(self.kept.get(giver) or self._read(giver)), label)
        return image, truth

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode and letterbox; kept for the next epoch while there is room, so that memory stays bounded."""
        photo, truth = photo_and_truth(self.photos, self.ids[index])
        # Annotations may ignore all of a photo, but no photo is of one colour.
        self.unread[index] = bool((truth == IGNORE).all() and (photo == PADDING).all())
        image, truth = self.letterbox.image(photo), self.letterbox.label_map(truth)
        if len(self.kept) < self.keep:
            self.kept[index] = image, truth
        return image, truth

    def check(self) -> None:
        """Raise DatasetError if more photos than `UNREAD_SHARE` could not be read so far."""
        check_unread(self.photos, [self.ids[index] for index in self.unread.nonzero()[:, 0]], len(self))


def photo_and_truth(photos: Photos, image_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Photo ``(H, W, 3) uint8`` and label map ``(H, W) uint8``; all of it is ignored where the photo cannot be read."""
    try:
        photo = photos.image(image_id)
    except DatasetError:
        size = photos.size(image_id)
        return np.full((*size, 3), PADDING, np.uint8), np.full(size, IGNORE, np.uint8)
    return photo, photos.label_map(image_id)


def check_unread(photos: Photos, unread: list[int], total: int) -> None:
    unread = [one for one in unread if photos.present(one) != {IGNORE}]  # nothing of such a photo counts, read or not
    if len(unread) > UNREAD_SHARE * total:
        file = photos.images[unread[0]]["file_name"]
        share = f"up to {UNREAD_SHARE:.0%} are left out: replace the files."
        raise DatasetError(f"At least {len(unread)} of {total} photos cannot be read, {file} for one; {share}")


def check_data(photos: Photos, parts: Mapping[str, list[int]]) -> None:
    """Refuse, before the first epoch, what would end a training after its last one.

    Of every photo the header is read, and all of it where that is not understood. Masks were checked on opening.

    Raises:
        DatasetError: More photos of a part than `UNREAD_SHARE` cannot be used.
    """
    for ids in parts.values():
        check_unread(photos, [image_id for image_id in ids if not _fits(photos, image_id)], len(ids))


def _fits(photos: Photos, image_id: int) -> bool:
    """Whether a photo's header gives the size that its annotations have, as it is stored or turned as EXIF says."""
    size = photos.size(image_id)
    try:
        stored, orientation = header(photos.root / IMAGES / photos.images[image_id]["file_name"])
        return stored == size or is_turned(stored, orientation, size)
    except DatasetError:  # OpenCV knows other formats
        with contextlib.suppress(DatasetError):
            photos.image(image_id)
            return True
        return False


class EpochOrder(Sampler):
    """Yields ``(epoch, draw)``: shuffled by (seed, epoch) alone; ``epoch`` is set by the loop.

    A draw is the sample's index, plus the number of samples for every time it was drawn in this epoch before.

    Args:
        samples: How many there are.
        draws: How many an epoch takes of them; all where None.
        repeats: ``(samples,)``: how often each is put to be drawn, 1 or more; a fraction is a chance. Once where None.
    """

    def __init__(self, samples: int, seed: int, draws: int | None = None, repeats: np.ndarray | None = None) -> None:
        self.samples, self.seed, self.epoch, self.repeats = samples, seed, 0, repeats
        self.draws = samples if draws is None else draws

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(self.samples)
        if self.repeats is not None:
            times = np.floor(self.repeats + rng.random(self.samples)).astype(int)
            turns = [np.flatnonzero(times > turn) + turn * self.samples for turn in range(times.max())]
            order = rng.permutation(np.concatenate(turns))
        return iter([(self.epoch, int(draw)) for draw in order[: self.draws]])


def repeat_factors(photos: Photos, ids: list[int], threshold: float) -> np.ndarray:
    """How often each image is to be drawn, ``(images,) float64``: sqrt(threshold / share of the images that show it) of
    its rarest class of clothing, at least 1. Source: Gupta, Dollar and Girshick, LVIS, CVPR 2019."""
    shows = np.array([[label in photos.present(image_id) for label in range(1, len(CLASSES))] for image_id in ids])
    factor = np.sqrt(threshold / np.maximum(shows.mean(0), 1 / len(ids)))
    return np.maximum(1, (shows * factor).max(1))


def _begin_worker(_: int) -> None:
    gc.freeze()  # or collecting garbage would write into, and so copy, every object of the parent


def loader(samples: Samples, config: TrialConfig, order: Any, drop_last: bool) -> DataLoader:
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


def left_out_text(left_out: int) -> str:
    return f", {left_out} photos could not be read and are left out" if left_out else ""

"""The trials that the report compares, by name."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.datasets import Dataset
from modanet_utils.model import LITE0
from modanet_utils.results import FOUND, LATER, number, trial_label, with_interval
from modanet_utils.training import Run, TrialConfig, epochs_done, find_run, keep

COMBINED = {"loss": "combined", "class_weights": "inverse_sqrt"}
TRIALS: dict[str, dict[str, Any]] = {
    "cross_entropy": {"loss": "cross_entropy", "class_weights": "none"},
    "combined": COMBINED,
    "weighted_cross_entropy": {"loss": "cross_entropy", "class_weights": "inverse_sqrt"},
    "combined_unweighted": COMBINED | {"class_weights": "none"},
    "combined_inverse": COMBINED | {"class_weights": "inverse"},
    "combined_without_dice": COMBINED | {"dice": 0.0},
    "combined_without_focal": COMBINED | {"focal": 0.0},
    "combined_without_lovasz": COMBINED | {"lovasz": 0.0},
}
"""Name to what the trial is: only these values differ from trial to trial."""

FINALISTS: tuple[str, ...] = ("cross_entropy", "combined")
"""Trained with several seeds, and kept with their weights."""
SEEDS = 3

SETTINGS: tuple[str, ...] = (
    *("image_height", "image_width", "encoder", "epochs", "batch_size", "learning_rate", "mixed_precision", "seed"),
    *("workers", "processes"),
)
"""The parameters of a profile that a training takes."""


def trial_config(name: str, data_root: str | Path, encoder: str = LITE0, **shared: Any) -> TrialConfig:
    """The configuration of a named trial.

    Args:
        name: One of `TRIALS`.
        data_root: Dataset folder.
        encoder: Any SMP encoder; its ImageNet weights come with the project for the default one and are
            fetched from a hub for another.
        shared: Further fields of `TrialConfig`, the same for all trials that are to be compared.

    Raises:
        ValueError: Unknown name or field; the nearest valid one is named.
    """
    if name not in TRIALS:
        near = difflib.get_close_matches(name, TRIALS, 1, 0)[0]
        raise ValueError(f"trial {name!r} is unknown; did you mean {near!r}?")
    weights = encoder_weights(encoder)
    return TrialConfig.of(data_root=str(data_root), encoder=encoder, encoder_weights=weights, **shared, **TRIALS[name])


def encoder_weights(encoder: str) -> str:
    """Which ImageNet weights an encoder starts from: those that come as a package, or a hub's."""
    return "packaged" if encoder == LITE0 else "imagenet"


@dataclass(frozen=True)
class Planned:
    """One training of the plan: its name in ``reports/*/runs`` and its configuration."""

    name: str
    config: TrialConfig


def plan(data_root: str | Path, seed: int = 0, **shared: Any) -> list[Planned]:
    """Every training of the report: all `TRIALS` once, then the `FINALISTS` with further seeds.

    Args:
        data_root, shared: As for `trial_config`.
        seed: The first seed.
    """
    wanted = [(name, 0) for name in TRIALS] + [(name, extra) for extra in range(1, SEEDS) for name in FINALISTS]
    planned = []
    for name, extra in wanted:
        config = trial_config(name, data_root, seed=seed + extra, **shared)
        planned.append(Planned(f"{name}-seed{extra}" if extra else name, config))
    return planned


def finished(planned: list[Planned], dataset: Dataset) -> dict[str, Run]:
    """The runs of a plan that are there, by name; nothing is trained."""
    runs = {one.name: find_run(one.config, dataset) for one in planned}
    return {name: run for name, run in runs.items() if run is not None}


def seeds_of(runs: Mapping[str, Run]) -> dict[str, list[Run]]:
    """The finished runs of the finalists, by trial, first seed first."""
    return {trial: [run for name, run in runs.items() if name.split("-seed")[0] == trial] for trial in FINALISTS}


def keep_run(name: str, run: Run, out: Path) -> None:
    """Copy a finished run beside a report, with its weights where it is a finalist's first."""
    keep(run, out / "runs" / name, weights=name in FINALISTS)


def remaining(planned: list[Planned], there: Mapping[str, Run], dataset: Dataset) -> list[tuple[Planned, int]]:
    """What a plan lacks beside the runs that are there: each training with the epochs it has to go."""
    return [(one, one.config.epochs - epochs_done(one.config, dataset)) for one in planned if one.name not in there]


# ------------------------------------------------------------------------------------------ over the epochs


CLIMB = 1.2
"""A class still climbs if its last IoU is more than this many times that at half of the epochs."""


def learned(curves: pd.DataFrame) -> pd.DataFrame:
    """How each clothing class did over the epochs of a training.

    Args:
        curves: As `Run.curves` gives them.

    Returns:
        A row a class: its validation IoU at the first, the middle and the last epoch, and ``state``: "at zero"
        (never `results.FOUND` or more), "lost" (found once, not at the end), "still climbing" (see `CLIMB`) or
        "level".
    """
    middle = len(curves) // 2
    table = curves.T.loc[list(CLOTHING)].iloc[:, sorted({0, middle, len(curves) - 1})]
    last, half, best = curves.iloc[-1], curves.iloc[middle], curves.max()
    state = [
        "at zero"
        if not best[name] >= FOUND
        else "lost"
        if not last[name] >= FOUND
        else "still climbing"
        if last[name] > CLIMB * half[name]
        else "level"
        for name in CLOTHING
    ]
    return table.round(3).assign(state=state)


# ------------------------------------------------------------------------------------------ side by side


def all_background(counts: NDArray) -> NDArray:
    """Counts ``(images, 16, 14)`` of an answer of background everywhere on the same images."""
    nothing = np.zeros_like(counts)
    nothing[..., 0] = counts.sum(axis=-1)
    return nothing


def compared(
    counts: Mapping[str, NDArray], validation: Mapping[str, float] | None = None, reference: str = "combined"
) -> pd.DataFrame:
    """Trials on the same test images, each against one of them.

    Args:
        counts: Trial's name to its counts ``(images, 16, 14)``, the reference among them.
        validation: Trial's name to the mean IoU on validation that it was chosen by.
        reference: The trial that the others are compared with.

    Returns:
        A row a trial: ``validation`` (NaN where unknown), ``mean_iou``, ``change`` (its mean IoU minus the
        reference's, paired; NaN for the reference), each of the two with ``_low`` and ``_high``; ``precision``
        (pooled, see `metrics.clothing_precision`), ``recall`` (mean over the 13 classes), ``headwear_recall``,
        ``hair_as_headwear`` (share of the hair) and ``found`` (classes with an IoU of `results.FOUND` or more).
    """
    rows = {}
    for name, own in counts.items():
        row = {"validation": (validation or {}).get(name, np.nan)}
        row |= statistics.ends("mean_iou", statistics.bootstrap(own, metrics.clothing_mean_iou))
        change = (np.nan,) * 3 if name == reference else statistics.compare_mean_iou(counts[reference], own)[:3]
        row |= statistics.ends("change", change)
        row["precision"] = float(metrics.clothing_precision(own.sum(axis=0)))
        row["recall"] = float(metrics.mean_over(CLOTHING, "recall")(own.sum(axis=0)))
        row["headwear_recall"] = float(metrics.class_scores(own.sum(axis=0)).recall[CLASSES.index("headwear")])
        row["hair_as_headwear"] = float(metrics.hair_as_headwear(own.sum(axis=0)))
        row["found"] = int((np.nan_to_num(metrics.clothing_iou(own.sum(axis=0))) >= FOUND).sum())
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


class Counted(Protocol):
    """A `Run`, or what logit adjustment made of one."""

    @property
    def counts(self) -> NDArray: ...


def seed_spread(runs: Mapping[str, Sequence[Counted]]) -> pd.DataFrame:
    """How far the seeds of a trial lie apart, beside how far photos move one run's mean IoU.

    Args:
        runs: Trial's name to its runs, one a seed.

    Returns:
        A row a trial: ``seeds`` (number), ``mean_iou`` (mean over the seeds) with ``_low`` and ``_high`` (over
        images), ``lowest`` and ``highest`` seed and ``seed_sd`` (standard deviation between seeds; NaN for one
        seed), and ``image_sd`` (standard error over images, from the width of the first seed's interval).
    """
    rows = {}
    for name, seeds in runs.items():
        stack = np.stack([run.counts for run in seeds])
        each = metrics.clothing_mean_iou(stack.sum(axis=1))
        first = statistics.bootstrap(stack[0], metrics.clothing_mean_iou)
        row = {"seeds": len(seeds)} | statistics.ends(
            "mean_iou", statistics.bootstrap(stack, metrics.clothing_mean_iou)
        )
        several = len(seeds) > 1
        row |= {"lowest": each.min() if several else np.nan, "highest": each.max() if several else np.nan}
        row["seed_sd"] = each.std(ddof=1) if several else np.nan
        rows[name] = row | {"image_sd": (first.high - first.low) / (2 * 1.96)}
    return pd.DataFrame.from_dict(rows, orient="index")


def beyond_seeds(runs: Mapping[str, Sequence[Counted]], rival: str = "cross_entropy") -> dict[str, Any]:
    """The claim that the gain over a rival outlasts another seed, as ``Workspace.record_claim`` takes it.

    Args:
        runs: Runs by trial, one a seed, of "combined" and of the rival.
        rival: A name in ``runs``.
    """
    rivals, own = (
        [float(metrics.clothing_mean_iou(one.counts.sum(axis=0))) for one in runs[name]] for name in (rival, "combined")
    )
    value, low, high = statistics.difference_over_seeds(rivals, own)
    measure = (
        f"change of the mean IoU over 13 classes, mean over trainings ({len(own)} against {len(rivals)}), interval "
        "over trainings; claimed to be above 0"
    ) + (f"; {LATER}" if rival == "cross_entropy_adjusted" else "")
    if np.isnan(low):
        measure = "not decided: both trials have to be trained with several seeds"
    return {
        "id": f"gain-over-{rival.replace('_', '-')}-beyond-seeds",
        "statement": f"The gain over {trial_label(rival)} is more than the luck of a seed.",
        "measure": measure,
        "value": None if np.isnan(low) else value,
        "interval": None if np.isnan(low) else (low, high),
        "verdict": statistics.verdict((low, high), above=0.0),
    }


def leak_of_focal(counts: Mapping[str, NDArray]) -> dict[str, Any]:
    """The claim that the weighted focal term makes hair headwear, as ``Workspace.record_claim`` takes it.

    Args:
        counts: As for `compared`.
    """
    value = low = high = np.nan
    if "combined_without_focal" in counts:
        pair = counts["combined_without_focal"], counts["combined"]
        value, low, high, _ = statistics.paired_comparison(*pair, metrics.hair_as_headwear)
    known = bool(np.isfinite([value, low, high]).all())
    return {
        "id": "focal-makes-hair-headwear",
        "statement": "Without its weighted focal term the combined loss takes less hair for headwear.",
        "measure": "share of the hair called headwear, combined loss minus combined without focal, one training each; "
        f"claimed to be above 0; {LATER}"
        if known
        else "not decided: the combined loss without focal has not been trained, or no hair is known",
        "value": value if known else None,
        "interval": (low, high) if known else None,
        "verdict": statistics.verdict((low, high), above=0.0),
    }


def compared_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`compared` as a reader sees it."""

    def texts(name: str) -> list[str]:
        columns = [table[name + end] for end in ("", "_low", "_high")]
        return [
            with_interval(value, (low, high)) if value == value else "–"
            for value, low, high in zip(*columns, strict=True)
        ]

    columns = {"validation": [number(value) for value in table["validation"]]} if "validation" in table else {}
    columns |= {"mean IoU": texts("mean_iou"), "against the combined loss": texts("change")}
    columns |= {"precision": [number(value) for value in table["precision"]]}
    columns |= {"mean recall": [number(value) for value in table["recall"]]}
    columns |= {"classes found": table["found"].astype(int).to_list()}
    for name, title in (("headwear_recall", "headwear, recall"), ("hair_as_headwear", "hair called headwear")):
        if name in table:  # results recorded earlier have no such column
            columns[title] = [number(value) for value in table[name]]
    return pd.DataFrame(
        columns,
        index=[trial_label(name) for name in table.index],
    )


def changes_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`statistics.compare_trials` as a reader sees it."""

    def signed(value: float) -> str:
        return f"{value:+.3f}" if np.isfinite(value) else "–"

    def texts(name: str) -> list[str]:
        columns = [table[name + end] for end in ("", "_low", "_high")]
        return [
            f"{signed(value)} [{signed(low)}, {signed(high)}]" if np.isfinite(value) else "–"
            for value, low, high in zip(*columns, strict=True)
        ]

    columns = {"change of IoU": texts("iou"), "p, corrected": [number(value, 4) for value in table["p_holm"]]}
    columns |= {f"change of {score}": texts(score) for score in ("precision", "recall")}
    return pd.DataFrame(columns, index=table.index)


def spread_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`seed_spread` as a reader sees it."""
    intervals = zip(table["mean_iou"], table["mean_iou_low"], table["mean_iou_high"], strict=True)
    columns = {
        "seeds": table["seeds"].astype(int).to_list(),
        "mean IoU over seeds": [with_interval(value, (low, high)) for value, low, high in intervals],
        "lowest to highest seed": [
            "–" if np.isnan(low) else f"{number(low)} to {number(high)}"
            for low, high in zip(table["lowest"], table["highest"], strict=True)
        ],
        "SD between seeds": [number(value) for value in table["seed_sd"]],
        "standard error over photos": [number(value) for value in table["image_sd"]],
    }
    return pd.DataFrame(columns, index=[trial_label(name) for name in table.index])

"""The trials that the report compares, by name."""

import difflib
from pathlib import Path
from typing import Any

from modanet_utils.model import LITE0
from modanet_utils.training import TrialConfig

TRIALS: dict[str, dict[str, Any]] = {
    "cross_entropy": {"loss": "cross_entropy", "class_weights": "none"},
    "combined": {"loss": "combined", "class_weights": "inverse_sqrt"},
}
"""Name to what the trial is: only these values differ from trial to trial."""


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
        raise ValueError(
            f"trial {name!r} is unknown; did you mean {difflib.get_close_matches(name, TRIALS, 1, 0)[0]!r}?"
        )
    weights = "packaged" if encoder == LITE0 else "imagenet"
    return TrialConfig.of(data_root=str(data_root), encoder=encoder, encoder_weights=weights, **shared, **TRIALS[name])

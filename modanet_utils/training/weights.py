"""Trained weights: where the run lies that is named, and from its file to a network."""

import contextlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from modanet_utils import model
from modanet_utils.project import ROOT, ProjectError, did_you_mean, shown
from modanet_utils.trials import TrialConfig

WEIGHTS = "weights.safetensors"


def rooms() -> list[Path]:
    """The folders that hold runs by their names."""
    return [ROOT / "runs", *sorted(ROOT.glob("reports/*/runs"))]


def folder_of(*names: str | Path) -> Path:
    """The folder, with weights, of the first of these runs that is there, each a folder or a name in `rooms`.

    Raises:
        ProjectError: None is, which is said of the first; or it was kept without weights.
    """
    for name in names:
        for place in (Path(name).expanduser(), ROOT / name, *(room / name for room in rooms())):
            if (place / "config.json").is_file():
                if (place / WEIGHTS).is_file():
                    return place.resolve()
                raise ProjectError(
                    f"The run in {shown(place)} was kept without weights: name another, or train it again."
                )
    run = names[0]
    known = sorted(path.parent.name for room in rooms() for path in room.glob(f"*/{WEIGHTS}"))
    what = "holds no config.json" if Path(run).expanduser().exists() else "is unknown"
    raise ProjectError(f"Run {str(run)!r} {what}: {did_you_mean(str(run), [*known, 'or the folder of a run'])}")


def start_weights(config: TrialConfig, fingerprint: str, runs: Path) -> Path | None:
    """The file that a training starts from, or None where the configuration names no run.

    The hash of settings, by which a trial names one before it, is that of a run of the same annotations.

    Raises:
        ProjectError: There is no such run, or it was kept without weights.
    """
    if config.start_from is None:
        return None
    for file in (file for room in (runs, *rooms()) for file in sorted(room.glob(f"*/{WEIGHTS}"))):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # a damaged one is said when it is read
            about = json.loads((file.parent / "provenance.json").read_text(encoding="utf-8"))
            settings = json.loads((file.parent / "config.json").read_text(encoding="utf-8"))
            if about["data"]["fingerprint"] == fingerprint and TrialConfig(**settings).hash == config.start_from:
                return file
    return folder_of(config.start_from) / WEIGHTS


def read_weights(net: nn.Module, file: Path) -> None:
    """Load a run's weights into a network; ProjectError for a damaged file, or one of another network."""
    try:
        net.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in load_file(file).items()})
    except (SafetensorError, RuntimeError, OSError):
        why = "is damaged, or of another network (encoder, attention or number of outputs)"
        raise ProjectError(f"{shown(file)} {why}: copy the run's folder anew, or name another run.") from None
    if not all(bool(tensor.isfinite().all()) for tensor in net.state_dict().values()):
        raise ProjectError(f"{shown(file)} holds values that are not finite: copy the run's folder anew.")


def load_network(config: TrialConfig, file: Path) -> model.Net:
    """The trained network in evaluation mode; normalisation is in the file."""
    net = model.build(config.encoder, None, config.attention, outputs=config.outputs)
    read_weights(net, file)
    return net.to(memory_format=torch.channels_last).eval()

"""From a configuration to a finished run: read back, resumed or trained, here or in several processes."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.datasets.coco import open_dataset, with_masks
from modanet_utils.datasets.find import find_data
from modanet_utils.progress import Progress
from modanet_utils.project import ROOT, ProjectError, provenance, shown, write_json, write_whole
from modanet_utils.results.text import value_text
from modanet_utils.splits import split
from modanet_utils.statistics import test_summary
from modanet_utils.training.devices import accelerator_for
from modanet_utils.training.identity import identity
from modanet_utils.training.lock import alone, check_state, clear, set_aside
from modanet_utils.training.loop import train
from modanet_utils.training.predict import test_counts
from modanet_utils.training.runs import FINISHED, NOTE, Run, read_run, run_folder, say, search
from modanet_utils.training.weights import WEIGHTS, load_network, start_weights
from modanet_utils.trials import TrialConfig, as_text, check_taken, encoder_weights, loss_text, own_loss, read_profile


def run_trial(config: TrialConfig, runs: Path | None = None, quiet: bool = False, keep_old: bool = False) -> Run:
    """Read, resume or train the trial of a configuration.

    A finished run of the same configuration, data and code is read back from ``runs`` (``runs/`` in the project by
    default) or from ``reports/*/runs``, as `find_run` says; an interrupted one goes on from its last complete epoch;
    otherwise it is trained. What differs in a run that is not taken is said, and it stays; with ``keep_old`` it is
    taken all the same. A damaged one in ``runs`` is set aside.

    Raises:
        ProjectError: Data that cannot be used, a loss that became infinite or undefined, no room on the disk, or
            another process that trains the same trial.
    """
    folder, source = _finished(config, ROOT / "runs" if runs is None else Path(runs), quiet, keep_old)
    run = read_run(folder, config, source)
    if not quiet:
        print(f"{run.source[0].upper()}{run.source[1:]}: loss {config.loss}, {len(run.history)} epochs.")
    return run


def _execute(config: TrialConfig, dataset: Photos, folder: Path, quiet: bool) -> None:
    """Train from the last complete epoch on, score the test part once, finish the run folder."""
    # Now, as the code may be changed while it runs.
    made_by = provenance() | {"identity": identity(dataset, config, folder.parent)}
    accelerator = accelerator_for(config)
    if accelerator.is_main_process and not quiet and (said := dataset.said()):
        print(said, flush=True)
    parts = split(dataset, config.split_seed)
    if accelerator.is_main_process:
        write_json(folder / "provenance.json", made_by)  # what an interrupted training was of
    start = start_weights(config, dataset.fingerprint, folder.parent)
    history = train(config, dataset, parts, folder, accelerator, quiet, start)
    if accelerator.is_main_process:
        # Rounded before scoring: the file that is kept gives exactly the numbers that are reported.
        half = {name: t.half() if t.is_floating_point() else t for name, t in load_file(folder / "best").items()}
        if not all(t.isfinite().all() for t in half.values() if t.is_floating_point()):
            raise ProjectError(f"A weight of {shown(folder)} does not fit half precision: the run cannot be kept.")
        write_whole(folder / WEIGHTS, lambda path: save_file(half, path))
    accelerator.wait_for_everyone()
    net = load_network(config, folder / WEIGHTS).to(accelerator.device)
    counts = test_counts(net, dataset, parts["test"], config, accelerator, quiet)
    if accelerator.is_main_process:
        left_out = history[-1].get("photos_left_out", 0), int((counts.sum((1, 2)) == 0).sum())
        about = made_by | {
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
            "seconds_per_epoch": round(float(np.median([record["seconds"] for record in history])), 2),
            "best_epoch": max(history, key=lambda record: record["val_mean_iou"])["epoch"],
            "processes": accelerator.num_processes,
            "photos_left_out": dict(zip(("train and val", "test"), left_out, strict=True)),
        }
        write_whole(folder / "counts.npz", lambda path: np.savez_compressed(path, ids=parts["test"], counts=counts))
        write_json(folder / "config.json", config.plain())
        write_json(folder / "history.json", history)
        write_json(folder / "provenance.json", about)
        write_json(folder / FINISHED, test_summary(counts))
        clear(folder)
    accelerator.wait_for_everyone()


class LaunchError(ProjectError):
    """Training in several processes failed; the message says what a process said."""


def _finished(config: TrialConfig, runs: Path, quiet: bool, keep_old: bool = False) -> tuple[Path, str]:
    """The folder of the trial's finished run, and where it is from; trained here or in processes if it is not there."""
    dataset, first = open_dataset(config.data_root), os.environ.get("RANK", "0") == "0"
    found, notes, damaged = search(config, dataset, runs, keep_old)
    for note in () if quiet or not first else notes:
        say(note)
    if found:
        if first and found.folder.parent == runs:
            clear(found.folder)  # its process may have been killed between the last file and this
        return found.folder, found.source
    for one in damaged if first else ():
        set_aside(one.folder, str(one))
    with_masks(dataset)
    folder = run_folder(config, dataset, runs)
    with alone(folder) if first else contextlib.nullcontext():
        if (folder / FINISHED).is_file() and "WORLD_SIZE" not in os.environ:  # by another process, just now
            return folder, f"read from {shown(folder)}"
        if first:
            check_state(folder)
        source = "resumed" if any(folder.glob("state-*")) else "trained"
        if config.processes == 1 or "WORLD_SIZE" in os.environ:  # or torchrun has begun
            _execute(config, dataset, folder, quiet)
            return folder, source
    launch(config, runs, quiet)
    return folder, source


def launch(config: TrialConfig, runs: Path, quiet: bool) -> None:
    """Train by torchrun in a child, as a notebook's kernel cannot fork onto GPUs, and say the first process's lines."""
    progress = Progress(config.epochs, quiet)
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(_torchrun(config, runs), stdout=subprocess.PIPE, stderr=errors, text=True) as child:
            try:
                for line in child.stdout or ():
                    if not line.startswith(("Finished: ", "Loss: ", NOTE)):  # who asked for the training says that
                        progress.milestone(line.rstrip())
            except BaseException:
                child.terminate()  # torchrun ends its processes
                raise
        progress.close()
        if child.returncode:
            # What a process said first; torchrun's own report comes after it.
            errors.seek(0)
            said = re.search(r"^(?:\[rank\d+\]: )?[\w.]*Error: (.+)", errors.read(), re.MULTILINE)
            reason = said[1] if said else f"torchrun ended with {child.returncode}."
            raise LaunchError(f"Training in {config.processes} processes failed: {reason}")


def _torchrun(config: TrialConfig, runs: Path) -> list[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={config.processes}"]
    command += ["-m", "modanet_utils.training", "--runs", str(runs)]
    for name, value in config.model_dump().items():
        command += [f"--{name}", as_text(value)]
    return command


def command(given: Mapping[str, str], runs: Path, profile: str | None, keep_old: bool) -> int:
    """``modanet train``: train one trial of settings given as texts; the exit status.

    Under torchrun every process calls it; one that fails says why in a line that `launch` finds among others'.
    """
    try:
        values = TrialConfig.from_texts(dict(given))
        if profile:  # as its notebooks have them
            its = read_profile(profile)
            values = its.settings | ({} if "loss" in values else own_loss(dict(its))) | values
            root = values.get("data_root") or find_data(profile, its.data_root)
            values = {"encoder_weights": encoder_weights(values["encoder"])} | values | {"data_root": str(root)}
        config = TrialConfig(**values)
        check_taken(config.loss, config.model_dump(include=set(given), exclude_defaults=True))
        folder, source = _finished(config, runs, False, keep_old)
    except (OSError, ValueError) as error:
        if "WORLD_SIZE" not in os.environ:
            raise
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if os.environ.get("RANK", "0") == "0":
        how = "read back" if source.startswith("read") else source
        place = shown(folder) if folder.is_relative_to(ROOT) else folder
        if (folder / FINISHED).is_file():
            scores, its_own = (json.loads((folder / f).read_text("utf-8")) for f in (FINISHED, "config.json"))
            score = f"mean IoU {value_text(scores['mean_iou'], scores['mean_iou_interval'])}"
            use = f"; `modanet predict PHOTO --run {place}` uses it" if (folder / WEIGHTS).is_file() else ""
            print(f"Loss: {loss_text(its_own)}: {score} on the test part{use}")
        print(f"Finished: {place} ({how})")
    return 0

"""From a configuration to a finished run: read back, resumed or trained, here or in several processes."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.datasets.coco import open_dataset, with_masks
from modanet_utils.datasets.find import find_data
from modanet_utils.progress import Progress
from modanet_utils.project import ROOT, ProjectError, did_you_mean, provenance, shown, write_json
from modanet_utils.splits import split
from modanet_utils.statistics import test_summary
from modanet_utils.training.devices import accelerator_for
from modanet_utils.training.loop import train
from modanet_utils.training.predict import test_counts
from modanet_utils.training.runs import FINISHED, WEIGHTS, Run, find_run, load_network, read_run, run_folder
from modanet_utils.trials import TrialConfig, encoder_weights, read_profile


def run_trial(config: TrialConfig, runs: Path | None = None, quiet: bool = False) -> Run:
    """Read, resume or train the trial of a configuration.

    A finished run with the same configuration and data is read back from ``runs`` (``runs/`` in the project by default)
    or from ``reports/*/runs``; an interrupted one goes on from its last complete epoch; otherwise it is trained.

    Raises:
        ProjectError: Data that cannot be used, or a loss that became infinite or undefined.
    """
    folder, source = _finished(config, ROOT / "runs" if runs is None else Path(runs), quiet)
    run = read_run(folder, config, source)
    if not quiet:
        print(f"{config.loss} ({config.hash}): {run.source}, {len(run.history)} epochs.")
    return run


def _execute(config: TrialConfig, dataset: Photos, folder: Path, quiet: bool) -> None:
    """Train from the last complete epoch on, score the test part once, finish the run folder."""
    made_by = provenance()  # now: the code may be changed while it runs
    accelerator = accelerator_for(config)
    if accelerator.is_main_process and not quiet and (said := dataset.said()):
        print(said, flush=True)
    parts = split(dataset, config.split_seed)
    history = train(config, dataset, parts, folder, accelerator, quiet)
    if accelerator.is_main_process:
        # Rounded before scoring: the file that is kept gives exactly the numbers that are reported.
        half = {name: t.half() if t.is_floating_point() else t for name, t in load_file(folder / "best").items()}
        if not all(t.isfinite().all() for t in half.values() if t.is_floating_point()):
            raise ProjectError(f"A weight of {shown(folder)} does not fit half precision: the run cannot be kept.")
        save_file(half, folder / WEIGHTS)
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
        np.savez_compressed(folder / "counts.npz", ids=np.array(parts["test"]), counts=counts)
        write_json(folder / "config.json", config.plain())
        write_json(folder / "history.json", history)
        write_json(folder / "provenance.json", about)
        write_json(folder / FINISHED, test_summary(counts))
        # Also what a process that was killed while it saved has left.
        for state in [*folder.glob("state-*"), *folder.glob(".*.state-*"), folder / "best"]:
            shutil.rmtree(state) if state.is_dir() else state.unlink()
    accelerator.wait_for_everyone()


class LaunchError(ProjectError):
    """Training in several processes failed; the message says what a process said."""


def _finished(config: TrialConfig, runs: Path, quiet: bool) -> tuple[Path, str]:
    """The folder of the trial's finished run, and where it is from; trained here or in processes if it is not there."""
    dataset = open_dataset(config.data_root)
    if found := find_run(config, dataset, runs):
        return found.folder, found.source
    with_masks(dataset)
    folder = run_folder(config, dataset, runs)
    source = "resumed" if any(folder.glob("state-*")) else "trained"
    if config.processes > 1 and "WORLD_SIZE" not in os.environ:  # and torchrun has not begun
        launch(config, runs, quiet)
    else:
        _execute(config, dataset, folder, quiet)
    return folder, source


def launch(config: TrialConfig, runs: Path, quiet: bool) -> None:
    """Train by torchrun in a child, as a notebook's kernel cannot fork onto GPUs, and say the first process's lines."""
    progress = Progress(config.epochs, quiet)
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(_torchrun(config, runs), stdout=subprocess.PIPE, stderr=errors, text=True) as child:
            try:
                for line in child.stdout or ():
                    if not line.startswith("Finished: "):  # who asked for the training says that
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
        command += [f"--{name}", "none" if value is None else str(value)]
    return command


def main(arguments: list[str] | None = None) -> int:
    """``python -m modanet_utils.training``: train one trial; the exit status. Under torchrun every process calls it."""
    parser = argparse.ArgumentParser(
        "python -m modanet_utils.training",
        "%(prog)s [--profile NAME] [--data_root ROOT] [--NAME VALUE ...]",
        "Train one trial and keep it in a folder of its own. One that is finished there, or beside a report, is not "
        "trained again; one that was interrupted goes on. Example: %(prog)s --profile ccp --loss combined",
        allow_abbrev=False,
    )
    parser.add_argument("--runs", metavar="FOLDER", default=ROOT / "runs", type=Path, help="where runs are kept")
    parser.add_argument("--profile", metavar="NAME", help="start from the settings and data of profiles/NAME.yaml")
    for name, about in TrialConfig.model_fields.items():
        parser.add_argument(f"--{name}", metavar="VALUE", default=argparse.SUPPRESS, help=f"default: {about.default}")
    known, unknown = parser.parse_known_args(arguments)
    given = vars(known)
    runs, profile = given.pop("runs"), given.pop("profile")
    try:
        for option in (one.split("=")[0] for one in unknown):
            options = ["--runs", "--profile", *(f"--{name}" for name in TrialConfig.model_fields)]
            raise ProjectError(f"Option {option!r} is unknown: {did_you_mean(option, options)}")
        values = TrialConfig.from_texts(given)
        if profile:  # as its notebooks have them
            its = read_profile(profile)
            values = its.settings | values
            root = values.get("data_root") or find_data(profile, its.data_root)
            values = {"encoder_weights": encoder_weights(values["encoder"])} | values | {"data_root": str(root)}
        folder, _ = _finished(TrialConfig(**values), runs, quiet=False)
    except (OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if os.environ.get("RANK", "0") == "0":
        print(f"Finished: {shown(folder) if folder.is_relative_to(ROOT) else folder}")
    return 0

"""Executes the series of notebooks on a data set, whole or not at all.

What is wrong with the request is said before the first notebook starts. The executed notebooks, their results
and pages come into being beside the report that is there, and replace it at once when all have succeeded.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
from nbformat import NotebookNode

from modanet_utils import model
from modanet_utils.datasets import ccp, writing
from modanet_utils.datasets.coco import ANNOTATIONS, Dataset, open_dataset, with_masks
from modanet_utils.datasets.find import find_data
from modanet_utils.datasets.weights import image_pixels
from modanet_utils.project import ROOT, ProjectError, check_folder, linked, shown, whole_folder
from modanet_utils.report.execute import RunError, keep_failed, kernel_environment, notebook_parameters, run_all
from modanet_utils.results.schema import ResultsError, check_results, read_results
from modanet_utils.results.workspace import GUIDES, NOTEBOOKS
from modanet_utils.splits import split
from modanet_utils.training import posthoc, presence, pseudo, stockings
from modanet_utils.training.adjustment import adjust
from modanet_utils.training.plan import finished, keep_run, remaining
from modanet_utils.training.runs import Run
from modanet_utils.training.start import run_trial
from modanet_utils.training.weights import start_weights
from modanet_utils.trials import OWN, PREFERRED, TRIALS, Planned, Settings, finalists, own_loss, plan, read_profile


def _read_notebooks(folder: Path, parameters: Mapping[str, Any]) -> dict[str, NotebookNode]:
    """The notebooks by name, each of which, but for the guides, takes all the parameters."""
    notebooks: dict[str, NotebookNode] = {}
    for name in (*NOTEBOOKS, *GUIDES):
        path = folder / f"{name}.ipynb"
        if not path.is_file():
            raise ProjectError(f"Notebook {name}.ipynb is not in {folder}: run from a complete checkout.")
        notebooks[name] = nbformat.read(path, as_version=4)
        try:
            taken = notebook_parameters(notebooks[name])
        except ProjectError as error:
            raise ProjectError(f"Notebook {name}: {error}.") from None
        for key in parameters if name in NOTEBOOKS else ():
            if key not in taken and key not in OWN:  # notebook 03 alone takes a loss
                raise ProjectError(f"Notebook {name} does not take parameter {key!r}: add it to its parameters cell.")
    return notebooks


def _prepare_data(profile: str, data_root: Path) -> Path:
    """The data set folder to use, converted first where it has Clothing Co-Parsing's original layout."""
    if not data_root.is_dir():
        raise ProjectError(f"Data root {data_root} does not exist or is no folder: give one that holds the data.")
    original = (data_root / "photos").is_dir() and (data_root / "annotations" / "pixel-level").is_dir()
    if profile != "ccp" or (not original and (data_root / ANNOTATIONS).exists()):
        return data_root
    if not original:
        raise ProjectError(
            f"Data root {data_root} holds neither Clothing Co-Parsing's original layout (photos/, "
            f"annotations/pixel-level/) nor a converted data set ({ANNOTATIONS}): give the folder that does."
        )
    destination = ROOT / "data" / "ccp"
    maps = len(list((data_root / "annotations" / "pixel-level").glob("[!.]*.mat")))
    with contextlib.suppress(OSError, ValueError):
        made_from = (destination / writing.MADE_FROM).read_text().strip()
        if maps and made_from == ccp.state(data_root) and open_dataset(destination).ids:
            print(f"Using {shown(destination)}, converted before.")
            return destination
    print(f"Converting {maps} images into {shown(destination)} ...", flush=True)
    ccp.convert(data_root, destination)
    return destination


def _prepare(profile: str, data_root: Path | None, out: Path | None) -> tuple[dict[str, Any], Path, Path]:
    """The profile's parameters, the data set folder and the folder of the report, all checked."""
    parameters = read_profile(profile).model_dump(exclude_unset=True)
    default = ROOT / (parameters["out_dir"] or f"build/report/{profile}")
    out = Path(os.path.abspath(default if out is None else out))  # noqa: PTH100 - a link stays the link that was named
    if out in (ROOT, ROOT / "notebooks") or out in ROOT.parents:
        raise ProjectError(f"{out} holds the project itself: give --out another folder, as in build/report/mine.")
    check_folder(out.resolve())
    root = find_data(profile, parameters["data_root"]) if data_root is None else data_root
    root = _prepare_data(profile, Path(os.path.abspath(root)))  # noqa: PTH100
    if said := with_masks(open_dataset(root)).said():  # what is wrong with the data is said now
        print(said, flush=True)
    model.build(parameters["encoder"], weights=None)  # an unknown name must not wait for the second notebook
    return parameters, root, out


def run(profile: str, data_root: Path | None = None, out: Path | None = None, notebooks: Path | None = None) -> Path:
    """Execute the series and write the report; returns its folder, which changes only if everything succeeded.

    ``data_root`` is a data set folder, or for profile ccp its original layout; it and ``out`` are the profile's own
    where None, ``notebooks`` the project's. Errors are one sentence: ProjectError, OSError or ValueError.
    """
    # Read before data are converted: what is wrong with a notebook is said at once.
    series = _read_notebooks(notebooks or ROOT / "notebooks", read_profile(profile).model_dump())
    parameters, root, out = _prepare(profile, data_root, out)
    # Relative to the project's folder, so that an executed notebook says the same wherever the project lies.
    if root != ROOT / "data" / profile:
        parameters["data_root"] = shown(root)
    if out != ROOT / (parameters["out_dir"] or f"build/report/{profile}"):
        parameters["out_dir"] = shown(out)
    created = [folder for folder in out.parents if not folder.exists()]
    try:
        with whole_folder(out.resolve()) as staging:
            _execute_series(series, parameters, staging, out)
            if out.exists():  # what else lies there stays, as trainings, but for what is just being written
                old = shutil.ignore_patterns("*.failed.ipynb", ".[0-9]*.*")
                shutil.copytree(out, staging, ignore=old, copy_function=linked, dirs_exist_ok=True, symlinks=True)
    finally:
        for folder in created:  # a run that left nothing leaves no empty folder either
            with contextlib.suppress(OSError):
                folder.rmdir()
    return out


def train(profile: str, data_root: Path | None = None, out: Path | None = None) -> None:
    """Train what the report's plan of trials still lacks and keep it beside it; arguments and errors as for `run`."""
    parameters, root, out = _prepare(profile, data_root, out)
    dataset = open_dataset(root)
    planned = plan(root, own=own_loss(parameters), **Settings.taken_from(parameters))
    there = finished(planned, dataset)
    for name, found in there.items():
        keep_run(name, found, out)
    left = remaining(planned, there, dataset)
    print(f"{len(there)} of {len(planned)} trainings are finished and kept in {shown(out)}/runs.", flush=True)
    seconds = [found.provenance["seconds_per_epoch"] for found in there.values()]
    for one, epochs in left:
        time_left = f", about {epochs * median(seconds) / 60:.0f} min" if seconds else ""
        print(f"  {one.name}: {epochs} epochs to go{time_left}", flush=True)
    for number, (one, _) in enumerate(left, 1):
        print(f"{number} of {len(left)}: {one.name}", flush=True)
        if reason := pseudo.missing(one.config, there.get(pseudo.TEACHER), quiet=False) or _no_start(one, dataset):
            print(f"  left out: {reason}", flush=True)
            continue
        there[one.name] = _trained(one, dataset, data_root)
        keep_run(one.name, there[one.name], out)
    print(f"{len(there)} of {len(planned)} are kept in {shown(out)}/runs; next: `modanet report --profile {profile}`.")


def _no_start(one: Planned, dataset: Dataset) -> str | None:
    """Why a trial cannot go on from another's network, in one sentence; None if it can, or starts afresh."""
    try:
        start_weights(one.config, dataset.fingerprint, ROOT / "runs")
    except ProjectError:
        trial, _, seed = one.name.partition("-")
        first = TRIALS[trial].after + (f"-{seed}" if seed else "")
        return f"it goes on from the network of {first}, which is not in runs/ with its weights: train that first."
    return None


def _trained(one: Planned, dataset: Dataset, source: Path | None) -> Run:
    """Train, and measure what needs the weights while they are there: tagged photos, and what CCP alone labels."""
    run, tagged = run_trial(one.config), dataset.root.with_name(f"{dataset.root.name}_tagged")
    if one.config.loss == "cross_entropy" and one.name.split("-seed")[0] in finalists():
        parts = split(dataset, one.config.split_seed)
        pixels = image_pixels(dataset, parts["train"]).sum(axis=0)
        adjust(run, dataset, parts, pixels / pixels.sum())
    if one.name in PREFERRED:
        posthoc.measure(run, dataset, quiet=False)
    if tagged.exists():
        presence.measure(run, tagged, dataset.root, quiet=False)
    if source and (source / "annotations" / "pixel-level").is_dir():
        stockings.measure(run, dataset, source, quiet=False)
    return run


def refresh() -> None:
    """Execute the project's own notebooks with their defaults and store their outputs, all or (RunError) none."""
    folder = ROOT / "notebooks"
    series = _read_notebooks(folder, read_profile("synthetic").model_dump())
    recorded = ROOT / "build" / "report" / "synthetic" / "results.json"
    with tempfile.TemporaryDirectory() as staging, kernel_environment(recorded):
        executed = dict(zip(series, run_all(series, {}, Path(staging)), strict=True))
    for name, notebook in executed.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _execute_series(series: Mapping[str, NotebookNode], parameters: dict[str, Any], staging: Path, out: Path) -> None:
    executed: dict[str, NotebookNode] = {}
    with kernel_environment(staging / "results.json"):
        try:
            for notebook in run_all(series, parameters, staging):
                executed[[*series][len(executed)]] = notebook
        except RunError as error:
            raise RunError(f"{error}{keep_failed(staging, out, [*series][len(executed)])}") from None
    try:
        results = read_results(staging / "results.json")
        check_results(results)
    except ResultsError as error:
        raise RunError(f"The notebooks ran, but did not record everything: {error}") from None
    from modanet_utils.report import pages  # loads nbconvert, which only this step needs

    pages.write_pages(staging, executed, results)

"""The one command: ``python -m modanet_utils COMMAND``, installed as ``modanet COMMAND``.

What a command needs is loaded once it is chosen, so that ``--help`` answers at once. The docstring of a command is
its help; the first line stands in the list of all.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, get_args

from modanet_utils.project import ROOT, ProjectError, Terminated, did_you_mean, plain_error, terminable

Command = Callable[[str, list[str]], int | None]
"""Takes its full name (as in "modanet convert ccp") and the arguments after it; returns an exit code, None for 0."""


class Parser(argparse.ArgumentParser):
    """Says in one sentence what it refuses."""

    def error(self, message: str) -> NoReturn:
        raise ProjectError(f"{self.prog}: {message}; `{self.prog} --help` lists what it takes.")


def parsed(name: str, command: Command, arguments: list[str], takes: Mapping[str, Any]) -> argparse.Namespace:
    """The values of what a command takes (``NAME...``: one or more), with its help, or help and default or type."""
    lines = argparse.RawDescriptionHelpFormatter
    parser = Parser(name, description=inspect.getdoc(command), formatter_class=lines, allow_abbrev=False)
    for one, about in takes.items():
        text, given = about if isinstance(about, tuple) else (about, _path)
        if one.endswith("..."):
            parser.add_argument(one.removesuffix("..."), type=given, nargs="+", help=text)
        elif given is False:
            parser.add_argument(one, action="store_true", help=text)
        elif callable(given):
            parser.add_argument(one, type=given, help=text)
        else:
            parser.add_argument(one, type=type(given), default=given, help=f"{text} (default: {given})")
    options = ["--help", *(one for one in takes if one.startswith("--"))]
    for one in (argument.split("=")[0] for argument in arguments if argument.startswith("--")):
        if one not in options:
            raise ProjectError(f"Option {one!r} of {name} is unknown: {did_you_mean(one, options)}")
    return parser.parse_args(arguments)


def _path(text: str) -> Path:
    return Path(text).expanduser()


SERIES = {
    "--profile": ("a file in profiles/, without .yaml", "synthetic"),
    "--data-root": "data set folder, for ccp also its original layout (default: the profile's)",
    "--out": "folder of the report (default: the profile's, or build/report/PROFILE)",
}


def report(name: str, arguments: list[str]) -> None:
    """Execute the notebooks on a data set and write the report, as notebooks and as pages.

    Finished trainings are read, interrupted ones go on, missing ones are trained. The report that is there is
    replaced once all notebooks have run to their end.

    Example: modanet report --profile ccp --data-root data/ccp-original
    """
    given = parsed(name, report, arguments, SERIES)
    from modanet_utils.report import series

    out = series.run(given.profile, given.data_root, given.out)
    print(f"The report is in {out}\nOpen {(out / 'index.html').as_uri()}")


def trials(name: str, arguments: list[str]) -> None:
    """Train, one after another, what the report's comparison of trials still lacks.

    It says first how long that will take, and keeps each finished training beside the report. Interrupted, the same
    command goes on from the last finished epoch.

    Example: modanet trials --profile ccp --data-root data/ccp --out reports/ccp
    """
    given = parsed(name, trials, arguments, SERIES)
    from modanet_utils.report import series

    series.train(given.profile, given.data_root, given.out)


def train(name: str, arguments: list[str]) -> int:
    """Train one trial, or go on where it was interrupted.

    A finished one is not trained again. With a profile, settings and data are those that its notebooks use, but for
    what is given here. For several GPUs or machines see docs/data_and_training.md.

    Example: modanet train --profile ccp --loss combined --class_weights inverse_sqrt
    """
    from modanet_utils.trials import Profile, TrialConfig, Valid

    takes: dict[str, Any] = {
        "--profile": ("a file in profiles/, without .yaml (default: none)", str),
        "--runs": "folder of the run folders (default: runs/ in the project)",
        "--keep-old": ("take a finished run of other photos or code, too (default: train anew, beside it)", False),
    }
    for field, about in TrialConfig.model_fields.items():
        valid = [one.text for one in about.metadata if isinstance(one, Valid)]
        text = valid[-1] if valid else ", ".join(map(str, get_args(about.annotation)))
        default = f"{about.default}, or the profile's" if field in Profile.model_fields else about.default
        default = default if field != "data_root" else "the profile's"
        takes[f"--{field}"] = (f"{text} (default: {default})", str)
    given = vars(parsed(name, train, arguments, takes))
    runs, profile, keep_old = (given.pop(one) for one in ("runs", "profile", "keep_old"))
    from modanet_utils.training.start import command

    settings = {one: text for one, text in given.items() if text is not None}
    return command(settings, runs or ROOT / "runs", profile, keep_old)


RUN = ("a run's folder, or its name in reports/*/runs (default: recommended or combined_body)", str)
FOLDER = {"FOLDER": "data set folder, with annotations.json and images/"}
WRITTEN = "data set folder to write; an earlier conversion is replaced"


def predict(name: str, arguments: list[str]) -> int:
    """Segment your own photos: what is worn where, as overlays, label maps and one predictions.json.

    A photo NAME.jpg gives NAME.overlay.png, with a legend, and NAME.labels.png, whose pixel values are the labels.
    predictions.json (COCO) holds the masks, and for each photo the share and mean confidence of every class. Nothing
    is overwritten: a name that is taken is numbered, as in NAME-2. A file that is no picture is said and left out,
    and the exit code is 2 then.

    Example: modanet predict photo.jpg holiday/ --out seen
    """
    takes = {"PHOTO...": "picture files, or folders of them", "--run": RUN}
    given = parsed(name, predict, arguments, takes | {"--out": ("folder to write into", "predictions")})
    from modanet_utils.photo.files import predict as run

    return 0 if run(given.PHOTO, _path(given.out), given.run) else 2


def audit(name: str, arguments: list[str]) -> int:
    """Find photos that show something else than their annotation says, as some do that were fetched by address.

    A trained network looks at every photo. OUT/audit.csv ranks them (file, score, rank), what fits worst first;
    OUT/worst.png shows the worst beside their annotations, to be looked at; OUT/left_out.txt names those that fit
    badly, for `modanet convert FOLDER NEW --without OUT/left_out.txt`, whose data set trains without them. Look at
    them first: rare clothes fit badly, too, and scores on photos that a network has chosen flatter it. The exit code
    is 2 where a photo cannot be read.

    Example: modanet audit data/modanet --out audit
    """
    takes = {"--run": RUN, "--out": ("folder to write into; an earlier audit in it is replaced", "audit")}
    given = parsed(name, audit, arguments, FOLDER | takes)
    from modanet_utils.photo.audit import audit as run

    return 0 if run(given.FOLDER, _path(given.out), given.run) else 2


def convert(name: str, arguments: list[str]) -> int:
    """Make a data set folder: modanet convert SOURCE... DESTINATION [--map MAP], or of a source named below.

    SOURCE is recognised: a COCO file, photos with masks, or Clothing Co-Parsing (`modanet convert own --help`);
    several are joined. A data set folder holds annotations.json (COCO) and images/; it is written whole or not at all.

    Example: modanet convert downloads/lip data/lip --map lip
    """
    kinds = {"own": own, "ccp": ccp, "ccp-tags": ccp_tags, "modanet": modanet, "synthetic": synthetic}
    paths = [one for one in arguments if not one.startswith("-")]
    if paths and paths[0] not in kinds and (len(paths) > 1 or _path(paths[0]).exists()):
        own(name, arguments)
        return 0
    return chosen(name, arguments, convert, kinds)


def own(name: str, arguments: list[str]) -> None:
    """Convert your own data, or a known data set by a map that comes along, and say what was read.

    A map is YAML and names for each of their labels one of ours, background or ignore (pixels that neither teach nor
    count). Maps that come along: atr, ccp, cfpd, deepfashion2, fashionpedia, imaterialist, lip; each says in
    modanet_utils/datasets/maps what it cannot express. Several sources, or train/ and val/ of one, are joined.

    Example: modanet convert own instances_attributes_train2020.json data/fp --photos train --map fashionpedia
    """
    takes = {
        "SOURCE...": "COCO file; or folder with one, with photos (images/) and PNG masks (masks/), or CCP's layout",
        "DESTINATION": f"{WRITTEN}, your own files in it stay",
        "--map": ("name of a map, or a YAML file (default: labels are this project's own)", str),
        "--photos": "folder or LMDB of the photos (default: images/ or photos/ beside the annotations)",
        "--link": ("images/ becomes a link to the photos, instead of a copy (default: they are copied)", False),
        "--without": ("file that names photos to leave out, one a line, such as left_out.txt of an audit", _path),
    }
    given = parsed(name, own, arguments, takes)
    from modanet_utils.datasets import own as source
    from modanet_utils.datasets.coco import open_dataset, with_masks
    from modanet_utils.imbalance.check import check as run

    options = given.map, given.photos, given.link, False, given.without
    print(source.convert(given.SOURCE, given.DESTINATION, *options))
    print(run(given.DESTINATION, photos=False))
    with_masks(open_dataset(given.DESTINATION), annotations_only=True)  # what no training would take is not passed on
    print(
        f"Next: profiles/mine.yaml from template.yaml, `modanet report --profile mine --data-root {given.DESTINATION}`."
    )


def check(name: str, arguments: list[str]) -> None:
    """Say what a data set folder holds and what of it would get in the way of a training; nothing is changed.

    Photos that are missing, damaged, of another size or nearly the same, labels with their shares, and classes that a
    part of the split lacks.

    Example: modanet check data/mine
    """
    given = parsed(name, check, arguments, FOLDER)
    from modanet_utils.imbalance.check import check as run

    print(run(given.FOLDER))


def ccp(name: str, arguments: list[str]) -> None:
    """Convert Clothing Co-Parsing's original layout: its 59 labels are folded into 13 classes, hair and skin.

    Example: modanet convert ccp data/ccp-original data/ccp
    """
    takes = {"SOURCE": "folder with photos/, annotations/pixel-level/ and label_list.mat", "DESTINATION": WRITTEN}
    given = parsed(name, ccp, arguments, takes)
    from modanet_utils.datasets import ccp as source
    from modanet_utils.imbalance.check import check as run

    print(run(source.convert(given.SOURCE, given.DESTINATION, quiet=False), photos=False))


def ccp_tags(name: str, arguments: list[str]) -> None:
    """Convert those of Clothing Co-Parsing's photos that have tags only, to be labelled by a trained network.

    Example: modanet convert ccp-tags data/ccp-original data/ccp-tags
    """
    takes = {"SOURCE": "folder with photos/, annotations/image-level/ and label_list.mat", "DESTINATION": WRITTEN}
    given = parsed(name, ccp_tags, arguments, takes)
    from modanet_utils.datasets import ccp as source
    from modanet_utils.datasets import open_dataset

    made = open_dataset(source.convert_tagged(given.SOURCE, given.DESTINATION, quiet=False))
    print(f"{made.root}: {len(made.ids):,} photos with tags")


def modanet(name: str, arguments: list[str]) -> None:
    """Make a data set of ModaNet's annotations and the PaperDoll photos that you bring.

    The annotation file is checked, the photos are looked up by number, and those that can be used are. Those in a
    folder stay where they are, and images/ is a link; those in PaperDoll's photos.lmdb are copied out of it.

    Example: modanet convert modanet modanet2018_instances_train.json photos data/modanet
    """
    takes = {
        "ANNOTATIONS": "ModaNet's train annotations, or an excerpt of them, .json",
        "PHOTOS": "folder of the photos that the annotations name, or PaperDoll's photos.lmdb",
        "DESTINATION": WRITTEN,
    }
    given = parsed(name, modanet, arguments, takes)
    from modanet_utils.datasets import modanet as source

    print(source.prepare(given.ANNOTATIONS, given.PHOTOS, given.DESTINATION, quiet=False))


def synthetic(name: str, arguments: list[str]) -> None:
    """Draw figures of people with known truth: no download, no real person. The same arguments draw the same bytes.

    Example: modanet convert synthetic data/figures --images 1000 --seed 1
    """
    takes = {
        "DESTINATION": "data set folder to write",
        "--images": ("how many", 240),
        "--seed": ("a whole number, 0 or more", 0),
        "--workers": ("processes that draw (default: one a core)", int),
    }
    given = parsed(name, synthetic, arguments, takes)
    from modanet_utils.datasets import synthetic as source

    made = source.generate(given.DESTINATION, given.images, given.seed, given.workers, quiet=False)
    print(f"{given.images} images in {made}")


def explore(name: str, arguments: list[str]) -> None:
    """Count what an annotation file (COCO) holds, as notebook 01 does; no photos are needed.

    Classes, sizes and places are counted, notebook 01's claims decided, and all of it written into
    OUT/results.json.

    Example: modanet explore modanet2018_instances_train.json reports/mine
    """
    takes = {"ANNOTATIONS": "annotation file, .json", "OUT": "folder of results.json; made if it is not there"}
    given = parsed(name, explore, arguments, takes)
    from modanet_utils.imbalance.explore import explore as run

    print(run(given.ANNOTATIONS, given.OUT))


def readme(name: str, arguments: list[str]) -> None:
    """Write what README.md, model cards, the pages beside the report and their pictures take from what is recorded."""
    parsed(name, readme, arguments, {})
    from modanet_utils.report.readme import update_readme

    update_readme()


def refresh(name: str, arguments: list[str]) -> None:
    """Execute the notebooks in notebooks/ in place with their defaults, all or none."""
    parsed(name, refresh, arguments, {})
    from modanet_utils.report import series

    series.refresh()


def modanet_utils(name: str, arguments: list[str]) -> int:
    """Clothing segmentation under class imbalance.

    Paths are relative to the current folder.
    """
    commands = (report, trials, train, predict, convert, check, audit, explore, readme, refresh)
    return chosen(name, arguments, modanet_utils, {one.__name__: one for one in commands})


def chosen(name: str, arguments: list[str], group: Command, commands: Mapping[str, Command]) -> int:
    """Run the command of a group that the first argument names; list them where none is named."""
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = [f"  {one:10} {(inspect.getdoc(command) or '').splitlines()[0]}" for one, command in commands.items()]
        usage = f"usage: {name} COMMAND ...", inspect.getdoc(group), "\n".join(lines)
        print(*usage, f"`{name} COMMAND --help` explains one.", sep="\n\n")
        return 0 if arguments else 2
    first, *others = arguments
    if first not in commands:
        kind = "Option" if first.startswith("-") else "Command"
        raise ProjectError(f"{kind} {first!r} of {name} is unknown: {did_you_mean(first, commands)}")
    return commands[first](f"{name} {first}", others) or 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code: 0, 2 for what the user can put right, 1 for a failed run, 130 for Ctrl-C and 143
    for a request to end."""
    getattr(sys.stdout, "reconfigure", dict)(errors="backslashreplace")  # as stderr has it: not every name can be shown
    try:
        with terminable():
            return modanet_utils("modanet", sys.argv[1:] if arguments is None else arguments)
    except (OSError, ValueError) as error:
        print(plain_error(error), file=sys.stderr)
        return getattr(error, "exit_code", 2)
    except KeyboardInterrupt as error:
        print("\nInterrupted: the same command goes on from what is finished.", file=sys.stderr)
        return 143 if isinstance(error, Terminated) else 130


if __name__ == "__main__":
    sys.exit(main())

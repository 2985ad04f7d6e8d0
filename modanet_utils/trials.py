"""Every trial in one registry, and every setting, checked once: what a notebook, a profile and a training share."""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.weights import SCHEMES
from modanet_utils.project import ROOT, ProjectError, did_you_mean


class SettingError(ProjectError):
    """A setting that cannot be used: names the field, the value and what is valid."""


@dataclass(frozen=True)
class Valid:
    """What a field takes, in words, for the sentence that refuses something else."""

    text: str


class NotHashed:
    """The field says where or how fast, not what."""


class AddedLater:
    """The field enters the hash only where it differs from its default, the behaviour of all runs before it."""


Text = Annotated[str, Field(min_length=1), Valid("a text that is not empty")]
Folder = Annotated[str | None, Field(min_length=1), Valid("a folder, or null (None) for the default")]
Count = Annotated[int, Field(ge=0), Valid("a whole number, 0 or more")]
Positive = Annotated[int, Field(ge=1), Valid("a whole number above 0")]
Side = Annotated[int, Field(ge=32, multiple_of=32), Valid("a multiple of 32, as the encoder halves it five times")]
Amount = Annotated[float, Field(ge=0), Valid("a finite number, 0 or more")]
Share = Annotated[float, Field(ge=0, le=1), Valid("a number from 0 to 1")]
Rate = Annotated[float, Field(gt=0), Valid("a finite number above 0 (in YAML with a point, as in 1.0e-3)")]
Flag = Annotated[bool, Valid("true or false")]

TAKES: dict[str, tuple[str, ...]] = {"cross_entropy": ("class_weights",), "focal": ("class_weights", "gamma")}
TAKES |= {"dice": ("class_weights",), "lovasz": (), "combined": ("class_weights", "gamma", "dice", "focal", "lovasz")}
OWN_LOSS, OWN = "own_loss", ("loss", *TAKES["combined"])
"""Every loss with the settings that it takes; the trial of a reader's own, and the parameters that name it."""


def _by_class(value: Any) -> Any:
    """Weights by class out of a text as in ``belt=5,boots=3``; anything else as it is."""
    pairs = [pair.partition("=") for pair in value.split(",")] if isinstance(value, str) and "=" in value else ()
    return {one.strip(): _number_or_flag(number.strip()) for one, _, number in pairs} or value


Loss = Literal[*TAKES]  # type: ignore[valid-type]  # pydantic reads the names when it runs
Scheme = Literal[*SCHEMES]  # type: ignore[valid-type]
ByName = Annotated[dict[Literal[*CLASSES], Annotated[float, Field(gt=0)]], Field(min_length=1)]  # type: ignore[valid-type]
BY_NAME = (
    BeforeValidator(_by_class),
    Valid(f"one of {', '.join(SCHEMES)}, or numbers above 0 by class, as in belt=5,boots=3, of {', '.join(CLASSES)}"),
)
Weights = Annotated[Scheme | ByName, *BY_NAME]
OwnAmount = Annotated[Amount | None, Valid("a finite number, 0 or more, or null (None) for the usual one")]
Precision = Annotated[Literal["no", "bf16", "fp16"], Valid('"no" (in YAML with the quotes), "bf16" or "fp16"')]

LARGEST = 576  # rows: about what street photos of 600 to 900 pixels have to show
PACKAGED = "tu-tf_efficientnet_lite0"  # its ImageNet weights come as a package
GREY = "#777777"


class Settings(BaseModel):
    """Settings that a notebook, a profile and a training share."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    image_height: Side = 288
    image_width: Side = 192
    encoder: Text = PACKAGED
    epochs: Positive = 15
    batch_size: Positive = 8
    learning_rate: Rate = 1e-3
    mixed_precision: Precision = "no"
    seed: Count = 0
    workers: Annotated[Count, NotHashed()] = 0
    processes: Annotated[Positive, NotHashed()] = 1

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingError(self.sentence(error)) from None

    @classmethod
    def sentence(cls, error: ValidationError) -> str:
        """The first fault of a validation in one sentence."""
        first = error.errors()[0]
        if not first["loc"]:  # a rule over several fields
            return first["msg"].removeprefix("Value error, ")
        name, value = str(first["loc"][0]), first["input"]
        if name not in cls.model_fields:
            return f"Parameter {name!r} is unknown: {did_you_mean(name, cls.model_fields)}"
        about = cls.model_fields[name]
        valid = [one.text for one in about.metadata if isinstance(one, Valid)]
        known = [str(one) for one in get_args(about.annotation)]
        if name == "class_weights" and isinstance(value, str):
            return f"{name} is {value!r}: {did_you_mean(value, SCHEMES, f'Give {valid[-1]}.')}"
        if not valid and isinstance(value, str):
            return f"{name} is {value!r}: {did_you_mean(value, known)}"
        return f"{name} is {value!r}: give {valid[-1] if valid else 'one of ' + ', '.join(known)}."

    @model_validator(mode="after")
    def _shared_equally(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError(f"batch_size {self.batch_size} cannot be shared by {self.processes} processes equally.")
        return self

    @classmethod
    def taken_from(cls, names: Mapping[str, Any]) -> dict[str, Any]:
        """The shared settings among these names, checked: a notebook passes ``globals()``."""
        return Settings(**{name: names[name] for name in Settings.model_fields}).model_dump()

    def but(self, **changes: Any) -> Self:
        """The same settings with some changed, checked anew."""
        return type(self)(**self.model_dump() | changes)

    @classmethod
    def from_texts(cls, texts: dict[str, str]) -> dict[str, Any]:
        """Values of a command line as the fields take them; ``none`` is None where a field may be that."""
        values: dict[str, Any] = {}
        for name, text in texts.items():
            about = cls.model_fields.get(name)  # an unknown name is refused with the values
            kinds = get_args(about.annotation) or (about.annotation,) if about else (str,)
            takes_text = any(kind is str or isinstance(kind, str) for kind in kinds)
            value = text if takes_text else _number_or_flag(text)
            values[name] = None if {None, type(None)} & {*kinds} and text.lower() == "none" else value
        return values


def as_text(value: Any) -> str:
    """A value of a setting as `Settings.from_texts` reads it."""
    if isinstance(value, dict):
        return ",".join(f"{name}={number}" for name, number in value.items())
    return "none" if value is None else str(value)


def loss_text(config: Mapping[str, Any]) -> str:
    """The loss of a trial's settings with what it takes, as in "focal, class_weights none, gamma 3"."""
    told = [f"{name} {as_text(config[name])}" for name in TAKES[config["loss"]]]
    return re.sub(r"\.0\b", "", ", ".join([config["loss"], *told]))


def check_taken(loss: str | None, values: Mapping[str, Any]) -> None:
    """ValueError for a setting of a loss, among those that are given, that this loss does not take."""
    for name in OWN[1:]:
        takers = [one for one, taken in TAKES.items() if name in taken]
        if (value := values.get(name)) is not None and loss not in takers:
            raise ValueError(f"{name} is {value!r} but loss is {loss}: it goes with {' or '.join(takers)}.")


def check_parameters(names: Mapping[str, Any]) -> None:
    """SettingError for a parameter that a notebook does not know; a notebook passes ``globals()`` after its imports.

    What papermill injects besides the parameters of the notebook would otherwise change nothing without a word.
    """
    for name, value in names.items():
        ours = name in Profile.model_fields or name.startswith("_") or name.isupper() or name in ("In", "Out")
        if isinstance(value, str | int | float | list | dict | None) and not ours:
            raise SettingError(f"Parameter {name!r} is unknown: {did_you_mean(name, Profile.model_fields)}")


def own_loss(names: Mapping[str, Any]) -> dict[str, Any]:
    """The loss that a profile's parameters, or a notebook's ``globals()``, name, checked; empty if none."""
    profile = Profile(**{name: names[name] for name in Profile.model_fields if name in names})
    return profile.model_dump(include=set(OWN), exclude_none=True)


def _number_or_flag(text: str) -> Any:
    """What is neither stays a text, and is refused."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return {"true": True, "false": False}.get(text.lower(), text)


class TrialConfig(Settings):
    """Everything a trial depends on, as plain values.

    >>> TrialConfig(loss="combined", gamma=2) == TrialConfig(loss="combined", gamma=2.0)
    True
    """

    data_root: Annotated[str, NotHashed(), Valid("a folder")] = ""
    """Dataset folder; what enters the run's name is the fingerprint of its annotations."""
    encoder_weights: Annotated[str | None, Valid("'packaged', a name that SMP knows, or None")] = "packaged"
    attention: Literal["scse", None] = "scse"
    outputs: Literal[14, 16] = 14  # with 16 hair and skin are predicted as well, and summed into background
    loss: Loss = "cross_entropy"
    class_weights: Weights = "none"
    gamma: Amount = 2.0
    dice: Amount = 1.0
    focal: Amount = 1.0
    lovasz: Amount = 1.0
    """Coefficients of the combined loss; a term with 0 is left out."""
    lovasz_bins: Annotated[int | None, Field(ge=1), Valid("a whole number above 0, or None for the exact term")] = 1024
    """Resolution of the errors in the Lovász term; None sorts them, which is exact and slow."""
    weight_decay: Amount = 1e-2
    augmentation: Flag = True
    repeat_threshold: Annotated[Amount, AddedLater()] = 0.0
    """Photos of classes that fewer of the photos than this share show are drawn more often; 0 draws each once."""
    pasted: Annotated[Share, AddedLater()] = 0.0
    """The chance that a photo's person gets a garment of another photo pasted on: see `augment.paste`."""
    absent: Annotated[Amount, AddedLater()] = 0.0
    """Coefficient of a term on classes predicted where they are absent: see `losses.WithAbsent`."""
    averaged: Annotated[float, Field(ge=0, lt=1), Valid("a number from 0 to below 1"), AddedLater()] = 0.0
    """Decay of the average of the weights over steps that is judged and kept; 0 keeps the last step's."""
    pseudo_labels: Annotated[Folder, AddedLater()] = None
    """Name of a dataset folder beside the data's whose photos teach as well, every epoch as long as without them."""
    start_from: Annotated[Folder, AddedLater()] = None
    """A run whose network goes on learning: its folder, its name in a report, or the hash of its settings."""
    split_seed: Count = 0

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 over every value that can change a result."""
        values = {}
        for name, about in type(self).model_fields.items():
            value, kinds = getattr(self, name), {type(one) for one in about.metadata}
            if NotHashed not in kinds and not (AddedLater in kinds and value == about.default):
                values[name] = value
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]

    def plain(self) -> dict[str, Any]:
        """The configuration without the place of the data, for files that others read."""
        return self.model_dump(exclude={"data_root"})


class Profile(Settings):
    """A parameter file in ``profiles/``; every field has to be given but those of `OWN`."""

    profile: Text = ""
    data_root: Folder = None
    out_dir: Folder = None
    show_photos: Flag = False
    loss: Annotated[Loss | None, Valid(f"one of {', '.join(TAKES)}, or null (None) for no loss of your own")] = None
    class_weights: Annotated[Scheme | ByName | None, *BY_NAME] = None
    gamma: OwnAmount = None
    dice: OwnAmount = None
    focal: OwnAmount = None
    lovasz: OwnAmount = None

    @model_validator(mode="after")
    def _taken_by_the_loss(self) -> Self:
        check_taken(self.loss, {name: getattr(self, name) for name in OWN[1:]})
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """Those that a training takes."""
        return self.model_dump(include=set(Settings.model_fields))


def read_profile(name: str) -> Profile:
    """What ``profiles/NAME.yaml`` gives; ProjectError if it, or a parameter, is unknown, missing or senseless."""
    known = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))
    if name not in known:
        raise ProjectError(f"Profile {name!r} is unknown: {did_you_mean(name, known)}")
    where = f"profiles/{name}.yaml"
    try:
        parameters = yaml.safe_load((ROOT / where).read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no text, or a day that there is not
        raise ProjectError(f"{where} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(parameters, dict):
        raise ProjectError(f"{where} must give parameters, one a line, as in 'epochs: 15'.")
    try:
        found = Profile(**{str(key): value for key, value in parameters.items()})
    except SettingError as error:
        raise SettingError(f"{where}: {error}") from None
    if missing := [key for key in Profile.model_fields if key not in parameters and key not in OWN]:
        raise ProjectError(f"{where}: parameter {missing[0]!r} is missing.")
    if found.profile != name:
        raise ProjectError(f"{where}: profile is {found.profile!r}: it must be the file's name, {name!r}.")
    return found


@dataclass(frozen=True)
class Trial:
    """One trial of the report."""

    name: str  # in ``results.json`` and ``reports/*/runs``
    label: str  # in tables and figures
    changes: dict[str, Any] | None  # values of `TrialConfig`; None if derived from another's outputs, or not ours
    color: str = GREY  # of Okabe and Ito's colour-blind safe colours
    headline: bool = False  # every finished series holds it, and the headline tables show it
    seeds: int = 1  # trainings of it; one with several keeps the first's weights
    part: Literal["losses", "length", "remedies"] = "losses"  # of the report: notebook 03, or 06 and its two parts
    longer: float = 1  # times as many epochs as the other trials
    larger: float = 1  # times the sides of their pictures, down to a multiple of 32, and at most `LARGEST` high
    after: str = ""  # the trial whose network goes on learning
    against: str = "combined"  # the trial from which it differs in one thing
    weights: bool = False  # kept with its weights though it has one seed


COMBINED = {"loss": "combined", "class_weights": "inverse_sqrt"}
FAST = {"mixed_precision": "bf16"}  # a step takes three quarters of the time on a CPU
BODY = COMBINED | FAST | {"outputs": 16}
TAGGED = {"pseudo_labels": "ccp_pseudo"}
LITE2 = {"encoder": "tu-tf_efficientnet_lite2", "encoder_weights": "packaged"}


def _long(name: str, label: str, changes: dict[str, Any], color: str, weights: bool = False) -> Trial:
    """A trial of notebook 03 with three times the epochs."""
    return Trial(
        f"{name}_long", label, changes | FAST, color=color, part="length", longer=3, against=name, weights=weights
    )


def _remedy(name: str, label: str, changes: dict[str, Any], against: str = "combined_body", **how: Any) -> Trial:
    """One change of the network that predicts hair and skin as well."""
    return Trial(f"combined_body_{name}", label, BODY | changes, part="remedies", against=against, **how)


def _then(name: str, label: str, first: str, against: str, change: dict[str, Any] | None = None, **how: Any) -> Trial:
    """The network of a trial with tagged photos goes on learning, at a lower rate."""
    changes = BODY | TAGGED | {"learning_rate": 3e-4} | (change or {})
    return Trial(name, label, changes, part="remedies", against=against, after=first, **how)


TRIALS: dict[str, Trial] = {
    trial.name: trial
    for trial in (
        Trial("cross_entropy", "cross-entropy", {}, color="#0072b2", headline=True, seeds=3),
        Trial("cross_entropy_adjusted", "adjusted cross-entropy", None, color="#009e73", headline=True),
        Trial("combined", "combined loss", COMBINED, color="#d55e00", headline=True, seeds=3),
        Trial("weighted_cross_entropy", "cross-entropy, weighted", {"class_weights": "inverse_sqrt"}),
        Trial("combined_without_dice", "combined without Dice", COMBINED | {"dice": 0.0}),
        Trial("combined_without_focal", "combined without focal", COMBINED | {"focal": 0.0}),
        Trial("combined_without_lovasz", "combined without Lovász", COMBINED | {"lovasz": 0.0}),
        Trial("combined_unweighted", "combined, no weights", {"loss": "combined"}),
        Trial("combined_inverse", "combined, raw inverse weights", COMBINED | {"class_weights": "inverse"}),
        Trial("all_background", "background everywhere", None),
        Trial(OWN_LOSS, "your loss", None, color="#cc79a7", weights=True),
        _long("cross_entropy", "cross-entropy, 3 x as long", {}, "#0072b2", weights=True),
        _long("combined", "combined loss, 3 x as long", COMBINED, "#d55e00"),
        _long("combined_unweighted", "combined, no weights, 3 x as long", {"loss": "combined"}, GREY),
        Trial("combined_body", "hair and skin as outputs", BODY, color="#cc79a7", part="remedies", weights=True),
        _remedy("repeat", "rare photos repeated", {"repeat_threshold": 0.15}),
        _remedy("tagged", "tagged photos teach", TAGGED),
        _remedy("pasted", "rare garments pasted on", {"pasted": 0.5}),
        _remedy("absent", "absent classes punished", {"absent": 0.1}),
        _remedy("averaged", "weights averaged over steps", {"averaged": 0.99}),
        *(_remedy(f"gamma{gamma}", f"focal gamma {gamma}, not 2", {"gamma": float(gamma)}) for gamma in (0, 1, 3)),
        _remedy("lite2", "a larger encoder in equal time", LITE2, longer=0.8),  # a step takes a quarter more time
        _remedy("long", "hair and skin as outputs, 3 x as long", {}, "combined_long", longer=3),
        _remedy("tagged_long", "with tagged photos, 3 x as long", TAGGED, "combined_body_long", longer=3, seeds=3),
        _then("combined_body_tagged_more", "longer, same size", "combined_body_tagged_long",
              "combined_body_tagged_long", longer=2 / 3),
        _then("combined_body_tagged_larger", "longer, larger pictures", "combined_body_tagged_long",
              "combined_body_tagged_more", longer=2 / 3, larger=1.5),
        _then("recommended", "recommended", "combined_body_tagged_long", "combined_body_tagged_larger",
              {"class_weights": "none"}, longer=2 / 3, larger=1.5, seeds=3, color="#000000"),
        _then("combined_body_tagged_largest", "pictures twice as large", "combined_body_tagged_larger",
              "combined_body_tagged_larger", {"learning_rate": 2e-4}, longer=0.4, larger=2),
    )
}  # fmt: skip
"""Every trial; a new one is one more entry."""
PREFERRED = ("recommended", "combined_body")
"""The trials whose network is used, or shown, where none is named: the first of these that is there."""


def trained(*parts: str) -> list[Trial]:
    """The trials that are trained, in the registry's order; of some parts of the report, or of all."""
    return [trial for trial in TRIALS.values() if trial.changes is not None and (not parts or trial.part in parts)]


def finalists() -> list[str]:
    """Trained with several seeds."""
    return [trial.name for trial in trained() if trial.seeds > 1]


def with_weights() -> list[str]:
    """Kept with their weights, where there are several seeds with the first one's."""
    return [trial.name for trial in TRIALS.values() if trial.seeds > 1 or trial.weights]


def headline() -> list[str]:
    """The trials that every finished series holds."""
    return [trial.name for trial in TRIALS.values() if trial.headline]


def label_of(name: str) -> str:
    """What tables call a trial."""
    return TRIALS[name].label if name in TRIALS else name.replace("_", " ")


def color_of(label: str) -> str:
    """A trial's colour in figures, by its label."""
    return next((trial.color for trial in TRIALS.values() if trial.label == label), GREY)


def trial_config(name: str, data_root: str | Path, **settings: Any) -> TrialConfig:
    """The configuration of a trained one of `TRIALS`; SettingError for an unknown name or field or a bad value.

    Settings are further fields of `TrialConfig`, the same for all trials that are to be compared. Any SMP encoder
    will do; the default one's ImageNet weights come with the project, another's are fetched from a hub.
    """
    known = {trial.name: trial for trial in trained()}
    if name not in known:
        raise SettingError(f"Trial {name!r} is unknown: {did_you_mean(name, known)}")
    weights, trial = encoder_weights(settings.get("encoder", PACKAGED)), known[name]
    shared = TrialConfig(**{"encoder_weights": weights} | settings | {"data_root": str(data_root)})
    changes: dict[str, Any] = {"epochs": max(1, round(shared.epochs * trial.longer))}
    if trial.larger != 1:
        times = min(trial.larger, max(1, LARGEST / shared.image_height))
        sides = "image_height", "image_width"
        changes |= {side: int(getattr(shared, side) * times) // 32 * 32 for side in sides}
    if trial.after:
        changes["start_from"] = trial_config(trial.after, data_root, **settings).hash
    return shared.but(**changes | (trial.changes or {}))


def encoder_weights(encoder: str) -> str:
    """Which ImageNet weights an encoder starts from: those that come as a package, or a hub's."""
    return "packaged" if encoder == PACKAGED else "imagenet"


@dataclass(frozen=True)
class Planned:
    """One training of the plan."""

    name: str  # in ``reports/*/runs``
    config: TrialConfig


def plan(data_root: str | Path, *parts: str, seed: int = 0, own: Any = None, **settings: Any) -> list[Planned]:
    """Every training of the report, or of parts of it: a reader's `own_loss`, all trials once, then further seeds."""
    known = trained(*parts)
    most = max(trial.seeds for trial in known)
    wanted = [(trial.name, extra) for extra in range(most) for trial in known if extra < trial.seeds]
    planned = [Planned(OWN_LOSS, trial_config("cross_entropy", data_root, seed=seed, **settings, **own))] if own else []
    return planned + [
        Planned(f"{name}-seed{extra}" if extra else name, trial_config(name, data_root, seed=seed + extra, **settings))
        for name, extra in wanted
    ]

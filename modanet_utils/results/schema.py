"""``results.json``, which stands beside every executed series, and its schema. Undefined is null.

Whatever prose, README and index say in numbers is read from here.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from modanet_utils.classes import CLASSES
from modanet_utils.project import ProjectError
from modanet_utils.trials import headline

MEASURES = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing")


class ResultsError(ProjectError):
    """Results that do not follow the schema, or are not there; the message says what and where."""


def _ordered(ends: list[Any] | None) -> list[Any] | None:
    if ends is None or ends == [None, None] or (len(ends) == 2 and None not in ends and ends[0] <= ends[1]):
        return ends
    raise ValueError("must be [low, high] with low at most high, or null where it is undefined")


def _holding(*names: str) -> AfterValidator:
    def holding(values: dict[str, Any]) -> dict[str, Any]:
        if missing := [name for name in names if name not in values]:
            raise ValueError(f"lacks {missing[0]!r}")
        return values

    return AfterValidator(holding)


Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)] | None
Interval = Annotated[list[float | None] | None, AfterValidator(_ordered)]


class Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class ClassScores(Part):
    iou: Share
    iou_interval: Interval
    precision: Share
    recall: Share
    f1: Share
    support: Count
    images: Count


class BodyShare(Part):
    value: Share
    interval: Interval


class Test(Part):
    mean_iou: Share
    mean_iou_interval: Interval
    mean_iou_with_background: Share
    mean_iou_per_image: Share
    pixel_accuracy: Share
    classes: Annotated[dict[str, ClassScores], _holding(*CLASSES)]
    body: Annotated[dict[str, BodyShare], _holding(*MEASURES)]


class TrialEntry(Part):
    config: dict[str, Any]
    config_hash: Text
    epochs: Count
    seconds_per_epoch: float | None
    seeds: list[Count]
    test: Test


class ClaimEntry(Part):
    id: Text
    statement: Text
    measure: Text
    value: float | None
    interval: Interval
    verdict: Literal["supported", "refuted", "inconclusive"]
    notebook: Text


class Data(Part):
    name: Text
    images: Count
    fingerprint: Text
    split: Annotated[dict[str, Count], _holding("train", "val", "test")]
    class_share: Annotated[dict[str, Share], _holding(*CLASSES)]

    @field_validator("split")
    @classmethod
    def _within_the_images(cls, split: dict[str, int], info: pydantic.ValidationInfo) -> dict[str, int]:
        if sum(split.values()) > (images := info.data.get("images", math.inf)):
            raise ValueError(f"holds more than the {images} images")
        return split

    @field_validator("class_share")
    @classmethod
    def _one_in_sum(cls, shares: dict[str, float | None]) -> dict[str, float | None]:
        if abs((total := sum(share or 0 for share in shares.values())) - 1) > 1e-6:
            raise ValueError(f"adds up to {total:g}, not 1")
        return shares


class Provenance(Part):
    commit: Text
    versions: dict[str, Text]
    device: Text


class Results(Part):
    """The whole file, in the order in which it is written."""

    profile: Text
    dataset: Data
    trials: dict[str, TrialEntry]
    claims: list[ClaimEntry]
    provenance: Provenance

    @field_validator("claims")
    @classmethod
    def _of_different_ids(cls, claims: list[ClaimEntry]) -> list[ClaimEntry]:
        ids = [claim.id for claim in claims]
        if twice := [one for one in ids if ids.count(one) > 1]:
            raise ValueError(f"holds two with the id {twice[0]!r}")
        return claims


def check_results(results: Any, complete: bool = True) -> None:
    """A `ResultsError` for the first entry that is missing or wrong in the parsed content of a ``results.json``.

    Keys beyond the schema are allowed. Where ``complete``, every part must be there, with the headline's trials and at
    least one claim; else only what is there is looked at.
    """
    try:
        Results.model_validate_json(json.dumps(results))
    except pydantic.ValidationError as error:
        for fault in error.errors():
            if complete or fault["type"] != "missing" or len(fault["loc"]) > 1:
                raise ResultsError(f"results.json: {_sentence(fault)}.") from None
    if complete:
        for name in headline():
            if name not in results["trials"]:
                raise ResultsError(f"results.json: trial {name!r} is missing.")
        if not results["claims"]:
            raise ResultsError("results.json: there are no claims.")


def _sentence(fault: Mapping[str, Any]) -> str:
    """A fault with its place in the file and what must be there."""
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in fault["loc"]).lstrip(".")
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "value_error":
        return f"{place} {fault['ctx']['error']}"
    return f"{place} {re.sub('^.*? should', 'must', fault['msg'])}, not {fault['input']!r:.60}".lstrip()


def plain(value: Any) -> Any:
    """The value as JSON holds it: numpy numbers and arrays become plain, NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy scalars and arrays, torch tensors
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    raise ResultsError(f"A {type(value).__name__} cannot be recorded: give numbers, texts, lists or dictionaries.")


def read_results(path: Path) -> dict[str, Any]:
    """Read a ``results.json``; a `ResultsError` says that it is not there or is not JSON."""
    try:
        if not isinstance(results := json.loads(path.read_text(encoding="utf-8")), dict):
            raise ValueError(f"a {type(results).__name__} is in their place")
        return results
    except FileNotFoundError:
        raise ResultsError(f"There is no {path.name} in {path.parent}: execute the notebooks first.") from None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} holds no results ({error}): execute the notebooks again.") from None

"""Label maps: which label of another data set becomes which of this project's.

A map is YAML: ``labels`` gives each of their labels one of ours, ``background`` or ``ignore``. Where their truth is
pictures, ``first_value`` (the labels count up from it), ``values`` or ``colors`` say what a pixel means. Maps that come
with the package lie in ``maps/``, each with its source, its licence and what it cannot express.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml
from PIL import ImageColor

from modanet_utils.classes import IGNORE, LABELS
from modanet_utils.datasets.coco import DatasetError
from modanet_utils.datasets.records import IGNORED, spelling
from modanet_utils.project import did_you_mean

MAPS = Path(__file__).parent / "maps"
NUMBERS: dict[str, int] = {name: number for number, name in enumerate(LABELS)} | {IGNORED: IGNORE}
"""What a label can become, and its number in a label map."""


@dataclass(frozen=True)
class LabelMap:
    """What becomes of each of their labels, by `spelling`; which label a pixel's value or colour stands for; what the
    map says that it cannot express; their labels as it spells them."""

    name: str
    targets: dict[str, str]
    values: dict[int, str] = field(default_factory=dict)
    colors: dict[tuple[int, ...], str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def target(self, label: str) -> str | None:
        return self.targets.get(spelling(label))

    def _near(self, label: str) -> str:
        """What the writer of the map may have meant: a slip in the map itself, or one of our labels."""
        near = [get_close_matches(spelling(label), known, 1, 0.7) for known in (self.targets, NUMBERS)]
        return next((f" (near {one[0]!r})" for one in near if one), "")

    def numbers(self, labels: Iterable[str], where: object) -> dict[str, int]:
        """Each of their labels' number in a label map (0 to 15, 255); DatasetError naming all that the map lacks."""
        labels = list(dict.fromkeys(labels))
        if lacking := [label for label in labels if self.target(label) is None]:
            named = ", ".join(f"{one!r}{self._near(one)}" for one in lacking[:12])
            named += ", ..." * (len(lacking) > 12)
            what = f"{where}: {self.name} says nothing of {len(lacking)} of {len(labels)} labels, {named}"
            how = f"name each in a map (--map FILE, or one of {', '.join(shipped())}) as one of {', '.join(NUMBERS)}"
            raise DatasetError(f"{what}: {how}.")
        return {label: NUMBERS[self.targets[spelling(label)]] for label in labels}


def shipped() -> list[str]:
    """The names of the maps that come with the package."""
    return sorted(path.stem for path in MAPS.glob("*.yaml"))


def read_map(given: str | Path | None) -> LabelMap:
    """The map of that name or file; where None, the one by which this project's labels stay themselves.

    DatasetError where there is none, it is not YAML, or a label, value or colour in it makes no sense.
    """
    if given is None:
        return LabelMap("the format (no map was given)", {spelling(name): name for name in NUMBERS})
    file = MAPS / f"{given}.yaml" if str(given) in shipped() else Path(given).expanduser()
    if not file.is_file():
        raise DatasetError(f"Map {str(given)!r} is neither a file nor known: {did_you_mean(given, shipped())}")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}, line {mark.line + 1}," if mark else str(file)
        raise DatasetError(f"{where} is not YAML: write a label a line, as in '  jeans: pants'.") from None
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, dict) or not labels:
        raise DatasetError(f"{file}: 'labels' must name their labels, one a line, as in 'jeans: pants'.")
    targets: dict[str, str] = {}
    for label, ours in labels.items():
        if ours not in list(NUMBERS):  # it may be anything, also what cannot be looked up
            raise DatasetError(f"{file}: label {label!r} becomes {ours!r}: {did_you_mean(ours, NUMBERS)}")
        if targets.setdefault(spelling(label), ours) != ours:
            raise DatasetError(f"{file}: label {label!r} becomes two things: name it once.")
    names, first = [str(label) for label in labels], content.get("first_value")
    try:
        values = dict(enumerate(names, first)) if first is not None else {}
        values |= {int(value): str(name) for value, name in (content.get("values") or {}).items()}
        colored = (content.get("colors") or {}).items()
        colors: dict[tuple[int, ...], str] = {ImageColor.getrgb(color)[:3]: str(name) for color, name in colored}
    except (ValueError, TypeError, AttributeError):
        how = "write them as in 'values: {7: jeans}' or 'colors: {\"#ff0000\": jeans}'"
        raise DatasetError(f"{file}: its values or colors cannot be read: {how}.") from None
    if wrong := [name for name in [*values.values(), *colors.values()] if spelling(name) not in targets]:
        raise DatasetError(f"{file}: {wrong[0]!r} is not among its labels: {did_you_mean(wrong[0], names)}")
    # What no label stands for stays what it is, unless the map says otherwise.
    targets = {one: one for one in (LABELS[0], IGNORED)} | targets
    lacks = found if isinstance(found := content.get("cannot_express"), list) else []
    return LabelMap(f"map {file.stem}", targets, values, colors, tuple(map(str, lacks)), tuple(names))

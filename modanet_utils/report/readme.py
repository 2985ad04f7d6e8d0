"""What stands in Markdown beside the report: README.md's generated parts, its pages and pictures, the model cards."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from IPython.display import Markdown
from markupsafe import Markup
from PIL import Image

from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.text import combined, comparison, own_loss
from modanet_utils.datasets.synthetic.drawn import draw
from modanet_utils.photo.card import cards
from modanet_utils.plots import colored
from modanet_utils.project import ROOT, ProjectError, write_whole
from modanet_utils.remedies.text import every_presence, every_remedy, trainings
from modanet_utils.report import speed
from modanet_utils.report.answer import points
from modanet_utils.report.templating import rendered
from modanet_utils.results.tables import caption, claims_table, class_table, headline_table
from modanet_utils.results.text import NOTHING, markdown, value_text
from modanet_utils.results.workspace import recorded
from modanet_utils.trials import label_of

DRAWN, RELIABILITY, BENCH = "reports/ccp/figures/drawn.png", "reports/reliability.json", "reports/bench.json"


def _classes() -> str:
    """IoU per class without intervals, which the picture above it has."""
    trials = recorded()["trials"]
    shown = [name for name in ("cross_entropy", "combined", "recommended") if name in trials]
    tests = {label_of(name): trials[name]["test"] for name in shown}
    images = {name: one["images"] for name, one in next(iter(tests.values()))["classes"].items()}
    rows = {
        name: [str(images[name]), *(value_text(test["classes"][name]["iou"]) for test in tests.values())]
        for name in CLOTHING
    }
    rows["**mean**"] = ["", *(value_text(test["mean_iou"]) for test in tests.values())]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["photos", *tests]).rename_axis(columns="IoU")
    first = "Each is its trial's first training."
    return f"{markdown(table)}\n\n{caption(recorded())} {first}"


def _told(one: pd.DataFrame | Markdown) -> str:
    return markdown(one.rename_axis(columns="trial")) if isinstance(one, pd.DataFrame) else one.data


def _trials() -> str:
    results = recorded()
    parts = [_told(one) for one in (comparison(results), trainings(results)) if one is not NOTHING]
    table = f"{markdown(headline_table(results))}\n\n{markdown(class_table(results))}"
    compared = "\n\n".join([*parts, *filter(None, [own_loss(results)])]) or "Not recorded yet."
    remedies, presence = _told(every_remedy(results)), _told(every_presence(results))
    told = {"headline": _told(combined(results)), "table": table, "compared": compared}
    return _page("trials.md.j2", **told, remedies=remedies, presence=presence)


def _speed() -> str:
    told = speed.recorded(ROOT / BENCH)
    return rendered("speed.md.j2", tables=Markup(speed.text(told)), full=told.get("modanet"))


def _page(template: str, **texts: str) -> str:
    return rendered(template, **{name: Markup(text) for name, text in texts.items()})


README_PARTS: dict[str, Callable[[], str]] = {
    "answer": lambda: rendered("answer.md.j2", results=recorded(), points=points(recorded(), "notebooks/{}.ipynb")),
    "classes": _classes,
}
"""The generated parts of README.md, each between two comments, ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``."""
PAGES: dict[str, Callable[[], str]] = {
    "reports/ccp/claims.md": lambda: _page("claims.md.j2", table=markdown(claims_table(recorded()))),
    "reports/ccp/trials.md": _trials,
    "reports/ccp/labels.md": lambda: rendered("labels.md.j2", results=recorded()),
    "reports/speed.md": _speed,
    "reports/reliability.md": lambda: rendered("reliability.md.j2", own=speed.recorded(ROOT / RELIABILITY)),
    "reports/ccp/figures/iou_per_class.svg": lambda: rendered("chart.svg.j2", results=recorded(), alone=True),
}
"""Files that are generated as a whole, by their place in the project."""


def drawn(images: int = 6) -> np.ndarray:
    """Drawn scenes above their label maps, ``(404, 134 * images, 3) uint8``: no photo, nobody real."""
    columns = []
    for index in range(images):
        picture, instances, labels, _ = draw(0, index)
        truth = colored(np.array([0, *labels], np.uint8)[instances])
        columns.append(np.vstack([picture[::3, ::3], np.full((4, 134, 3), 255, np.uint8), truth[::3, ::3]]))
    return np.hstack(columns)


def up_to_date(readme: str) -> str:
    """The text of README.md with its generated parts made anew; ProjectError if their comments are not in order."""
    for name, part in README_PARTS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if (readme.count(begin), readme.count(end)) != (1, 1) or readme.index(end) < readme.index(begin):
            raise ProjectError(f"README.md must hold {begin} and, after it, {end}, once each: write them into it.")
        before, after = readme[: readme.index(begin)], readme[readme.index(end) :]
        readme = f"{before}{begin}\n{part()}\n{after}"
    return readme


def update_readme() -> None:
    """Write the generated parts of README.md, the generated pages, the pictures and the model cards anew."""
    path = ROOT / "README.md"
    if not path.exists():
        raise ProjectError("README.md is not there: write it first, with the comments around its generated parts.")
    text = up_to_date(path.read_text(encoding="utf-8"))
    for name, page in {"README.md": lambda: text, **PAGES}.items():
        write_whole(ROOT / name, page())
    for file, card in cards().items():
        write_whole(file, card)
    picture, place = drawn(), ROOT / DRAWN
    if not place.exists() or not np.array_equal(np.asarray(Image.open(place)), picture):
        write_whole(place, Image.fromarray(picture).save)

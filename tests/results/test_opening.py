"""The first screen of a notebook: answer and picture, whose title and alternative text follow from the results."""

from typing import Any

import matplotlib.pyplot as plt
import pytest
from IPython.display import Markdown
from reporting import complete_results

from modanet_utils.classes import CLOTHING
from modanet_utils.comparison import plots as comparison
from modanet_utils.errors import plots as errors
from modanet_utils.errors.sources import Source
from modanet_utils.imbalance import plots as imbalance
from modanet_utils.imbalance.text import share_table, side_by_side
from modanet_utils.remedies import plots as remedies
from modanet_utils.results import opening
from modanet_utils.results.workspace import recorded


class Handle:
    def __init__(self) -> None:
        self.shown: list[tuple[Any, dict[str, Any]]] = []

    def update(self, thing: Any, **more: Any) -> None:
        self.shown.append((thing, more))


def test_answer_and_picture_are_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    handles = [Handle(), Handle()]
    waiting = iter(handles)
    monkeypatch.setattr(opening, "display", lambda thing, display_id: next(waiting))
    screen = opening.Opening()
    screen.show(Markdown("nothing yet"))
    assert [len(handle.shown) for handle in handles] == [1, 0]
    figure = plt.figure()
    screen.show(Markdown("the answer"), (figure, "two dots"))
    assert handles[0].shown[-1][0].data == "the answer"
    image, more = handles[1].shown[-1]
    assert image.format == "png" and more["metadata"] == {"image/png": {"alt": "two dots"}}
    assert not plt.fignum_exists(figure.number)


def test_titles_and_alternative_texts_follow_from_what_is_recorded() -> None:
    results = recorded("ccp")
    drawn = {
        "01": imbalance.opening(share_table(side_by_side())),
        "02": comparison.opening(results, "cross_entropy"),
        "03": comparison.opening(results, "cross_entropy", "combined"),
        "04": errors.opening(results["trials"]),
        "05": errors.kinds(Source(results)),
    }
    for found in drawn.values():
        assert found is not None
        figure, alt = found
        assert sum(character.isdigit() for character in alt) >= 4 and alt.endswith(".")
        assert any(character.isdigit() for character in _title(figure)), _title(figure)
        plt.close(figure)
    zero = sum((results["trials"]["cross_entropy"]["test"]["classes"][name]["iou"] or 0) < 0.01 for name in CLOTHING)
    assert _title(drawn["02"][0]).startswith(f"{zero} of 13 classes")  # type: ignore[index]


def test_there_is_no_picture_before_something_is_recorded() -> None:
    assert comparison.opening({}, "combined") is None
    assert comparison.opening({"trials": complete_results()["trials"]}, "recommended") is None
    assert errors.opening({}) is None and errors.kinds(Source({})) is None and remedies.opening({}) is None


def _title(figure: Any) -> str:
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")

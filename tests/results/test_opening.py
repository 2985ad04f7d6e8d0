"""The first screen of a notebook: answer and picture, whose title and alternative text follow from the results."""

from typing import Any

import matplotlib.pyplot as plt
import pytest
from IPython.display import Markdown
from reporting import complete_results

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
    handles = [Handle(), Handle(), Handle()]
    waiting = iter(handles)
    monkeypatch.setattr(opening, "display", lambda thing, display_id: next(waiting))
    screen = opening.Opening()
    screen.show(Markdown("nothing yet"))
    assert [len(handle.shown) for handle in handles] == [1, 0, 0]
    figure = plt.figure()
    screen.show(Markdown("the answer"), (figure, "two dots"))
    assert handles[0].shown[-1][0].data == "the answer"
    image, more = handles[2].shown[-1]
    assert image.format == "png" and more["metadata"] == {"image/png": {"alt": "two dots"}}
    screen.examples(plt.figure(), "a photo", photo=True)
    image, more = handles[1].shown[-1]
    assert image.format == "jpeg" and more["metadata"] == {"image/jpeg": {"alt": "a photo"}}
    assert not plt.fignum_exists(figure.number)


def test_titles_and_alternative_texts_follow_from_what_is_recorded() -> None:
    results = recorded("ccp")
    drawn = {
        "01": imbalance.opening(share_table(side_by_side())),
        "02": comparison.opening_cross_entropy(results),
        "03": comparison.opening_combined(results),
        "04": errors.opening(results["trials"]),
        "05": errors.kinds(Source(results)),
    }
    for found in drawn.values():
        assert found is not None
        figure, alt = found
        assert sum(character.isdigit() for character in alt) >= 4 and alt.endswith(".")
        assert any(character.isdigit() for character in _title(figure)), _title(figure)
        plt.close(figure)


def test_there_is_no_picture_before_something_is_recorded() -> None:
    assert comparison.opening_combined({}) is comparison.opening_cross_entropy({}) is None
    assert comparison.opening_combined({"trials": complete_results()["trials"]}) is None
    assert errors.opening({}) is None and errors.kinds(Source({})) is None and remedies.opening({}) is None


def _title(figure: Any) -> str:
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")

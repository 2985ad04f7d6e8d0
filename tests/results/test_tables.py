"""The tables that are made of ``results.json``."""

import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from reporting import change, complete_results

from modanet_utils.classes import CLOTHING
from modanet_utils.results import tables
from modanet_utils.results.claims import Claim
from modanet_utils.results.tables import (
    beside,
    caption,
    claims,
    claims_table,
    class_table,
    grouped_claims,
    headline_table,
)
from modanet_utils.results.text import markdown, row_text, value_text
from modanet_utils.results.workspace import NOTEBOOKS


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    return complete_results()


def test_tables_recorded_elsewhere_stand_under_their_headings_and_what_is_not_recorded_is_not_spoken_of(
    complete: dict[str, Any],
) -> None:
    shown: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "display", lambda *things: shown.extend(things))
        beside({}, {"IoU:": class_table})
        assert shown == []
        beside(complete, {"IoU:": class_table, "Claims:": partial(claims, notebook=NOTEBOOKS[3])})
        beside(complete, {"": class_table})
    heading, table, headless = shown
    assert headless.equals(table), "a run of real photos itself needs no heading"
    assert heading.data == "IoU:" and table.equals(class_table(complete))


def test_claims_are_grouped_by_what_they_are_about_with_the_verdicts_of_all_results(complete: dict[str, Any]) -> None:
    first = Claim(complete["claims"][0]["id"], "Rare classes are missed.", "mean IoU", lambda _: None, above=0)
    second = replace(first, id="never-decided", statement="Nobody knows.")
    table = grouped_claims({"photos": complete, "drawn": {}}, {"Rare": (first, second)})
    assert list(table.index) == ["Rare", ""]
    assert list(table["photos"]) == ["supported: 0.100 [0.050, 0.200]", "–"]
    assert list(table["measured by"]) == ["mean IoU", "mean IoU; above 0"]
    assert "verdict" in grouped_claims({"": complete}, {"Rare": (first,)})


def test_a_table_in_markdown_obeys_nothing_in_its_cells() -> None:
    table = pd.DataFrame({"a|b": ["<img src=x onerror=y>", "![x](http://y)", "0.1 [0.0, 0.2]"]})
    lines = markdown(table).splitlines()
    assert lines == [
        r"| a\|b |",
        "| --- |",
        r"| \<img src=x onerror=y> |",
        r"| \![x](http://y) |",
        "| 0.1 [0.0, 0.2] |",
    ]


def test_a_small_number_of_a_claim_keeps_two_digits(complete: dict[str, Any]) -> None:
    several = [
        complete["claims"][0] | {"id": str(value), "value": value, "interval": [value, 2 * value]}
        for value in (0.00093, 0.0, 0.25, 1e-9)
    ]
    texts = claims_table(complete | {"claims": several})["value [95% interval]"].to_list()
    assert texts == [
        "0.00093 [0.00093, 0.00186]",
        "0.000 [0.000, 0.000]",
        "0.250 [0.250, 0.500]",
        "0.00000 [0.00000, 0.00000]",
    ]


def test_headline_table_says_what_the_results_say(complete: dict[str, Any]) -> None:
    found = copy.deepcopy(complete)
    test = found["trials"]["combined"]["test"]
    test |= {"mean_iou": 0.41239, "mean_iou_interval": [0.3951, 0.42999], "pixel_accuracy": 0.9}
    test["classes"]["boots"] |= {"iou": 0.0}
    test["classes"]["belt"] |= {"iou": None, "support": 0}
    test["body"]["skin_as_clothing"] = {"value": 0.1, "interval": [None, None]}
    table = headline_table(found)
    assert list(table.columns) == ["cross-entropy", "adjusted cross-entropy", "combined loss"]
    column = table["combined loss"]
    assert column["mean IoU, 13 clothing classes"] == "0.412 [0.395, 0.430] (of 12 photos only)"
    assert column["pixel accuracy (background everywhere)"].startswith("0.900 (0.")
    assert column["classes found (IoU of 0.01 or more)"] == "11 of 12, 12 by the whole interval"
    assert column["skin pixels called clothing"] == "0.100"
    lines = markdown(table).splitlines()
    assert lines[:3] == [
        "| test part | cross-entropy | adjusted cross-entropy | combined loss |",
        "| --- | --- | --- | --- |",
        f"| mean IoU, 13 clothing classes | {' | '.join(table.iloc[0])} |",
    ]
    assert len(lines) == len(table) + 2


def test_tables_hold_classes_and_claims(complete: dict[str, Any]) -> None:
    assert list(class_table(complete).index) == list(CLOTHING)
    table = claims_table(complete, NOTEBOOKS[1])
    assert table.to_numpy().tolist() == [["supported", "Rare classes are missed.", "mean IoU", "0.100 [0.050, 0.200]"]]
    assert claims_table(complete, NOTEBOOKS[0]).empty
    assert markdown(table).splitlines()[0] == "| verdict | claim | measured by | value [95% interval] |"


def test_caption_says_how_many_images_and_seeds(complete: dict[str, Any]) -> None:
    assert caption(complete).startswith("tiny: 2 test images of 10, one run a trial;")
    assert "3 seeds a trial" in caption(change(complete, "trials/combined/seeds", [0, 1, 2]))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.412, [0.395, 0.43]), "0.412 [0.395, 0.430]"),
        ((0.0212, (0.0149, 0.0288), ".1%"), "2.1% [1.5, 2.9]"),
        ((0.5, (None, None), ".1%"), "50.0%"),
        ((0.5, (np.nan, np.nan), ".1%"), "50.0%"),
        ((-0.02, (-0.03, 0.01), "+.1%"), "-2.0 points [-3.0, +1.0]"),
        ((0.000598, [0.000384, 0.00119], ".3g"), "0.000598 [0.000384, 0.00119]"),
        ((np.nan, (0.1, 0.2)), "–"),
        ((None,), "–"),
    ],
)
def test_numbers_and_their_intervals_are_texts(arguments: tuple, text: str) -> None:
    assert value_text(*arguments) == text


def test_a_row_holds_the_ends_in_either_way() -> None:
    assert row_text({"iou": 0.5, "iou_low": 0.4, "iou_high": 0.6}, "iou", ".1f") == "0.5 [0.4, 0.6]"
    assert row_text({"iou": 0.5, "iou_interval": [0.4, 0.6]}, "iou", "+.1f") == "+0.5 [+0.4, +0.6]"
    assert row_text({"iou": 0.5, "iou_interval": None}, "iou") == row_text({"iou": 0.5}, "iou") == "0.500"
    assert row_text({}, "iou") == "–"

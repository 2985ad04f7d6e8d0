"""Figures say what they show, from the numbers; what is undefined is not drawn."""

from collections.abc import Callable
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from error_samples import make_source, make_tables, make_trials

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, SKIN
from modanet_utils.errors.cases import Case
from modanet_utils.errors.causes import plots as causes
from modanet_utils.errors.plots import (
    case_gallery,
    confusions,
    false_hats,
    kinds,
    opening,
    outlines,
    shares_of_kinds,
    sizes,
    skin_by_distance,
)
from modanet_utils.errors.sources import Source
from modanet_utils.errors.text import hats_and_hair, place_and_colour
from modanet_utils.plots import Drawn

FIGURES = (confusions, false_hats, skin_by_distance, kinds, outlines, sizes)
FIGURES += (causes.pasted_hats, causes.place_or_colour, causes.crowd)
named = pytest.mark.parametrize("draw", FIGURES, ids=lambda draw: draw.__name__)


def said(drawn: Drawn | None) -> tuple[str, str]:
    """Title and alternative text; the figure is drawn and closed."""
    assert drawn
    figure, alt = drawn
    figure.canvas.draw()
    plt.close(figure)
    return figure.get_suptitle(), alt


def sharp_crowd() -> Source:
    """The sample, in which somebody in front costs something."""
    one = make_source(heading="Photos")
    errors = dict(one.errors)
    errors["crowd"] = [
        row | {"rear": -0.1, "rear_low": -0.2, "rear_high": -0.05, "both": -0.1} for row in errors["crowd"]
    ]
    return replace(one, results=one.results | {"errors": errors})


@named
def test_a_figure_states_its_finding_and_the_alternative_text_too(draw: Callable[[Source], Drawn | None]) -> None:
    title, alt = said(draw(sharp_crowd()))
    heading, finding = title.split("\n", 1)
    assert heading == "Photos:" and any(character.isdigit() for character in finding)
    assert alt.startswith(" ".join(title.split())) and alt.endswith(".")
    assert sum(character.isdigit() for character in alt) >= 3


@named
def test_what_is_undefined_or_not_recorded_is_not_drawn(draw: Callable[[Source], Drawn | None]) -> None:
    assert draw(make_source(np.nan)) is None
    assert draw(Source({})) is None


def test_data_without_hair_make_no_figure_about_it() -> None:
    counts = np.zeros((16, 14), np.int64)
    counts[0, HEADWEAR] = counts[HEADWEAR, HEADWEAR] = 5
    hats = [
        {"row": name, "value": value, "low": value, "high": value} for name, value in (("real", 0.5), ("worn", None))
    ]
    one = Source({"errors": {"counts": {"combined": counts.tolist()}, "pasted_hats": hats}})
    assert false_hats(one) is None and causes.pasted_hats(one) is None
    assert place_and_colour(one) == "" and "no hair is labelled" in hats_and_hair(one)


def test_titles_follow_the_numbers() -> None:
    assert "73% of the false hats are hair" in said(false_hats(make_source()))[0]
    title, alt = said(false_hats(make_source()))
    assert "% are background" in alt and "The interval of hair is" in alt
    drawn = confusions(make_source(), 2)
    assert drawn and "hair called headwear 23.9%" in drawn[0].get_suptitle()
    assert "headwear called background, 29.9%" in drawn[1]
    names = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert names[0] == "headwear called background" and "hair called headwear" in names
    plt.close(drawn[0])
    near = make_source().table("skin_by_distance", "combined")["called"].iloc[0]
    title, alt = said(skin_by_distance(make_source()))
    assert title == f"{1 - near:.0%} of the skin called clothing lies more than 2 pixels from clothing"
    one = make_source()
    hats = [row | {"value": 0.3, "low": 0.2} for row in one.errors["pasted_hats"]]
    title, _ = said(causes.pasted_hats(Source({"errors": {"pasted_hats": hats}})))
    assert title == "A pasted hat is found on a head (30%), less beside it (30%)"
    hats = [row | {"low": -0.1} for row in hats]
    assert "no less beside it" in said(causes.pasted_hats(Source({"errors": {"pasted_hats": hats}})))[0]


def test_the_first_picture_says_what_longer_training_does() -> None:
    title, alt = said(opening(make_trials()))
    assert title == "The combined loss calls 25% of the hair headwear after 15 epochs, 2.0% after 45"
    assert "of the skin it calls 35% clothing" in alt.lower() and "without class weights" not in alt
    short = {name: entry for name, entry in make_trials().items() if name != "combined_long"}
    assert said(opening(short))[0] == "The combined loss calls 25% of the hair headwear"
    assert opening({}) is None
    one = make_trials()["combined_long"]
    one["test"]["body"]["hair_as_headwear"]["interval"] = [0.01, 0.05]
    one["test"]["classes"]["headwear"]["iou_interval"] = [0.05, 0.2]
    drawn = opening(make_trials() | {"combined_long": one, "combined_unweighted": make_trials()["cross_entropy"]})
    assert drawn and "without class weights it calls 0.0% of the hair so" in drawn[1]
    axis = drawn[0].axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    (row,) = [row for row, name in enumerate(names) if "3 x as long" in name]
    assert names[row - 1] == "combined loss (15 epochs)" and names[row - 2] == "combined, no weights (15 epochs)"
    bars = [bar for part in axis.collections for bar in part.get_segments() if np.isfinite(bar).all() and len(bar)]
    np.testing.assert_allclose([bar for bar in bars if bar[0, 1] == row], [[[1, row], [5, row]]])
    assert not [bar for bar in bars if bar[0, 1] == row - 1], "several trainings: no interval"
    plt.close(drawn[0])


def test_shares_of_kinds_add_up() -> None:
    shares = shares_of_kinds(make_tables()["kinds"])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares["right"], make_tables()["kinds"]["iou"])


def test_cases_are_shown_with_what_is_wrong() -> None:
    truth = np.full((6, 4), SKIN, np.uint8)
    truth[0], truth[1] = HAIR, CLASSES.index("top")
    prediction = np.where(truth == HAIR, HEADWEAR, 0).astype(np.uint8)
    case = Case(3, truth, prediction, np.zeros((6, 4, 3), np.uint8), "why not")
    title, alt = said(case_gallery({"random": [case], "worst": [replace(case, photo=None)] * 0}))
    assert title == "The mean IoU is 0.00 to 0.00 on the random photos" and "the label of 1 can be argued with" in alt
    drawn = case_gallery({"": [case] * 3}, head=True)
    assert drawn and len(drawn[0].axes) == 12, "two rows of two photos, three pictures each"
    assert [axis.get_xlabel() for axis in drawn[0].axes[:4]] == ["photo", "truth", "wrong", ""]
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["headwear"], "what is wrong, alone"
    plt.close(drawn[0])
    assert (
        "On these 2 photos 100% to 100% of the hair"
        in said(case_gallery({"": [replace(case, photo=None)] * 2}, head=True))[0]
    )
    assert case_gallery({"worst": []}) is None

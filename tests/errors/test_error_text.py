"""Answers and sentences follow from what is recorded."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from error_samples import make_source, make_tables, make_trials

from modanet_utils.errors import sources
from modanet_utils.errors.sources import Source, show_each
from modanet_utils.errors.tables import keep
from modanet_utils.errors.text import (
    answer,
    by_place,
    entries,
    hats_and_hair,
    length_effect,
    more_answer,
    place_and_colour,
    trainings,
)


def changed(one: Source, name: str, **values: Any) -> Source:
    """A source with values in every row of a table."""
    rows = [row | values for row in one.errors[name]]
    return replace(one, results=one.results | {"errors": one.errors | {name: rows}})


def workspace(results: dict[str, Any], elsewhere: dict[str, Any], profile: str = "synthetic") -> Any:
    def record(key: str, value: Any) -> None:
        results[key] = value

    found = SimpleNamespace(results=results, elsewhere=lambda: elsewhere, profile=profile, record=record)
    found.dataset = SimpleNamespace(name=profile)
    return found


def test_a_table_is_read_as_it_was_kept() -> None:
    results: dict[str, Any] = {"errors": {"counts": 1}}
    keep(workspace(results, {}), crowd=make_tables()["crowd"], more=[1, 2])
    assert results["errors"]["counts"] == 1 and results["errors"]["more"] == [1, 2]
    pd.testing.assert_frame_equal(Source(results).table("crowd"), make_tables()["crowd"], check_names=False)
    assert Source({}).table("crowd").empty and not Source({}).has("crowd", "both")


def test_photos_come_first_where_the_run_is_of_drawn_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    own, photos = {"errors": {"a": 1}}, {"errors": {"b": 2}, "dataset": {"name": "CCP"}}
    headings = [one.heading for one in sources.sources(workspace(own, photos))]
    assert headings == ["CCP (photos)", "Drawn figures (this run)"]
    assert [one.heading for one in sources.sources(workspace(own, photos, "mine"))] == [
        "mine (this run)",
        "CCP (photos)",
    ]
    assert [one.heading for one in sources.sources(workspace(own, {}))] == [""]
    shown: list[Any] = []
    monkeypatch.setattr(sources, "display", lambda thing: shown.append(thing.data))
    show_each(workspace(own, photos), lambda one: "a finding" if "b" in one.errors else None)
    assert shown == ["**CCP (photos).** a finding"]


def test_trainings_are_grouped_by_trial() -> None:
    table = trainings(make_trials())
    assert list(table["trial"]) == ["cross-entropy", "combined loss", "combined loss", "combined loss, 3 x as long"]
    assert list(table["hair"]) == [0.0, 0.2, 0.3, 0.02]
    run = SimpleNamespace(history=[{}] * 15, summary=make_trials()["combined"]["test"])
    assert trainings(entries({"combined": run}))["epochs"].item() == 15


@pytest.mark.parametrize(
    ("long", "word"), [(0.02, "nearly all"), (0.05, "most"), (0.2, "part"), (0.25, "none"), (0.5, "none")]
)
def test_how_much_belongs_to_the_short_training(long: float, word: str) -> None:
    trials = make_trials()
    trials["combined_long"]["test"]["body"]["hair_as_headwear"]["value"] = long
    said = length_effect(trials)
    assert said.startswith(
        "After a short training the combined loss calls 25% of the hair headwear (mean of 2 trainings);"
    )
    assert said.endswith(f"; three times the training removes {word} of this error (one training).")
    alone = length_effect({"combined": trials["combined"]})
    assert alone == "The combined loss calls 20% of the hair headwear (one training)."


def test_the_answer_of_notebook_04_takes_its_words_from_the_numbers() -> None:
    one = make_source()
    text = answer(one.results, make_trials()).data
    assert text.startswith("**On real photos** (tiny, only 3 test images)") and text.count("\n* ") == 3
    assert "* Of the skin 35% is called clothing (mean of 2 trainings); three times the training removes part" in text
    assert "most of it" not in text, "half of it is not most"
    next(row for row in one.errors["answers"] if row["row"] == "skin_deeper_coarse")["after"] = 0.51
    assert "trainings), most of it too far from any garment" in answer(one.results, make_trials()).data
    for nothing in (answer({}, {}), answer(one.results, {}), answer(make_source(np.nan).results, make_trials())):
        assert "nothing is recorded yet" in nothing.data


def test_place_and_colour_follow_the_intervals() -> None:
    one = changed(make_source(), "pasted_hats", value=0.25, low=0.1, high=0.3)
    as_a_real_one = ": a hat pasted on a head is found about as well as a real one, the same hat beside the person "
    said = place_and_colour(one)
    assert said.startswith(f"The network knows hats by their place{as_a_real_one}less well (25%). ")
    unclear = place_and_colour(changed(one, "pasted_hats", low=-0.1))
    assert unclear.startswith(f"Place alone does not decide what is a hat{as_a_real_one}not clearly less well (25%). ")
    assert "the same hat beside the person hardly at all (9%)." in place_and_colour(
        changed(one, "pasted_hats", value=0.09)
    )
    assert "is found better than a real one" in place_and_colour(changed(one, "pasted_hats", high=0.2))
    assert "is found less well than a real one" in place_and_colour(changed(one, "pasted_hats", low=0.26))
    hatless = [row | ({"value": np.nan} if row["row"] == "real" else {}) for row in one.errors["pasted_hats"]]
    without = replace(one, results={"errors": one.errors | {"pasted_hats": hatless}})
    assert "pasted on a head is found, the same hat" in place_and_colour(without)
    assert by_place(one) and not by_place(changed(one, "pasted_hats", low=-0.1)) and not by_place(make_source(np.nan))
    assert "height in the picture seems to count less than likeness to hats" in place_and_colour(one)
    ends = {"height": (0.9, 0.6, 1.0), "distance": (-0.4, -0.5, -0.3), "area": (0.0, 0.0, 0.0)}
    for row in one.errors["leak_model"]:
        row.update(zip(("slope", "slope_low", "slope_high"), ends[row["row"]], strict=True))
    assert "height in the picture counts more than likeness to hats" in place_and_colour(one)
    next(row for row in one.errors["leak_model"] if row["row"] == "height")["slope_low"] = -0.6  # it may be nothing
    assert "seems to count more" in place_and_colour(one)
    assert place_and_colour(make_source(np.nan)) == ""


def test_a_small_share_of_the_hair_is_a_large_one_of_the_headwear() -> None:
    """Four times the pixels, 8% of the hair called headwear, 60% of it found: 0.6 / (0.6 + 0.32)."""
    text = hats_and_hair(make_source())
    assert "Hair has 4.0 times the pixels" in text and "= 0.65. It is 0.58." in text
    assert "a hat in 50% of the photos without one and misses 40%" in text
    assert "no precision" in hats_and_hair(make_source(np.nan))


def test_the_answer_of_notebook_05_takes_its_words_from_verdicts_and_intervals() -> None:
    one = changed(make_source(), "crowd", both=-0.1, both_low=-0.2, both_high=-0.05, person_high=0.1)
    small = {"id": "small-parts-missed", "verdict": "supported", "value": 0.2, "interval": [0.1, 0.3]}
    text = more_answer(one.results | {"claims": [small]}).data
    assert "front costs the pair 0.10 of mean IoU, not clearly more than a plain silhouette" in text
    assert "Small instances are missed more often than larger ones (+20 points)." in text
    assert more_answer(one.results).data.endswith("are not clearly missed more often than larger ones.")
    assert (
        "does not clearly cost the pair mean IoU, not clearly more"
        in more_answer(changed(one, "crowd", both_high=0.1).results).data
    )
    assert "nothing is recorded yet" in more_answer({}).data

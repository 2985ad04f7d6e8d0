"""Tables as a reader sees them, and the answer in words."""

import numpy as np
import pandas as pd
import pytest
from error_samples import make_tables, scan_of
from IPython.display import Markdown

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR
from modanet_utils.errors.tables import largest_flows, summary
from modanet_utils.errors.text import CHANGE, SHARE, SHOWN, answer, recorded, texts
from modanet_utils.results.schema import check_results, plain
from modanet_utils.results.text import NOTHING, value_text


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return make_tables()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.0212, (0.0149, 0.0288), SHARE), "2.1% [1.5, 2.9]"),
        ((0.5, (None, None), SHARE), "50.0%"),
        ((0.5, (np.nan, np.nan), SHARE), "50.0%"),
        ((-0.02, (-0.03, 0.01), CHANGE), "-2.0% [-3.0, +1.0]"),
        ((np.nan, (0.1, 0.2), SHARE), "–"),
        ((None,), "–"),
    ],
)
def test_percentages_are_texts(arguments: tuple, text: str) -> None:
    assert value_text(*arguments) == text


def test_what_is_recorded_is_read_as_it_was_written(trials: dict[str, np.ndarray], table: pd.DataFrame) -> None:
    named = dict(zip(("cross_entropy", "combined"), trials.values(), strict=True))
    depths = {name: scan_of(counts, 5).found.depth for name, counts in named.items()}
    found = plain(summary(named, table, depths, {}))
    assert found["counts"]["combined"][HAIR][HEADWEAR] == 32
    assert found["answers"]["headwear_false_positives_on_hair"]["before"] is None
    assert found["arithmetic"]["combined"]["times"] == 4
    assert found["skin_by_distance"]["combined"][0]["pixels from clothing"] == "0 to 2"
    dataset = {"name": "tiny", "images": 3, "fingerprint": "f", "split": {"train": 0, "val": 0, "test": 3}}
    dataset["class_share"] = dict.fromkeys(CLASSES, 1 / 14)
    results = {"dataset": dataset, "errors": found}
    check_results(results, complete=False)
    pd.testing.assert_frame_equal(recorded(results, "answers"), texts(table, "answers"))
    flows = texts(largest_flows(named["combined"]), "largest_flows")
    pd.testing.assert_frame_equal(recorded(results, "largest_flows", "combined"), flows)
    text = answer(results).data
    assert "8.0%" in text and "72.7%" in text and "3 test images" in text


def test_without_a_record_that_is_said() -> None:
    assert "nothing is recorded yet" in answer({}).data
    for shown in (recorded({}, "answers"), recorded({}, "largest_flows", "combined")):
        assert isinstance(shown, Markdown) and shown.data.startswith("Nothing is recorded")


def test_tables_are_read_as_they_were_recorded(tables: dict[str, pd.DataFrame]) -> None:
    assert SHOWN.keys() == tables.keys() & SHOWN.keys() | {"answers", "largest_flows"}
    results = plain({"errors": summary({}, pd.DataFrame(), {}, tables)})
    check_results(results, complete=False)
    for name in SHOWN.keys() & tables.keys():
        pd.testing.assert_frame_equal(recorded(results, name), texts(tables[name], name))
    for name, table in tables.items():
        assert [row["row"] for row in results["errors"][name]] == list(table.index)
    assert recorded({}, "crowd") is NOTHING
    assert list(texts(tables["crowd"], "crowd").columns) == ["0% covered", "10% covered", "30% covered"]


def test_the_answer_takes_its_words_from_the_verdicts() -> None:
    row = {column + end: 0.2 for column in ("before", "after", "difference") for end in ("", "_low", "_high")}
    names = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing", "skin_deeper")
    dataset = {"name": "tiny", "split": {"test": 3}}
    results = {"errors": {"answers": dict.fromkeys(names, row)}, "dataset": dataset}
    assert "recoloured" not in answer(results).data
    verdicts_ = {"alike-colours-cause": "supported", "not-just-any-colour": "inconclusive",
                 "complex-scenes": "refuted", "people-not-things": "refuted"}  # fmt: skip
    results["claims"] = [{"id": i, "value": 0.1, "interval": [0.05, 0.2], "verdict": v} for i, v in verdicts_.items()]
    text = answer(results).data
    assert "is called headwear more often than hair recoloured as far toward other hair (+10.0% [+5.0, +20.0]" in text
    assert "but not clearly more often" in text and "mean IoU is not lower (+0.10" in text and "and behind" in text
    assert "nothing is recorded yet" in answer({}).data

"""Counting what a data set holds: known answers on tiny hand-made data sets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import annotation, record, rectangle, write_coco

from modanet_utils import exploration, weights, workspace
from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets import Dataset, open_dataset
from modanet_utils.results import ResultsError, check_results, plain, read_results
from modanet_utils.splits import split

BAG, BELT, BOOTS, FOOTWEAR, TOP, HAIR = (LABELS.index(n) for n in ("bag", "belt", "boots", "footwear", "top", "hair"))
Coco = Callable[..., Dataset]


@pytest.fixture
def three(coco: Coco) -> Dataset:
    """Three images of 20x30.

    1: a belt of 10x2 within a top of 10x10, the belt first in the file, and hair of 4x5.
    2: two pieces of footwear of 4x4 that share 2x4, and a bag of 6x5 apart.
    3: nothing.
    """
    return coco(
        annotation(1, BELT, [rectangle(5, 8, 10, 2)]),
        annotation(1, TOP, [rectangle(5, 2, 10, 10)]),
        annotation(1, HAIR, [rectangle(20, 0, 4, 5)]),
        annotation(2, FOOTWEAR, [rectangle(0, 16, 4, 4)]),
        annotation(2, FOOTWEAR, [rectangle(2, 16, 4, 4)]),
        annotation(2, BAG, [rectangle(10, 0, 6, 5)]),
        images=[record(1), record(2), record(3)],
    )


@pytest.fixture
def found(three: Dataset) -> exploration.Scan:
    return exploration.scan(three, quiet=True)


def results_of(dataset: Dataset, profile: str = "tiny") -> dict[str, Any]:
    """What a notebook records of a data set, as read back from its file."""
    scan = exploration.scan(dataset, quiet=True)
    share = scan.image_pixels().sum(0) / scan.pixels.sum()
    summary = exploration.summary(scan, scan.image_pixels())
    entry = {
        "name": dataset.name,
        "images": len(dataset.ids),
        "fingerprint": dataset.fingerprint,
        "split": {"train": len(dataset.ids), "val": 0, "test": 0},
        "class_share": dict(zip(CLASSES, share.tolist(), strict=True)),
    }
    claims = [c | {"interval": list(c["interval"])} for c in exploration.claims(scan, scan.image_pixels())]
    entries = plain({"profile": profile, "dataset": entry, "exploration": summary, "claims": claims})
    return json.loads(json.dumps(entries, allow_nan=False))


# ------------------------------------------------------------------------------------------ the scan


def test_scan_counts_what_label_maps_hold(three: Dataset, found: exploration.Scan) -> None:
    assert found.ids == [1, 2, 3]
    for row, image_id in enumerate(three.ids):
        expected = np.bincount(three.label_map(image_id).ravel(), minlength=len(LABELS))
        assert np.array_equal(found.pixels[row], expected)
    assert found.pixels[0, [TOP, BELT, HAIR]].tolist() == [80, 20, 20]
    assert found.pixels[2, 0] == 600
    assert found.claims.tolist() == [[120, 20], [54, 8], [0, 0]]


def test_scan_counts_every_object_in_painting_order(found: exploration.Scan) -> None:
    objects = found.objects
    assert objects["image"].tolist() == [1, 1, 1, 2, 2, 2]
    assert objects["label"].tolist() == [TOP, BELT, HAIR, BAG, FOOTWEAR, FOOTWEAR]
    assert objects["pixels"].tolist() == [100, 20, 20, 30, 16, 16]
    assert objects["visible"].tolist() == [80, 20, 20, 30, 16, 16]
    # The belt comes first in the file, so the top would cover it.
    assert objects["file_order"].tolist() == [100, 0, 20, 30, 16, 16]
    # 20x30 fits into 288x192 at a factor of 192 / 30 = 6.4.
    assert objects["scaled"].tolist() == pytest.approx((objects["pixels"] * 6.4**2).tolist())


def test_scan_counts_pixels_that_pairs_share(coco: Coco, found: exploration.Scan) -> None:
    assert found.overlaps.to_numpy().tolist() == [[1, BELT, TOP, 20], [2, FOOTWEAR, FOOTWEAR, 8]]
    piled = [annotation(1, label, [rectangle(0, 0, 10, size)]) for label, size in ((BAG, 3), (BELT, 2), (TOP, 4))]
    pile = exploration.scan(coco(*piled), quiet=True)
    assert pile.claims.tolist() == [[40, 30]]
    pairs = {(a, b): pixels for _, a, b, pixels in pile.overlaps.to_numpy()}
    assert pairs == {(BAG, BELT): 20, (BAG, TOP): 30, (BELT, TOP): 20}


def test_image_pixels_are_those_that_training_counts(three: Dataset, found: exploration.Scan) -> None:
    assert np.array_equal(found.image_pixels(), weights.image_pixels(three, three.ids))
    assert np.array_equal(found.image_pixels([3, 1]), weights.image_pixels(three, [3, 1]))


def test_scan_keeps_what_was_left_out_on_opening(coco: Coco) -> None:
    scan = exploration.scan(coco(annotation(1, BAG, [[0, 0, 5, 5]]), annotation(1, BAG, [])), quiet=True)
    assert scan.problems == {"polygons with fewer than three corners": 1, "annotations without a polygon": 1}
    assert scan.objects.empty and scan.overlaps.empty
    assert exploration.summary(scan, scan.image_pixels())["problems"] == scan.problems


# -------------------------------------------------------------------------------------------- tables


def test_class_table(found: exploration.Scan) -> None:
    table = exploration.class_table(found)
    assert table.index.tolist() == list(LABELS)
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc["top", "share"] == pytest.approx(80 / 1800)
    assert table.loc["background", ["images", "image_share"]].tolist() == [3, 1]
    assert table.loc["footwear", ["images", "objects", "median", "q10", "q90"]].tolist() == [1, 2, 16, 16, 16]
    assert table.loc["footwear", "image_share"] == pytest.approx(1 / 3)
    assert table.loc["belt", "scaled_median"] == pytest.approx(20 * 6.4**2)
    assert table.loc["top", ["visible", "file_order"]].tolist() == [0.8, 1]
    assert table.loc["belt", ["visible", "file_order"]].tolist() == [1, 0]
    assert table.loc["boots", ["images", "objects"]].tolist() == [0, 0]
    assert np.isnan(table.loc["boots", ["median", "scaled_q90", "visible", "file_order"]].to_numpy(float)).all()


def test_readable_shows_sizes_as_ranges_and_the_absent_as_a_dash(found: exploration.Scan) -> None:
    texts = exploration.readable(exploration.class_table(found))
    assert texts.loc["top", "object's pixels"] == "100 (100–100)"
    assert texts.loc["top", "share of pixels"] == "4.444%"
    assert texts.loc["boots", "at 288x192"] == "–"


def test_overlap_table(found: exploration.Scan) -> None:
    table = exploration.overlap_table(found)
    assert table.index.tolist() == ["belt, top", "footwear, footwear"]
    assert table["pixels"].tolist() == [20, 8]
    assert table["images"].tolist() == [1, 1]
    assert table["share"].tolist() == pytest.approx([20 / 28, 8 / 28])


def test_data_without_overlap(coco: Coco) -> None:
    dataset = coco(annotation(1, BAG, [rectangle(0, 0, 5, 5)]))
    assert exploration.overlap_table(exploration.scan(dataset, quiet=True)).empty
    shown = {"tiny": results_of(dataset)}
    assert exploration.overlap_summary(shown).loc["tiny"].tolist() == ["0.00%", "–", "–"]
    assert exploration.order_table(shown).empty


def test_co_occurrence(found: exploration.Scan) -> None:
    table = exploration.co_occurrence(found)
    assert table.shape == (13, 13)
    assert table.loc["belt", "top"] == table.loc["top", "belt"] == 1
    assert table.loc["bag", "footwear"] == 1
    assert table.loc["bag", "top"] == 0
    assert np.diag(table).tolist() == [int(n in ("bag", "belt", "footwear", "top")) for n in CLOTHING]


def test_two_kinds_of_rare() -> None:
    table = pd.DataFrame({"share": 0.01, "image_share": 0.5, "scaled_median": 1000.0}, index=list(LABELS))
    table.loc["belt"] = 0.001, 0.5, exploration.SMALL - 1
    table.loc["boots"] = 0.002, exploration.INFREQUENT - 0.01, 1000
    table.loc["headwear"] = 0.0005, 0.01, 10
    table.loc["shorts"] = 0, 0, np.nan
    table.loc["skirt"] = 0.003, exploration.INFREQUENT, exploration.SMALL  # at the limits it is neither
    kinds = exploration.two_kinds(table)
    assert kinds.index[:5].tolist() == ["shorts", "headwear", "belt", "boots", "skirt"]
    assert kinds["kind"][:5].tolist() == ["absent", "small and infrequent", "small", "infrequent", "neither"]
    assert set(kinds.index) == set(CLOTHING)


def test_weights_and_thresholds_are_those_of_training(found: exploration.Scan) -> None:
    pixels = found.image_pixels()
    table = exploration.weight_table(pixels)
    assert table.columns.tolist() == list(weights.SCHEMES)
    assert np.allclose(table["inverse_sqrt"], weights.class_weights(pixels, "inverse_sqrt"))
    assert np.allclose(table.mean(), 1)
    thresholds = exploration.threshold_table(table)
    assert (thresholds.loc["background"] == 0.5).all()
    background, top = pixels.sum(0)[[0, TOP]]
    assert thresholds.loc["top", "inverse"] == pytest.approx(top / (top + background))


def test_typical_images_have_the_lower_median_and_the_smallest_id(coco: Coco) -> None:
    heights = {1: 9, 2: 2, 3: 4, 4: 4, 5: 1}
    dataset = coco(
        *(annotation(i, BAG, [rectangle(0, 0, 10, height)]) for i, height in heights.items()),
        *(annotation(i, TOP, [rectangle(15, 0, 10, height)]) for i, height in heights.items() if i < 5),
        images=[record(i) for i in range(1, 7)],
    )
    scan = exploration.scan(dataset, quiet=True)
    assert exploration.typical_images(scan, [BAG, TOP, BOOTS]) == {BAG: 3, TOP: 3}
    assert exploration.typical_images(scan, [BOOTS]) == {}


# -------------------------------------------------------------------------------------------- claims


def test_measures_of_pixels() -> None:
    pixels = np.zeros((2, len(CLASSES)))
    pixels[0, [0, BAG, BELT, TOP]] = 900, 40, 10, 50
    pixels[1, 0] = 7
    assert exploration.background_share(pixels).tolist() == [0.9, 1]
    assert np.isnan(exploration.background_share(np.zeros((1, len(CLASSES)))))
    assert exploration.rarest_to_commonest(pixels)[0] == 0.2
    assert exploration.inverse_threshold(pixels)[0] == pytest.approx(10 / 910)
    assert np.isnan(exploration.rarest_to_commonest(pixels)[1])
    assert np.isnan(exploration.inverse_threshold(pixels)[1])


def test_the_lowest_threshold_is_that_of_the_inverse_weights(found: exploration.Scan) -> None:
    pixels = found.image_pixels()
    thresholds = exploration.threshold_table(exploration.weight_table(pixels))
    assert exploration.inverse_threshold(pixels.sum(0)) == pytest.approx(thresholds["inverse"].min())


def test_shares_of_several_classes() -> None:
    counts = np.array([[3, 1, 1, 3], [0, 0, 1, 1]])
    assert exploration.largest_share(counts)[0] == 0.75
    assert exploration.smallest_share(counts)[0] == 0.25
    assert np.isnan(exploration.largest_share(counts)[1])


def test_counts_behind_the_claims(found: exploration.Scan) -> None:
    assert exploration.image_counts(found, ["belt", "bag"]).tolist() == [[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
    scaled = 17 * 6.4**2
    counts = exploration.small_counts(found, ["footwear", "belt"], below=scaled)
    assert counts.tolist() == [[0, 0, 0, 1], [2, 0, 0, 0], [0, 0, 0, 0]]


def test_an_interval_holds_the_value_and_is_a_point_where_images_do_not_differ() -> None:
    pixels = np.zeros((40, len(CLASSES)), np.int64)
    pixels[:, 0], pixels[:, TOP] = 90, 10
    assert exploration.interval(pixels, exploration.background_share) == pytest.approx((0.9, 0.9, 0.9))
    pixels[::2, 0] = 40
    value, low, high = exploration.interval(pixels, exploration.background_share)
    assert value == pytest.approx((20 * 90 + 20 * 40) / (20 * 100 + 20 * 50))
    assert low < value < high
    assert 0.8 < low and high < 0.9


def test_claims_can_be_recorded_and_their_verdicts_follow_the_intervals(coco: Coco, tmp_path: Path) -> None:
    dataset = coco(
        *(annotation(i, TOP, [rectangle(0, 0, 10, 10)]) for i in range(1, 13)),
        *(annotation(i, BELT, [rectangle(20, 0, 1, 1)]) for i in range(1, 13)),
        images=[record(i) for i in range(1, 13)],
    )
    scan = exploration.scan(dataset, quiet=True)
    work = workspace.Workspace("tiny", dataset, tmp_path, tmp_path / "results.json")
    for claim in exploration.claims(scan, scan.image_pixels()):
        work.record_claim(**claim)
    claims = {claim["id"]: claim for claim in work.results["claims"]}
    assert claims["imbalance"]["value"] == pytest.approx(0.01)
    assert claims["imbalance"]["verdict"] == "supported"
    assert claims["background-dominates"]["value"] == pytest.approx(499 / 600)
    assert claims["background-dominates"]["verdict"] == "supported"
    # No sunglasses and none of the four: undefined, or shown by no image.
    assert claims["small-things"]["value"] is None
    assert claims["small-things"]["verdict"] == "inconclusive"
    assert claims["infrequent-things"]["value"] == 0
    assert claims["inverse-is-extreme"]["value"] == pytest.approx(1 / 500)


# ------------------------------------------------------------------------------------------- records


def test_summary_holds_aggregated_numbers_only(found: exploration.Scan) -> None:
    summary = exploration.summary(found, found.image_pixels([1, 2]))
    assert (summary["images"], summary["images_without_foreground"], summary["objects"]) == (3, 1, 6)
    assert summary["overlap"]["claimed_pixels"] == 174
    assert summary["overlap"]["share"] == pytest.approx(28 / 174)
    assert summary["overlap"]["pairs"][0] == {"pair": "belt, top", "pixels": 20, "images": 1, "share": 20 / 28}
    assert summary["classes"]["top"]["objects"] == 1
    assert summary["co_occurrence"]["belt"]["top"] == 1
    assert summary["training"]["images"] == 2
    assert summary["training"]["class_share"]["top"] == pytest.approx(80 / 1200)
    assert summary["training"]["weights"].keys() == set(weights.SCHEMES)
    assert "image" not in json.dumps(plain(summary)).replace("images", "").replace("image_share", "")


def test_recorded_tables_are_those_that_were_counted(three: Dataset, found: exploration.Scan) -> None:
    results = results_of(three)
    table = exploration.recorded_classes(results)
    pd.testing.assert_frame_equal(table, exploration.class_table(found).astype(float), check_names=False)
    shown = {"tiny": results}
    assert exploration.share_table(shown).loc["top", "tiny"] == pytest.approx(80 / 1800)
    assert exploration.holdings(shown)["tiny"].tolist() == ["3", "3 / 0 / 0", "1", "6", "nothing"]
    assert exploration.support(shown).index.get_level_values(1).tolist() == [
        *("background", "bag", "belt", "footwear", "top", "hair")
    ]
    assert exploration.kinds_table(shown).loc["boots", "tiny"] == "absent"
    assert exploration.overlap_summary(shown).loc["tiny"].tolist() == ["16.09%", "29%", "belt and top (71.4%)"]
    assert exploration.order_table(shown).loc["belt"].tolist() == ["100.0%", "0.0%"]
    thresholds = exploration.lowest_thresholds(shown)["tiny"]
    assert thresholds.index.tolist() == list(weights.SCHEMES)
    assert thresholds["none"] == 0.5
    assert thresholds["inverse"] == pytest.approx(20 / (20 + found.image_pixels()[:, 0].sum()))


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that recorded results are looked for in; empty."""
    monkeypatch.setattr(exploration, "ROOT", tmp_path / "project")
    return tmp_path / "project" / "reports"


def put(reports: Path, name: str, results: dict[str, Any]) -> None:
    (reports / name).mkdir(parents=True)
    (reports / name / "results.json").write_text(json.dumps(results))


def test_nothing_recorded_yet(reports: Path) -> None:
    assert exploration.recorded("ccp") == {}
    assert exploration.side_by_side() == exploration.side_by_side({}) == {}
    answer = exploration.answer({}).data
    assert answer.count("nothing is recorded yet") == len(exploration.KNOWN)
    assert exploration.support({}).empty and exploration.lowest_thresholds({}).empty and exploration.holdings({}).empty
    assert exploration.kinds_table({}).empty and exploration.order_table({}).empty
    assert exploration.claims_beside({}).data == "No claim is recorded yet."


def test_recorded_results_need_no_trials_but_follow_the_schema(reports: Path, three: Dataset) -> None:
    results = results_of(three, "ccp")
    put(reports, "ccp", {"profile": "ccp", "dataset": results["dataset"]})
    assert exploration.recorded("ccp") == {}
    put(reports, "modanet_excerpt", results | {"profile": "modanet_excerpt"})
    assert exploration.recorded("modanet_excerpt")["dataset"]["images"] == 3
    (reports / "ccp" / "results.json").write_text(json.dumps(results | {"claims": [{}]}))
    with pytest.raises(ResultsError, match=r"claims\[0\]"):
        exploration.recorded("ccp")


def test_recorded_results_stand_beside_this_runs(reports: Path, three: Dataset, coco: Coco) -> None:
    excerpt, mine = results_of(three, "modanet_excerpt"), results_of(coco(annotation(1, BAG, [rectangle(0, 0, 5, 5)])))
    put(reports, "modanet_excerpt", excerpt)
    assert list(exploration.side_by_side()) == ["ModaNet (excerpt)"]
    assert list(exploration.side_by_side(mine)) == ["tiny (this run)", "ModaNet (excerpt)"]
    assert list(exploration.side_by_side({"profile": "tiny"})) == ["ModaNet (excerpt)"]
    # The same data, or the same profile, is not shown twice.
    assert list(exploration.side_by_side(excerpt | {"profile": "other"})) == ["tiny (this run)"]
    assert list(exploration.side_by_side(mine | {"profile": "modanet_excerpt"})) == ["tiny (this run)"]


def test_the_answer_is_a_sentence_per_real_data_set(three: Dataset) -> None:
    results = results_of(three, "ccp")
    answer = exploration.answer({"Clothing Co-Parsing": results, "drawn": results | {"profile": "synthetic"}}).data
    first, second = answer.split("\n\n")
    assert first.startswith("**Clothing Co-Parsing** (3 images): background takes 91% of the pixels, belt 1.11%")
    assert "4 times less than top" in first
    assert "without weights from 50% on" in first
    assert second == "**ModaNet (excerpt)**: nothing is recorded yet."


def test_claims_stand_beside_each_other(three: Dataset) -> None:
    first = results_of(three)
    second = first | {"claims": first["claims"][:1]}
    lines = exploration.claims_beside({"one": first, "two": second}).data.splitlines()
    assert lines[0] == "| claim | measured by | one | two |"
    assert len(lines) == 2 + len(first["claims"])
    assert lines[2].startswith("| The classes are severely imbalanced. |")
    assert lines[3].endswith("| – |")


# ------------------------------------------------------------------------------------------- command


def test_the_command_records_annotations_without_photos(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    images = [record(i) for i in range(1, 7)]
    things = [annotation(i, TOP, [rectangle(0, 0, 10, 10)]) for i in range(1, 7)]
    file = write_coco(tmp_path / "data", images, things, photos=False) / "annotations.json"
    assert exploration.main([str(file), str(tmp_path / "excerpt")]) == 0
    assert "6 images, 6 objects" in capsys.readouterr().out
    results = read_results(tmp_path / "excerpt" / "results.json")
    check_results(results, complete=False)
    assert results["profile"] == "excerpt"
    assert results["dataset"]["class_share"]["top"] == pytest.approx(100 / 600)
    assert results["exploration"]["training"]["images"] == len(split(open_dataset(file, True))["train"])
    assert len(results["claims"]) == 7


@pytest.mark.parametrize("arguments", [[], ["one"], ["no such file.json", "out"]])
def test_wrong_arguments_get_one_sentence(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exploration.main(arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_excerpt_of_modanet_was_counted_from_this_file(modanet_excerpt: Path) -> None:
    dataset = open_dataset(modanet_excerpt, annotations_only=True)
    recorded = exploration.recorded("modanet_excerpt")
    assert recorded["dataset"]["fingerprint"] == dataset.fingerprint
    scan = exploration.scan(dataset, quiet=True)
    counted = json.loads(json.dumps(plain(exploration.summary(scan, scan.image_pixels()))))
    assert counted["classes"] == recorded["exploration"]["classes"]
    assert counted["overlap"] == recorded["exploration"]["overlap"]


# ----------------------------------------------------------------------------------------- workspace


def test_annotations_are_enough_where_there_is_no_folder_of_photos(tmp_path: Path) -> None:
    images = [record(1), record(2)]
    bare = write_coco(tmp_path / "bare", images, [annotation(1, TOP, [rectangle(0, 0, 3, 3)])], photos=False)
    assert workspace.open_workspace("tiny", bare, annotations_only=None).dataset.ids == [1, 2]
    file = bare / "annotations.json"
    assert workspace.open_workspace("tiny", file, annotations_only=None).dataset.ids == [1, 2]
    full = write_coco(tmp_path / "full", images, [annotation(1, TOP, [rectangle(0, 0, 3, 3)])])
    (full / "images" / "2.png").unlink()
    assert workspace.open_workspace("tiny", full, annotations_only=None).dataset.ids == [1]

"""Counting what a data set holds: known answers on tiny hand-made data sets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import annotation, record, rectangle, write_coco

from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.datasets.weights import SCHEMES, class_weights, image_pixels
from modanet_utils.imbalance import plots, text
from modanet_utils.imbalance.claims import (
    CLAIMS,
    Evidence,
    background_share,
    image_counts,
    interval,
    inverse_threshold,
    rarest_to_commonest,
    shares,
    small_counts,
)
from modanet_utils.imbalance.explore import explore, summary
from modanet_utils.imbalance.scan import Scan, scan
from modanet_utils.imbalance.tables import (
    class_table,
    co_occurrence,
    threshold_table,
    two_kinds,
    typical_images,
    weight_table,
)
from modanet_utils.imbalance.text import (
    KNOWN,
    claims_beside,
    recorded_classes,
    seldom_together,
    share_table,
    side_by_side,
)
from modanet_utils.results import workspace
from modanet_utils.results.claims import decide
from modanet_utils.results.schema import ResultsError, check_results, plain, read_results
from modanet_utils.results.workspace import NOTEBOOKS, Workspace, recorded
from modanet_utils.splits import split
from modanet_utils.thresholds import INFREQUENT, SMALL

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
def found(three: Dataset) -> Scan:
    return scan(three, quiet=True)


def results_of(dataset: Dataset, profile: str = "tiny") -> dict[str, Any]:
    """What a notebook records of a data set, as read back from its file."""
    counted = scan(dataset, quiet=True)
    share = counted.image_pixels().sum(0) / counted.pixels.sum()
    entry = {
        "name": dataset.name,
        "images": len(dataset.ids),
        "fingerprint": dataset.fingerprint,
        "split": {"train": len(dataset.ids), "val": 0, "test": 0},
        "class_share": dict(zip(CLASSES, share.tolist(), strict=True)),
    }
    pixels = counted.image_pixels()
    claims = [claim | {"notebook": NOTEBOOKS[0]} for claim in decide(CLAIMS, Evidence(counted, pixels))]
    explored = summary(counted, pixels)
    entries = plain({"profile": profile, "dataset": entry, "exploration": explored, "claims": claims})
    return json.loads(json.dumps(entries, allow_nan=False))


# ------------------------------------------------------------------------------------------ the scan


def test_scan_counts_what_label_maps_hold(three: Dataset, found: Scan) -> None:
    assert found.ids == [1, 2, 3]
    for row, image_id in enumerate(three.ids):
        expected = np.bincount(three.label_map(image_id).ravel(), minlength=len(LABELS))
        assert np.array_equal(found.pixels[row], expected)
    assert found.pixels[0, [TOP, BELT, HAIR]].tolist() == [80, 20, 20]
    assert found.pixels[2, 0] == 600


def test_scan_counts_every_object_in_painting_order(found: Scan) -> None:
    objects = found.objects
    assert objects["image"].tolist() == [1, 1, 1, 2, 2, 2]
    assert objects["label"].tolist() == [TOP, BELT, HAIR, BAG, FOOTWEAR, FOOTWEAR]
    assert objects["pixels"].tolist() == [100, 20, 20, 30, 16, 16]
    # 20x30 fits into 288x192 at a factor of 192 / 30 = 6.4.
    assert objects["scaled"].tolist() == pytest.approx((objects["pixels"] * 6.4**2).tolist())


def test_image_pixels_are_those_that_training_counts(three: Dataset, found: Scan) -> None:
    assert np.array_equal(found.image_pixels(), image_pixels(three, three.ids))
    assert np.array_equal(found.image_pixels([3, 1]), image_pixels(three, [3, 1]))


def test_scan_keeps_what_was_left_out_on_opening(coco: Coco) -> None:
    counted = scan(coco(annotation(1, BAG, [[0, 0, 5, 5]]), annotation(1, BAG, [])), quiet=True)
    assert counted.problems == {"polygons with fewer than three corners": 1, "annotations without a polygon": 1}
    assert counted.objects.empty
    assert summary(counted, counted.image_pixels())["problems"] == counted.problems


# -------------------------------------------------------------------------------------------- tables


def test_class_table(found: Scan) -> None:
    table = class_table(found)
    assert table.index.tolist() == list(LABELS)
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc["top", "share"] == pytest.approx(80 / 1800)
    assert table.loc["background", ["images", "image_share"]].tolist() == [3, 1]
    assert table.loc["footwear", ["images", "objects", "median", "q10", "q90"]].tolist() == [1, 2, 16, 16, 16]
    assert table.loc["footwear", "image_share"] == pytest.approx(1 / 3)
    assert table.loc["belt", "scaled_median"] == pytest.approx(20 * 6.4**2)
    assert table.loc["boots", ["images", "objects"]].tolist() == [0, 0]
    assert np.isnan(table.loc["boots", ["median", "scaled_q90"]].to_numpy(float)).all()


def test_co_occurrence(found: Scan) -> None:
    table = co_occurrence(found)
    assert table.shape == (13, 13)
    assert table.loc["belt", "top"] == table.loc["top", "belt"] == 1
    assert table.loc["bag", "footwear"] == 1
    assert table.loc["bag", "top"] == 0
    assert np.diag(table).tolist() == [int(n in ("bag", "belt", "footwear", "top")) for n in CLOTHING]


def test_two_kinds_of_rare() -> None:
    table = pd.DataFrame({"share": 0.01, "image_share": 0.5, "scaled_median": 1000.0}, index=list(LABELS))
    table.loc["belt"] = 0.001, 0.5, SMALL - 1
    table.loc["boots"] = 0.002, INFREQUENT - 0.01, 1000
    table.loc["headwear"] = 0.0005, 0.01, 10
    table.loc["shorts"] = 0, 0, np.nan
    table.loc["skirt"] = 0.003, INFREQUENT, SMALL  # at the limits it is neither
    kinds = two_kinds(table)
    assert kinds.index[:5].tolist() == ["shorts", "headwear", "belt", "boots", "skirt"]
    assert kinds["kind"][:5].tolist() == ["absent", "small and infrequent", "small", "infrequent", "neither"]
    assert set(kinds.index) == set(CLOTHING)


def test_weights_and_thresholds_are_those_of_training(found: Scan) -> None:
    pixels = found.image_pixels()
    table = weight_table(pixels)
    assert table.columns.tolist() == list(SCHEMES)
    assert np.allclose(table["inverse_sqrt"], class_weights(pixels, "inverse_sqrt"))
    assert np.allclose(table.mean(), 1)
    thresholds = threshold_table(table)
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
    counted = scan(dataset, quiet=True)
    assert typical_images(counted, [BAG, TOP, BOOTS]) == {BAG: 3, TOP: 3}
    assert typical_images(counted, [BOOTS]) == {}


# -------------------------------------------------------------------------------------------- claims


def test_measures_of_pixels() -> None:
    pixels = np.zeros((2, len(CLASSES)))
    pixels[0, [0, BAG, BELT, TOP]] = 900, 40, 10, 50
    pixels[1, 0] = 7
    assert background_share(pixels).tolist() == [0.9, 1]
    assert np.isnan(background_share(np.zeros((1, len(CLASSES)))))
    assert rarest_to_commonest(pixels)[0] == 0.2
    assert inverse_threshold(pixels)[0] == pytest.approx(10 / 910)
    assert np.isnan(rarest_to_commonest(pixels)[1])
    assert np.isnan(inverse_threshold(pixels)[1])


def test_the_lowest_threshold_is_that_of_the_inverse_weights(found: Scan) -> None:
    pixels = found.image_pixels()
    thresholds = threshold_table(weight_table(pixels))
    assert inverse_threshold(pixels.sum(0)) == pytest.approx(thresholds["inverse"].min())


def test_shares_of_several_classes() -> None:
    counts = np.array([[3, 1, 1, 3], [0, 0, 1, 1]])
    assert shares(counts).max(-1)[0] == 0.75
    assert shares(counts).min(-1)[0] == 0.25
    assert np.isnan(shares(counts).max(-1)[1])


def test_counts_behind_the_claims(found: Scan) -> None:
    assert image_counts(found, ["belt", "bag"]).tolist() == [[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
    scaled = 17 * 6.4**2
    counts = small_counts(found, ["footwear", "belt"], below=scaled)
    assert counts.tolist() == [[0, 0, 0, 1], [2, 0, 0, 0], [0, 0, 0, 0]]


def test_an_interval_holds_the_value_and_is_a_point_where_images_do_not_differ() -> None:
    pixels = np.zeros((40, len(CLASSES)), np.int64)
    pixels[:, 0], pixels[:, TOP] = 90, 10
    assert interval(pixels, background_share) == pytest.approx((0.9, 0.9, 0.9))
    pixels[::2, 0] = 40
    value, low, high = interval(pixels, background_share)
    assert value == pytest.approx((20 * 90 + 20 * 40) / (20 * 100 + 20 * 50))
    assert low < value < high
    assert low > 0.8 and high < 0.9


def test_claims_can_be_recorded_and_their_verdicts_follow_the_intervals(coco: Coco, tmp_path: Path) -> None:
    dataset = coco(
        *(annotation(i, TOP, [rectangle(0, 0, 10, 10)]) for i in range(1, 31)),
        *(annotation(i, BELT, [rectangle(20, 0, 1, 1)]) for i in range(1, 31)),
        images=[record(i) for i in range(1, 31)],
    )
    counted = scan(dataset, quiet=True)
    work = Workspace("tiny", dataset, tmp_path, tmp_path / "results.json")
    work.record_claims(decide(CLAIMS, Evidence(counted, counted.image_pixels())), "01")
    claims = {claim["id"]: claim for claim in work.results["claims"]}
    assert claims["imbalance"]["value"] == pytest.approx(0.01)
    assert claims["imbalance"]["verdict"] == "supported"
    assert claims["background-dominates"]["value"] == pytest.approx(499 / 600)
    assert claims["background-dominates"]["verdict"] == "supported"
    # No sunglasses and none of the four: undefined, or shown by no image.
    assert claims["small-things"]["value"] is None
    assert claims["small-things"]["verdict"] == "inconclusive"
    assert claims["infrequent-things"]["value"] is None
    assert claims["inverse-is-extreme"]["value"] == pytest.approx(1 / 500)


# ------------------------------------------------------------------------------------------- records


def test_summary_holds_aggregated_numbers_only(found: Scan) -> None:
    held = summary(found, found.image_pixels([1, 2]))
    assert (held["images"], held["images_without_foreground"], held["objects"]) == (3, 1, 6)
    assert held["classes"]["top"]["objects"] == 1
    assert held["co_occurrence"]["belt"]["top"] == 1
    assert held["training"]["images"] == 2
    assert held["training"]["class_share"]["top"] == pytest.approx(80 / 1200)
    assert held["training"]["weights"].keys() == set(SCHEMES)
    assert "image" not in json.dumps(plain(held)).replace("images", "").replace("image_share", "")


def test_recorded_tables_are_those_that_were_counted(three: Dataset, found: Scan) -> None:
    results = results_of(three)
    table = recorded_classes(results)
    pd.testing.assert_frame_equal(table, class_table(found).astype(float), check_names=False)
    shown = {"tiny": results}
    assert share_table(shown).loc["top", "tiny"] == pytest.approx(80 / 1800)
    lowest = 20 / (20 + found.image_pixels()[:, 0].sum())
    assert f"a probability of {lowest:.2%} is enough to call a pixel belt instead of" in text.answer(shown).data


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that recorded results are looked for in; empty."""
    monkeypatch.setattr(workspace, "ROOT", tmp_path / "project")
    return tmp_path / "project" / "reports"


def put(reports: Path, name: str, results: dict[str, Any]) -> None:
    (reports / name).mkdir(parents=True)
    (reports / name / "results.json").write_text(json.dumps(results))


def test_nothing_recorded_yet(reports: Path) -> None:
    assert recorded("ccp", complete=False) == {}
    assert side_by_side() == side_by_side({}) == {}
    answer = text.answer({}).data
    assert answer.count("nothing is recorded yet") == len(KNOWN)
    assert plots.opening(share_table({})) is None
    assert claims_beside({}).data == "No claim is recorded yet."


def test_recorded_results_need_no_trials_but_follow_the_schema(reports: Path, three: Dataset) -> None:
    results = results_of(three, "ccp")
    put(reports, "ccp", {"profile": "ccp", "dataset": results["dataset"]})
    assert side_by_side() == {}
    put(reports, "modanet_excerpt", results | {"profile": "modanet_excerpt"})
    (shown,) = side_by_side().values()
    assert shown["dataset"]["images"] == 3
    (reports / "ccp" / "results.json").write_text(json.dumps(results | {"claims": [{}]}))
    with pytest.raises(ResultsError, match=r"claims\[0\]"):
        side_by_side()


def test_recorded_results_stand_beside_this_runs(reports: Path, three: Dataset, coco: Coco) -> None:
    excerpt, mine = results_of(three, "modanet_excerpt"), results_of(coco(annotation(1, BAG, [rectangle(0, 0, 5, 5)])))
    put(reports, "modanet_excerpt", excerpt)
    assert list(side_by_side()) == ["ModaNet (excerpt)"]
    assert list(side_by_side(mine)) == ["tiny (this run)", "ModaNet (excerpt)"]
    assert list(side_by_side({"profile": "tiny"})) == ["ModaNet (excerpt)"]
    # The same data, or the same profile, is not shown twice.
    assert list(side_by_side(excerpt | {"profile": "other"})) == ["tiny (this run)"]
    assert list(side_by_side(mine | {"profile": "modanet_excerpt"})) == ["tiny (this run)"]


def test_the_answer_says_why_the_rare_are_rare(three: Dataset) -> None:
    results = results_of(three, "ccp")
    drawn = results["dataset"] | {"name": "synthetic"}  # whatever the profile is called
    answer = text.answer({"Clothing Co-Parsing": results, "drawn": results | {"dataset": drawn}}).data
    head, empty, first, kinds, weights, missing = answer.splitlines()
    assert head == "**On real photos** (tiny):"
    assert first == "* The rarest garment, belt, has 1/4 of the pixels of the commonest, top."
    assert kinds == "* Rare because small: none. Rare because seldom worn, each in less than 15% of the images: none."
    assert weights.endswith("a probability of 1.20% is enough to call a pixel belt instead of background.")
    for times, word in ((1, "about as"), (1.6, "more"), (0.6, "less")):
        share = results["dataset"]["class_share"]
        other = results | {"dataset": results["dataset"] | {"class_share": share | {"top": times * share["top"]}}}
        both = text.answer({"Clothing Co-Parsing": results, "<Mine>": other}).data
        assert f"commonest, top; \\<Mine\\> is {word} unequal." in both and both.count("because small") == 1
    assert missing == "* **ModaNet (excerpt)**: nothing is recorded yet."


def test_garments_that_shun_each_other_are_told(coco: Coco) -> None:
    worn = {i: (BAG, BELT) if i <= 5 else (TOP,) if i <= 20 else (BAG, TOP) for i in range(1, 41)}
    things = [
        annotation(i, label, [rectangle(0, 4 * at, 3, 3)]) for i, ls in worn.items() for at, label in enumerate(ls)
    ]
    results = results_of(coco(*things, images=[record(i) for i in worn]))
    # Bags are on 25 of 40, tops on 35: chance would join them on 22, and they are on 20.
    assert seldom_together(results).data == "No pair stands out."
    results["exploration"]["co_occurrence"]["bag"]["top"] = 3
    assert seldom_together(results).data == "Images that show both, of 40: bag and top (3, by chance 22)."


def test_figures_say_what_is_rare_in_which_way(found: Scan) -> None:
    table = class_table(found)
    table.loc["belt", "scaled_median"], table.loc["bag", "image_share"] = SMALL - 1, INFREQUENT / 2
    drawn = plots.rarity_map({"one": table, "two": table}, SMALL, INFREQUENT)
    title = "Belt is rare because small, 1 because seldom worn"
    assert drawn[0].get_suptitle() == title and drawn[1].endswith(f"15% of them: bag. {title}.")
    assert "in one; below 256 pixels: belt;" in drawn[1]
    assert [text.get_text() for text in drawn[0].axes[0].get_legend().texts] == ["filled: one", "hollow: two"]
    table.loc["bag", "scaled_median"], table.loc["belt", "scaled_median"] = SMALL - 1, SMALL
    _, alt = plots.rarity_map({"one": table}, SMALL, INFREQUENT)
    assert "No class is rare because small, none because seldom worn, 1 for both reasons." in alt
    figure, alt = plots.threshold_dots(threshold_table(weight_table(found.image_pixels())))
    assert "Inverse weights let scarf & tie win from 1.20% probability, their square root from 9.9%" in alt
    words = [text.get_text() for text in (*figure.axes[0].texts, *figure.axes[0].get_legend().texts)]
    assert {"1.2%", "9.9%", "inverse square root"} <= {*words}
    plt.close("all")


def test_shares_name_the_data_set_of_each_number() -> None:
    shares = pd.DataFrame({"one (this run)": {"background": 0.9, "top": 0.08, "bag": 0.02}})
    shares["two"] = pd.Series({"background": 0.89, "top": 0.01, "bag": 0.1})
    figure, alt = plots.opening(shares)
    title = "In two the rarest garment, top, has 1/10 of the pixels of the commonest, bag"
    assert figure.get_suptitle() == title and alt.endswith(f"{title}.")
    assert "one (this run) 2.00% (bag) to 8.0% (top); two 1.00% (top) to 10.0% (bag)" in alt
    order = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert order == ["background", "top", "bag"], "the first data set's frequency"
    shares["one (this run)"] *= [1, 1, 0.1]
    assert "In one the rarest garment, bag, has 1/40" in plots.opening(shares)[1]
    plt.close("all")


def test_claims_stand_beside_each_other(three: Dataset) -> None:
    first = results_of(three)
    second = first | {"claims": first["claims"][:1]}
    lines = claims_beside({"one": first, "two": second}).data.splitlines()
    assert lines[0] == "| claim | measured by | one | two |"
    assert len(lines) == 2 + len(first["claims"])
    assert lines[2].startswith("| The classes are severely imbalanced. |")
    assert lines[3].endswith("| – |")


# ------------------------------------------------------------------------------------------- command


def test_annotations_are_explored_without_photos(tmp_path: Path) -> None:
    images = [record(i) for i in range(1, 7)]
    things = [annotation(i, TOP, [rectangle(0, 0, 10, 10)]) for i in range(1, 7)]
    file = write_coco(tmp_path / "data", images, things, photos=False) / "annotations.json"
    assert explore(file, tmp_path / "excerpt").endswith("6 images, 6 objects")
    results = read_results(tmp_path / "excerpt" / "results.json")
    check_results(results, complete=False)
    assert results["profile"] == "excerpt"
    assert results["dataset"]["class_share"]["top"] == pytest.approx(100 / 600)
    assert results["exploration"]["training"]["images"] == len(split(open_dataset(file, True))["train"])
    assert len(results["claims"]) == 7


def test_without_annotations_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError), match=r"no such file\.json") as failure:
        explore(tmp_path / "no such file.json", tmp_path / "out")
    assert len(str(failure.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_excerpt_of_modanet_was_counted_from_this_file(modanet_excerpt: Path) -> None:
    dataset = open_dataset(modanet_excerpt, annotations_only=True)
    kept = recorded("modanet_excerpt", complete=False)
    assert kept["dataset"]["fingerprint"] == dataset.fingerprint
    counted = scan(dataset, quiet=True)
    held = json.loads(json.dumps(plain(summary(counted, counted.image_pixels()))))
    assert held["classes"] == kept["exploration"]["classes"]

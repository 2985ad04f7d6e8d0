"""The strip of label maps: which photos, which networks, which words, and that no photo is written."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from modanet_utils import plots
from modanet_utils.classes import CLASSES, HAIR, IGNORE, SKIN
from modanet_utils.plots import PALETTE, mistakes
from modanet_utils.training import examples
from modanet_utils.training.examples import Example, choose, keep, networks, strip
from modanet_utils.training.weights import WEIGHTS

BELT, SKIRT, HAT, TOP = (CLASSES.index(name) for name in ("belt", "skirt", "headwear", "top"))


def run_of(hits: list[int], belts: list[int]) -> Any:
    """A run on as many photos: these tops of 10 pixels are found, and belts, which some photos show, never."""
    counts = np.zeros((len(hits), 16, 14), np.int64)
    counts[:, TOP, TOP] = hits
    counts[:, TOP, 0] = 10 - np.array(hits)
    counts[belts, BELT, 0] = 1
    return SimpleNamespace(counts=counts, ids=[100 + at for at in range(len(hits))])


def test_photos_are_spread_over_the_scores_of_those_that_show_a_rare_class() -> None:
    run = run_of([9, 1, 8, 2, 7, 3, 6, 4], belts=[0, 1, 2, 3])
    assert choose(run, ["belt"]) == [101, 103, 102, 100]
    assert choose(run, ["belt"], number=2) == [103, 100]
    assert choose(run, ["headwear"]) == [103, 102, 100, 104]  # none shows it: all photos
    assert choose(run_of([5], belts=[0]), ["belt"]) == [100]


def test_networks_without_weights_are_left_out(tmp_path: Path) -> None:
    names = (
        "combined",
        "cross_entropy",
        "combined_body",
        "recommended",
        "combined_body_tagged_largest",
        "combined-seed1",
    )
    runs: dict[str, Any] = {name: SimpleNamespace(folder=tmp_path / name) for name in names}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / WEIGHTS).touch()
    assert list(networks(runs)) == ["cross_entropy", "combined", "recommended"]
    for name in ("recommended", "combined_body_tagged_largest"):
        (tmp_path / name / WEIGHTS).unlink()
    assert list(networks(runs)) == ["cross_entropy", "combined", "combined_body"]
    del runs["combined_body"], runs["cross_entropy"]
    assert list(networks(runs)) == ["combined"]


@pytest.fixture
def person() -> np.ndarray:
    """60x40: hair, skin, a top, a belt on it and a skirt; a strip that is ignored."""
    truth = np.zeros((60, 40), np.uint8)
    truth[2:6, 15:25], truth[6:10, 17:23] = HAIR, SKIN
    truth[10:28, 10:30], truth[28:30, 12:28], truth[30:50, 10:30] = TOP, BELT, SKIRT
    truth[:, 38:] = IGNORE
    return truth


def test_mistakes_are_told_by_what_is_lost_or_made_up_first(person: np.ndarray) -> None:
    seen = np.where(person < 14, person, 0)
    assert mistakes(person, seen) == []
    seen[28:30], seen[2:6, 15:25] = 0, HAT  # no belt, but a hat
    seen[30:45, 10:30] = CLASSES.index("dress")  # most of the skirt
    seen[12:16, 12:20] = 0  # a hole in the top
    seen[:, 38:] = CLASSES.index("bag")  # where nobody can tell
    found = mistakes(person, seen)
    said = [words for words, _ in found]
    assert said == ["skirt called dress", "hair called headwear", "belt missed", "part of top missed"]
    assert [int(region.sum()) for _, region in found] == [300, 40, 32, 32]
    seen[12:16, 12:20] = TOP
    seen[11, 12] = 0  # a pixel is no mistake to tell
    assert [words for words, _ in mistakes(person, seen)] == said[:-1]


def test_the_strip_counts_the_rare_garments_that_are_found(person: np.ndarray) -> None:
    blind, seeing = np.zeros_like(person), np.where(person < 14, person, 0)
    seeing[2:6, 15:25] = HAT
    maps = {"ground truth": person, "cross-entropy": blind, "combined loss": seeing}
    shown = [Example("tiny, image 7", np.full((60, 40, 3), 200, np.uint8), maps)]
    figure, alt = strip(shown, ["belt", "skirt", "headwear"], photos=True)
    said = "Found of the 2 rare garments on these photos: cross-entropy 0 and combined loss 2; "
    said += "garments seen that nobody wears: 0 and 1"
    assert figure.get_suptitle().replace("-\n", "-").replace("\n", " ") == said and alt.endswith(f"{said}.")
    assert figure.get_supxlabel().startswith("Hair and skin count as background, so predictions show no heads")
    assert [axis.get_ylabel() for axis in figure.axes] == ["photo", *maps]
    words = [{text.get_text() for text in axis.texts} for axis in figure.axes]
    said = [{text.replace("\n", " ") for text in some} for some in words]
    assert said == [
        set(),
        {"top", "belt", "skirt"},
        {"belt missed", "skirt missed", "top missed"},
        {"top", "skirt", "hair called headwear"},
    ]
    figure.canvas.draw()
    for axis in figure.axes:
        boxes = [Text.get_window_extent(text) for text in axis.texts]  # without the lines to them
        assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])
        outlines = [one for one in axis.collections if one.get_path_effects()]
        assert len(outlines) == sum("called" in text or "missed" in text for text in map(Text.get_text, axis.texts))
    plt.close(figure)
    figure, _ = strip([Example("drawn figure 7", person, {"ground truth": person, "cross-entropy": blind})], ["belt"])
    assert "these figures drawn for this run: cross-entropy 0;" in figure.get_suptitle().replace("-\n", "-").replace(
        "\n", " "
    )
    plt.close(figure)


def test_words_keep_off_garments_and_only_three_mistakes_are_named() -> None:
    truth, seen = np.zeros((60, 80), np.uint8), np.zeros((60, 80), np.uint8)
    for at, label in enumerate((BELT, SKIRT, HAT, TOP)):
        truth[10 * at : 10 * at + 9, :14] = label  # at the left edge, where longer words would cover them
    seen[truth == BELT] = seen[truth == SKIRT] = TOP
    figure = plots.strip({"one": {"ground truth": truth, "cross-entropy": seen}}, "title")
    figure.canvas.draw()
    axis = figure.axes[1]
    words = [text for text in axis.texts if text.get_ha() != "center"]
    assert len(words) == 3 and [text.get_text() for text in axis.texts if text not in words] == ["top"]
    for text in words:
        (left, one), (right, other) = axis.transData.inverted().transform(Text.get_window_extent(text))
        top, bottom = sorted((int(one), int(other)))
        assert not seen[max(0, top) : bottom, max(0, int(left)) : max(0, int(right))].any(), text
    assert figure.axes[0].get_ylabel() == "ground truth"
    assert figure.get_supxlabel() == "Outlined: the three gravest mistakes"
    assert plots.strip({"one": {"ground truth": truth}}, "title").axes[0].get_ylabel() == "", "no word stands alone"
    plt.close("all")


def test_drawn_figures_are_called_so(monkeypatch: pytest.MonkeyPatch, person: np.ndarray) -> None:
    monkeypatch.setattr(examples, "photo_and_truth", lambda dataset, image_id: (person, person))
    names = [examples.predicted({}, SimpleNamespace(name=name), [216])[0].name for name in ("synthetic", "Mine")]  # type: ignore[arg-type]
    assert names == ["drawn figure 216", "Mine, image 216"]


def test_what_is_kept_for_the_readme_holds_no_photo(person: np.ndarray, tmp_path: Path) -> None:
    photo = np.full((60, 40, 3), (10, 250, 10), np.uint8)
    keep(
        [Example("tiny, image 7", photo, {"ground truth": person, "cross-entropy": person * 0})],
        ["belt"],
        tmp_path / "out",
    )
    assert [path.name for path in (tmp_path / "out").rglob("*.png")] == ["strip.png"]
    pixels = (
        np.asarray(Image.open(tmp_path / "out" / "figures" / "strip.png").convert("RGB")).reshape(-1, 3).astype(int)
    )
    assert (np.abs(pixels - PALETTE[TOP]).sum(axis=1) < 12).any()
    assert not (np.abs(pixels - photo[0, 0]).sum(axis=1) < 60).any()

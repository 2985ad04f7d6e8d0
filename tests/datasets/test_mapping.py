"""Label maps: those that come along name every published label once; what of a map is refused."""

from pathlib import Path

import pytest
import yaml

from modanet_utils.classes import IGNORE, LABELS
from modanet_utils.datasets.coco import DatasetError
from modanet_utils.datasets.mapping import MAPS, NUMBERS, read_map, shipped
from modanet_utils.datasets.records import spelling

# Written down from the sources that the maps name, not from the maps.
APPAREL = (
    "shirt, blouse|top, t-shirt, sweatshirt|sweater|cardigan|jacket|vest|pants|shorts|skirt|coat|dress|jumpsuit|cape|"
    "glasses|hat|headband, head covering, hair accessory|tie|glove|watch|belt|leg warmer|tights, stockings|sock|shoe|"
    "bag, wallet|scarf|umbrella|hood|collar|lapel|epaulette|sleeve|pocket|neckline|buckle|zipper|applique|bead|bow|"
    "flower|fringe|ribbon|rivet|ruffle|sequin|tassel"
)
PUBLISHED = {
    "fashionpedia": APPAREL,
    "imaterialist": APPAREL,
    "atr": "background|hat|hair|sunglass|upper-clothes|skirt|pants|dress|belt|left-shoe|right-shoe|face|left-leg|"
    "right-leg|left-arm|right-arm|bag|scarf",
    "lip": "Background|Hat|Hair|Glove|Sunglasses|Upper-clothes|Dress|Coat|Socks|Pants|Jumpsuits|Scarf|Skirt|Face|"
    "Left-arm|Right-arm|Left-leg|Right-leg|Left-shoe|Right-shoe",
    "deepfashion2": "short sleeve top|long sleeve top|short sleeve outwear|long sleeve outwear|vest|sling|shorts|"
    "trousers|skirt|short sleeve dress|long sleeve dress|vest dress|sling dress",
    "cfpd": "bk|T-shirt|bag|belt|blazer|blouse|coat|dress|face|hair|hat|jeans|legging|pants|scarf|shoe|shorts|skin|"
    "skirt|socks|stocking|sunglass|sweater",
    "ccp": "null|accessories|bracelet|earrings|gloves|intimate|necklace|panties|ring|socks|stockings|swimwear|tights|"
    "watch|bag|purse|wallet|belt|boots|shoes|heels|pumps|flats|loafers|sandals|sneakers|wedges|clogs|coat|jacket|"
    "blazer|cardigan|sweater|jumper|suit|romper|vest|cape|hoodie|sweatshirt|dress|sunglasses|glasses|pants|jeans|"
    "leggings|top|blouse|t-shirt|shirt|bodysuit|bra|shorts|skirt|hat|scarf|tie|hair|skin",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_map_names_every_published_label_once_in_order_and_ours_as_targets(name: str) -> None:
    labels = PUBLISHED[name].split("|")
    text = (MAPS / f"{name}.yaml").read_text()
    lines = [line.strip().rpartition(": ")[0].strip('"') for line in text.split("labels:\n")[1].splitlines()]
    assert lines == labels  # of the text, as YAML would keep the last of two
    assert set(yaml.safe_load(text)["labels"].values()) <= set(NUMBERS)
    numbers = read_map(name).numbers(labels, "test")
    assert set(numbers) == set(labels) and len(set(map(spelling, labels))) == len(labels)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_map_says_where_it_is_from_and_what_it_cannot_express(name: str) -> None:
    content = yaml.safe_load((MAPS / f"{name}.yaml").read_text())
    assert content["source"] and content["license"]
    cannot = " ".join(content["cannot_express"])
    reached = {ours for ours in content["labels"].values()}
    for ours in LABELS[1:]:  # what no label becomes is named there; ties have no name of ours alone
        assert ours in reached or ours in cannot, ours
    if "first_value" in content:
        assert list(read_map(name).values.items()) == list(enumerate(PUBLISHED[name].split("|")))


def test_all_maps_are_tested_and_the_commands_help_names_them() -> None:
    from modanet_utils.__main__ import own

    assert shipped() == sorted(PUBLISHED) and ", ".join(shipped()) in " ".join(own.__doc__.split())


def test_some_labels_by_hand() -> None:
    fold = read_map("lip").numbers(["UpperClothes", "upper clothes", "Left-shoe", "Socks"], "test")
    assert fold == {"UpperClothes": 9, "upper clothes": 9, "Left-shoe": 4, "Socks": 0}
    assert read_map("fashionpedia").numbers(["headband, head covering, hair accessory"], "") == {
        "headband, head covering, hair accessory": IGNORE
    }
    assert read_map(None).numbers(["scarf/tie", "Hair", "ignore"], "") == {"scarf/tie": 13, "Hair": 14, "ignore": 255}


def test_a_slip_in_the_map_itself_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("labels: {shrit: top, jeans: pants}\n")
    with pytest.raises(DatasetError, match=r"'shirt' \(near 'shrit'\), 'trousers': name each"):
        read_map(str(file)).numbers(["shirt", "jeans", "trousers"], "masks")


def test_labels_that_a_map_lacks_are_all_named_with_the_nearest() -> None:
    with pytest.raises(DatasetError) as error:
        read_map(None).numbers(["pants", "pant", "boot", "zzz"], "mine.json")
    said = str(error.value)
    assert said.startswith(
        "mine.json: the format (no map was given) says nothing of 3 of 4 labels, 'pant' (near 'pants'"
    )
    assert "'boot' (near 'boots'), 'zzz': name each" in said and "fashionpedia" in said and "\n" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labels: [", ", line 1, is not YAML: write a label a line"),
        ("labels:\n  jeans: pants\n  skirt skirt\n  top: top\n", ", line 4, is not YAML: write"),
        ("labels:\n  jeans: pants\n\ttop: top\n", ", line 3, is not YAML: write"),
        ("- a", "'labels' must name their labels"),
        ("labels: {jeans: pant}", "label 'jeans' becomes 'pant': did you mean 'pants'?"),
        ("labels: {jeans: [pants]}", "label 'jeans' becomes"),
        ("labels: {T-shirt: top, t shirt: outer}", "label 't shirt' becomes two things"),
        ("labels: {jeans: pants}\nvalues: {7: jean}", "'jean' is not among its labels: did you mean 'jeans'?"),
        ("labels: {jeans: pants}\nvalues: {x: jeans}", "its values or colors cannot be read: write them as"),
        ("labels: {jeans: pants}\nvalues: [jeans]", "its values or colors cannot be read: write them as"),
        ("labels: {jeans: pants}\nvalues: 7", "its values or colors cannot be read: write them as"),
        ("labels: {jeans: pants}\ncolors: {12: jeans}", "its values or colors cannot be read: write them as"),
        (
            'labels: {jeans: pants}\ncolors: {"#ff00": jeans, "#qq0000": jeans}',
            "its values or colors cannot be read: write them as",
        ),
        ("labels: {jeans: pants}\nfirst_value: x", "its values or colors cannot be read: write them as"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(DatasetError) as error:
        read_map(file)
    assert said in str(error.value) and str(error.value).startswith(str(file)) and "\n" not in str(error.value)


def test_an_unknown_map_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        DatasetError, match="Map 'fashonpedia' is neither a file nor known: did you mean 'fashionpedia'"
    ):
        read_map("fashonpedia")


def test_values_and_colors_of_a_map(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text('labels: {jeans: pants}\nvalues: {7: jeans}\ncolors: {"#ff0001": jeans}')
    fold = read_map(tmp_path / "m.yaml")
    assert fold.values == {7: "jeans"} and fold.colors == {(255, 0, 1): "jeans"} and fold.target("Jeans") == "pants"

"""Profiles: what is shipped, and what of a profile is refused, in one sentence."""

import re
from pathlib import Path

import pytest

from modanet_utils.datasets.find import find_data
from modanet_utils.datasets.weights import SCHEMES
from modanet_utils.project import ProjectError
from modanet_utils.trials import OWN, Profile, TrialConfig, encoder_weights, own_loss, read_profile


@pytest.mark.parametrize("name", ["synthetic", "ccp", "modanet", "template"])
def test_shipped_profiles_give_every_parameter(name: str) -> None:
    parameters = read_profile(name)
    assert parameters.model_fields_set >= set(Profile.model_fields) - set(OWN)
    assert parameters.profile == name
    assert isinstance(parameters.learning_rate, float)


def test_photos_of_people_are_shown_only_to_who_asks() -> None:
    assert not read_profile("ccp").show_photos
    assert not read_profile("modanet").show_photos


def test_the_template_is_copied_by_name_alone_and_explains_every_line(project: Path) -> None:
    text = (project / "profiles" / "template.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all("  # " in line for line in lines) and len(lines) == len(Profile.model_fields)
    (project / "profiles" / "mine.yaml").write_text(text.replace("profile: template", "profile: mine"))
    mine, ccp = read_profile("mine"), read_profile("ccp")
    assert mine.model_dump(exclude={"profile"}) == ccp.model_dump(exclude={"profile"}), "as its comment says"


def test_what_the_template_says_of_its_values_is_true(project: Path) -> None:
    """Its comments name limits and defaults; these are the package's."""
    text = (project / "profiles" / "template.yaml").read_text()
    assert "--map" in text and re.search(r"modanet convert SOURCE (\S+) --map", text)[1] == "data/mine"
    file = project / "profiles" / "mine.yaml"
    for change, said in (
        ("image_height: 300", "give a multiple of 32"),
        ("batch_size: 8\nprocesses: 3", "cannot be shared by 3 processes equally"),
        ("learning_rate: 1e-3", "as in 1.0e-3"),
        ("mixed_precision: no", "in YAML with the quotes"),
        ("mixed_precision: bf16", None),
        ("seed: -1", "0 or more"),
        ("loss: focal\ngamma: 3\nclass_weights: {belt: 5, boots: 3}", None),
        ("loss: combined\ndice: 0", None),
        ("gamma: 3", "gamma is 3.0 but loss is None: it goes with focal or combined"),
        ("loss: focal\ndice: 2", "dice is 2.0 but loss is focal: it goes with combined"),
    ):
        keys = tuple(line.split(":")[0] + ":" for line in change.splitlines())
        kept = [line for line in text.splitlines() if not line.startswith((*keys, "profile:"))]
        file.write_text("\n".join([*kept, "profile: mine", change]))
        if said is None:
            read_profile("mine")
        else:
            with pytest.raises(ProjectError, match=said):
                read_profile("mine")
    usual = TrialConfig()
    assert usual.gamma == 2 and usual.dice == usual.focal == usual.lovasz == 1, "as null means"
    assert "or combined" in text and all(f"{scheme}, " in text for scheme in SCHEMES)
    assert encoder_weights(read_profile("template").encoder) == "packaged"
    with pytest.raises(FileNotFoundError, match="put them into data/mine"):
        find_data("mine", None)
    (project / "data" / "mine").mkdir(parents=True)
    assert find_data("mine", read_profile("template").data_root) == project / "data" / "mine"


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProjectError, match="Profile 'syntetic' is unknown: did you mean 'synthetic'?"):
        read_profile("syntetic")
    with pytest.raises(ProjectError, match="Valid: ccp, modanet, synthetic, template"):
        read_profile("../x")


@pytest.mark.reliability("profiles")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("epoch: 3", "Parameter 'epoch' is unknown: did you mean 'epochs'?"),
        ("learning_rate: 1e-3", "learning_rate is '1e-3': give a finite number above 0 .* as in 1.0e-3"),
        ("mixed_precision: no", 'mixed_precision is False: give "no" \\(in YAML with the quotes\\)'),
        ("image_height: 100", "image_height is 100: give a multiple of 32"),
        ("epochs: 0", "epochs is 0: give a whole number above 0"),
        ("epochs: true", "epochs is True: give a whole number above 0"),
        ("workers: -1", "workers is -1: give a whole number, 0 or more"),
        ("encoder:", "encoder is None: give a text"),
        ("show_photos: 1", "show_photos is 1: give true or false"),
        ("profile: other", "profile is 'other': it must be the file's name"),
        ("[", "is not YAML"),
    ],
)
def test_a_senseless_parameter_is_refused(project: Path, line: str, message: str) -> None:
    file = project / "profiles" / "ccp.yaml"
    key = line.split(":")[0] + ":"
    kept = [other for other in file.read_text().splitlines() if not other.startswith(key)]
    file.write_text("\n".join([*kept, line]))
    with pytest.raises(ProjectError, match=f"^profiles/ccp.yaml:? {message}"):
        read_profile("ccp")


def test_an_own_loss_may_be_left_out_of_a_profile(project: Path) -> None:
    file = project / "profiles" / "ccp.yaml"
    assert not any(line.startswith("loss") for line in file.read_text().splitlines()), "as in profiles from before it"
    assert own_loss(dict(read_profile("ccp"))) == {}
    with file.open("a") as more:
        more.write("loss: focal\nclass_weights: {belt: 5}\n")
    found = read_profile("ccp")
    assert own_loss(dict(found)) == {"loss": "focal", "class_weights": {"belt": 5.0}}
    assert not set(OWN) & set(found.settings), "the report's own trials do not take it"


@pytest.mark.reliability("profiles")
def test_a_missing_parameter_is_refused(project: Path) -> None:
    (project / "profiles" / "ccp.yaml").write_text("profile: ccp\n")
    with pytest.raises(ProjectError, match="profiles/ccp.yaml: parameter '.*' is missing"):
        read_profile("ccp")

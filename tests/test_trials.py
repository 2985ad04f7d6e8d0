"""The registry of trials, the settings that everything shares, and a dry run of the profile that is meant for a GPU."""

import math
import shutil
from pathlib import Path
from typing import Annotated, Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from modanet_utils import losses, model, trials
from modanet_utils.comparison.plots import trial_dots
from modanet_utils.datasets.weights import class_weights
from modanet_utils.project import ProjectError
from modanet_utils.report.execute import notebook_parameters
from modanet_utils.results.compared import compared, compared_texts
from modanet_utils.results.workspace import NOTEBOOKS
from modanet_utils.training.loop import build_loss, training_target
from modanet_utils.trials import (
    OWN,
    OWN_LOSS,
    TAKES,
    TRIALS,
    AddedLater,
    Profile,
    SettingError,
    Settings,
    Trial,
    TrialConfig,
    color_of,
    finalists,
    headline,
    label_of,
    own_loss,
    plan,
    read_profile,
    trained,
    trial_config,
)

ROOT = Path(__file__).resolve().parent.parent

# ------------------------------------------------------------------------------------------ the registry


def test_trials_differ_from_the_baseline_only_in_the_loss() -> None:
    baseline = trial_config("cross_entropy", "anywhere", epochs=3).model_dump()
    combined = trial_config("combined", "anywhere", epochs=3).model_dump()
    assert {key for key in baseline if baseline[key] != combined[key]} == {"loss", "class_weights"}


def test_an_unknown_trial_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="Trial 'combine' is unknown: did you mean 'combined'"):
        trial_config("combine", "anywhere")
    with pytest.raises(SettingError, match="Trial 'all_background' is unknown"):  # it is not trained
        trial_config("all_background", "anywhere")


def test_another_encoder_asks_for_its_weights_by_name() -> None:
    assert trial_config("combined", "anywhere").encoder_weights == "packaged"
    assert trial_config("combined", "anywhere", encoder="resnet34").encoder_weights == "imagenet"


def test_every_trial_has_a_name_a_label_and_valid_settings_of_its_own() -> None:
    assert list(TRIALS) == [trial.name for trial in TRIALS.values()]
    assert len({trial.label for trial in TRIALS.values()}) == len(TRIALS)
    assert len({trial_config(trial.name, "anywhere").hash for trial in trained()}) == len(trained())
    assert set(headline()) <= set(TRIALS) and set(finalists()) <= {trial.name for trial in trained()}


def test_the_plan_names_every_training_once() -> None:
    planned = plan("anywhere", seed=7, epochs=2)
    names, once = [one.name for one in planned], [trial.name for trial in trained()]
    assert names[: len(once)] == once
    assert finalists() == ["cross_entropy", "combined", "combined_body_tagged_long", "recommended"]
    assert names[len(once) :] == [f"{name}-seed{seed}" for seed in (1, 2) for name in finalists()]
    assert len({one.config.hash for one in planned}) == len(planned)
    assert {one.config.seed for one in planned} == {7, 8, 9}
    assert next(one for one in planned if one.name == "combined-seed2").config.loss == "combined"


def test_adding_a_trial_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is then in the plan, the table and the figure."""
    label, color = "combined, wide focal", "#cc79a7"
    changes = trials.COMBINED | {"gamma": 5.0}
    monkeypatch.setitem(TRIALS, "wide_focal", Trial("wide_focal", label, changes, color, seeds=2))
    planned = {one.name: one.config for one in plan("anywhere")}
    assert planned["wide_focal"].gamma == 5 and planned["wide_focal"].loss == "combined"
    assert planned["wide_focal-seed1"] == planned["wide_focal"].but(seed=1)

    counts = np.zeros((6, 16, 14), np.int64)
    counts[:, 1, 1], counts[:, 1, 0] = 5, 5
    table = compared({"combined": counts, "wide_focal": counts})
    assert list(compared_texts(table).index) == ["combined loss", label]
    figure, _ = trial_dots(table, {})
    axis = figure.axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["combined loss", label]
    assert {line.get_color() for line in axis.lines} == {color_of("combined loss"), color}
    plt.close(figure)


def test_a_name_that_is_in_no_registry_is_shown_as_it_is() -> None:
    assert label_of("something_else") == "something else" and color_of("something else") == trials.GREY


# ------------------------------------------------------------------------------------------ settings

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a word for a flag": ({"augmentation": "false"}, "augmentation is 'false': give true or false."),
    "a number for a text": ({"encoder": 5}, "encoder is 5: give a text that is not empty."),
    "an empty text": ({"encoder": ""}, "encoder is '': give a text"),
    "another number of outputs": ({"outputs": 15}, "outputs is 15: give one of 14, 16."),
    "a flag for a number": ({"outputs": True}, "outputs is True: give one of 14, 16."),
    "a negative seed": ({"seed": -1}, "seed is -1: give a whole number, 0 or more."),
    "a flag for a seed": ({"seed": True}, "seed is True"),
    "a fraction for a count": ({"epochs": 2.5}, "epochs is 2.5: give a whole number above 0."),
    "a float for a count": ({"epochs": 2.0}, "epochs is 2.0: give a whole number above 0."),
    "none at all": ({"epochs": 0}, "epochs is 0: give a whole number above 0."),
    "an infinite rate": ({"learning_rate": math.inf}, "learning_rate is inf: give a finite number above 0"),
    "a rate that is none": ({"learning_rate": math.nan}, "learning_rate is nan: give a finite number above 0"),
    "a rate of 0": ({"learning_rate": 0}, "learning_rate is 0: give a finite number above 0"),
    "a text for a rate": ({"learning_rate": "1e-3"}, "learning_rate is '1e-3'"),
    "a flag for a rate": ({"learning_rate": True}, "learning_rate is True"),
    "a negative coefficient": ({"dice": -1}, "dice is -1: give a finite number, 0 or more."),
    "an infinite coefficient": ({"lovasz": -math.inf}, "lovasz is -inf: give a finite number, 0 or more."),
    "a decay that is none": ({"weight_decay": math.nan}, "weight_decay is nan"),
    "an odd side": ({"image_height": 100}, "image_height is 100: give a multiple of 32"),
    "a side of 0": ({"image_width": 0}, "image_width is 0: give a multiple of 32"),
    "no bins": ({"lovasz_bins": 0}, "lovasz_bins is 0: give a whole number above 0, or None"),
    "YAML's no": ({"mixed_precision": False}, 'mixed_precision is False: give "no" (in YAML with the quotes)'),
    "an unknown loss": ({"loss": "combind"}, "loss is 'combind': did you mean 'combined'? Valid: cross_entropy,"),
    "no loss": ({"loss": None}, "loss is None: give one of cross_entropy, focal"),
    "unknown weights": (
        {"class_weights": "inverse_sqr"},
        "class_weights is 'inverse_sqr': did you mean 'inverse_sqrt'",
    ),
    "unknown attention": ({"attention": "scs"}, "attention is 'scs': did you mean 'scse'? Valid: scse, None."),
    "a number for weights": ({"encoder_weights": 3}, "encoder_weights is 3: give 'packaged', a name that SMP knows,"),
    "an unknown field": ({"epoch": 3}, "Parameter 'epoch' is unknown: did you mean 'epochs'?"),
    "unequal shares": ({"batch_size": 5, "processes": 2}, "batch_size 5 cannot be shared by 2 processes equally."),
}


@pytest.mark.parametrize(("values", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_caller_gets_wrong_is_refused_in_one_sentence(values: dict[str, Any], said: str) -> None:
    for refused in (lambda: TrialConfig(**values), lambda: TrialConfig().but(**values)):
        with pytest.raises(SettingError) as error:
            refused()
        assert str(error.value).startswith(said) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"augmentation": "maybe"}, "augmentation is 'maybe': give true or false."),
        ({"augmentation": "1"}, "augmentation is 1: give true or false."),
        ({"outputs": "15"}, "outputs is 15: give one of 14, 16."),
        ({"seed": "-1"}, "seed is -1: give a whole number, 0 or more."),
        ({"epochs": "abc"}, "epochs is 'abc': give a whole number above 0."),
        ({"epochs": "2.5"}, "epochs is 2.5: give a whole number above 0."),
        ({"epochs": "none"}, "epochs is 'none': give a whole number above 0."),
        ({"epochs": "["}, "epochs is '[': give a whole number above 0."),
        ({"epochs": ""}, "epochs is '': give a whole number above 0."),
        ({"learning_rate": "inf"}, "learning_rate is inf: give a finite number above 0"),
        ({"learning_rate": "nan"}, "learning_rate is nan: give a finite number above 0"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast': give a finite number above 0"),
        ({"loss": "focl"}, "loss is 'focl': did you mean 'focal'?"),
        ({"loss": "5"}, "loss is '5': Valid: cross_entropy"),
        ({"encoder": ""}, "encoder is '': give a text that is not empty."),
        ({"epoch": "3"}, "Parameter 'epoch' is unknown: did you mean 'epochs'?"),
    ],
)
def test_what_a_command_line_gets_wrong_is_refused_in_one_sentence(texts: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError) as error:
        TrialConfig(**TrialConfig.from_texts(texts))
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_texts_are_read_as_the_fields_take_them() -> None:
    config = TrialConfig(loss="dice", attention=None, lovasz_bins=None, augmentation=False, learning_rate=2e-4, gamma=3)
    as_written = {name: str(value) for name, value in config.model_dump().items()}
    assert TrialConfig(**TrialConfig.from_texts(as_written)) == config
    assert TrialConfig.from_texts({"encoder": "5", "encoder_weights": "None", "mixed_precision": "no"}) == {
        "encoder": "5",
        "encoder_weights": None,
        "mixed_precision": "no",
    }


@pytest.mark.parametrize("name", ["learning_rate", "gamma", "dice", "focal", "lovasz", "weight_decay"])
def test_a_whole_number_and_its_float_are_one_trial(name: str) -> None:
    whole, decimal = TrialConfig(**{name: 2}), TrialConfig(**{name: 2.0})
    assert whole == decimal and whole.hash == decimal.hash
    assert whole.hash != TrialConfig(**{name: 3}).hash


def test_every_field_that_can_change_a_result_changes_the_hash_and_no_other() -> None:
    other: dict[str, Any] = {
        "image_height": 320, "image_width": 320, "encoder": "resnet18", "epochs": 1, "batch_size": 2, "seed": 1,
        "learning_rate": 0.5, "mixed_precision": "bf16", "encoder_weights": None, "attention": None, "outputs": 16,
        "loss": "dice", "class_weights": "inverse", "gamma": 1.0, "dice": 0.0, "focal": 0.0, "lovasz": 0.0,
        "lovasz_bins": None, "weight_decay": 0.0, "augmentation": False, "split_seed": 1,
        "workers": 1, "processes": 2, "data_root": "elsewhere", "repeat_threshold": 0.2, "pseudo_labels": "more",
        "start_from": "other", "pasted": 0.5, "absent": 0.1, "averaged": 0.9,
    }  # fmt: skip
    assert set(other) == set(TrialConfig.model_fields)
    kept = {name for name, value in other.items() if TrialConfig(**{name: value}).hash == TrialConfig().hash}
    assert kept == {"workers", "processes", "data_root"}


def test_a_field_that_is_added_later_leaves_the_hashes_of_recorded_runs_alone() -> None:
    class Later(TrialConfig):
        smoothing: Annotated[float, AddedLater()] = 0.0

    class Careless(TrialConfig):
        smoothing: float = 0.0

    for name in finalists():
        before = trial_config(name, "anywhere")
        assert Later(**before.model_dump()).hash == before.hash
        assert Later(**before.model_dump(), smoothing=0.1).hash != before.hash
        assert Careless(**before.model_dump()).hash != before.hash


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TrialConfig().epochs = 3


def test_what_is_typed_twice_to_load_no_torch_is_the_same() -> None:
    assert trials.PACKAGED == model.LITE0
    larger = trials.trial_config("combined_body_lite2", "anywhere", encoder="resnet18", epochs=15)
    assert (larger.encoder, larger.encoder_weights, larger.epochs) == (model.LITE2, "packaged", 12)
    assert TrialConfig().lovasz_bins == losses.LOVASZ_BINS


# ------------------------------------------------------------------------------------------ profiles


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_a_profile_and_a_training_name_the_same_settings(name: str) -> None:
    parameters = notebook_parameters(nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4))
    own = {"loss"} if name == "03_combined_loss" else set()  # where it is trained and shown
    assert set(parameters) == set(Profile.model_fields) - set(OWN) | own
    more = {"profile", "data_root", "out_dir", "show_photos", *OWN}
    assert set(Profile.model_fields) - set(Settings.model_fields) == more
    assert set(Settings.model_fields) <= set(TrialConfig.model_fields)
    taken = Settings.taken_from(parameters | {"pixels": 1, "config": None})
    assert taken == {name: parameters[name] for name in Settings.model_fields}


def test_a_notebook_that_is_given_something_wrong_says_so() -> None:
    with pytest.raises(SettingError, match="^epochs is 0: give a whole number above 0.$"):
        Settings.taken_from(Settings().model_dump() | {"epochs": 0})


@pytest.mark.parametrize("name", ["synthetic", "ccp", "modanet", "template"])
def test_shipped_profiles_give_every_setting(name: str) -> None:
    written = yaml.safe_load((ROOT / "profiles" / f"{name}.yaml").read_text())
    profile = read_profile(name)
    assert profile.profile == name and profile.model_dump(exclude_unset=True) == written
    assert trials.own_loss(written) == {}, "the report's own trials are all there is by default"
    assert profile.settings == {key: written[key] for key in Settings.model_fields}
    assert isinstance(profile.learning_rate, float)
    assert trial_config("combined", "anywhere", **profile.settings).epochs == profile.epochs


def test_photos_of_people_are_shown_only_to_who_asks() -> None:
    assert not read_profile("ccp").show_photos and not read_profile("modanet").show_photos


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a copy of the profiles, which is read instead."""
    monkeypatch.setattr(trials, "ROOT", tmp_path)
    return shutil.copytree(ROOT / "profiles", tmp_path / "profiles")


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProjectError, match="^Profile 'syntetic' is unknown: did you mean 'synthetic'?"):
        read_profile("syntetic")
    with pytest.raises(ProjectError, match="Valid: ccp, modanet, synthetic, template.$"):
        read_profile("../x")


@pytest.mark.reliability("profiles")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("epoch: 3", "Parameter 'epoch' is unknown: did you mean 'epochs'?"),
        ("learning_rate: 1e-3", "learning_rate is '1e-3': .* as in 1.0e-3"),
        ("learning_rate: .inf", "learning_rate is inf: give a finite number"),
        ("learning_rate: .nan", "learning_rate is nan: give a finite number"),
        ("mixed_precision: no", 'mixed_precision is False: give "no" \\(in YAML with the quotes\\)'),
        ("image_height: 100", "image_height is 100: give a multiple of 32"),
        ("epochs: 0", "epochs is 0: give a whole number above 0"),
        ("epochs: true", "epochs is True: give a whole number above 0"),
        ("seed: -1", "seed is -1: give a whole number, 0 or more"),
        ("workers: -1", "workers is -1: give a whole number, 0 or more"),
        ("encoder:", "encoder is None: give a text"),
        ("encoder: 5", "encoder is 5: give a text"),
        ("show_photos: 1", "show_photos is 1: give true or false"),
        ("show_photos: 'false'", "show_photos is 'false': give true or false"),
        ("data_root: 3", "data_root is 3: give a folder, or null"),
        ("profile: other", "profile is 'other': it must be the file's name, 'ccp'"),
        ("gamma: 3.0", "gamma is 3.0 but loss is None: it goes with focal or combined."),
    ],
)
def test_a_senseless_setting_of_a_profile_is_refused(profiles: Path, line: str, said: str) -> None:
    file, key = profiles / "ccp.yaml", line.split(":")[0] + ":"
    kept = [other for other in file.read_text().splitlines() if not other.startswith(key)]
    file.write_text("\n".join([*kept, line]))
    with pytest.raises(ProjectError, match=f"^profiles/ccp.yaml: {said}") as error:
        read_profile("ccp")
    assert "\n" not in str(error.value)


@pytest.mark.reliability("profiles")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("profile: ccp\n", "profiles/ccp.yaml: parameter 'image_height' is missing."),
        ("[", "profiles/ccp.yaml is not YAML"),
        ("- epochs\n", "profiles/ccp.yaml must give parameters, one a line"),
    ],
)
def test_a_profile_that_is_none_is_refused(profiles: Path, content: str, said: str) -> None:
    (profiles / "ccp.yaml").write_text(content)
    with pytest.raises(ProjectError, match=f"^{said}") as error:
        read_profile("ccp")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["cross_entropy", "recommended"])
def test_profile_modanet_takes_one_step(name: str) -> None:
    """Its encoder, size, precision and loss, on random photos of that size; its hub weights are left out."""
    config = trial_config(name, "anywhere", **read_profile("modanet").settings)
    torch.manual_seed(0)
    AcceleratorState._reset_state(True)  # an earlier test's would be kept, without regard to what is asked for here
    accelerator = Accelerator(mixed_precision=config.mixed_precision, cpu=True)
    net = model.build(config.encoder, None, config.attention, outputs=config.outputs)
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate)
    net, optimizer = accelerator.prepare(net, optimizer)
    photos = torch.randint(0, 256, (2, 3, config.image_height, config.image_width), dtype=torch.uint8)
    truth = torch.randint(0, 16, (2, config.image_height, config.image_width), dtype=torch.uint8)
    before = [parameter.detach().clone() for parameter in net.parameters()]
    loss = build_loss(config, [1.0] * 14)(net(photos), training_target(truth, config.outputs))
    accelerator.backward(loss)
    optimizer.step()
    assert loss.isfinite()
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)


# ------------------------------------------------------------------------------------------ weights by name, parameters


def test_class_weights_are_a_scheme_or_numbers_by_name() -> None:
    config = TrialConfig(class_weights={"belt": 5, "boots": 3.0})
    assert config.class_weights == {"belt": 5.0, "boots": 3.0}
    assert config.hash == TrialConfig(class_weights={"boots": 3.0, "belt": 5.0}).hash != TrialConfig().hash
    texts = {"class_weights": trials.as_text(config.class_weights)}
    assert TrialConfig(**TrialConfig.from_texts(texts)) == config
    weights = class_weights(np.ones((1, 14), int), config.class_weights)
    assert weights.mean() == pytest.approx(1) and weights[2] / weights[1] == pytest.approx(5)


@pytest.mark.parametrize("value", [{"blet": 5.0}, {"belt": 0.0}, {"belt": "much"}, {}, "invers", 3])
def test_senseless_class_weights_are_refused_in_one_sentence(value: Any) -> None:
    with pytest.raises(SettingError, match=r"^class_weights.*inverse_sqrt.*\.$") as error:
        TrialConfig(class_weights=value)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------------ a reader's own loss


def test_an_own_loss_is_read_as_a_profile_a_notebook_and_papermill_give_it() -> None:
    assert own_loss({}) == own_loss(dict.fromkeys(OWN) | {"epochs": 3, "pixels": np}) == {}
    assert own_loss({"loss": "focal", "gamma": 3}) == {"loss": "focal", "gamma": 3.0}
    weights = {"belt": 5.0, "scarf & tie": 0.5}
    for given in (weights, "belt=5,scarf & tie=0.5", " belt = 5.0 , scarf & tie = .5 "):
        assert own_loss({"loss": "dice", "class_weights": given}) == {"loss": "dice", "class_weights": weights}
    assert own_loss({"loss": "combined", "dice": 0, "class_weights": "inverse"})["class_weights"] == "inverse"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gamma": 3}, "gamma is 3.0 but loss is None: it goes with focal or combined."),
        (
            {"class_weights": "none"},
            "class_weights is 'none' but loss is None: it goes with cross_entropy or focal ",
        ),
        ({"loss": "focal", "dice": 0}, "dice is 0.0 but loss is focal: it goes with combined."),
        (
            {"loss": "lovasz", "class_weights": {"belt": 5}},
            "class_weights is {'belt': 5.0} but loss is lovasz: it ",
        ),
        ({"loss": "focal", "gamma": "3"}, "gamma is '3': give a finite number, 0 or more, or null (None)"),
        ({"loss": "focal", "gamma": math.inf}, "gamma is inf: give a finite number, 0 or more, or null (None)"),
        ({"loss": "focl"}, "loss is 'focl': give one of cross_entropy, focal, dice, lovasz, combined, or null (None)"),
        ({"loss": "none"}, "loss is 'none': give one of cross_entropy, focal, dice, lovasz, combined, or null (None)"),
        ({"loss": "combined", "lovasz": -1}, "lovasz is -1: give a finite number, 0 or more, or null (None)"),
        ({"loss": "dice", "class_weights": {"blet": 5}}, "class_weights is {'blet': 5}: give one of none, inverse_"),
        ({"loss": 3}, "loss is 3: give one of cross_entropy, focal, dice, lovasz, combined, or null (None)"),
        (
            {"loss": "dice", "class_weights": "belt=much"},
            "class_weights is {'belt': 'much'}: give one of none, ",
        ),
        ({"loss": "dice", "class_weights": "invers"}, "class_weights is 'invers': did you mean 'inverse'?"),
        ({"loss": "dice", "epochs": 0}, "epochs is 0: give a whole number above 0."),
    ],
)
def test_what_is_wrong_about_an_own_loss_is_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as error:
        own_loss(given)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_what_a_loss_is_said_to_take_it_takes() -> None:
    """And nothing else changes it: two values of what it takes give two losses, of anything else the same."""
    torch.manual_seed(0)
    logits, target = torch.randn(1, 14, 8, 8), torch.randint(0, 14, (1, 8, 8))
    other: dict[str, Any] = {"class_weights": "inverse", "gamma": 0.5, "dice": 3, "focal": 3, "lovasz": 3}
    weights = np.linspace(0.5, 1.5, 14)
    for loss, taken in TAKES.items():
        usual = build_loss(TrialConfig(loss=loss), weights)(logits, target)
        changed = {k: build_loss(TrialConfig(loss=loss, **{k: v}), weights)(logits, target) for k, v in other.items()}
        assert {name for name, value in changed.items() if value != usual} == set(taken)


def test_an_own_loss_is_one_more_training_of_the_plan_with_the_shared_settings() -> None:
    own = {"loss": "focal", "gamma": 3.0, "class_weights": {"belt": 5.0}}
    settings = {"epochs": 2, "seed": 7, "image_height": 64}
    usual, planned = plan("anywhere", **settings), plan("anywhere", own=own, **settings)
    assert planned[1:] == usual == plan("anywhere", own={}, **settings)
    assert planned[0].name == OWN_LOSS and planned[0] not in usual
    assert planned[0].config == trial_config("cross_entropy", "anywhere", **settings).but(**own)
    assert plan("anywhere", "losses", own=own)[0].name == OWN_LOSS
    assert label_of(OWN_LOSS) == "your loss" and OWN_LOSS in trials.with_weights()
    with pytest.raises(SettingError, match="Trial 'own_loss' is unknown"):
        trial_config(OWN_LOSS, "anywhere")


def test_a_parameter_that_no_notebook_knows_is_refused() -> None:
    known = {"profile": "mine", "epochs": 3, "In": [], "Out": {}, "_oh": {}, "SMALL": 256, "plots": np}
    trials.check_parameters(known)
    with pytest.raises(SettingError, match="Parameter 'epoch' is unknown: did you mean 'epochs'"):
        trials.check_parameters(known | {"epoch": 3})

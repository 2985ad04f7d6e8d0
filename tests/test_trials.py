"""The named trials, and a dry run of the profile that is meant for a GPU."""

import dataclasses

import pytest
import torch
from accelerate import Accelerator

from modanet_utils import model
from modanet_utils.series import read_profile
from modanet_utils.training import TrialConfig, build_loss, training_target
from modanet_utils.trials import TRIALS, trial_config


def test_trials_differ_from_the_baseline_only_in_the_loss() -> None:
    baseline = dataclasses.asdict(trial_config("cross_entropy", "anywhere", epochs=3))
    combined = dataclasses.asdict(trial_config("combined", "anywhere", epochs=3))
    assert {key for key in baseline if baseline[key] != combined[key]} == {"loss", "class_weights"}


def test_an_unknown_trial_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'combined'"):
        trial_config("combine", "anywhere")


def test_another_encoder_asks_for_its_weights_by_name() -> None:
    assert trial_config("combined", "anywhere").encoder_weights == "packaged"
    assert trial_config("combined", "anywhere", "resnet34").encoder_weights == "imagenet"


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_profile_modanet_takes_one_step(name: str) -> None:
    """Its encoder, size, precision and loss, on random photos of that size; its hub weights are left out."""
    profile = read_profile("modanet")
    shared = {key: profile[key] for key in ("image_height", "image_width", "mixed_precision", "learning_rate")}
    config: TrialConfig = trial_config(name, "anywhere", profile["encoder"], **shared)
    torch.manual_seed(0)
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

"""What a network sees of changed pictures."""

import numpy as np
import pytest
from error_samples import make_stage

from modanet_utils.classes import HEADWEAR
from modanet_utils.errors.causes.crowd import figures
from modanet_utils.errors.causes.stage import Stage, hairy, labels, look


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_a_look_gives_features_and_logits(stage: Stage) -> None:
    photos = [stage.scenes[0].photo, stage.scenes[90].photo]
    view = look(stage.net, photos)
    assert view.features.shape == (2, 3, 64, 64) and view.logits.shape == (2, 14, 64, 64)
    np.testing.assert_allclose(view.features[1, :, 7, 25], photos[1][7, 25] / 255, rtol=1e-6)
    assert not stage.net.unet.segmentation_head._forward_pre_hooks
    predicted = labels(stage.net, photos * 5)
    np.testing.assert_array_equal(predicted[9] == HEADWEAR, stage.scenes[90].truth == HEADWEAR)
    assert not predicted[8].any()


def test_images_are_chosen_by_what_they_show(stage: Stage) -> None:
    assert hairy(stage) == list(range(12))
    assert hairy(stage, 3) == [0, 4, 8]
    assert figures(stage) == list(stage.scenes)

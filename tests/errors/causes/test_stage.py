"""What a network sees of changed pictures."""

import numpy as np
import pytest
from error_samples import make_stage

from modanet_utils.classes import HEADWEAR
from modanet_utils.errors.causes.pasting import figures
from modanet_utils.errors.causes.stage import Stage, hairy, look


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_a_look_gives_label_maps_in_batches(stage: Stage) -> None:
    photos = [stage.scenes[0].photo, stage.scenes[90].photo]
    predicted = look(stage.net, photos * 5)
    assert predicted.shape == (10, 64, 64) and predicted.dtype == np.uint8
    np.testing.assert_array_equal(predicted[9] == HEADWEAR, stage.scenes[90].truth == HEADWEAR)
    assert not predicted[8].any()


def test_images_are_chosen_by_what_they_show(stage: Stage) -> None:
    assert hairy(stage) == list(range(12))
    assert hairy(stage, 3) == [0, 4, 8]
    assert figures(stage) == list(stage.scenes)

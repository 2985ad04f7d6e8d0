"""Drawn figures are changed as the experiments change photos."""

import numpy as np

from modanet_utils.errors.causes.examples import in_other_colours, two_people, worn_and_beside


def test_every_example_differs_from_the_others_and_stays_the_same() -> None:
    for made, number in ((worn_and_beside, 2), (in_other_colours, 4), (two_people, 3)):
        pictures = made()
        assert len(pictures) == number
        assert len({picture.shape for picture in pictures.values()}) == 1
        assert len({picture.tobytes() for picture in pictures.values()}) == number
        for name, picture in made().items():
            np.testing.assert_array_equal(picture, pictures[name])

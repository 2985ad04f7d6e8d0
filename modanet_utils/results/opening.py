"""The first screen of a notebook: the answer in a few bullets, and one picture."""

from typing import Any

from IPython.display import Markdown, display
from matplotlib.figure import Figure

from modanet_utils.plots import picture

Drawn = tuple[Figure, str] | None
"""A figure with its alternative text; None where there is nothing to draw yet."""


class Opening:
    """Answer and picture at the top, shown at once from what is recorded, and again when the notebook has run."""

    def __init__(self) -> None:
        self._answer: Any = display(Markdown(""), display_id=True)
        self._picture: Any = display(Markdown(""), display_id=True)

    def show(self, answer: Markdown, drawn: Drawn = None) -> None:
        """Put the answer, and the picture if there is one, in place of what stood there."""
        self._answer.update(answer)
        if drawn:
            image, metadata = picture(*drawn)
            self._picture.update(image, metadata=metadata)

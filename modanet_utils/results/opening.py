"""The first screen of a notebook: the answer in a few bullets, and one picture."""

from typing import Any

from IPython.display import Markdown, display
from matplotlib.figure import Figure

from modanet_utils.plots import Drawn, picture


class Opening:
    """Answer, examples and picture at the top, shown at once from what is recorded, again when the notebook has run."""

    def __init__(self) -> None:
        self._answer, self._examples, self._picture = (display(Markdown(""), display_id=True) for _ in range(3))

    def show(self, answer: Markdown, drawn: Drawn | None = None) -> None:
        """Put the answer, and the picture if there is one, in place of what stood there."""
        self._answer.update(answer)
        if drawn:
            self._put(self._picture, *drawn)

    def examples(self, figure: Figure, alt: str, photo: bool = False) -> None:
        """Put photos, or their label maps, between answer and picture."""
        self._put(self._examples, figure, alt, photo)

    def _put(self, handle: Any, *drawn: Any) -> None:
        image, metadata = picture(*drawn)
        handle.update(image, metadata=metadata)

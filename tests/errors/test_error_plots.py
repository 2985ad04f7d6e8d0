"""Figures bear what is undefined."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from error_samples import scan_of

from modanet_utils.classes import SKIN
from modanet_utils.errors.claims import THRESHOLDS
from modanet_utils.errors.plots import answer_dots, case_gallery, ceiling_curves, flow_maps, origin_bars, skin_panels
from modanet_utils.errors.tables import arithmetic, depth_table, flow_shares, origins, receivers


def test_figures_bear_what_is_undefined(trials: dict[str, np.ndarray], table: pd.DataFrame) -> None:
    """A trial without headwear, a label nobody shows, a choice of cases that is empty."""
    truth = np.full((6, 4), SKIN, np.uint8)
    nothing = {name: 0 * scan_of(counts, 0).found.depth for name, counts in trials.items()}
    figures = [
        flow_maps({name: flow_shares(c, "prediction") for name, c in trials.items()}, "flows"),
        answer_dots(table, THRESHOLDS, "answers"),
        answer_dots(table.assign(before=np.nan, after=np.nan, limit=np.nan), {}, "no answers"),
        origin_bars(origins(trials), "origins"),
        ceiling_curves(arithmetic(trials), "ceilings"),
        ceiling_curves(arithmetic({"cross-entropy": trials["cross-entropy"]}), "no ceiling"),
        skin_panels(
            {name: receivers(c) for name, c in trials.items()},
            {name: depth_table(d) for name, d in nothing.items()},
            "skin",
        ),
        case_gallery({"worst": [1], "none": []}, {1: (None, truth, truth * 0)}, {1: 0.5}, "cases"),
        case_gallery({"none": []}, {}, {}, "no cases"),
    ]
    for figure in figures:
        figure.canvas.draw()
        plt.close(figure)

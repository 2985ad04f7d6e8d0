"""Figures of the experiments bear what is undefined."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from error_samples import make_stage, make_tables

from modanet_utils.errors.causes.examples import examples
from modanet_utils.errors.causes.plots import crowd_lines, dose_lines, example_gallery, leak_against_color, probe_dots
from modanet_utils.errors.causes.stage import Stage
from modanet_utils.errors.plots import body_panels, kind_panels, outline_dots, size_panels


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return make_tables()


def test_figures_bear_what_is_undefined(stage: Stage, tables: dict[str, pd.DataFrame]) -> None:
    frame = pd.DataFrame(
        np.random.default_rng(0).uniform(0.1, 1, (9, 4)), columns=["leak", "distance", "area", "height"]
    )
    shown = examples(stage)
    assert len(shown) == 9
    for unit in (1, np.nan):
        t = {name: table.copy() for name, table in tables.items()}
        for table in t.values():
            numbers = table.select_dtypes("float").columns
            table[numbers] = table[numbers] * unit
        doses = {"called": t["recoloring"], "probability": t["recoloring_probability"]}
        figures = [
            leak_against_color(frame if unit == 1 else frame[:0], t["leak_model"], "leak"),
            dose_lines(doses, "doses"),
            probe_dots(t["probes"], "probes"),
            body_panels(t["growth"], t["skin_by_part"], "body"),
            crowd_lines(t["crowd"], "crowd"),
            outline_dots(t["outlines"], "outlines"),
            size_panels({"cross-entropy": t["sizes"], "combined loss": t["sizes"]}, "sizes"),
            kind_panels(t["kinds"], "kinds"),
            example_gallery(shown if unit == 1 else {}, True, "examples"),
            example_gallery(shown, False, "examples"),
        ]
        for figure in figures:
            figure.canvas.draw()
            plt.close(figure)


def test_without_photos_only_changed_truths_are_shown(stage: Stage) -> None:
    figure = example_gallery(examples(stage), False, "examples")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    plt.close(figure)
    assert "unchanged" in titles and "hat worn" in titles and not any("hair" in title for title in titles)

"""Two trials, before and after, and the answers about them."""

import numpy as np
import pandas as pd
import pytest
from error_samples import answer_table, counts_after, counts_before


@pytest.fixture
def before() -> np.ndarray:
    return counts_before()


@pytest.fixture
def after() -> np.ndarray:
    return counts_after()


@pytest.fixture
def trials(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    return {"cross-entropy": before, "combined loss": after}


@pytest.fixture
def table() -> pd.DataFrame:
    return answer_table()

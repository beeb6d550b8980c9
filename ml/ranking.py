"""The transparent order used while there is no model: by the rules alone, and saying so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.shape import Floats


def rank_by_rules(rules: Floats) -> NDArray[np.int_]:
    """Row numbers, the first to see first: more rules first, unknown last, ties in the order of the rows."""
    return np.argsort(-np.where(np.isnan(rules), -np.inf, rules), kind="stable")

"""How many names a model may add beside those the rules list, and how high they must stand (config/risk_model.toml).

One rule for the edition in use, which adds them, and for one that is being watched, of which it is told how many it
would have added.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from config import catalogue


def most(listed: int) -> int:
    """How many names may stand beside so many that the rules listed."""
    table = catalogue.table("risk_model")
    share: float = table["added_share"]
    return min(ceil(share * listed), int(table["added_most"]))


def least(known: Sequence[float]) -> float:
    """The log-odds from which on a name may be added, by those of the people whom the rules listed."""
    return float(np.quantile(np.array(known), catalogue.table("risk_model")["added_as_high_as"]))

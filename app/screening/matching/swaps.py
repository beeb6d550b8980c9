"""Rows with crossed numbers: A's number under B's name, and B's number under A's (practice §1.4).

They are proposed together: whoever decides one decides the other. By name,
because a person types his own name and may be signed in under another's number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.screening.matching.identities import Match


def crossed(bearers: Mapping[int, Match], name_indexes: Sequence[bytes]) -> dict[int, int]:
    """Position → position of the row it is crossed with; only where the file leaves no doubt which row that is.

    ``bearers``: rows whose number belongs to somebody of another name.
    """
    places: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for position, bearer in bearers.items():
        places[bearer.name_index, name_indexes[position]].append(position)
    found: dict[int, int] = {}
    for (borne, written), here in places.items():
        there = places.get((written, borne), [])
        if len(here) == len(there) == 1 and here != there:
            found[here[0]] = there[0]
    return found

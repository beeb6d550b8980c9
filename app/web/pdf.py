"""Paper: a PDF from a layout of ours and data that are data.

What goes in is JSON; nothing in it is ever read as markup. Fonts come with an
installed package, so that a bare machine sets Chinese; no network is used.
The layout lies beside the templates of its room (``*.typ``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import justmytype_intl_cjk
import typst

FONTS = Path(justmytype_intl_cjk.__file__).parent / "fonts" / "ofl" / "notosanssc"
"""Noto Sans SC only: its neighbours would draw Chinese signs the Japanese or Korean way."""
STANDARD: Final = "ua-1"
"""PDF/UA: it can be read aloud, and a title, a language and words for every picture are required."""


def document(layout: Path, held: Mapping[str, Any], *, at: datetime) -> bytes:
    """Set ``held`` by ``layout``. The same data at the same moment give the same bytes."""
    found: bytes = typst.compile(
        str(layout),
        root=str(layout.parent),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"held": json.dumps(held, ensure_ascii=False, sort_keys=True)},
        pdf_standards=[STANDARD],
        timestamp=int(at.timestamp()),
    )
    return found

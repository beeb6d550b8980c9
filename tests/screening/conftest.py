"""Every test of this folder lives on the same working Monday."""

from __future__ import annotations

from tests.risk.times import on_monday

__all__ = ["on_monday"]

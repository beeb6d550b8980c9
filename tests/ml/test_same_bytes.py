"""Equal data give equal bytes: in another process, under another hash seed, with one thread or two."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml.store import dump
from tests.ml.made import gappy_model

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import hashlib
from ml.store import dump
from tests.ml.made import gappy_model
print(hashlib.sha256(dump(gappy_model())).hexdigest())
"""


@pytest.mark.parametrize(("threads", "seed"), [("1", "1"), ("2", "77")])
def test_a_fresh_process_makes_the_same_bytes_with_one_thread_or_two(threads: str, seed: str) -> None:
    around = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": seed}

    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, env=around, check=True, capture_output=True, text=True
    ).stdout.strip()

    assert told == hashlib.sha256(dump(gappy_model())).hexdigest()

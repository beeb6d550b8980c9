"""A model as bytes: skops, plain values and arrays only, one digest in front; anything else is ``BadModel``.

What is stored are the compiled curves, not the scikit-learn estimators: those carry private classes whose
layout changes between versions, so a stored score could not be replayed after an upgrade, and the list of types a
file may name would be long. So the list is short and fixed (``ALLOWED``): dicts, lists, plain values and numpy
arrays. A file that names another type is refused before anything in it is built; pickle is nowhere in reach.

The same model gives the same bytes: skops names its entries by memory address and stamps them with the clock, so
``_canonical`` numbers them and leaves the clock out. The digest in front finds rot and truncation; that a file is the
one that was approved is told by its hash in the log.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import skops.io

from ml.model import Model
from ml.packed import as_plain, from_plain
from ml.shape import NotMonotone

MAGIC = b"XINYU-MODEL-1\n"
SCHEMA = "schema.json"
DIGEST = hashlib.sha256().digest_size
ALLOWED = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "str", "JsonNode"),  # how skops writes every plain value
        ("builtins", "str", "TypeNode"),  # and the type of a dict's keys
        ("numpy", "ndarray", "NdArrayNode"),
    }
)
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    NotMonotone,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


class BadModel(ValueError):
    """Bytes that are not a whole, unharmed model of ours."""


def dump(model: Model) -> bytes:
    """The model as bytes; equal for equal models, in any process."""
    body = _canonical(skops.io.dumps(as_plain(model)))
    return MAGIC + hashlib.sha256(body).digest() + body


def load(raw: bytes) -> Model:
    """The model of these bytes; it scores to the last bit as the one that was stored."""
    head = len(MAGIC) + DIGEST
    body = raw[head:]
    if raw[: len(MAGIC)] != MAGIC or raw[len(MAGIC) : head] != hashlib.sha256(body).digest():
        raise BadModel("not a model file, or not a whole one")
    try:
        _refuse_strangers(body)
        return from_plain(skops.io.loads(body, trusted=[]))
    except BadModel:
        raise
    except BROKEN as error:
        raise BadModel(f"a model file that does not hold a model ({type(error).__name__})") from error


def _refuse_strangers(body: bytes) -> None:
    """Every entry is stored as it is and every type named is an allowed one."""
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in file.infolist()):
            raise BadModel("a model file is not compressed")
        state = json.loads(file.read(SCHEMA))
    if strangers := {named for named in _types(state) if named not in ALLOWED}:
        raise BadModel(f"a model file does not hold {sorted(map(str, strangers))[0]}")


def _types(state: Any) -> list[tuple[Any, Any, Any]]:
    """Every type that a schema names, however deep."""
    if isinstance(state, list):
        return [named for one in state for named in _types(one)]
    if not isinstance(state, dict):
        return []
    named = (state.get("__module__"), state.get("__class__"), state.get("__loader__"))
    own = [named] if any(key.startswith("__") for key in state) else []
    return own + [inner for one in state.values() for inner in _types(one)]


def _canonical(raw: bytes) -> bytes:
    """The same skops file with entries numbered in order, no addresses and no clock."""
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        state = json.loads(file.read(SCHEMA))
        arrays: list[bytes] = []
        _number(state, file, arrays, [0])
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        for place, array in enumerate(arrays):
            file.writestr(zipfile.ZipInfo(f"{place}.npy"), array)
        file.writestr(zipfile.ZipInfo(SCHEMA), json.dumps(state))
    return whole.getvalue()


def _number(state: Any, file: zipfile.ZipFile, arrays: list[bytes], seen: list[int]) -> None:
    if isinstance(state, list):
        for one in state:
            _number(one, file, arrays, seen)
    elif isinstance(state, dict):
        if "__id__" in state:
            seen[0] += 1
            state["__id__"] = seen[0]
        if state.get("__loader__") == "NdArrayNode":
            arrays.append(file.read(state["file"]))
            state["file"] = f"{len(arrays) - 1}.npy"
        for one in state.values():
            _number(one, file, arrays, seen)

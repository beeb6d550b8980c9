"""The key files: what is in them, how they are made, split and brought back.

Two files, because two things must be able to fail apart (decisions 9):

``content.key.json``  epoch keys that wrap data keys, and the root of the
                      keyed hashes. Without it no content opens, but clocks run.
``instance.key.json`` keys of the log, the cookie and the throttle. Without it
                      nothing starts: no act could be recorded.

A recovery key encrypts a copy of both files inside every backup. It is shown
once, split into SLIP-39 shares (words with a checksum), and lies in no file
but these two.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shamir_mnemonic
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CONTENT_FILE = "content.key.json"
INSTANCE_FILE = "instance.key.json"
SHARES, NEEDED = 5, 3
"""Recovery shares printed at first start, and how many of them restore [P]."""


class KeyProblem(Exception):
    """A key file is missing, readable by others, or not ours; the message says what to do."""


def derive(root: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256), so that no root is used twice."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(root)


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Keys that open content. Lives in memory only."""

    epochs: dict[int, AESGCM]
    current_epoch: int
    index_root: bytes
    recovery_key: bytes

    @classmethod
    def read(cls, folder: Path) -> Keyring:
        held = _read(folder / CONTENT_FILE)
        return cls(
            epochs={int(number): AESGCM(_bytes(key)) for number, key in held["epochs"].items()},
            current_epoch=int(held["current_epoch"]),
            index_root=_bytes(held["index_root"]),
            recovery_key=_bytes(held["recovery_key"]),
        )


@dataclass(frozen=True, slots=True, repr=False)
class InstanceKeys:
    """Keys of the running installation: the log, the cookie, the throttle."""

    log_mac: bytes
    log_signer: Ed25519PrivateKey
    cookie: bytes
    throttle: bytes

    @classmethod
    def read(cls, folder: Path) -> InstanceKeys:
        root = _bytes(_read(folder / INSTANCE_FILE)["root"])
        return cls(
            log_mac=derive(root, "xinyu log mac/1"),
            log_signer=Ed25519PrivateKey.from_private_bytes(derive(root, "xinyu log signature/1")),
            cookie=derive(root, "xinyu cookie/1"),
            throttle=derive(root, "xinyu throttle/1"),
        )


def exist(folder: Path) -> bool:
    return (folder / INSTANCE_FILE).exists() or (folder / CONTENT_FILE).exists()


def create(folder: Path) -> list[str]:
    """Make both key files of a new installation and return the recovery shares to print once."""
    if exist(folder):
        raise KeyProblem(f"{folder} 里已有密钥文件，不能覆盖。")
    recovery_key = os.urandom(16)
    _write(
        folder,
        CONTENT_FILE,
        {
            "format": 1,
            "epochs": {"1": _text(os.urandom(32))},
            "current_epoch": 1,
            "index_root": _text(os.urandom(32)),
            "recovery_key": _text(recovery_key),
        },
    )
    _write(folder, INSTANCE_FILE, {"format": 1, "root": _text(os.urandom(32))})
    return split(recovery_key)


def split(recovery_key: bytes) -> list[str]:
    """The recovery key as ``SHARES`` lines of words, any ``NEEDED`` of which restore it."""
    [group] = shamir_mnemonic.generate_mnemonics(1, [(NEEDED, SHARES)], recovery_key)
    return list(group)


def combine(shares: list[str]) -> bytes:
    """The recovery key from enough shares. Raises ``KeyProblem`` on a mistyped or foreign share."""
    try:
        return bytes(shamir_mnemonic.combine_mnemonics(shares))
    except shamir_mnemonic.MnemonicError as problem:
        raise KeyProblem(f"恢复份额无法合成：{problem}") from problem


def pack(folder: Path, recovery_key: bytes) -> bytes:
    """Both key files, encrypted under the recovery key: travels inside a backup."""
    plain = json.dumps({name: _read(folder / name) for name in (CONTENT_FILE, INSTANCE_FILE)}).encode()
    nonce = os.urandom(12)
    return nonce + AESGCM(derive(recovery_key, "xinyu recovery/1")).encrypt(nonce, plain, b"xinyu keys/1")


def unpack(packed: bytes, recovery_key: bytes, folder: Path) -> None:
    """Write both key files of a backup into ``folder``, which must not hold any."""
    if exist(folder):
        raise KeyProblem(f"{folder} 里已有密钥文件，请换一个空文件夹。")
    cipher = AESGCM(derive(recovery_key, "xinyu recovery/1"))
    held = json.loads(cipher.decrypt(packed[:12], packed[12:], b"xinyu keys/1"))
    for name in (CONTENT_FILE, INSTANCE_FILE):
        _write(folder, name, held[name])


def problems(folder: Path) -> list[str]:
    """What is wrong with the folder and files, in words for ``doctor``."""
    found = []
    for path, most in ((folder, 0o700), (folder / CONTENT_FILE, 0o600), (folder / INSTANCE_FILE, 0o600)):
        if not path.exists():
            found.append(f"缺少 {path}")
        elif stat.S_IMODE(path.stat().st_mode) & ~most:
            found.append(f"{path} 的权限过宽，请运行：chmod {most:o} {path}")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyProblem(f"密钥文件 {path} 能被其他用户读取，请运行：chmod 600 {path}")
        held: dict[str, Any] = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as problem:
        raise KeyProblem(f"读不到密钥文件 {path}：{type(problem).__name__}") from problem
    if held.get("format") != 1:
        raise KeyProblem(f"密钥文件 {path} 的格式不是本版本能读的。")
    return held


def _write(folder: Path, name: str, held: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(held, file)
        file.flush()
        os.fsync(file.fileno())


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

#!/usr/bin/env python3
"""The one door for a person: makes ``.venv`` from the lock, then hands over to ``app.cli``.

Standard library only, so that it runs on a machine that has nothing but
Python. ``python3 manage.py demo`` and ``python3 manage.py test`` need nothing
else. A ``wheelhouse`` folder beside this file is used instead of the network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STAMP = VENV / ".xinyu-lock"
NEEDS_DEV = {"test", "check"}


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("需要 Python 3.11 或更高版本；当前是 " + sys.version.split()[0])
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    lock = HERE / ("requirements-dev.lock" if command in NEEDS_DEV else "requirements.lock")
    if not is_ready(lock):
        install(lock)
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    os.execve(python(), [str(python()), "-P", "-m", "app.cli", *sys.argv[1:]], environment)


def python() -> Path:
    return VENV / "bin" / "python"


def want(lock: Path) -> str:
    """What is installed when this lock is: the lock's hash and the interpreter."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version_info[0]}.{sys.version_info[1]}"


def is_ready(lock: Path) -> bool:
    """Whether this lock is installed; the development lock contains the other."""
    if not STAMP.exists() or not python().exists():
        return False
    held = set(STAMP.read_text().splitlines())
    return want(lock) in held


def install(lock: Path) -> None:
    """Make the environment anew when the interpreter changed, then install exactly the lock."""
    held = STAMP.read_text() if STAMP.exists() else ""
    if not held.endswith(f" {sys.version_info[0]}.{sys.version_info[1]}\n"):
        shutil.rmtree(VENV, ignore_errors=True)
        make_venv()
    say(f"正在安装依赖（{lock.name}，只在首次或依赖变化时）…")
    command = [
        str(python()),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
        "-r",
        str(lock),
    ]
    wheels = HERE / "wheelhouse"
    if wheels.is_dir():
        command += ["--no-index", "--find-links", str(wheels)]
    if subprocess.call(command):
        sys.exit("依赖没有装好。离线安装：把所需的 wheel 放进 wheelhouse 文件夹后再试。")
    done = [want(lock)]
    if lock.name == "requirements-dev.lock":
        done.insert(0, want(HERE / "requirements.lock"))
    STAMP.write_text("\n".join(done) + "\n")


def make_venv() -> None:
    say("正在建立运行环境 .venv …")
    if subprocess.call([sys.executable, "-m", "venv", str(VENV)]):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("无法建立运行环境。请先安装 python3-venv（Debian：apt install python3-venv）。")


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""What a PDF says, read back from its own bytes: enough of the format for what our layouts make."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj", re.DOTALL)
_SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9a-fA-F]+)>|\(((?:\\.|[^\\)])*)\)", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)


def text_of(raw: bytes) -> str:
    """Every word of a document, page after page, without blanks."""
    objects = {int(number): body for number, body in _OBJECT.findall(raw)}
    signs = _signs(objects)
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    return "".join(_page(objects, body, signs) for body in pages)


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    return zlib.decompress(found[1]) if b"/FlateDecode" in body else found[1]


def _signs(objects: dict[int, bytes]) -> dict[int, dict[int, str]]:
    """For each font the sign of each glyph."""
    found = {}
    for number, body in objects.items():
        told = re.search(rb"/ToUnicode (\d+) 0 R", body)
        if told:
            found[number] = _cmap(_content(objects[int(told[1])]))
    return found


def _cmap(said: bytes) -> dict[int, str]:
    held: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", said, re.DOTALL):
        for glyph, sign in re.findall(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>", block):
            held[int(glyph, 16)] = bytes.fromhex(sign.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", said, re.DOTALL):
        for low, high, sign in re.findall(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>", block):
            first = int(sign, 16)
            held |= {glyph: chr(first + glyph - int(low, 16)) for glyph in range(int(low, 16), int(high, 16) + 1)}
    return held


def _page(objects: dict[int, bytes], body: bytes, signs: dict[int, dict[int, str]]) -> str:
    """A page and the pictures on it."""
    fonts = _fonts(objects, body)
    content = re.search(rb"/Contents (\d+) 0 R", body)
    said = _said(_content(objects[int(content[1])]) if content else _content(body), fonts, signs)
    for number in re.findall(rb"/\w+ (\d+) 0 R", _resource(objects, body, rb"XObject")):
        inner = objects[int(number)]
        if b"/Form" in inner:
            said += _page(objects, inner, signs)
    return said


def _resource(objects: dict[int, bytes], body: bytes, kind: bytes) -> bytes:
    found = re.search(rb"/" + kind + rb"\s*(?:<<(.*?)>>|(\d+) 0 R)", body, re.DOTALL)
    if found is None:
        told = re.search(rb"/Resources (\d+) 0 R", body)
        return _resource(objects, objects[int(told[1])], kind) if told else b""
    return found[1] if found[1] is not None else objects[int(found[2])]


def _fonts(objects: dict[int, bytes], body: bytes) -> dict[bytes, int]:
    return {name: int(number) for name, number in re.findall(rb"/(\w+) (\d+) 0 R", _resource(objects, body, rb"Font"))}


def _said(content: bytes, fonts: dict[bytes, int], signs: dict[int, dict[int, str]]) -> str:
    font, said = 0, ""
    for name, hexed, literal in _SHOWN.findall(content):
        if name:
            font = fonts.get(name, 0)
            continue
        glyphs = bytes.fromhex(hexed.decode()) if hexed else _plain(literal)
        codes = [int.from_bytes(glyphs[at : at + 2], "big") for at in range(0, len(glyphs), 2)]
        said += "".join(signs.get(font, {}).get(code, "") for code in codes)
    return said


def _plain(literal: bytes) -> bytes:
    known = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def replaced(found: re.Match[bytes]) -> bytes:
        sign = found[1]
        return bytes([int(sign, 8)]) if sign.isdigit() else known.get(sign, sign)

    return re.sub(rb"\\([0-7]{1,3}|.)", replaced, literal, flags=re.DOTALL)

"""Valid inputs, changed at random: a generator for each input, so that any can be made again by its number."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
PIECES = (
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\xef\xbb\xbf", b"\r\n", b"\n", b'"', b"\\", b"%00", b"../"),
    *(b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"1e999", b"NaN", b"-Infinity", b"null", b"{}", b"[]", b",", b":"),
    *(b"\xff\xd8\xff", b"IEND", b"RIFF", b"https://10.0.0.1/", b"data:image/png;base64,", b"<html>", b"__proto__"),
)
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 7.5, 1e308, float("inf"), float("nan"), 10**40, "", " ", "\ud800", "a\udc00b", "x" * 3000),
    *(
        "\x00",
        "\u202e",
        "é" * 300,
        "../..",
        "https://127.0.0.1/x",
        "https://[::1]/",
        "gs://uploads/../x",
        "javascript:x",
    ),
    *([], {}, [[]], [None], {"": ""}, "9" * 5000, "1e999", "NaN", "2026-13-45T00:00:00Z", "null", "0x10", "٣"),
)


class Mutations:
    """Makes one input. Equal seeds make equal inputs."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def one_of(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def data(self, valid: bytes) -> bytes:
        """Return these bytes with a few of them changed, cut out, put in or said twice."""
        found = bytearray(valid)
        for _ in range(self.random.randrange(5)):
            at = self.random.randrange(len(found) + 1)
            end = min(len(found), at + self.random.randrange(40))
            match self.random.randrange(5):
                case 0:
                    found[at:at] = self.one_of(PIECES)
                case 1:
                    del found[at:end]
                case 2:
                    found[at:at] = found[at:end]
                case 3 if at < len(found):
                    found[at] ^= 1 << self.random.randrange(8)
                case 4 if self.chance(0.3):
                    del found[at:]
        return bytes(found)

    def value(self, valid: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return this JSON value with parts of it replaced, left out, added or nested."""
        for _ in range(self.random.randrange(1, 4)):
            valid = self._changed(valid)
        return valid

    def json(self, valid: Any) -> bytes:  # noqa: ANN401 - any JSON
        """Return such a value as JSON, or as what is nearly JSON."""
        text = json.dumps(self.value(valid) if self.chance(0.8) else valid).encode()
        return self.data(text) if self.chance(0.4) else text

    def text(self, valid: str) -> str:
        """Return text that a header can carry: Latin-1, nothing invisible at its ends."""
        return self.data(valid.encode()).decode("latin-1").strip()

    def _changed(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, dict) and value and self.chance(0.8):
            name = self.one_of(list(value))
            rest = {n: v for n, v in value.items() if n != name or not self.chance(0.15)}
            return {**rest, self._name(name): self._changed(value[name])}
        if isinstance(value, list) and value and self.chance(0.8):
            at = self.random.randrange(len(value))
            return [*value[:at], self._changed(value[at]), *value[at + self.random.randrange(2) :]]
        if self.chance(0.1):
            return self._nested(value)
        return self.one_of(ODD)

    def _name(self, name: str) -> str:
        return str(self.one_of(ODD)) if self.chance(0.1) else name

    def _nested(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        for _ in range(self.one_of((1, 20, 300))):
            value = [value] if self.chance(0.5) else {"a": value}
        return value

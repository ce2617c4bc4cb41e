"""One entry of the registry: a failure's name, how it is played, what it costs, and what a client sees of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from mock_segmind.calls import GENERATING, OPERATIONS, Operation
from mock_segmind.faults.behaviour import Behaviour, Edit

FLAGS: Final[Mapping[str, bool]] = {"true": True, "yes": True, "false": False, "no": False}
OPERATION: Final[Mapping[str, Operation]] = {operation: operation for operation in OPERATIONS}
Play: TypeAlias = Callable[[Behaviour, "Options"], Behaviour]


def flag(text: str) -> bool:
    """Read a flag. Raises KeyError."""
    return FLAGS[text]


def positive(text: str) -> int:
    """Read a whole number above 0. Raises ValueError."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError
    return int(text)


def operations(text: str) -> tuple[Operation, ...]:
    """Read operations that are joined by `+`, each once. Raises KeyError."""
    return tuple(OPERATION[name] for name in dict.fromkeys(text.split("+")))


KINDS: Final[Mapping[Callable[[str], object], str]] = {
    float: "a number",
    int: "a whole number",
    flag: "true or false",
    positive: "a whole number above 0",
    operations: f"joined by +: {', '.join(OPERATIONS)}",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a fault. Values are text everywhere (prompt, JSON, Python), so that all three agree."""

    name: str
    default: str
    means: str
    kind: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    nullable: bool = False

    def complaint(self, value: str) -> str | None:
        """Return what is wrong with a value, or None."""
        if self.choices:
            return None if value in self.choices else f"one of {', '.join(self.choices)}"
        if value == self.default or (self.nullable and value == "none"):
            return None
        try:
            self.kind(value)
        except (ValueError, KeyError):
            return KINDS[self.kind]
        return None


class Options(dict[str, str]):
    """The values that one fault was given, completed with the defaults."""

    def maybe(self, name: str) -> str | None:
        """Return the value, or None where it is `none`."""
        return None if self[name] == "none" else self[name]

    def number(self, name: str) -> float:
        return float(self[name])

    def whole(self, name: str) -> int:
        return int(self[name])

    def flag(self, name: str) -> bool:
        return flag(self[name])


@dataclass(frozen=True, slots=True)
class Seen:
    """What a plain client sees of a fault with its defaults; `usual` is what it sees on a good day.

    `body` is a word of `tests/contract/mock_bodies.py`; `broken` names the exception that ends the connection.
    `headers` says what each has, None for a header that must be missing. `then` is what comes of following up:
    the hosted URL in an answer, or the result of a job.
    """

    status: int | Literal["usual"] | None = "usual"
    body: str = "usual"
    broken: str = ""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    then: "Seen | None" = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One failure. `on` are the operations that it takes where nothing else is said.

    `billed`: a generation with this fault is billed; an option `billed` overrides that. `stops`: where it is not
    billed, the request ends before the endpoint does anything. `group` is the name of the entry's file.
    """

    name: str
    does: str
    play: Play
    seen: Seen
    options: tuple[Option, ...] = ()
    on: tuple[Operation, ...] = GENERATING
    billed: bool = True
    stops: bool = False
    group: str = ""

    def bills(self, given: Options) -> bool:
        return given.flag("billed") if "billed" in given else self.billed


def edits(make: Callable[[Options], Edit]) -> Play:
    """Return a play that changes the finished reply."""
    return lambda behaviour, given: replace(behaviour, edits=(*behaviour.edits, make(given)))

"""A fault: one entry of the registry with its options, written as text that means the same everywhere.

In a prompt `[mock:502,body=html]`, in Python `faults.add("502,body=html")`, and over the admin route
`{"faults": ["502,body=html"]}`.
"""

import re
from typing import Final, Self, TypeAlias

from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.faults.entry import Entry, Option, Options, operations, positive
from mock_segmind.faults.registry import REGISTRY

Value: TypeAlias = str | float | bool
MAGIC: Final = re.compile(r"\[mock:([^\[\]]*)\]")
COMMON: Final = (
    Option("on", "none", "the requests that it takes, joined by +", operations),
    Option("times", "none", "how often the same prompt causes it", positive),
)


class UnknownFault(ValueError):
    """A name, option or value that the registry does not have; the message lists what there is."""


class Fault:
    """One thing going wrong. Immutable; `str()` gives the text that means the same everywhere."""

    __slots__ = ("_given", "entry", "on", "options", "times")

    def __init__(self, name: str, /, **options: Value) -> None:
        self._given = {option: _text(value) for option, value in options.items()}
        self.entry = _entry(name)
        self.options = _completed(self.entry, self._given)
        on, times = self.options.maybe("on"), self.options.maybe("times")
        self.on = operations(on) if on else self.entry.on
        self.times = int(times) if times else None

    @property
    def name(self) -> str:
        return self.entry.name

    @classmethod
    def status(cls, code: int, **options: Value) -> Self:
        """Return the fault that answers with this status."""
        return cls(str(code), **options) if str(code) in REGISTRY else cls("status", code=code, **options)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME` or `NAME=VALUE` (the first option's), each with any `,OPTION=VALUE` behind it."""
        head, *rest = text.split(",")
        name, has_value, value = head.partition("=")
        entry = _entry(name.strip())
        options: dict[str, Value] = dict(_pair(entry, part) for part in rest)
        if has_value and not entry.options:
            raise UnknownFault(f"Mock fault '{entry.name}' takes no value")
        if has_value:
            options[entry.options[0].name] = value.strip()
        return cls(entry.name, **options)

    def __str__(self) -> str:
        return ",".join([self.name, *(f"{option}={value}" for option, value in self._given.items())])

    def __repr__(self) -> str:
        return f"Fault.parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def magic(prompt: str) -> list[Fault]:
    """Return the faults that a prompt asks for. Raises UnknownFault."""
    return [Fault.parse(text) for text in MAGIC.findall(prompt)]


def combined(faults: tuple[Fault, ...]) -> Behaviour:
    """Return the behaviour that all these faults together make, in their order. One that bills nothing is enough."""
    billed = [fault.entry.bills(fault.options) for fault in faults]
    starts = all(bills or not fault.entry.stops for fault, bills in zip(faults, billed, strict=True))
    behaviour = Behaviour(starts=starts, billed=all(billed))
    for fault in faults:
        behaviour = fault.entry.play(behaviour, fault.options)
    return behaviour


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _entry(name: str) -> Entry:
    if name not in REGISTRY:
        raise UnknownFault(f"Unknown mock fault '{name}'. There are: {', '.join(REGISTRY)}")
    return REGISTRY[name]


def _pair(entry: Entry, part: str) -> tuple[str, str]:
    option, has_value, value = part.partition("=")
    if not has_value:
        raise UnknownFault(f"Mock fault '{entry.name}': '{part.strip()}' is not OPTION=VALUE")
    return option.strip(), value.strip()


def _completed(entry: Entry, given: dict[str, str]) -> Options:
    """Return the values of all options, defaults included. Raises UnknownFault for what an option does not take."""
    known = {option.name: option for option in (*entry.options, *COMMON)}
    for name, value in given.items():
        if name not in known:
            raise UnknownFault(f"Mock fault '{entry.name}' has no option '{name}'. It has: {', '.join(known)}")
        if complaint := known[name].complaint(value):
            raise UnknownFault(f"Mock fault '{entry.name}': {name}='{value}' must be {complaint}")
    return Options({name: option.default for name, option in known.items()} | given)

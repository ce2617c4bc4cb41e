"""A fault: one entry of the catalogue with its options, written as text that means the same everywhere.

In a prompt `[mock:502,body=html]`, in Python `faults.add("502,body=html")`, and over the admin route
`{"faults": ["502,body=html"]}`.
"""

import re
from typing import Final, Self, TypeAlias

from mock_segmind.calls import OPERATIONS, Operation
from mock_segmind.faults.catalogue import CATALOGUE
from mock_segmind.faults.entry import Entry, Options
from mock_segmind.faults.plan import Plan

Value: TypeAlias = str | float | bool
MAGIC: Final = re.compile(r"\[mock:([^\[\]]*)\]")
COMMON: Final = ("on", "times")


class UnknownFault(ValueError):
    """A name, option or value the catalogue does not have; the message lists what there is."""


class Fault:
    """One thing going wrong. Immutable; `str()` gives the text that means the same everywhere."""

    __slots__ = ("_given", "entry", "on", "options", "times")

    def __init__(self, name: str, /, **options: Value) -> None:
        given = {option: _text(value) for option, value in options.items()}
        self._given = given
        self.entry = _entry(name)
        self.on = _operations(given.get("on"), self.entry)
        self.times = _times(given.get("times"))
        self.options = _completed(self.entry, {k: v for k, v in given.items() if k not in COMMON})

    @property
    def name(self) -> str:
        return self.entry.name

    @classmethod
    def status(cls, code: int, **options: Value) -> Self:
        """Return the fault that answers with this status."""
        return cls(str(code), **options) if str(code) in CATALOGUE else cls("status", code=code, **options)

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


def planned(faults: tuple[Fault, ...]) -> Plan:
    """Return the plan that all these faults together make, in their order. One that bills nothing is enough."""
    bills = [(fault.entry.bills(fault.options), fault.entry.stops) for fault in faults]
    plan = Plan(starts=all(billed or not stops for billed, stops in bills), billed=all(billed for billed, _ in bills))
    for fault in faults:
        plan = fault.entry.play(plan, fault.options)
    return plan


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _entry(name: str) -> Entry:
    if name not in CATALOGUE:
        raise UnknownFault(f"Unknown mock fault '{name}'. There are: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _pair(entry: Entry, part: str) -> tuple[str, str]:
    option, has_value, value = part.partition("=")
    if not has_value:
        raise UnknownFault(f"Mock fault '{entry.name}': '{part.strip()}' is not OPTION=VALUE")
    return option.strip(), value.strip()


def _completed(entry: Entry, given: dict[str, str]) -> Options:
    known = {option.name: option for option in entry.options}
    for name, value in given.items():
        if name not in known:
            names = ", ".join((*known, *COMMON))
            raise UnknownFault(f"Mock fault '{entry.name}' has no option '{name}'. It has: {names}")
        if complaint := known[name].complaint(value):
            raise UnknownFault(f"Mock fault '{entry.name}': {name}='{value}' must be {complaint}")
    return Options({**{name: option.default for name, option in known.items()}, **given})


def _operations(text: str | None, entry: Entry) -> tuple[Operation, ...]:
    if text is None:
        return entry.on
    chosen = tuple(operation for operation in OPERATIONS if operation in text.split("+"))
    if len(chosen) != len(set(text.split("+"))):
        raise UnknownFault(f"Mock fault '{entry.name}': on='{text}' must be, joined by +: {', '.join(OPERATIONS)}")
    return chosen


def _times(text: str | None) -> int | None:
    if text is not None and (not text.isdecimal() or int(text) < 1):
        raise UnknownFault(f"times='{text}' must be a whole number above 0")
    return int(text) if text else None

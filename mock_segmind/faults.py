"""A fault: one entry of the catalogue with its options, written as text that means the same everywhere.

In a prompt `[mock:502,body=html]`, in Python `faults.add("502,body=html")`, and over the admin route
`{"faults": ["502,body=html"]}`.
"""

import re
from collections.abc import Mapping
from typing import Final, Self, TypeAlias

from mock_segmind.catalogue import CATALOGUE
from mock_segmind.messages import OPERATIONS, Operation
from mock_segmind.plan import Options, Plan, Spec

Value: TypeAlias = str | float | bool
MAGIC: Final = re.compile(r"\[mock:([^\[\]]*)\]")
COMMON: Final = ("on", "times")


class UnknownFault(ValueError):
    """A name, option or value the catalogue does not have; the message lists what there is."""


class Fault:
    """One thing going wrong. Immutable; `str()` gives the text that means the same everywhere."""

    __slots__ = ("_given", "name", "on", "options", "times")

    def __init__(self, name: str, /, **options: Value) -> None:
        given = {option: _text(value) for option, value in options.items()}
        self.name = _spec(name).name
        self._given = given
        self.on: tuple[Operation, ...] = _operations(given.get("on"), _spec(name))
        self.times: int | None = _times(given.get("times"))
        self.options = _completed(_spec(name), {k: v for k, v in given.items() if k not in COMMON})

    @classmethod
    def status(cls, code: int, **options: Value) -> Self:
        """Return the fault that answers with this status."""
        return cls(str(code), **options) if str(code) in CATALOGUE else cls("status", code=code, **options)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME` or `NAME=VALUE` (the first option's), each with any `,OPTION=VALUE` behind it."""
        head, *rest = text.split(",")
        name, has_value, value = head.partition("=")
        spec = _spec(name.strip())
        options: dict[str, Value] = dict(_pair(spec, part) for part in rest)
        if has_value:
            options[_first_option(spec)] = value.strip()
        return cls(spec.name, **options)

    def applied(self, plan: Plan) -> Plan:
        return CATALOGUE[self.name].apply(plan, self.options)

    def __str__(self) -> str:
        return ",".join([self.name, *(f"{option}={value}" for option, value in self._given.items())])

    def __repr__(self) -> str:
        return f"Fault.parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spec(name: str) -> Spec:
    if name not in CATALOGUE:
        raise UnknownFault(f"Unknown mock fault '{name}'. There are: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _pair(spec: Spec, part: str) -> tuple[str, str]:
    option, has_value, value = part.partition("=")
    if not has_value:
        raise UnknownFault(f"Mock fault '{spec.name}': '{part.strip()}' is not OPTION=VALUE")
    return option.strip(), value.strip()


def _first_option(spec: Spec) -> str:
    if not spec.options:
        raise UnknownFault(f"Mock fault '{spec.name}' takes no value")
    return spec.options[0].name


def _completed(spec: Spec, given: Mapping[str, str]) -> Options:
    names = [option.name for option in spec.options]
    for name, value in given.items():
        option = spec.option(name)
        if option is None:
            known = ", ".join((*names, *COMMON))
            raise UnknownFault(f"Mock fault '{spec.name}' has no option '{name}'. It has: {known}")
        if complaint := option.complaint(value):
            raise UnknownFault(f"Mock fault '{spec.name}': {name}='{value}' must be {complaint}")
    return Options({**{option.name: option.default for option in spec.options}, **given})


def _operations(text: str | None, spec: Spec) -> tuple[Operation, ...]:
    if text is None:
        return spec.on
    chosen = tuple(operation for operation in OPERATIONS if operation in text.split("+"))
    if len(chosen) != len(set(text.split("+"))):
        raise UnknownFault(f"Mock fault '{spec.name}': on='{text}' must be, joined by +: {', '.join(OPERATIONS)}")
    return chosen


def _times(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UnknownFault(f"times='{text}' must be a whole number above 0")
    return int(text)


def magic(prompt: str) -> list[Fault]:
    """Return the faults that a prompt asks for. Raises UnknownFault."""
    return [Fault.parse(text) for text in MAGIC.findall(prompt)]

"""What a fault is made of: a `Plan` of how one request will be answered, and `Spec`s that change plans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mock_segmind.images import CONTENT_TYPES, Picture
from mock_segmind.messages import GENERATING, Operation, Reply
from mock_segmind.wire import Transport, whole


@dataclass(frozen=True, slots=True)
class Hosting:
    """How a hosted image is offered: its format, what its URL answers, or a foreign URL in place of ours."""

    kind: str = "jpeg"
    mode: str = "ok"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished, billed generation that is to become a reply; `publish` returns a hosted URL of it."""

    picture: Picture
    publish: Callable[[Hosting], str]


Shape: TypeAlias = Callable[[Generation], Reply]
Edit: TypeAlias = Callable[[Reply], Reply]


def raw(kind: str) -> Shape:
    """Return the shape that the spec promises: the image's bytes."""

    def shape(generation: Generation) -> Reply:
        return Reply(200, generation.picture.encoded(kind), {"Content-Type": CONTENT_TYPES[kind]})

    return shape


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What differs in the life of one v2 job."""

    failed: str | None = None
    failed_status: int = 422
    stuck: bool = False
    polls: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How one request will be answered. The default plan is the vendor on a good day."""

    delay: float | None = None
    generates: bool = True
    refusal: Callable[[], Reply] | None = None
    shape: Shape = field(default_factory=lambda: raw("jpeg"))
    hosting: Hosting = field(default_factory=Hosting)
    edits: tuple[Edit, ...] = ()
    transport: Transport = whole
    silent: bool = False
    job: JobPlan = field(default_factory=JobPlan)
    marks: frozenset[str] = frozenset()


Kind: TypeAlias = Literal["number", "whole", "flag", "text"]
_FLAGS: Mapping[str, bool] = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a fault. Values are text everywhere (prompt, JSON, Python), so that all three agree."""

    name: str
    default: str
    means: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    nullable: bool = False

    def complaint(self, value: str) -> str | None:
        """Return what is wrong with a value, or None."""
        if self.choices:
            return None if value in self.choices else f"one of {', '.join(self.choices)}"
        if value == self.default or (self.nullable and value == "none"):
            return None
        try:
            _CONVERT[self.kind](value)
        except (ValueError, KeyError):
            return {"number": "a number", "whole": "a whole number", "flag": "true or false"}[self.kind]
        return None


_CONVERT: Mapping[str, Callable[[str], object]] = {
    "number": float,
    "whole": int,
    "flag": _FLAGS.__getitem__,
    "text": str,
}


@dataclass(frozen=True, slots=True)
class Options:
    """The values one fault was given, completed with the defaults of its spec."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.values[name]

    def maybe(self, name: str) -> str | None:
        """Return the value, or None where it is `none`."""
        value = self.values[name]
        return None if value == "none" else value

    def number(self, name: str) -> float:
        return float(self.values[name])

    def whole(self, name: str) -> int:
        return int(self.values[name])

    def flag(self, name: str) -> bool:
        return _FLAGS[self.values[name]]


Group: TypeAlias = Literal["errors", "timing", "answers", "headers", "transport", "v2", "uploads"]


@dataclass(frozen=True, slots=True)
class Spec:
    """One entry of the catalogue: a fault's name, what it does, and how it changes a plan."""

    name: str
    group: Group
    does: str
    apply: Callable[[Plan, Options], Plan]
    options: tuple[Option, ...] = ()
    on: tuple[Operation, ...] = GENERATING
    billed: str = "no"

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if option.name == name), None)

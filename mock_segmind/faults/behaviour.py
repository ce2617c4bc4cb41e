"""How one request is answered: faults change the behaviour; the endpoints carry it out and know no fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mock_segmind.images import CONTENT_TYPES, Picture
from mock_segmind.replies import JsonObject, Reply, typed
from mock_segmind.transport import Transport, whole

GONE = typed("application/xml", b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>", 404)


@dataclass(frozen=True, slots=True)
class Hosting:
    """How a hosted image is offered: its format, what its URL answers, or a foreign URL in place of ours."""

    kind: str = "jpeg"
    answer: "Hosted | None" = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """One hosted file: a generated picture, or the bytes of an upload."""

    hosting: Hosting
    picture: Picture | None = None
    data: bytes = b""

    @property
    def reply(self) -> Reply:
        """What its URL answers on a good day."""
        body = self.picture.encoded(self.hosting.kind) if self.picture else self.data
        return typed(CONTENT_TYPES[self.hosting.kind], body)


Host: TypeAlias = Callable[[Asset], str]
"""Hosts something and returns its URL."""
Hosted: TypeAlias = Callable[[Asset, Host], Reply]
"""What a hosted URL answers."""
V1Answer: TypeAlias = Callable[[Picture, Callable[[Hosting], str]], Reply]
"""Makes v1's answer of a finished picture; the second argument hosts it and returns the URL."""
Edit: TypeAlias = Callable[[Reply], Reply]
RowEdit: TypeAlias = Callable[[list[JsonObject], float], list[JsonObject]]
"""Changes the history's rows of one call; the second argument is how many seconds ago the call was made."""
Listing: TypeAlias = Callable[[Sequence[JsonObject], float, float], Sequence[JsonObject]]
"""Changes all rows that a listing has, newest first; then come start and end of its window, in Unix time."""


def raw(kind: str) -> V1Answer:
    """Return the answer that the vendor's page promises: the image's bytes."""
    return lambda picture, _: typed(CONTENT_TYPES[kind], picture.encoded(kind))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The default is the vendor on a good day.

    `starts`: the endpoint does its work, and a generation starts. `billed`: that generation is billed at its end.
    `failure` is the error of a generation that started and fails, `job_status` what such a v2 job is read with.
    `refusal` hides the endpoint's answer or stands in for it; `silent`: no status line is sent. A v2 job ends after its
    time; with `polls`, when it is asked about once more than that; `stuck`, never.
    """

    starts: bool = True
    billed: bool = True
    delay: float | None = None
    refusal: Callable[[], Reply] | None = None
    failure: str | None = None
    job_status: int = 422
    v1_answer: V1Answer = field(default_factory=lambda: raw("jpeg"))
    hosting: Hosting = field(default_factory=Hosting)
    stuck: bool = False
    polls: int | None = None
    rows: tuple[RowEdit, ...] = ()
    listing: Listing = lambda rows, *_: rows
    edits: tuple[Edit, ...] = ()
    transport: Transport = whole
    silent: bool = False

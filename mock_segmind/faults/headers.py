"""Faults of the answer's headers."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mock_segmind.faults.behaviour import Edit
from mock_segmind.faults.entry import Entry, Option, Options, Seen, edits

VENDOR_HEADERS = (
    "x-request-id",
    "x-cost",
    "x-remaining-credits",
    "x-generation-time",
    "x-seed-value",
    "x-output-metadata",
    "x-rate-limit-reset-at-utc",
)
BROKEN = {
    "x-request-id": "x" * 900,
    "x-cost": "free",
    "x-remaining-credits": "",
    "x-generation-time": "NaN",
    "x-output-metadata": "{not json",
    "x-rate-limit-reset-at-utc": "yesterday",
}
NAME = Option("name", "x-request-id", "which")
TYPE = Option("type", "text/html", "that type")
Headers: TypeAlias = Mapping[str, str | None]


def _entry(name: str, does: str, seen: Headers, make: Callable[[Options], Edit], *options: Option) -> Entry:
    return Entry(name, does, edits(make), Seen(headers=seen), options)


def _lacking(*names: str) -> Edit:
    return lambda reply: reply.without(*names)


def _retyped(given: Options) -> Edit:
    return lambda reply: reply.without("content-type").with_headers({"Content-Type": given["type"]})


def _broken(_: Options) -> Edit:
    return lambda reply: reply.with_headers(BROKEN)


NONE = dict.fromkeys(VENDOR_HEADERS)
ENTRIES = (
    _entry("no-headers", "leaves out every x- header", NONE, lambda _: _lacking(*VENDOR_HEADERS)),
    _entry("no-header", "leaves out one header", {NAME.default: None}, lambda given: _lacking(given["name"]), NAME),
    _entry("broken-headers", "sends x- headers with values that make no sense", {**BROKEN}, _broken),
    _entry(
        "wrong-type", "sends a good answer with a wrong Content-Type", {"content-type": "text/html"}, _retyped, TYPE
    ),
    _entry("no-type", "sends no Content-Type", {"content-type": None}, lambda _: _lacking("content-type")),
)

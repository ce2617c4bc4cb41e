"""Faults of the answer's headers."""

from collections.abc import Callable, Mapping

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
NO_VENDOR_HEADERS = dict.fromkeys(VENDOR_HEADERS)
NO_TYPE = {"content-type": None}
HTML_TYPE = {"content-type": "text/html"}


def _entry(
    name: str, does: str, seen: Mapping[str, str | None], make: Callable[[Options], Edit], *options: Option
) -> Entry:
    return Entry(name, does, edits(make), Seen(headers=seen), options)


def _lacking(*names: str) -> Edit:
    return lambda reply: reply.without(*names)


def _retyped(given: Options) -> Edit:
    return lambda reply: reply.without("content-type").with_headers({"Content-Type": given["type"]})


ENTRIES = (
    _entry("no-headers", "leaves out every x- header", NO_VENDOR_HEADERS, lambda _: _lacking(*VENDOR_HEADERS)),
    _entry(
        "no-header",
        "leaves out one header",
        {"x-request-id": None},
        lambda given: _lacking(given["name"]),
        Option("name", "x-request-id", "which"),
    ),
    _entry(
        "broken-headers",
        "sends x- headers with values that make no sense",
        {**BROKEN},
        lambda _: lambda reply: reply.with_headers(BROKEN),
    ),
    _entry(
        "wrong-type",
        "sends a good answer with a wrong Content-Type",
        HTML_TYPE,
        _retyped,
        Option("type", "text/html", "that type"),
    ),
    _entry("no-type", "sends no Content-Type", NO_TYPE, lambda _: _lacking("content-type")),
)

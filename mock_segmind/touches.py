"""Faults of time, of headers, and of the v2 and upload endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mock_segmind.messages import Operation, Reply
from mock_segmind.plan import Edit, Option, Options, Plan, Spec

SUBMIT: tuple[Operation, ...] = ("v2-submit",)
RESULT: tuple[Operation, ...] = ("v2-result",)
UPLOAD: tuple[Operation, ...] = ("upload",)
READS: tuple[Operation, ...] = ("v2-status", "v2-result")
VENDOR_HEADERS = (
    "x-request-id",
    "x-cost",
    "x-remaining-credits",
    "x-generation-time",
    "x-seed-value",
    "x-output-metadata",
    "x-rate-limit-reset-at-utc",
)
BROKEN_VALUES: Mapping[str, str] = {
    "x-request-id": "x" * 900,
    "x-cost": "free",
    "x-remaining-credits": "",
    "x-generation-time": "NaN",
    "x-output-metadata": "{not json",
    "x-rate-limit-reset-at-utc": "yesterday",
}


def _slow(plan: Plan, options: Options) -> Plan:
    return replace(plan, delay=options.number("seconds"))


def _edit(name: str, does: str, make: Callable[[Options], Edit], *options: Option) -> Spec:
    def apply(plan: Plan, given: Options) -> Plan:
        return replace(plan, edits=(*plan.edits, make(given)))

    return Spec(name, "headers", does, apply, options, billed="yes")


def _retyped(options: Options) -> Edit:
    def edit(reply: Reply) -> Reply:
        return reply.without("content-type").with_headers({"Content-Type": options.text("type")})

    return edit


def _mark(name: str, does: str, on: tuple[Operation, ...], billed: str = "yes") -> Spec:
    """Return a fault that the endpoint itself knows how to play."""

    def apply(plan: Plan, _: Options) -> Plan:
        return replace(plan, marks=plan.marks | {name})

    return Spec(name, "uploads" if on == UPLOAD else "v2", does, apply, on=on, billed=billed)


def _failed(plan: Plan, options: Options) -> Plan:
    job = replace(plan.job, failed=options.text("message"), failed_status=options.whole("status"))
    return replace(plan, job=job)


def _stuck(plan: Plan, _: Options) -> Plan:
    return replace(plan, job=replace(plan.job, stuck=True))


def _polls(plan: Plan, options: Options) -> Plan:
    return replace(plan, job=replace(plan.job, polls=options.whole("count")))


JOB_OPTIONS = (
    Option("message", "The model failed to generate an image", "the error's text"),
    Option("status", "422", "the HTTP status that a failed job is read with", "whole"),
)

SPECS: tuple[Spec, ...] = (
    Spec(
        "slow",
        "timing",
        "takes this long; where the client hangs up, it finishes and is billed all the same",
        _slow,
        (Option("seconds", "30", "how long", "number"),),
        billed="yes",
    ),
    _edit("no-headers", "leaves out every x- header", lambda _: lambda reply: reply.without(*VENDOR_HEADERS)),
    _edit(
        "no-header",
        "leaves out one header",
        lambda options: lambda reply: reply.without(options.text("name")),
        Option("name", "x-request-id", "which"),
    ),
    _edit(
        "broken-headers",
        "sends x- headers with values that make no sense",
        lambda _: lambda reply: reply.with_headers(BROKEN_VALUES),
    ),
    _edit(
        "wrong-type",
        "sends a good answer with a wrong Content-Type",
        _retyped,
        Option("type", "text/html", "that type"),
    ),
    _edit("no-type", "sends no Content-Type", lambda _: lambda reply: reply.without("content-type")),
    Spec("v2-failed", "v2", "the job ends as FAILED", _failed, JOB_OPTIONS, on=SUBMIT),
    Spec("v2-stuck", "v2", "the job never ends", _stuck, on=SUBMIT),
    Spec(
        "v2-polls",
        "v2",
        "the job is done after being asked about so many times: QUEUED, PROCESSING, then COMPLETED",
        _polls,
        (Option("count", "2", "how many times", "whole"),),
        on=SUBMIT,
        billed="yes",
    ),
    _mark("v2-submit-200", "the submit answers 200 instead of 202", SUBMIT),
    _mark("v2-no-urls", "the submit names only the request id", SUBMIT),
    _mark("v2-no-id", "the submit answers 200 without a request id", SUBMIT),
    _mark("v2-foreign-urls", "the submit's URLs name another host, which must not get the key", SUBMIT),
    _mark("v2-expired", "the job's record is gone: 404 `Request ID not found`", READS),
    _mark("v2-no-metrics", "the result has no metrics", RESULT),
    _mark("v2-no-output", "the result has `images` only", RESULT),
    _mark("v2-no-images", "the result has `output` only", RESULT),
    _mark("v2-nothing", "the result is COMPLETED and names no image", RESULT),
    _mark("upload-urls", "upload-asset answers `urls` instead of `file_urls`", UPLOAD, billed="no"),
    _mark("upload-fewer", "upload-asset answers one URL too few", UPLOAD, billed="no"),
)

"""Faults that answer with an error status: every code of the vendor's tables, in every body format."""

import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from mock_segmind.errors import BODIES, GATEWAY, TEXTS, error, utc
from mock_segmind.messages import Reply
from mock_segmind.plan import Option, Options, Plan, Spec

TOO_MANY = 429
MESSAGE = Option("message", "none", "other words than the vendor's own")
BILLED = Option("billed", "false", "the generation finishes and is billed all the same", "flag")


def _body(default: str) -> Option:
    return Option("body", default, "the format of the error", choices=tuple(BODIES))


def _refuse(plan: Plan, options: Options, status: int, message: str | None = None) -> Plan:
    """Return a plan that ends with an error; made when it is sent, so that its times are right."""

    def refusal() -> Reply:
        return error(status, options.maybe("message") or message, options.text("body"))

    return replace(plan, refusal=refusal, generates=plan.generates and options.flag("billed"))


def _code(status: int, does: str) -> Spec:
    if status == TOO_MANY:
        return Spec(str(status), "errors", does, _rate_limited, RATE_OPTIONS)
    body = "html" if status in GATEWAY else "json"
    return Spec(
        str(status),
        "errors",
        does,
        lambda plan, options: _refuse(plan, options, status),
        (_body(body), MESSAGE, BILLED),
    )


def _any_status(plan: Plan, options: Options) -> Plan:
    return _refuse(plan, options, options.whole("code"))


def _reason(name: str, status: int, message: str, does: str) -> Spec:
    """Return an error that is told from its neighbours only by its text."""

    def apply(plan: Plan, options: Options) -> Plan:
        return _refuse(plan, options, options.whole("status"), message)

    known = Option("status", str(status), "the status it comes with", "whole")
    return Spec(name, "errors", does, apply, (known, _body("json"), MESSAGE, BILLED))


def _rate_limited(plan: Plan, options: Options) -> Plan:
    """429: says when to come back in a header of its own, in Retry-After, in both or in neither."""
    plan = _refuse(plan, options, TOO_MANY)
    refusal = plan.refusal

    def timed() -> Reply:
        reply = refusal() if refusal else error(TOO_MANY)
        return reply.with_headers(_when_to_return(options))

    return replace(plan, refusal=timed)


def _when_to_return(options: Options) -> Mapping[str, str]:
    headers = {}
    if options.maybe("reset_in") is not None:
        moment = time.time() + options.number("reset_in")
        headers["x-rate-limit-reset-at-utc"] = _moment(moment, options.text("format"))
    if options.maybe("retry_after") is not None:
        headers["Retry-After"] = options.text("retry_after")
    if options.maybe("retry_date_in") is not None:
        headers["Retry-After"] = formatdate(time.time() + options.number("retry_date_in"), usegmt=True)
    return headers


def _moment(moment: float, style: str) -> str:
    """Write a time in one of the ways a header may have it; the vendor's own way is not documented."""
    if style == "epoch":
        return str(int(moment))
    if style == "naive":
        return utc(moment).replace("T", " ").rstrip("Z")
    return utc(moment) if style == "iso" else "soon"


RATE_OPTIONS = (
    Option(
        "reset_in", "60", "seconds until x-rate-limit-reset-at-utc, or none for no such header", "number", nullable=True
    ),
    Option("format", "iso", "how that header writes the time", choices=("iso", "naive", "epoch", "broken")),
    Option("retry_after", "none", "a Retry-After of this many seconds"),
    Option("retry_date_in", "none", "a Retry-After with a date, this many seconds ahead", "number"),
    _body("json"),
    MESSAGE,
    BILLED,
)

MODERATED = "SAFETY.INPUT.TEXT: the prompt was refused by content moderation"
BAD_TAG = "INPUT_PREPROCESSING.INTERNAL: invalid tag in referenceImages"
UNREACHABLE = "INPUT_PREPROCESSING.SAFETY: failed to fetch a reference image"

SPECS: tuple[Spec, ...] = (
    *(_code(status, f"answers {status}: {text}") for status, text in TEXTS.items()),
    Spec(
        "status",
        "errors",
        "answers with any status at all",
        _any_status,
        (Option("code", "520", "the status", "whole"), _body("json"), MESSAGE, BILLED),
    ),
    _reason("credits", 406, TEXTS[406], "406, the balance is below this call's cost"),
    _reason("spend-limit", 406, "Spend limit reached for your team", "406, the team's own limit is reached"),
    _reason(
        "content-type",
        406,
        "Invalid Content-Type. Content-Type must be application/json",
        "406, a wrong Content-Type",
    ),
    _reason("parameter", 406, "Invalid value for parameter 'ratio'", "406, a parameter value refused up front"),
    _reason(
        "moderation",
        500,
        MODERATED,
        "500, the model's moderation refused the prompt: repeating does not help",
    ),
    _reason("bad-tag", 500, BAD_TAG, "500, the model refused a tag"),
    _reason("unreachable-reference", 500, UNREACHABLE, "500, the model could not fetch a reference image"),
)

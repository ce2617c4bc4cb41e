"""Faults that answer with an error status: every code of the vendor's tables, in every body format."""

import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.faults.entry import Entry, Option, Options, Seen, flag
from mock_segmind.replies import BODIES, GATEWAY, TEXTS, error, utc

MESSAGE = Option("message", "none", "other words than the vendor's own")
BILLED = Option("billed", "false", "the generation finishes and is billed all the same", flag)


def _entry(name: str, does: str, status: int, message: str | None = None, *options: Option) -> Entry:
    """Return an error; it is made when it is sent, so that its times are right."""

    def play(behaviour: Behaviour, given: Options) -> Behaviour:
        code = int(given.get("status") or given.get("code") or status)
        text = given.maybe("message") or message
        return replace(behaviour, refusal=lambda: error(code, text, given["body"]).with_headers(_when_to_return(given)))

    html = status in GATEWAY and not message
    body = Option("body", "html" if html else "json", "the format of the error", choices=tuple(BODIES))
    seen = Seen(status, "html" if html else "error")
    return Entry(name, does, play, seen, (*options, body, MESSAGE, BILLED), billed=False, stops=True)


def _code(status: int) -> Entry:
    options = RATE_OPTIONS if status == 429 else ()
    return _entry(str(status), f"answers {status}: {TEXTS[status]}", status, None, *options)


def _reason(name: str, status: int, message: str, does: str) -> Entry:
    """Return an error that is told from its neighbours only by its text."""
    option = Option("status", str(status), "the status it comes with", int)
    return _entry(name, f"{status}, {does}", status, message, option)


def _when_to_return(given: Options) -> Mapping[str, str]:
    """Return what a 429 says of when to come back: in a header of its own, in Retry-After, in both or in neither."""
    headers = {}
    if "reset_in" in given and given.maybe("reset_in"):
        headers["x-rate-limit-reset-at-utc"] = _moment(time.time() + given.number("reset_in"), given["format"])
    if given.get("retry_after", "none") != "none":
        headers["Retry-After"] = given["retry_after"]
    if given.get("retry_date_in", "none") != "none":
        headers["Retry-After"] = formatdate(time.time() + given.number("retry_date_in"), usegmt=True)
    return headers


def _moment(moment: float, style: str) -> str:
    """Write a time in one of the ways a header may have it; the vendor's own way is not documented."""
    iso = utc(moment)
    naive = iso.replace("T", " ").rstrip("Z")
    return {"iso": iso, "naive": naive, "epoch": str(int(moment)), "broken": "soon"}[style]


RESET = "seconds until x-rate-limit-reset-at-utc, or none for no such header"
RATE_OPTIONS = (
    Option("reset_in", "60", RESET, float, nullable=True),
    Option("format", "iso", "how that header writes the time", choices=("iso", "naive", "epoch", "broken")),
    Option("retry_after", "none", "a Retry-After of this many seconds"),
    Option("retry_date_in", "none", "a Retry-After with a date, this many seconds ahead", float),
)
MODERATED = "SAFETY.INPUT.TEXT: the prompt was refused by content moderation"
BAD_TAG = "INPUT_PREPROCESSING.INTERNAL: invalid tag in referenceImages"
UNREACHABLE = "INPUT_PREPROCESSING.SAFETY: failed to fetch a reference image"
CONTENT_TYPE = "Invalid Content-Type. Content-Type must be application/json"

ENTRIES = (
    *map(_code, TEXTS),
    _entry("status", "answers with any status at all", 520, None, Option("code", "520", "the status", int)),
    _reason("credits", 406, TEXTS[406], "the balance is below this call's cost"),
    _reason("spend-limit", 406, "Spend limit reached for your team", "the team's own limit is reached"),
    _reason("content-type", 406, CONTENT_TYPE, "a wrong Content-Type"),
    _reason("parameter", 406, "Invalid value for parameter 'ratio'", "a parameter value refused up front"),
    _reason("moderation", 500, MODERATED, "the model's moderation refused the prompt: repeating does not help"),
    _reason("bad-tag", 500, BAD_TAG, "the model refused a tag"),
    _reason("unreachable-reference", 500, UNREACHABLE, "the model could not fetch a reference image"),
)

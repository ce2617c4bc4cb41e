"""Every answer that is not a 2xx → one error of the tree. Pure; docs/contract.md has the table under Problems."""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from imagegen import errors
from imagegen.errors import SegmindError
from imagegen.segmind.values import moment_of, number

MAX_DETAIL = 500
_SINCE_1970 = 1e9  # seconds: a smaller number counts from now
_MAX_CLEANED = 4 * MAX_DETAIL  # the patterns below are quadratic in a hostile text
# A 406 is "insufficient credits" on the vendor's page, and in the wild also a refused parameter or media type.
_MONEY = re.compile(r"credit|spend|balance|billing|top.?up|payment|quota|fund", re.IGNORECASE)
# What the model itself says of a request that it will never take: moderation, tags, references, parameters.
_BLAME = re.compile(
    r"SAFETY\.|INPUT_PREPROCESSING|ASSET\.INVALID|moderat|content.policy|nsfw"
    r"|not (?:allowed|supported|permitted)|unsupported"
    r"|invalid\W+(?:\w+\W+)?(?:input|value|parameter|param|request|tag|ratio|prompt|reference|image|url|uri|type|format|field)"
    r"|(?:parameter|value|field|ratio|prompt|tag|reference|promptText|referenceImages|input)\b.{0,60}"
    r"\b(?:invalid|must|required|missing|too|not|unreachable|exceed|fail)"
    r"|must be|is required|content.type|validation|bad request|unreachable"
    r"|(?:could not|cannot|failed to|unable to) (?:fetch|download|load)\b"
    r".{0,40}(?:reference|image|asset|ur[il]\b|https?:)",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"(?:bearer\s+|x-api-key\W+|api[_-]?key\W*[=:]\W*)[^\s\"',;<>]+"
    r"|\b(?:sk|pk|sg|key|api|ak|rw|token|secret)[-_][A-Za-z0-9_-]{6,}"
    r"|\b(?=[A-Za-z0-9_+/-]*\d)(?=[A-Za-z0-9_+/-]*[A-Za-z])[A-Za-z0-9_+/-]{20,}={0,2}",
    re.IGNORECASE,
)
_URLS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+|data:[^\s\"'<>]{20,}", re.IGNORECASE)

_STATUSES: Mapping[type[SegmindError], tuple[int, ...]] = {
    errors.OutcomeUnknown: (303, 408, 499),  # it was taken, and the one who answers gave up waiting for its end
    errors.RejectedBySegmind: (400, 405, 413, 414, 415, 422),
    errors.SegmindUnauthorized: (401,),
    errors.InsufficientCredits: (402, 406),
    errors.SegmindForbidden: (403,),
    errors.SegmindModelNotFound: (404, 410),
    errors.SegmindRateLimited: (429,),
    errors.SegmindFailed: (500, 503),
    errors.SegmindUnavailable: (502,),
    errors.SegmindTimeout: (504,),
}


def error_of(status: int, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> SegmindError:
    """Return the error that this answer means, with Segmind's own words in it, cleaned."""
    text = message_of(body)
    kind = _kind(status, text)
    wait = seconds_until_reset(headers, now) if status == errors.SegmindRateLimited.status else None
    found = kind(said(text, secret), retry_after=wait)
    found.upstream_status, found.upstream_state = status, state_of(body)
    return found


def state_of(body: bytes) -> str | None:
    """Return the `status` that a JSON body names, as v2's do; a gateway's own error names none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = value.get("status") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def message_of(body: bytes) -> str:
    """Return the message in an error's body, whether it is JSON of several shapes, HTML or plain text."""
    text = body.decode("utf-8", "replace").strip()
    try:
        return _message_in(json.loads(text))
    except (ValueError, RecursionError):
        return _without_markup(text) if text.startswith("<") else text


def ending_of(error: SegmindError) -> SegmindError:
    """Return how a v2 generation ended that Segmind calls FAILED: by its text, the request's fault or Segmind's own."""
    if _BLAME.search(error.detail):
        return errors.RejectedBySegmind(error.detail)
    return errors.SegmindFailed(error.detail)


def seconds_until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a rate limit ends, as far as the answer names a time; its format was never seen."""
    for name in ("retry-after", "x-rate-limit-reset-at-utc"):
        told = headers.get(name)
        seconds, moment = number(told), moment_of(told)
        if seconds is not None and seconds < _SINCE_1970:
            return max(0.0, seconds)
        if moment:
            return max(0.0, (moment - now).total_seconds())
    return None


def _kind(status: int, text: str) -> type[SegmindError]:
    money, blame = _MONEY.search(text), _BLAME.search(text)
    if blame and (status == 500 or (status == 406 and not money)):  # noqa: PLR2004
        return errors.RejectedBySegmind
    if status == 422 and money and not blame:  # noqa: PLR2004
        return errors.InsufficientCredits
    # a gateway's own 5xx: what became of the call behind it is not told
    unlisted = errors.OutcomeUnknown if status >= 500 or status < 200 else errors.SegmindFailed  # noqa: PLR2004
    return next((kind for kind, statuses in _STATUSES.items() if status in statuses), unlisted)


def _message_in(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("error", "detail", "message", "msg", "title"):
            if value.get(name):
                return _message_in(value[name])
    if isinstance(value, list) and value:
        return "; ".join(_message_in(item) for item in value[:3])
    return ""


def _without_markup(html: str) -> str:
    visible = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", " ", html)
    return " ".join(visible.split())


def said(text: str, secret: str) -> str:
    """Return vendor text that may be shown to a caller: no keys, no URLs, at most 500 characters."""
    text = text.encode("utf-8", "replace").decode()
    text = (text.replace(secret, "[redacted]") if secret else text)[:_MAX_CLEANED]
    text = _KEYS.sub("[redacted]", _URLS.sub("[url]", text))
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_DETAIL].strip()

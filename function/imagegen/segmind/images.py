"""The image in a 200: raw bytes, JSON with base64, or JSON with a hosted URL. All of it has been billed."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from imagegen import connections
from imagegen.errors import OutcomeUnknown, SegmindBadImage
from imagegen.image_bytes import MAX_BYTES, NotAnImage, picture_of
from imagegen.model import Picture

_CHUNK = 256 * 1024
_MAX_KEPT = 1024 * 1024  # of what is too large to be an image
_MAX_JSON_BYTES = MAX_BYTES * 4 // 3 + 64 * 1024  # an image of the largest size in base64
_MAX_ERROR_BYTES = 8 * 1024  # a message, or a page of which 500 characters are kept
_MARKS, _MAX_JSON_VALUES = (b",", b"[", b"{"), 100_000  # each value but the first of a list or object follows one
_FIELDS = ("image", "output", "images", "data", "url", "b64_json", "result")


def read_body(response: BaseHTTPResponse) -> bytes:
    """Return the body of a 200. Raises SegmindBadImage where it is cut short, OutcomeUnknown on silence or a reset."""
    try:
        plain = connections.original(response)
        if plain is None or plain.length is None or "Content-Encoding" in response.headers:
            return _read_parts(response)
        body = _read_known(plain, plain.length)
    except (ReadTimeoutError, TimeoutError) as e:
        raise OutcomeUnknown("Segmind began to answer, then fell silent until the deadline.") from e
    except (HTTPError, HTTPException, OSError) as e:
        raise OutcomeUnknown("Segmind began to answer, then broke the connection.") from e
    response.release_conn()
    return body


def _read_known(plain: HTTPResponse, length: int) -> bytes:
    """Return a body of that length, read into one buffer: pieces would be copied once more to join them."""
    if length and length > _most(plain.peek(64)):  # of an empty body there is nothing to look at
        raise _too_large(plain.read(_MAX_KEPT))
    body = plain.read(length)
    if len(body) < length:
        raise _cut_short(body)
    return body


def _read_parts(response: BaseHTTPResponse) -> bytes:
    """Return a body whose length is not known before its end, or that has to be decoded."""
    parts: list[bytes] = []
    size = 0
    try:
        while part := response.read1(_CHUNK, decode_content=True):  # `stream` loses the last part of a cut body
            parts.append(part)
            size += len(part)
            if size > _most(parts[0]):
                raise _too_large(b"".join(parts))
    except (HTTPError, OSError) as e:
        if _ended_early(e):
            raise _cut_short(b"".join(parts)) from e
        raise
    return b"".join(parts)


def read_error(response: BaseHTTPResponse) -> bytes:
    """Return the start of an error's body; what broke on the way does not matter."""
    try:
        return response.read(_MAX_ERROR_BYTES, decode_content=True)
    except (HTTPError, OSError):
        return b""


def picture_in(body: bytes, fetch: Callable[[str], bytes]) -> Picture:
    """Return the image in a 200's body, fetching it where the body only names it. Raises SegmindBadImage."""
    try:
        return _picture(body, fetch)
    except NotAnImage as e:
        raise SegmindBadImage(f"Segmind answered 200, but {e}.", body) from None
    except SegmindBadImage as e:
        e.rejected = e.rejected or body  # it says where the image was said to be
        raise


def json_in(body: bytes) -> object:
    """Return the JSON value. Raises ValueError; for what would take many times its size in memory, unread."""
    if sum(body.count(mark) for mark in _MARKS) > _MAX_JSON_VALUES:
        raise ValueError("JSON of too many values")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def _ended_early(error: Exception) -> bool:
    causes = [error, *error.args, error.__cause__]
    return any(isinstance(cause, IncompleteRead) for cause in causes) or "prematurely" in str(error)


def _cut_short(received: bytes) -> SegmindBadImage:
    return SegmindBadImage("Segmind answered 200, but the body is cut short.", received)


def _too_large(received: bytes) -> SegmindBadImage:
    return SegmindBadImage("Segmind's answer is larger than 32 MiB.", received[:_MAX_KEPT])


def _most(start: bytes) -> int:
    return _MAX_JSON_BYTES if _may_be_json(start) else MAX_BYTES


def _picture(body: bytes, fetch: Callable[[str], bytes]) -> Picture:
    """Return the first that is one: beside an image's field another may hold a word such as "done"."""
    if not _may_be_json(body):
        return picture_of(body)
    try:
        candidates = list(_strings(json_in(body)))
    except ValueError:
        raise NotAnImage("the body is neither an image nor JSON") from None
    problem: NotAnImage | None = None
    for text in candidates:
        if re.match(r"https?://", text, re.IGNORECASE):
            return picture_of(fetch(text))
        try:
            return picture_of(_decoded(text))
        except NotAnImage as e:
            problem = problem or e
    raise problem or NotAnImage("the JSON names no image")


def _may_be_json(start: bytes) -> bool:
    return start[:64].lstrip()[:1] in {b"{", b"[", b'"'}


def _strings(value: object) -> Iterator[str]:
    """Yield what may be an image, in the order of the shapes that were seen."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for name in _FIELDS:
            yield from _strings(value.get(name))


def _decoded(text: str) -> bytes:
    """Read base64 as encoders write it: in lines, without padding, in the alphabet for URLs, in a data URL."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    with suppress(ValueError):
        return base64.b64decode(encoded, validate=True)  # as most write it: each step below is one more copy
    encoded = "".join(encoded.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise NotAnImage("the JSON's image is not base64") from None

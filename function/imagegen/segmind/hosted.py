"""What both APIs share: fetching a hosted image, and reading the numbers that come beside it."""

import re
from http import HTTPStatus

from imagegen import log
from imagegen.errors import SegmindBadImage, SegmindError, SegmindUnreachable
from imagegen.ports import Deadline
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.images import read_body

FETCH_SECONDS = 15.0  # for a hosted image that was finished at the last moment (limits.py counts on it)
# A generation takes 30 s on average. A repeat that starts with less time than this would be cut off by our own
# deadline while Segmind goes on and bills it.
_LEAST_SECONDS = 60.0
_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0)  # between fetches of one hosted image
_NOT_YET = (404, 408, 429)  # a store that replicates answers 404 before it answers 200
_ID = re.compile(r"[!-~]{1,200}")


def least_seconds(deadline: Deadline) -> float:
    """Return the time that has to be left for a paid call to be worth repeating."""
    return min(_LEAST_SECONDS, deadline.left / 2)


def fetch_hosted(calls: SegmindClient, url: str, deadline: Deadline) -> bytes:
    """Return the bytes behind a hosted URL. Fetching is free, so it is repeated, and gets time of its own.

    Raises SegmindBadImage: the image was paid for, and `rejected` will hold where it was said to be.
    """
    until = Deadline(deadline.clock, max(deadline.at, Deadline.within(deadline.clock, FETCH_SECONDS).at))
    for tries, pause in enumerate((*_PAUSES, None), 1):
        try:
            return _fetch(calls, url, until)
        except SegmindError as e:
            if pause is None or until.left <= pause or not _may_pass(e):
                said = f"Segmind answered 200, but its hosted image cannot be fetched: {e.detail}"
                raise SegmindBadImage(said) from e
            log.segmind_repeated(e.code, tries, pause)
        until.clock.sleep(pause)
    raise AssertionError("the last pause is None")


def _fetch(calls: SegmindClient, url: str, until: Deadline) -> bytes:
    with calls.fetch(url, until) as response:
        if response.status != HTTPStatus.OK:
            refused = SegmindUnreachable(f"The hosted image answered {response.status}.")
            refused.upstream_status = response.status
            raise refused
        try:
            return read_body(response)
        except SegmindError as e:  # cut short, or silent: the bytes are still there
            raise SegmindUnreachable(e.detail) from e


def _may_pass(error: SegmindError) -> bool:
    """Tell a store that is not ready from a URL that will never be fetched."""
    status = error.upstream_status
    broke = status is None and not isinstance(error, SegmindBadImage)
    return broke or (status is not None and (status in _NOT_YET or status >= 500))  # noqa: PLR2004


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    try:
        found = float(value)  # type: ignore[arg-type]  # whatever JSON or a header holds
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -1e12 < found < 1e12 else None  # noqa: PLR2004 - also refuses nan and inf


def printable_id(value: object) -> str | None:
    """Return an id that can stand in a header, a log and a path, or None: it is the vendor's word, not ours."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None

"""What both APIs share: fetching a hosted image, and reading the numbers that come beside it."""

import requests

from imagegen.errors import SegmindBadImage, SegmindError, SegmindUnreachable
from imagegen.ports import Deadline
from imagegen.segmind.answers import read_body
from imagegen.segmind.calls import Calls

FETCH_SECONDS = 15.0  # for a hosted image that was finished at the last moment (limits.py counts on it)
# A generation takes 30 s on average. A repeat that starts with less time than this would be cut off by our own
# deadline while Segmind goes on and bills it.
_LEAST_SECONDS = 60.0


def least_seconds(deadline: Deadline) -> float:
    """Return the time that has to be left for a paid call to be worth repeating."""
    return min(_LEAST_SECONDS, deadline.left / 2)


def fetch_hosted(calls: Calls, url: str, deadline: Deadline) -> bytes:
    """Return the bytes behind a hosted URL. Fetching is free, so it is repeated, and gets time of its own.

    Raises SegmindBadImage: the image was paid for, and `rejected` will hold where it was said to be.
    """
    until = Deadline(deadline.clock, max(deadline.at, Deadline.within(deadline.clock, FETCH_SECONDS).at))

    def attempt() -> bytes:
        try:
            with calls.fetch(url, until) as response:
                if response.status_code != requests.codes.ok:
                    raise SegmindUnreachable(f"The hosted image answered {response.status_code}.")
                return read_body(response)
        except SegmindError as e:  # what breaks here has cost nothing: it may be repeated
            raise SegmindUnreachable(e.detail) from e

    try:
        return calls.repeating(attempt, until, 0.0)
    except SegmindError as e:
        raise SegmindBadImage(f"Segmind answered 200, but its hosted image cannot be fetched: {e.detail}") from e


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    try:
        found = float(value)  # type: ignore[arg-type]  # whatever JSON or a header holds
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -1e12 < found < 1e12 else None  # noqa: PLR2004 - also refuses nan and inf

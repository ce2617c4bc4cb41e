"""v1: one blocking call that answers with the image (`POST /v1/runway-gen4-image`)."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NoReturn, Self

import requests

from imagegen import transport
from imagegen.errors import SegmindBadImage, SegmindError, SegmindUnreachable
from imagegen.model import ImageRequest, Picture, Receipt
from imagegen.ports import Clock, Deadline
from imagegen.segmind.answers import picture_in, read_body
from imagegen.segmind.calls import Calls

PATH = "/v1/runway-gen4-image"
# A generation takes 30 s on average. A repeat that starts with less time than this would be cut off by our own
# deadline while Segmind goes on and bills it.
_LEAST_SECONDS = 60.0
FETCH_SECONDS = 15.0  # for a hosted image that was finished at the last moment (limits.py counts on it)


class SegmindV1:
    """Generates with one call. It cannot be resumed: an answer that never came is gone."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], None]) -> "Answer":
        """Buy one image; return when the headers of a 200 are there."""
        del submitted  # v1 gives no id before the image is finished
        response = self._calls.repeating(
            lambda: self._calls.call("POST", PATH, deadline, request.body()),
            deadline,
            least_seconds(deadline),
        )
        return Answer(response, receipt_in(response.headers), self._calls, deadline)

    def resume(self, segmind_id: str, deadline: Deadline) -> NoReturn:
        """Never called: v1 writes no `submitted.json`."""
        del deadline
        raise SegmindUnreachable(f"{segmind_id}: v1 generations cannot be resumed.")


class Answer:
    """An open 200 whose bytes wait in the socket. Closing it gives the connection back, or drops it half read."""

    def __init__(self, response: requests.Response, receipt: Receipt, calls: Calls, deadline: Deadline) -> None:
        self.receipt = receipt
        self._response, self._calls, self._deadline = response, calls, deadline

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._response.close()

    def read(self, waited: float) -> Picture:
        """Take the image into memory. Raises SegmindBadImage, OutcomeUnknown."""
        transport.extend(self._response, waited)
        later = Deadline(self._deadline.clock, self._deadline.at + waited)
        return picture_in(read_body(self._response), lambda url: fetch_hosted(self._calls, url, later))


def least_seconds(deadline: Deadline) -> float:
    """Return the time that has to be left for a paid call to be worth repeating."""
    return min(_LEAST_SECONDS, deadline.left / 2)


def fetch_hosted(calls: Calls, url: str, deadline: Deadline) -> bytes:
    """Return the bytes behind a hosted URL. Fetching is free, so it is repeated, and gets time of its own.

    Raises SegmindBadImage: the image was paid for, and `rejected` will hold where it was said to be.
    """
    until = Deadline(deadline.clock, max(deadline.at, Deadline.within(deadline.clock, FETCH_SECONDS).at))

    def attempt() -> bytes:
        with calls.fetch(url, until) as response:
            if response.status_code != requests.codes.ok:
                raise SegmindUnreachable(f"The hosted image answered {response.status_code}.")
            try:
                return read_body(response)
            except SegmindError as e:  # what breaks here has cost nothing: it may be repeated
                raise SegmindUnreachable(e.detail) from e

    try:
        return calls.repeating(attempt, until, 0.0)
    except SegmindError as e:
        raise SegmindBadImage(f"Segmind answered 200, but its hosted image cannot be fetched: {e.detail}") from e


def receipt_in(headers: Mapping[str, str]) -> Receipt:
    """Return what v1's headers say; any of them can be missing or broken."""
    return Receipt(
        request_id=headers.get("x-request-id"),
        cost_usd=number(headers.get("x-cost")),
        remaining_credits=number(headers.get("x-remaining-credits")),
        generation_seconds=number(headers.get("x-generation-time")),
    )


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    try:
        found = float(value)  # type: ignore[arg-type]  # whatever JSON or a header holds
    except (TypeError, ValueError):
        return None
    return found if -1e12 < found < 1e12 else None  # noqa: PLR2004 - also refuses nan and inf

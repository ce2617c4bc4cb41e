"""The image of a finished generation, fetched where an answer only names it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus

from imagegen.errors import SegmindBadImage, SegmindError, SegmindUnreachable
from imagegen.failure import NEVER, Repeats
from imagegen.model import Picture, Receipt
from imagegen.ports import Deadline
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.images import picture_in, read_body
from imagegen.timeouts import FETCH_SECONDS

_REPEATS = Repeats(6, first_pause=0.25, longest_pause=4.0, jitter=(1.0, 1.0))
_NOT_YET = (404, 408, 429)  # a store that replicates answers 404 before it answers 200


class Finished(AbstractContextManager["Finished"]):
    """Implements `ports.Generation`. Closing it gives the connection back, or drops it half read."""

    def __init__(
        self,
        receipt: Receipt,
        body: Callable[[float], bytes],
        calls: SegmindClient,
        deadline: Deadline,
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self.receipt = receipt
        self._body, self._calls, self._deadline, self._close = body, calls, deadline, close

    def __exit__(self, *raised: object) -> None:
        self._close()

    def read(self, waited: float) -> Picture:
        """Take the image into memory. Raises SegmindBadImage, OutcomeUnknown."""
        later = Deadline(self._deadline.clock, self._deadline.at + waited)
        return picture_in(self._body(waited), lambda url: fetch_hosted(self._calls, url, later))


def fetch_hosted(calls: SegmindClient, url: str, deadline: Deadline) -> bytes:
    """Return the bytes behind a hosted URL. Fetching is free, so it is repeated, and gets time of its own.

    Raises SegmindBadImage: the image was paid for, and `rejected` will hold where it was said to be.
    """
    until = Deadline(deadline.clock, max(deadline.at, Deadline.within(deadline.clock, FETCH_SECONDS).at))
    try:
        return calls.repeating(lambda: _fetch(calls, url, until), until, policy=_policy)
    except SegmindError as e:
        said = f"Segmind answered 200, but its hosted image cannot be fetched: {e.detail}"
        raise SegmindBadImage(said) from e


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


def _policy(error: SegmindError) -> Repeats:
    """Tell a store that is not ready from a URL that will never be fetched."""
    status = error.upstream_status
    never = isinstance(error, SegmindBadImage) or (status and status not in _NOT_YET and status < 500)  # noqa: PLR2004
    return NEVER if never else _REPEATS

"""v1: one blocking call that answers with the image (`POST /v1/runway-gen4-image`)."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from urllib3 import BaseHTTPResponse

from imagegen import connections
from imagegen.model import ImageRequest, Picture, Receipt
from imagegen.ports import Deadline, Generation
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.hosted import fetch_hosted
from imagegen.segmind.images import picture_in, read_body
from imagegen.segmind.v2 import SegmindV2
from imagegen.segmind.values import number, printable_id

PATH = "/v1/runway-gen4-image"


class SegmindV1(SegmindV2):
    """Generates with one call, which cannot be resumed: an answer that never came is gone.

    It still resumes what was submitted before the service was switched to v1.
    """

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], bool]) -> Generation:
        """Buy one image; return when the headers of a 200 are there."""
        del submitted  # v1 gives no id before the image is finished
        response = self._calls.buy(PATH, request.body(), deadline)
        return Answer(response, receipt_in(response.headers), self._calls, deadline)


class Answer(AbstractContextManager["Answer"]):
    """An open 200 whose bytes wait in the socket. Closing it gives the connection back, or drops it half read."""

    def __init__(self, response: BaseHTTPResponse, receipt: Receipt, calls: SegmindClient, deadline: Deadline) -> None:
        self.receipt = receipt
        self._response, self._calls, self._deadline = response, calls, deadline

    def __exit__(self, *raised: object) -> None:
        self._response.close()

    def read(self, waited: float) -> Picture:
        """Take the image into memory. Raises SegmindBadImage, OutcomeUnknown."""
        connections.extend(self._response, waited)
        later = Deadline(self._deadline.clock, self._deadline.at + waited)
        return picture_in(read_body(self._response), lambda url: fetch_hosted(self._calls, url, later))


def receipt_in(headers: Mapping[str, str]) -> Receipt:
    """Return what v1's headers say; any of them can be missing or broken."""
    return Receipt(
        request_id=printable_id(headers.get("x-request-id")),
        cost_usd=number(headers.get("x-cost")),
        remaining_credits=number(headers.get("x-remaining-credits")),
        generation_seconds=number(headers.get("x-generation-time")),
    )

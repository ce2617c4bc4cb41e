"""v1: one blocking call that answers with the image (`POST /v1/runway-gen4-image`)."""

from collections.abc import Callable, Mapping

from imagegen import connections
from imagegen.model import ImageRequest, Receipt
from imagegen.ports import Deadline, Generation
from imagegen.segmind.hosted import Finished
from imagegen.segmind.images import read_body
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

        def body(waited: float) -> bytes:
            connections.extend(response, waited)
            return read_body(response)

        return Finished(receipt_in(response.headers), body, self._calls, deadline, response.close)


def receipt_in(headers: Mapping[str, str]) -> Receipt:
    """Return what v1's headers say; any of them can be missing or broken."""
    return Receipt(
        request_id=printable_id(headers.get("x-request-id")),
        cost_usd=number(headers.get("x-cost")),
        remaining_credits=number(headers.get("x-remaining-credits")),
        generation_seconds=number(headers.get("x-generation-time")),
    )

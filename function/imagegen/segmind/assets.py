"""`upload-asset`: the vendor's own place for reference images. Free of charge, so everything may be repeated."""

from imagegen.errors import SegmindError, SegmindFailed, SegmindUnreachable
from imagegen.ports import Deadline
from imagegen.segmind.client import SegmindClient, origin
from imagegen.segmind.images import json_in, read_body


class SegmindAssets:
    """`upload` is what `delivery.FromBucket` is given where references go through the vendor."""

    def __init__(self, calls: SegmindClient, url: str) -> None:
        self._calls, self._url = calls, url

    def upload(self, data_uri: str, deadline: Deadline) -> str:
        """Return the URL under which the vendor keeps the image. Raises SegmindError, and none that was billed."""
        try:
            return self._calls.repeating(lambda: self._upload(data_uri, deadline), deadline)
        except SegmindError as error:
            if error.billed == "no":
                raise
            raise SegmindUnreachable(f"A reference could not be handed to Segmind: {error.detail}") from error

    def _upload(self, data_uri: str, deadline: Deadline) -> str:
        with self._calls.call("POST", self._url, deadline, {"data_urls": [data_uri]}) as response:
            body = read_body(response)
        try:
            value = json_in(body)
            urls = (value.get("file_urls") or value.get("urls")) if isinstance(value, dict) else None
            # https, or the place of the upload itself, which may be a fake on this machine
            if isinstance(urls, list) and (
                urls[0].lower().startswith("https://") or origin(urls[0]) == origin(self._url)
            ):
                return str(urls[0])
        except (ValueError, AttributeError, LookupError, TypeError):
            pass
        raise SegmindFailed("Segmind took a reference image, but its answer names no URL.")

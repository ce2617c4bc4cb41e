"""The HTTP door: which routes there are, and what answers them."""

from typing import TYPE_CHECKING

from werkzeug.routing import Map, Rule

from imagegen.doors.call import Endpoint
from imagegen.doors.cors import Cors
from imagegen.doors.entry import HttpEntry
from imagegen.doors.pages import Pages
from imagegen.doors.vendor_routes import VENDORS_OWN
from imagegen.ports import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegen.doors.images import ImageRoutes

ROUTES = Map(
    [
        Rule("/", methods=["GET"], endpoint="index"),
        Rule("/", methods=["POST"], endpoint="create"),
        Rule("/health", methods=["GET"], endpoint="health"),
        Rule("/openapi.json", methods=["GET"], endpoint="openapi"),
        Rule("/playground/<version>/<path:file>", methods=["GET"], endpoint="playground_file"),
        Rule("/v1/images", methods=["POST"], endpoint="create"),
        Rule("/v1/images/<image_id>", methods=["GET"], endpoint="show"),
        Rule("/v1/images/<image_id>/content", methods=["GET"], endpoint="content"),
        Rule("/v1/images/<image_id>", methods=["DELETE"], endpoint="delete"),
        Rule("/v1/usage", methods=["GET"], endpoint="usage"),
        Rule("/v1/runway-gen4-image", methods=["POST"], endpoint="create_as_segmind"),
        *VENDORS_OWN,
        Rule("/problems/<code>", methods=["GET"], endpoint="problem"),
        Rule("/v1/uploads", methods=["POST"], endpoint="upload"),
    ],
    strict_slashes=False,
)


class HttpDoor(HttpEntry):
    """The routes that frontends and back ends call: methods of `pages`, and of `images`, which needs the core."""

    def __init__(
        self, images: "Callable[[], ImageRoutes]", cors: Cors, pages: Pages, clock: Clock, request_seconds: float
    ) -> None:
        super().__init__("http", ROUTES, cors, clock, request_seconds)
        self._images, self._pages = images, pages

    def endpoint(self, name: str) -> Endpoint:
        """Return what answers a route; the first of `images` waits for the core's import."""
        found: Endpoint = getattr(self._pages if hasattr(self._pages, name) else self._images(), name)
        return found

"""The HTTP door: which route belongs to whom."""

from typing import TYPE_CHECKING

from flask import Response
from werkzeug.routing import Map, Rule

from imagegen.doors import problem_pages, vendor_routes
from imagegen.doors.answers import json_answer
from imagegen.doors.cors import Cors
from imagegen.doors.entry import Call, HttpEntry
from imagegen.doors.pages import Pages
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
        *vendor_routes.RULES,
        Rule("/problems/<code>", methods=["GET"], endpoint="problem"),
        Rule("/v1/uploads", methods=["POST"], endpoint="upload"),
    ],
    strict_slashes=False,
)


class HttpDoor(HttpEntry):
    """The routes that frontends and back ends call. `images` makes those that need more than the settings."""

    def __init__(
        self, images: "Callable[[], ImageRoutes]", cors: Cors, pages: Pages, clock: Clock, request_seconds: float
    ) -> None:
        endpoints = {
            "index": pages.index,
            "openapi": pages.openapi,
            "problem": lambda call: problem_pages.page(call.arguments["code"]),
            "playground_file": pages.playground_file,
            "health": _health,
            "create": lambda call: images().create(call),
            "create_as_segmind": lambda call: images().create_as_segmind(call),
            "show": lambda call: images().show(call),
            "content": lambda call: images().content(call),
            "delete": lambda call: images().delete(call),
            "usage": lambda call: images().usage(call),
            "submit": lambda call: images().submit(call),
            "submitted_status": lambda call: images().submitted_status(call),
            "submitted_result": lambda call: images().submitted_result(call),
            "upload": lambda call: images().upload(call),
        }
        super().__init__("http", ROUTES, endpoints, cors, clock, request_seconds)


def _health(call: Call) -> Response:
    del call
    return json_answer({"status": "ok"}, 200)

"""What the service says about itself: routes, OpenAPI and, where the operator wants it, the playground."""

import json
from functools import cached_property

from flask import Request, Response
from werkzeug.routing import Map, Rule

from imagegen.doors.answers import json_answer
from imagegen.doors.entry import Call
from imagegen.errors import NotFound
from imagegen.settings import Settings


class Pages:
    """Made of the settings alone: no answer here touches storage or Segmind."""

    def __init__(self, settings: Settings, routes: Map) -> None:
        self._settings = settings
        untold = {"playground_file"} if settings.uploads_bucket else {"playground_file", "upload"}
        self._rules = [rule for rule in routes.iter_rules() if rule.endpoint not in untold]

    def index(self, call: Call) -> Response:
        """Answer with the playground where it is on, and with the list of routes to who prefers JSON."""
        if self._settings.playground and not _prefers_json(call.request):
            page, policy = self._playground
            return Response(page, content_type="text/html; charset=utf-8", headers=policy)
        return json_answer(
            {"routes": [f"{method} {rule.rule}" for rule in self._rules for method in methods(rule)]}, 200
        )

    def playground_file(self, call: Call) -> Response:
        """Answer with a script or the style of the playground. Raises NotFound, also where it is off."""
        if not self._settings.playground:
            raise NotFound("There is no such route.")
        from imagegen.doors import playground  # noqa: PLC0415 - only where it is looked at

        return playground.file(call.request, call.arguments["version"], call.arguments["file"])

    def openapi(self, call: Call) -> Response:
        """Answer with the OpenAPI document of exactly the routes that these settings open."""
        del call
        return Response(self._document, content_type="application/json")

    @cached_property
    def _playground(self) -> tuple[str, dict[str, str]]:
        from imagegen.doors import playground  # noqa: PLC0415 - only where it is looked at

        return playground.page(self._settings)

    @cached_property
    def _document(self) -> str:
        from imagegen.doors import openapi  # noqa: PLC0415 - schemas take longer to build than an image request may wait

        paths = [(method, rule.rule) for rule in self._rules for method in methods(rule)]
        return json.dumps(openapi.document(paths, self._settings))


def methods(rule: Rule) -> list[str]:
    """Return the methods of a route that are worth telling."""
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _prefers_json(request: Request) -> bool:
    accept = request.accept_mimetypes
    return accept.quality("application/json") > accept.quality("text/html")

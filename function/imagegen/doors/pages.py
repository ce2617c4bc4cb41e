"""What the service says about itself: routes, OpenAPI, problems and, where the operator wants it, the playground."""

import json
from functools import cached_property
from html import escape

from flask import Response
from werkzeug.routing import Map

from imagegen.doors.answers import json_answer
from imagegen.doors.call import HTML, JSON, Call
from imagegen.errors import BY_CODE, NotFound
from imagegen.settings import Settings

_PROBLEM_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
}
_COST = {"no": "Nothing was billed.", "maybe": "It may have been billed.", "yes": "It was billed."}
_PROBLEM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}dt{{font-weight:600}}\
dd{{margin:0 0 1rem}}</style>
<h1>{title}</h1>
<dl>
<dt>Problem</dt><dd><code>{code}</code>, answered with status {status}</dd>
<dt>What happened</dt><dd>{cause}</dd>
<dt>What it cost</dt><dd>{cost}</dd>
<dt>What to do</dt><dd>{action}</dd>
<dt>The same Idempotency-Key</dt><dd>{key}</dd>
</dl>
</html>
"""


class Pages:
    """Made of the settings alone: no answer here touches storage or Segmind. One method a route."""

    def __init__(self, settings: Settings, routes: Map) -> None:
        self._settings = settings
        untold = {"playground_file"} if settings.uploads_bucket else {"playground_file", "upload"}
        self._routes = [
            (method, rule.rule)
            for rule in routes.iter_rules()
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if rule.endpoint not in untold
        ]

    def health(self, _call: Call) -> Response:
        """Answer that this process serves."""
        return json_answer({"status": "ok"})

    def index(self, call: Call) -> Response:
        """Answer with the playground where it is on, and with the list of routes to a caller who prefers JSON."""
        if self._settings.playground and call.likes(JSON) <= call.likes(HTML):
            page, policy = self._playground
            return Response(page, content_type="text/html; charset=utf-8", headers=policy)
        return json_answer({"routes": [f"{method} {pattern}" for method, pattern in self._routes]})

    def playground_file(self, call: Call) -> Response:
        """Answer with a script or the style of the playground. Raises NotFound, also where it is off."""
        if not self._settings.playground:
            raise NotFound("There is no such route.")
        from imagegen.doors import playground  # noqa: PLC0415 - only where it is looked at

        return playground.file(call.request, call.arguments["version"], call.arguments["file"])

    def openapi(self, _call: Call) -> Response:
        """Answer with the OpenAPI document of exactly the routes that these settings open."""
        return Response(self._document, content_type=JSON)

    def problem(self, call: Call) -> Response:
        """Answer with a short page on a problem, at the address that its `type` names. Raises NotFound."""
        kind = BY_CODE.get(call.arguments["code"])
        if kind is None:
            raise NotFound("There is no such problem.")
        key = "may be tried again: the key is free." if kind.frees_key else "gets the same answer again."
        told = {name: escape(str(getattr(kind, name))) for name in ("title", "code", "status", "cause", "action")}
        html = _PROBLEM.format(**told, cost=_COST[kind.billed], key=key)
        return Response(html, content_type="text/html; charset=utf-8", headers=_PROBLEM_HEADERS)

    @cached_property
    def _playground(self) -> tuple[str, dict[str, str]]:
        from imagegen.doors import playground  # noqa: PLC0415 - only where it is looked at

        return playground.page(self._settings)

    @cached_property
    def _document(self) -> str:
        from imagegen.doors import openapi  # noqa: PLC0415 - schemas take longer to build than an image request may wait

        return json.dumps(openapi.document(self._routes, self._settings))

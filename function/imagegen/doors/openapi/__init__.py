"""`GET /openapi.json`: OpenAPI 3.1, generated from the types that validate and from the table of errors.

`schemas.py` has the shapes, `headers.py` headers and parameters, `problems.py` every error with its cause,
`operations.py` what each route takes and answers. Nothing of it is imported before somebody asks for the document.
"""

import re
from collections.abc import Iterable

from imagegen.doors.openapi import headers, operations, problems, schemas
from imagegen.doors.openapi.operations import Operation
from imagegen.doors.openapi.schemas import Json
from imagegen.errors import BY_CODE
from imagegen.settings import Settings

_PUBLIC = {"index", "health", "openapi"}
_INTRODUCTION = """\
Segmind's Runway Gen-4 Image behind an endpoint of your own: every image is stored and comes with a signed URL, a
request with an `Idempotency-Key` is billed once however often it is repeated, and every failure is a problem document
that says whether it was billed and what to do. A generation takes about 30 seconds: give clients a timeout of minutes.
An unknown route is a 404 `not-found`, another method a 405 `method-not-allowed` with `Allow`."""


def document(paths: Iterable[tuple[str, str, str]], settings: Settings) -> Json:
    """Return the OpenAPI document of these routes (pattern, method, endpoint), secured as the settings say."""
    shown: dict[str, Json] = {}
    for pattern, method, endpoint in paths:
        path = re.sub(r"<(\w+)>", r"{\1}", pattern)
        shown.setdefault(path, {})[method.lower()] = _operation(pattern, endpoint, settings)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image generation",
            "version": "1.0.0",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ".", "description": "where this document was found"}],
        "tags": [{"name": name, "description": text} for name, text in operations.TAGS.items()],
        "paths": shown,
        "components": {
            "schemas": schemas.components(),
            "headers": headers.HEADERS,
            "parameters": headers.PARAMETERS,
            "examples": problems.examples(),
            "responses": {"Problem": problems.response(tuple(BY_CODE), "Any problem, by its `code`")},
            "securitySchemes": _schemes(settings),
        },
    }


def _operation(pattern: str, endpoint: str, settings: Settings) -> Json:
    operation = operations.of(endpoint, settings)
    name = operation.name + ("AtRoot" if pattern == "/" and endpoint != "index" else "")
    shown: Json = {"operationId": name, "tags": [operation.tag], "summary": operation.summary}
    if operation.description:
        shown["description"] = operation.description
    if operation.parameters:
        shown["parameters"] = [{"$ref": f"#/components/parameters/{p}"} for p in operation.parameters]
    if operation.body:
        shown["requestBody"] = {"required": True, "content": {"application/json": operation.body}}
    public = endpoint in _PUBLIC and settings.auth != "iam"
    secured = not public and settings.auth != "none"
    shown["security"] = [{name: []} for name in _schemes(settings)] if secured else []
    shown["responses"] = _responses(operation, asks_who=secured and settings.auth != "iam")
    return shown


def _responses(operation: Operation, *, asks_who: bool) -> Json:
    """Return good answers and problems by status; with `iam` the platform refuses callers, in words of its own."""
    codes = [c for c in operation.problems if asks_who or c not in {"unauthenticated", "forbidden"}]
    shown = {**operation.answers, **problems.by_status(codes)}
    return {**dict(sorted(shown.items())), "default": {"$ref": "#/components/responses/Problem"}}


def _schemes(settings: Settings) -> Json:
    match settings.auth:
        case "keys":
            bearer = {"type": "http", "scheme": "bearer", "description": "One of this service's own API keys."}
            own = {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same key, as Segmind's."}
            return {"bearer": bearer, "apiKey": own}
        case "oidc":
            issuer = f"{settings.oidc_issuer}/.well-known/openid-configuration"
            said = f"A token of this issuer for the audience `{settings.oidc_audience}`."
            return {"oidc": {"type": "openIdConnect", "openIdConnectUrl": issuer, "description": said}}
        case "iam":
            said = "A Google identity token of a principal with the role `roles/run.invoker`; the platform checks it."
            return {"google": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": said}}
        case "none":
            return {}

"""`GET /openapi.json`: OpenAPI 3.1 of exactly the routes that exist, from the models that validate and the errors.

`schemas.py` has the bodies, `operations.py` what each route takes and answers. Nothing of it is imported before the
document is asked for.
"""

import re
from collections.abc import Iterable, Sequence

import imagegen
from imagegen.doors.openapi.operations import EXAMPLE, HEADERS, OPERATIONS, PARAMETERS, Operation
from imagegen.doors.openapi.schemas import Json, components, ref
from imagegen.doors.resource import problem
from imagegen.errors import BY_CODE, ImageNotStored, InvalidRequest
from imagegen.failure import Problem
from imagegen.model import Failure, Picture
from imagegen.settings import Settings

_EVERYWHERE = ("X-Request-Id", "Server-Timing", "Cache-Control")
_BY_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After", 502: "Retry-After"}
_INTRODUCTION = """\
Segmind's Runway Gen-4 Image behind an endpoint of your own: every image is stored and comes with a signed URL, a
request with an `Idempotency-Key` is billed once however often it is repeated, and every failure is a problem document
that says whether it was billed and what to do. A generation takes about 30 seconds: give clients a timeout of minutes.
An unknown route is a 404 `not-found`, another method a 405 `method-not-allowed` with `Allow`."""
_LINKED = {"getImage", "getImageContent", "deleteImage"}


def document(routes: Iterable[tuple[str, str]], settings: Settings) -> Json:
    """Return the OpenAPI document of these routes (method, pattern), secured as `AUTH` says."""
    schemes = _schemes(settings)
    paths: Json = {}
    for method, pattern in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)
        shown = _operation(OPERATIONS[f"{method} {path}"], path, schemes, settings.auth)
        paths.setdefault(path, {})[method.lower()] = shown
    info = {"title": "Image generation", "version": imagegen.__version__, "description": _INTRODUCTION}
    parts = {
        "schemas": components(),
        "headers": {name: {"schema": schema, "description": said} for name, (schema, said) in HEADERS.items()},
        "parameters": {name: _parameter(name, *row) for name, row in PARAMETERS.items()},
        "examples": {code: {"value": _example(code)} for code in BY_CODE},
        "responses": {"Problem": _problems("Any problem, by its `code`", [*BY_CODE])},
        "securitySchemes": schemes,
    }
    licence = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    return {
        "openapi": "3.1.0",
        "info": {**info, "license": licence},
        "servers": [{"url": ".", "description": "where this document was found"}],
        "paths": paths,
        "components": parts,
    }


def _operation(operation: Operation, path: str, schemes: Json, auth: str) -> Json:
    public = operation.tag == "service" and auth != "iam"
    asks_who = not public and auth in {"keys", "oidc"}
    codes = [c for c in operation.problems if asks_who or c not in {"unauthenticated", "forbidden"}]
    named = (*re.findall(r"{(\w+)}", path), *operation.parameters, "X-Request-Id")
    shown = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in named],
        "security": [] if public else [{name: []} for name in schemes],
        "responses": _answers(operation) | _by_status(codes) | {"default": {"$ref": "#/components/responses/Problem"}},
    }
    if operation.body:
        example = EXAMPLE if operation.body == "ImageBody" else {"contentType": "image/png"}
        content = {"application/json": {"schema": ref(operation.body), "example": example}}
        shown["requestBody"] = {"required": True, "content": content}
    return shown


def _answers(operation: Operation) -> Json:
    shown = {}
    for status, (said, content, headers) in operation.answers.items():
        media = {kind: {"schema": schema} for kind, schema in content.items()}
        shown[status] = {"description": said, "headers": _refs(*headers), **({"content": media} if media else {})}
        if operation.body == "ImageBody" and operation.name != "submitAsSegmind":
            here = {"image_id": "$response.body#/id"}
            shown[status]["links"] = {name: {"operationId": name, "parameters": here} for name in sorted(_LINKED)}
    return shown


def _by_status(codes: Sequence[str]) -> Json:
    statuses = sorted({BY_CODE[code].status for code in codes})
    return {f"{s}": _problems("Problem", [code for code in codes if BY_CODE[code].status == s]) for s in statuses}


def _problems(title: str, codes: Sequence[str]) -> Json:
    """Return an answer that is one of these problems, each with its cause and an example."""
    causes = "\n".join(f"- `{code}`: {BY_CODE[code].cause}. Billed: {BY_CODE[code].billed}." for code in codes)
    schema = {"allOf": [ref("Problem"), {"properties": {"code": {"enum": [*codes]}}}]}
    headers = {_BY_STATUS[kind.status] for kind in map(BY_CODE.__getitem__, codes) if kind.status in _BY_STATUS}
    return {
        "description": f"{title}:\n\n{causes}",
        "headers": _refs("x-should-retry", "Location", "Idempotent-Replayed", *sorted(headers)),
        "content": {
            "application/problem+json": {
                "schema": schema,
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _example(code: str) -> Json:
    """Return a problem as the service would answer it."""
    shown = {
        "invalid-request": InvalidRequest((Problem("/promptText", "must not be empty"),)),
        "image-not-stored": ImageNotStored(Picture(b"\xff\xd8\xff\xd9", "image/jpeg", "jpg", 1280, 720)),
    }
    kind = BY_CODE[code]
    return problem(shown.get(code) or Failure(code, kind.title, kind.billed), "0af7651916cd43dd8448eb211c80319c")


def _refs(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys((*_EVERYWHERE, *names))}


def _parameter(name: str, place: str, schema: Json, said: str) -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": said}


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

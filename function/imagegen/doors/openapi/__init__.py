"""`GET /openapi.json`: OpenAPI 3.1 of exactly the routes that exist.

`openapi.json` is the document as it is written by hand. What the code knows is added here: bodies of requests (from the
models that validate them), problems with their causes (`x-problems` names the codes), headers that every answer carries
(`x-headers` names those that only some do), the version. Credentials of another `AUTH` are taken out.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

import imagegen
from imagegen.doors.resource import problem
from imagegen.errors import BY_CODE, ImageNotStored, InvalidRequest
from imagegen.failure import Problem
from imagegen.model import Failure, Picture
from imagegen.references.upload_urls import UploadBody
from imagegen.references.validation import ImageBody
from imagegen.settings import Settings

Json = dict[str, Any]  # a JSON document in the making; the validator of the test knows its type
_EVERYWHERE = ("X-Request-Id", "Server-Timing", "Cache-Control")
_BY_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After", 502: "Retry-After"}
_SCHEMES = {"keys": ("bearer", "apiKey"), "oidc": ("oidc",), "iam": ("google",), "none": ()}  # by AUTH
_WHO = {"unauthenticated", "forbidden"}


def document(routes: Iterable[tuple[str, str]], settings: Settings) -> Json:
    """Return the OpenAPI document of these routes (method, pattern), secured as `AUTH` says."""
    made: Json = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    parts, written, made["paths"] = made["components"], made["paths"], {}
    schemes = _schemes(parts.pop("securitySchemes"), settings)
    for method, pattern in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)
        shown = _operation(written[path][method.lower()], schemes, settings.auth)
        made["paths"].setdefault(path, {})[method.lower()] = shown
    made["info"]["version"] = imagegen.__version__
    parts["schemas"] |= _requests()
    parts["examples"] = {code: {"value": _example(code)} for code in BY_CODE}
    parts["responses"] = {"Problem": _problems("Any problem, by its `code`", [*BY_CODE])}
    parts["securitySchemes"] = schemes
    return made


def _operation(written: Json, schemes: Json, auth: str) -> Json:
    public = written["tags"] == ["service"] and auth != "iam"
    asks_who = not public and auth in {"keys", "oidc"}
    codes = [code for code in written.pop("x-problems") if asks_who or code not in _WHO]
    for answer in written["responses"].values():
        answer["headers"] = _headers(*answer.pop("x-headers", ()))
    anything = {"default": {"$ref": "#/components/responses/Problem"}}
    return {
        **written,
        "parameters": [*written["parameters"], {"$ref": "#/components/parameters/X-Request-Id"}],
        "security": [] if public else [{name: []} for name in schemes],
        "responses": written["responses"] | _by_status(codes) | anything,
    }


def _by_status(codes: Sequence[str]) -> Json:
    statuses = sorted({BY_CODE[code].status for code in codes})
    return {f"{s}": _problems("Problem", [code for code in codes if BY_CODE[code].status == s]) for s in statuses}


def _problems(title: str, codes: Sequence[str]) -> Json:
    """Return an answer that is one of these problems, each with its cause and an example."""
    causes = "\n".join(f"- `{code}`: {BY_CODE[code].cause}. Billed: {BY_CODE[code].billed}." for code in codes)
    only = {"properties": {"code": {"enum": [*codes]}}}
    headers = sorted({_BY_STATUS[BY_CODE[code].status] for code in codes if BY_CODE[code].status in _BY_STATUS})
    media = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, only]},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    return {
        "description": f"{title}:\n\n{causes}",
        "headers": _headers("x-should-retry", "Location", "Idempotent-Replayed", *headers),
        "content": {"application/problem+json": media},
    }


def _example(code: str) -> Json:
    """Return a problem as the service would answer it."""
    shown = {
        "invalid-request": InvalidRequest((Problem("/promptText", "must not be empty"),)),
        "image-not-stored": ImageNotStored(Picture(b"\xff\xd8\xff\xd9", "image/jpeg", "jpg", 1280, 720)),
    }
    kind = BY_CODE[code]
    return problem(shown.get(code) or Failure(code, kind.title, kind.billed), "0af7651916cd43dd8448eb211c80319c")


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys((*_EVERYWHERE, *names))}


class _Generator(GenerateJsonSchema):
    """Leaves out titles that repeat a name, and defaults: generators take a field that has one for a required field."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def _requests() -> Json:
    """Return the schemas of request bodies, by their names."""
    _, found = models_json_schema(
        [(ImageBody, "validation"), (UploadBody, "validation")],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Generator,
    )
    defined: Json = found["$defs"]
    return defined


def _schemes(written: Json, settings: Settings) -> Json:
    """Return the credentials that `AUTH` asks for; of an issuer its address and audience are added."""
    schemes = {name: written[name] for name in _SCHEMES[settings.auth]}
    if settings.auth == "oidc":
        schemes["oidc"]["openIdConnectUrl"] = f"{settings.oidc_issuer}/.well-known/openid-configuration"
        schemes["oidc"]["description"] = f"A token of this issuer for the audience `{settings.oidc_audience}`."
    return schemes

"""Is a real answer what the OpenAPI document says? Fields and headers that it does not name are errors here."""

import copy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator, FormatChecker

from tests.harness.site import Site

Json = Any  # a document


def described(server: Site) -> Json:
    """Return the document that a server shows of itself."""
    return server.get("/openapi.json").json()


def resolved(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    for step in node["$ref"].removeprefix("#/").split("/"):
        document = document[step]
    return document


def validator(document: Json, schema: Json) -> Draft202012Validator:
    """Return a validator to which a field that the document does not know is an error, as is a broken format."""
    components = copy.deepcopy(document["components"])
    for found in components["schemas"].values():
        found.setdefault("additionalProperties", False)
    return Draft202012Validator({**schema, "components": components}, format_checker=_formats())


def _formats() -> FormatChecker:
    checker = FormatChecker(())
    checker.checks("date-time", ValueError)(lambda text: text is None or datetime.fromisoformat(text).tzinfo == UTC)
    checker.checks("uri")(lambda text: text is None or bool(urlsplit(text).netloc))
    checker.checks("uri-reference")(lambda text: str(text).startswith("/problems/"))
    return checker


def conforms(document: Json, path: str, answered: requests.Response) -> None:
    """Check status, type, body and headers of a real answer against the operation's description."""
    method = str(answered.request.method).lower()
    responses = document["paths"][path][method]["responses"]
    described_here = responses.get(str(answered.status_code)) or resolved(document, responses["default"])
    kind = answered.headers.get("Content-Type", "").partition(";")[0]
    if "content" in described_here:
        media = described_here["content"][kind]
        if kind.endswith("json"):
            validator(document, media["schema"]).validate(answered.json())
        else:
            assert media["schema"] == {"type": "string", **({"format": "binary"} if kind.startswith("image/") else {})}
    documented = {name.lower() for name in described_here["headers"]}
    plain = {"content-type", "content-length", "date", "server", "connection", "x-content-type-options", "vary"}
    assert {name.lower() for name in answered.headers} - documented - plain - {"referrer-policy"} == set()

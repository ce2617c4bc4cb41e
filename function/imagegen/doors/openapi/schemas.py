"""The shapes of bodies: requests from the models that validate them, answers as tests hold them to."""

from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from imagegen.errors import BY_CODE
from imagegen.model import Billed, Status
from imagegen.references.upload_urls import UploadBody
from imagegen.references.validation import ImageBody, Ratio

Json = dict[str, Any]  # a JSON document in the making; the validator of the test knows its type

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
BINARY: Json = {"type": "string", "format": "binary"}
IMAGE_ID: Json = {"type": "string", "pattern": "^[a-z2-7]{26}$", "examples": ["mfzwcylbmfqwcylbmfqwcylbme"]}
DATE: Json = {"type": "string", "format": "date", "examples": ["2026-03-01"]}
_TIME: Json = {"type": "string", "format": "date-time", "examples": ["2026-03-01T12:00:30.600Z"]}
_URL: Json = {"type": "string", "format": "uri"}
_PIXELS: Json = {"width": WHOLE, "height": WHOLE}


def ref(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(*values: str) -> Json:
    """Return the schema of a text that is one of these."""
    return {"type": "string", "enum": list(values)}


def _said(description: str, schema: Json) -> Json:
    return {**schema, "description": description}


def _or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def _object(description: str, required: Json, optional: Json | None = None) -> Json:
    fields = {**required, **(optional or {})}
    return {"type": "object", "description": description, "properties": fields, "required": list(required)}


_KIND = one_of("image/jpeg", "image/png", "image/webp")
_FILE = {"contentType": _KIND, "bytes": WHOLE, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, **_PIXELS}
_RESCUED = {"dataUri": {"type": "string", "pattern": "^data:image/(jpeg|png|webp);base64,"}, **_FILE}
_PROBLEM = _object(
    "What went wrong, what it cost and what to do (RFC 9457).",
    {
        "type": _said("`/problems/CODE`: a page that explains it", {"type": "string", "format": "uri-reference"}),
        "title": TEXT,
        "status": WHOLE,
        "detail": _said("what happened this time; of Segmind's own message at most 500 characters", TEXT),
        "code": _said("stable; branch on this", one_of(*BY_CODE)),
        "requestId": _said("the answer's X-Request-Id; the logs carry it, too", TEXT),
        "billed": _said("whether this request cost money", one_of(*get_args(Billed))),
        "action": _said("what to do about it", TEXT),
    },
    {
        "errors": _said("`invalid-request`: everything that is wrong", _list(ref("FieldProblem"))),
        "image": _object("`image-not-stored`, in its first answer only: the only copy there is.", _RESCUED),
        "error": _said("on Segmind's own routes: `detail`, where its SDK looks for it", TEXT),
    },
)
_IMAGE = _object(
    "The image resource. `unknown`: it may have been billed, and there is no image (yet).",
    {"id": IMAGE_ID, "status": one_of(*get_args(Status)), "createdAt": _TIME, "request": ref("PublicRequest")},
    {
        "completedAt": _TIME,
        "image": ref("StoredImage"),
        "segmind": ref("SegmindReceipt"),
        "error": ref("Problem"),
    },
)
_STORED = {
    "url": _said("signed; null where no URL could be signed at that moment", _or_null(_URL)),
    "urlExpiresAt": _or_null(_TIME),
    "gsUri": {"type": "string", "pattern": "^gs://"},
    **_FILE,
}
_PUBLIC = {
    "promptText": TEXT,
    "ratio": one_of(*get_args(Ratio)),
    "referenceImages": _said("without their URIs", _list(_object("A reference.", {"tag": TEXT}))),
}
_RECEIPT = {name: _or_null(NUMBER) for name in ("costUsd", "remainingCredits", "generationSeconds")}
_SPENT = {
    "images": WHOLE,
    "failed": {"type": "object", "description": "failures by code", "additionalProperties": WHOLE},
    "unknown": WHOLE,
    "costUsd": _said("as Segmind told it", NUMBER),
}
_CAP = {name: _said("null: there is no cap", _or_null(WHOLE)) for name in ("cap", "left")}
_UPLOAD = {
    "method": one_of("PUT"),
    "url": _URL,
    "urlExpiresAt": _TIME,
    "headers": {"type": "object", "additionalProperties": TEXT},
    "gsUri": TEXT,
    "maxBytes": WHOLE,
}
_STATES = one_of("QUEUED", "PROCESSING", "COMPLETED", "FAILED")
_STATE = {"request_id": IMAGE_ID, "status": _STATES}
_OUTPUT = {"url": _URL, "content_type": _KIND, "file_name": TEXT, "file_size": WHOLE}
_METRICS = {f: _or_null(NUMBER) for f in ("cost", "remaining_credits", "inference_time", "queue_time", "total_time")}
_ANSWERS: Json = {
    "FieldProblem": _object(
        "One thing that is wrong with a request.",
        {"pointer": _said("JSON pointer (RFC 6901) into the body; empty: the body, a header, the query", TEXT)}
        | {"detail": TEXT},
    ),
    "Problem": _PROBLEM,
    "Image": _IMAGE,
    "PublicRequest": _object("What was asked for.", _PUBLIC),
    "StoredImage": _object("The image in the results bucket.", _STORED),
    "SegmindReceipt": _object("What Segmind said; null: it did not say.", {"requestId": _or_null(TEXT), **_RECEIPT}),
    "Upload": _object("PUT a reference there with exactly these headers; then `gsUri` is its `uri`.", _UPLOAD),
    "UsageTotal": _object("All days together.", _SPENT),
    "UsageDay": _object("One UTC day.", {"date": DATE, **_SPENT, **_CAP}),
    "Usage": _object(
        "What was spent.", {"from": DATE, "to": DATE, "days": _list(ref("UsageDay")), "total": ref("UsageTotal")}
    ),
    "SegmindState": _object("As Segmind says it.", _STATE),
    "SegmindFailed": _object(
        "As Segmind tells a failure, and two fields more.",
        {"request_id": IMAGE_ID, "status": one_of("FAILED"), "error": TEXT}
        | {"code": one_of(*BY_CODE), "billed": one_of(*get_args(Billed))},
    ),
    "SegmindSubmitted": _object(
        "As Segmind answers a submit.", {**_STATE, "poll_url": _URL, "status_url": _URL, "response_url": _URL}
    ),
    "SegmindResult": _object(
        "As Segmind shows a result; `output` and `images` once it is COMPLETED.",
        _STATE,
        {"output": _URL, "images": _list(_object("A file.", _OUTPUT))}
        | {"metrics": _object("Dollars, credits, seconds.", {}, _METRICS)},
    ),
    "Health": _object("The process answers.", {"status": one_of("ok")}),
    "Routes": _object("The routes of this service.", {"routes": _said("`METHOD /path`", _list(TEXT))}),
}


class _Generator(GenerateJsonSchema):
    """Leaves out titles that repeat a name, and defaults: generators take a field that has one for a required field."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def components() -> Json:
    """Return every schema, by its name."""
    _, found = TypeAdapter.json_schemas(
        [(kind.__name__, "validation", TypeAdapter(kind)) for kind in (ImageBody, UploadBody)],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Generator,
    )
    return {**_ANSWERS, **found["$defs"]}

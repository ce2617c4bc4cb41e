"""The shapes of bodies: requests by the models that validate them, answers by types that tests hold them to."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import TypedDict  # pydantic takes the standard library's own only from Python 3.12 on

from imagegen.errors import BY_CODE
from imagegen.model import Billed, Status
from imagegen.references.upload_urls import UploadBody
from imagegen.references.validation import ImageBody, Ratio

Json = dict[str, Any]  # a JSON document in the making; the validator of the test knows its type
Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time", "examples": ["2026-03-01T12:00:30.600Z"]}, description="UTC")
]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ImageType = Literal["image/jpeg", "image/png", "image/webp"]
ImageId = Annotated[str, Field(pattern="^[a-z2-7]{26}$", examples=["mfzwcylbmfqwcylbmfqwcylbme"])]


class FieldProblem(TypedDict):
    """One thing that is wrong with a request."""

    pointer: Annotated[str, Field(description="JSON pointer (RFC 6901) into the body; empty: the body or a header")]
    detail: str


class RescuedImage(TypedDict):
    """A paid image that storage refused: the only copy there is."""

    dataUri: Annotated[str, Field(pattern="^data:image/(jpeg|png|webp);base64,")]
    contentType: ImageType
    bytes: int
    sha256: Sha256
    width: int
    height: int


class Problem(TypedDict):
    """What went wrong, what it cost and what to do (RFC 9457)."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"}, description="`/problems/CODE`; stable")]
    title: str
    status: int
    detail: Annotated[
        str, Field(description="what happened this time; of Segmind's own message at most 500 characters")
    ]
    code: Annotated[str, Field(json_schema_extra={"enum": [*BY_CODE]}, description="stable; branch on this")]
    requestId: Annotated[str, Field(description="the answer's X-Request-Id, which the logs carry, too")]
    billed: Annotated[Billed, Field(description="whether this request cost money")]
    action: Annotated[str, Field(description="what to do about it")]
    errors: NotRequired[Annotated[list[FieldProblem], Field(description="`invalid-request`: everything that is wrong")]]
    image: NotRequired[Annotated[RescuedImage, Field(description="`image-not-stored`, in its first answer only")]]


class PublicReference(TypedDict):
    """A reference without its URI, which can carry somebody's signature."""

    tag: str


class PublicRequest(TypedDict):
    """What was asked for."""

    promptText: str
    ratio: Ratio
    referenceImages: list[PublicReference]


class StoredImage(TypedDict):
    """The image in the results bucket."""

    url: Annotated[Url | None, Field(description="signed; null where no URL could be signed at that moment")]
    urlExpiresAt: Time | None
    gsUri: Annotated[str, Field(pattern="^gs://")]
    contentType: Annotated[ImageType, Field(description="by the bytes, whatever Segmind's header said")]
    bytes: int
    sha256: Sha256
    width: int
    height: int


class SegmindReceipt(TypedDict):
    """What Segmind said about the generation; null is what it left out."""

    requestId: str | None
    costUsd: float | None
    remainingCredits: float | None
    generationSeconds: float | None


class Image(TypedDict):
    """The image resource. `unknown`: it may have been billed, and nobody has the image."""

    id: ImageId
    status: Status
    createdAt: Time
    completedAt: NotRequired[Time]
    request: PublicRequest
    image: NotRequired[StoredImage]
    segmind: NotRequired[SegmindReceipt]
    error: NotRequired[Annotated[Problem, Field(description="only where the status is failed or unknown")]]


class Upload(TypedDict):
    """Where to PUT a reference image. Send exactly these headers; then use `gsUri` as a reference's `uri`."""

    method: Literal["PUT"]
    url: Url
    urlExpiresAt: Time
    headers: dict[str, str]
    gsUri: str
    maxBytes: int


class Health(TypedDict):
    """The process answers."""

    status: Literal["ok"]


class Routes(TypedDict):
    """The routes of this service, as `METHOD /path`."""

    routes: list[str]


class _Generator(GenerateJsonSchema):
    """Leaves out what says nothing: titles that repeat a field's name, and "" for a text that is left out."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        return {name: value for name, value in shown.items() if (name, value) != ("default", "")}


def components() -> Json:
    """Return every schema, by its name."""
    requests = [(kind.__name__, "validation", TypeAdapter(kind)) for kind in (ImageBody, UploadBody)]
    kinds = (Image, Problem, Upload, Health, Routes)
    answers = [(kind.__name__, "serialization", TypeAdapter(kind)) for kind in kinds]
    _, found = TypeAdapter.json_schemas(
        [*requests, *answers],  # type: ignore[list-item]  # the modes are literals
        ref_template="#/components/schemas/{model}",
        schema_generator=_Generator,
    )
    defined: Json = found["$defs"]
    return defined


def ref(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}

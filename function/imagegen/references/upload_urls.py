"""Signed PUTs for reference images: bound to a type and a size, for one new object that cannot be a job file."""

import secrets
from collections.abc import Callable
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imagegen.errors import InvalidRequest
from imagegen.model import SignedUrl, time_text
from imagegen.references import validation
from imagegen.references.delivery import MAX_REFERENCE_BYTES
from imagegen.references.rules import Rules

_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class UploadBody(BaseModel):
    """The body of `POST /v1/uploads`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    content_type: Literal["image/png", "image/jpeg", "image/webp"] = Field(alias="contentType")


SignPut: TypeAlias = Callable[[str, dict[str, str]], SignedUrl]
"""Returns a URL that takes one PUT of an object with exactly these headers. Raises StorageUnavailable."""


def parse_wish(body: bytes) -> UploadBody:
    """Return what a body asks to upload. Raises InvalidRequest."""
    try:
        return UploadBody.model_validate(validation.decode(body))
    except ValidationError as e:
        raise InvalidRequest(validation.problems_in(e)) from None


def upload_url(wish: UploadBody, rules: Rules, sign_put: SignPut) -> dict[str, object]:
    """Return where to PUT, with which headers, and the URI that the image then has, in the caller's own folder."""
    name = f"{rules.folder}{secrets.token_hex(16)}.{_EXTENSIONS[wish.content_type]}"
    headers = {
        "Content-Type": wish.content_type,
        "x-goog-content-length-range": f"1,{MAX_REFERENCE_BYTES}",
        "x-goog-if-generation-match": "0",
    }
    signed = sign_put(name, headers)
    return {
        "method": "PUT",
        "url": signed.url,
        "urlExpiresAt": time_text(signed.expires_at),
        "headers": headers,
        "gsUri": f"gs://{rules.bucket}/{name}",
        "maxBytes": MAX_REFERENCE_BYTES,
    }

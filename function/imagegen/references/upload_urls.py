"""Signed PUTs for reference images: bound to a type and a size, for one new object that cannot be a job file."""

import secrets
from typing import Literal, Protocol

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


class PutSigner(Protocol):
    """Signs writes into the uploads bucket. Raises StorageUnavailable."""

    def sign_put(self, name: str, headers: dict[str, str]) -> SignedUrl:
        """Return a URL that takes one PUT with exactly these headers."""
        ...


class UploadUrls:
    """Makes upload URLs below `references/`, with accounts in the caller's own folder."""

    def __init__(self, signer: PutSigner) -> None:
        self._signer = signer

    def make(self, wish: UploadBody, rules: Rules) -> dict[str, object]:
        """Return where to PUT, with which headers, and the URI that the image then has."""
        name = f"{rules.folder}{secrets.token_hex(16)}.{_EXTENSIONS[wish.content_type]}"
        headers = {
            "Content-Type": wish.content_type,
            "x-goog-content-length-range": f"1,{MAX_REFERENCE_BYTES}",
            "x-goog-if-generation-match": "0",
        }
        signed = self._signer.sign_put(name, headers)
        return {
            "method": "PUT",
            "url": signed.url,
            "urlExpiresAt": time_text(signed.expires_at),
            "headers": headers,
            "gsUri": f"gs://{rules.bucket}/{name}",
            "maxBytes": MAX_REFERENCE_BYTES,
        }


def parse_wish(body: bytes) -> UploadBody:
    """Return what a body asks to upload. Raises InvalidRequest."""
    try:
        return UploadBody.model_validate(validation.decode(body))
    except ValidationError as e:
        raise InvalidRequest(validation.problems_in(e)) from None

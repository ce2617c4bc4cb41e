"""What Cloud Storage says when it says no: one value, as JSON for its JSON API and as XML for its XML API.

Codes, statuses and wording follow https://cloud.google.com/storage/docs/xml-api/reference-status and
https://cloud.google.com/storage/docs/json_api/v1/status-codes, because clients decide by them.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape


class StorageError(Exception):
    """One refusal: `code` is the XML API's name for it, `reason` the JSON API's."""

    def __init__(self, status: int, code: str, message: str, *, reason: str = "", **elements: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason or code[:1].lower() + code[1:]
        self.elements = elements

    def as_json(self) -> bytes:
        cause = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.status, "message": self.message, "errors": [cause]}
        return json.dumps({"error": error}).encode()

    def as_xml(self) -> bytes:
        fields = {"Code": self.code, "Message": self.message, **self.elements}
        inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items())
        return f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}</Error>".encode()


def no_such_bucket() -> StorageError:
    """404: the bucket does not exist."""
    return StorageError(404, "NoSuchBucket", "The specified bucket does not exist.", reason="notFound")


def no_such_object(bucket: str, name: str) -> StorageError:
    """404: no live object of that name (or not of that generation)."""
    return StorageError(404, "NoSuchKey", f"No such object: {bucket}/{name}", reason="notFound")


def no_such_route(method: str, path: str) -> StorageError:
    """404 for what this server does not play, so that a missing feature is seen and never guessed."""
    return StorageError(404, "NotFound", f"The local storage does not play {method} {path}")


def precondition_failed() -> StorageError:
    """412: another writer was first."""
    message = "At least one of the pre-conditions you specified did not hold."
    return StorageError(412, "PreconditionFailed", message, reason="conditionNotMet")


def not_modified() -> StorageError:
    """304: a read whose "not match" condition did not hold."""
    return StorageError(304, "NotModified", "Not Modified")


def bad_request(message: str) -> StorageError:
    """400: the request cannot be understood."""
    return StorageError(400, "InvalidArgument", message, reason="invalid")


def bad_digest(kind: str, given: str, computed: str) -> StorageError:
    """400: the bytes that arrived are not the bytes that were meant."""
    message = f'Provided {kind} "{given}" doesn\'t match calculated {kind} "{computed}".'
    return StorageError(400, "BadDigest", message, reason="invalid")


def bucket_exists() -> StorageError:
    """409: a bucket is created once."""
    message = "Your previous request to create the named bucket succeeded and you already own it."
    return StorageError(409, "BucketAlreadyOwnedByYou", message, reason="conflict")


def range_not_satisfiable() -> StorageError:
    """416: the range starts behind the end."""
    message = "The requested range cannot be satisfied."
    return StorageError(416, "InvalidRange", message, reason="requestedRangeNotSatisfiable")


def too_large(limit: int) -> StorageError:
    """400: more bytes than x-goog-content-length-range allows."""
    message = "Your proposed upload is larger than the maximum object size specified in your Policy Document."
    return StorageError(400, "EntityTooLarge", message, Details=f"Content-length exceeds upper bound on range: {limit}")


def too_small(limit: int) -> StorageError:
    """400: fewer bytes than x-goog-content-length-range asks for."""
    message = "Your proposed upload is smaller than the minimum object size specified in your Policy Document."
    return StorageError(400, "EntityTooSmall", message, Details=f"Content-length below lower bound on range: {limit}")


def access_denied(details: str) -> StorageError:
    """403: the request is not signed, and the buckets are private."""
    return StorageError(403, "AccessDenied", "Access denied.", Details=details)


def unknown_signer(email: str) -> StorageError:
    """403: the signature names an account whose key this server was not given."""
    message = "The provided security credentials are not valid."
    return StorageError(403, "InvalidSecurity", message, Details=f"Google Access ID not found: {email}")


def signature_does_not_match(string_to_sign: str, canonical_request: str) -> StorageError:
    """403: what was signed is not what arrived; both strings are shown, as Cloud Storage does."""
    details = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your Google secret key and signing method."
    )
    shown = {"Details": details, "StringToSign": string_to_sign, "CanonicalRequest": canonical_request}
    return StorageError(403, "SignatureDoesNotMatch", "Access denied.", **shown)


def expired_token(expired_at: str) -> StorageError:
    """400, not 403: that is what Cloud Storage answers to a signed URL after its time."""
    details = f"The provided token has expired. Request signature expired at: {expired_at}"
    return StorageError(400, "ExpiredToken", "Invalid argument.", Details=details)


def malformed_security_header(parameter: str, details: str) -> StorageError:
    """400: the signature's own parameters, or the headers it covers, are not as they must be."""
    shown = {"ParameterName": parameter, "Details": details}
    return StorageError(400, "MalformedSecurityHeader", "Your request has a malformed header.", **shown)

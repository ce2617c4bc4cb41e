"""What Cloud Storage says when it says no: one value, as JSON for its JSON API and as XML for its XML API.

Codes, statuses and wording follow https://cloud.google.com/storage/docs/xml-api/reference-status and
https://cloud.google.com/storage/docs/json_api/v1/status-codes, because clients decide by them.
"""

import json
from xml.sax.saxutils import escape

REFUSALS = {
    "NotModified": (304, "notModified", "Not Modified"),
    "InvalidArgument": (400, "invalid", "Invalid argument."),
    "BadDigest": (400, "invalid", "The checksum does not match."),
    "EntityTooLarge": (400, "entityTooLarge", "The upload is larger than your Policy Document says."),
    "EntityTooSmall": (400, "entityTooSmall", "The upload is smaller than your Policy Document says."),
    "ExpiredToken": (400, "expiredToken", "Invalid argument."),  # not 403: a signed URL after its time
    "MalformedSecurityHeader": (400, "malformedSecurityHeader", "Your request has a malformed header."),
    "AccessDenied": (403, "accessDenied", "Access denied."),
    "InvalidSecurity": (403, "invalidSecurity", "The provided security credentials are not valid."),
    "SignatureDoesNotMatch": (403, "signatureDoesNotMatch", "Access denied."),
    "NoSuchBucket": (404, "notFound", "The specified bucket does not exist."),
    "NoSuchKey": (404, "notFound", "No such object."),
    "NotFound": (404, "notFound", "The local storage does not play this call."),
    "BucketAlreadyOwnedByYou": (409, "conflict", "You already own this bucket."),
    "PreconditionFailed": (412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."),
    "InvalidRange": (416, "requestedRangeNotSatisfiable", "The requested range cannot be satisfied."),
}
"""Status, the JSON API's reason and the usual message, by the XML API's code."""


class StorageError(Exception):
    """One refusal; `elements` are what its XML says beside code and message."""

    def __init__(self, code: str, message: str = "", *, status: int = 0, **elements: str) -> None:
        usual_status, self.reason, usual = REFUSALS.get(code, (500, "backendError", "Scripted."))
        super().__init__(message or usual)
        self.status, self.code, self.message, self.elements = status or usual_status, code, message or usual, elements

    def as_json(self) -> bytes:
        cause = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.status, "message": self.message, "errors": [cause]}
        return json.dumps({"error": error}).encode()

    def as_xml(self) -> bytes:
        fields = {"Code": self.code, "Message": self.message, **self.elements}
        inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items())
        return f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}</Error>".encode()


def invalid(message: str) -> StorageError:
    """Return 400 for a request that cannot be understood."""
    return StorageError("InvalidArgument", message)

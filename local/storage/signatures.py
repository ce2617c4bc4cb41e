"""Who may: V4 signed URLs, verified as Cloud Storage does (https://cloud.google.com/storage/docs/authentication/signatures).

The canonical request is built from what arrived, never from what the signer meant, so another verb, path,
parameter, header or host gives another string, and the signature does not match it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Request

    from local.keys import VerificationKey

ALGORITHM = "GOOG4-RSA-SHA256"
LONGEST = 604_800
SKEW = timedelta(minutes=15)
PARAMETERS = (
    "x-goog-algorithm",
    "x-goog-credential",
    "x-goog-date",
    "x-goog-expires",
    "x-goog-signedheaders",
    "x-goog-signature",
)
PERMISSIONS = {"GET": "get", "HEAD": "get", "PUT": "create", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the URL says about its own signature."""

    email: str
    scope: str
    date: str
    signed_at: datetime
    expires: timedelta
    signed_headers: tuple[str, ...]
    signature: bytes


class Verifier:
    """Admits a request that carries a valid signature by one of `keys`, and raises for every other."""

    def __init__(self, keys: Sequence[VerificationKey], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def admit(self, request: Request) -> None:
        """Return if the request is signed, in time and unchanged; else raise what Cloud Storage answers."""
        claim = _claim_of(request)
        self._check_time(claim)
        _check_headers(request, claim)
        canonical = _canonical_request(request, claim)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        string_to_sign = f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{digest}"
        if not self._is_signed(claim, string_to_sign):
            raise errors.signature_does_not_match(string_to_sign, canonical)

    def _check_time(self, claim: Claim) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        if now > claim.signed_at + claim.expires:
            raise errors.expired_token((claim.signed_at + claim.expires).isoformat())
        if claim.signed_at > now + SKEW:
            raise errors.malformed_security_header("x-goog-date", "The request is not yet valid.")

    def _is_signed(self, claim: Claim, string_to_sign: str) -> bool:
        candidates = [key for key in self._keys if key.email in {"", claim.email}]
        if not candidates:
            raise errors.unknown_signer(claim.email)
        return any(_verifies(key, claim.signature, string_to_sign.encode()) for key in candidates)


def _verifies(key: VerificationKey, signature: bytes, message: bytes) -> bool:
    try:
        key.public_key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _claim_of(request: Request) -> Claim:
    query = {name.lower(): value for name, value in request.args.items() if name.lower() in PARAMETERS}
    if "x-goog-signature" not in query:
        raise errors.access_denied(_anonymous(request))
    for name in PARAMETERS:
        if not query.get(name):
            raise errors.malformed_security_header(name, "A required query parameter is missing.")
    if query["x-goog-algorithm"] != ALGORITHM:
        raise errors.malformed_security_header("x-goog-algorithm", f"The algorithm must be {ALGORITHM}.")
    email, _, scope = query["x-goog-credential"].partition("/")
    date = query["x-goog-date"]
    _check_scope(scope, date)
    return Claim(
        email=email,
        scope=scope,
        date=date,
        signed_at=_parsed_date(date),
        expires=_parsed_expires(query["x-goog-expires"]),
        signed_headers=tuple(query["x-goog-signedheaders"].split(";")),
        signature=_parsed_signature(query["x-goog-signature"]),
    )


def _anonymous(request: Request) -> str:
    permission = f"storage.objects.{PERMISSIONS.get(request.method, 'get')}"
    return (
        f"Anonymous caller does not have {permission} access to the Google Cloud Storage object. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )


def _check_scope(scope: str, date: str) -> None:
    parts = scope.split("/")
    if len(parts) != 4 or parts[0] != date[:8] or parts[2:] != ["storage", "goog4_request"]:
        raise errors.malformed_security_header("x-goog-credential", "The credential scope is invalid.")


def _parsed_date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise errors.malformed_security_header("x-goog-date", "The date is invalid.") from None


def _parsed_expires(text: str) -> timedelta:
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST:
        raise errors.malformed_security_header("x-goog-expires", f"Expires must be from 1 to {LONGEST} seconds.")
    return timedelta(seconds=int(text))


def _parsed_signature(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise errors.malformed_security_header("x-goog-signature", "The signature is not hexadecimal.") from None


def _check_headers(request: Request, claim: Claim) -> None:
    """Every signed header must have come, and every extension header that came must be signed."""
    arrived = {name.lower() for name, _ in request.headers}
    if "host" not in claim.signed_headers:
        raise errors.malformed_security_header("host", "The host header must be signed.")
    for name in claim.signed_headers:
        if name not in arrived:
            raise errors.malformed_security_header(
                name, "Header was included in signedheaders, but not in the request."
            )
    for name in sorted(arrived - set(claim.signed_headers)):
        if name.startswith("x-goog-"):
            raise errors.malformed_security_header(
                name, "Header was included in the request, but not in signedheaders."
            )


def _canonical_request(request: Request, claim: Claim) -> str:
    headers = [f"{name}:{' '.join(request.headers[name].split())}" for name in claim.signed_headers]
    payload = request.headers.get("x-goog-content-sha256") or "UNSIGNED-PAYLOAD"
    path = quote(unquote(request.path), safe="/~")
    signed = ";".join(claim.signed_headers)
    return "\n".join((request.method, path, _canonical_query(request), *headers, "", signed, payload))


def _canonical_query(request: Request) -> str:
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    kept = ((name, value) for name, value in pairs if name.lower() != "x-goog-signature")
    return "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in kept))

"""Signed URLs (V4): with a key file where the credentials have one, else through IAM signBlob.

In the cloud the credentials come from the metadata server and cannot sign. The storage library's own way round
that opens a connection for each URL and can retry for two minutes; `google.auth.iam.Signer` keeps its connection and
retries a few times.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import google.auth
import google.auth.compute_engine
from google.auth import credentials as google_credentials
from google.auth import crypt, iam
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from imagegen import log
from imagegen.errors import StorageUnavailable
from imagegen.model import SignedUrl
from imagegen.ports import Clock

if TYPE_CHECKING:
    from google.cloud import storage

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_ATTEMPT_SECONDS = 5.0
_MAX_CACHED = 10_000
_NOT_A_SIGNATURE = (AttributeError, LookupError, TypeError, ValueError)  # how the library takes IAM's odd answers


class GcsSigner:
    """Implements `ports.Signer`. A URL is handed out again for at most half of its life."""

    def __init__(self, bucket: str, credentials: Callable[[], object], ttl_seconds: int, clock: Clock) -> None:
        self._name, self._find, self._clock = bucket, credentials, clock
        self._ttl = timedelta(seconds=ttl_seconds)
        self._cache: OrderedDict[str, SignedUrl] = OrderedDict()
        self._lock = threading.Lock()
        # Both are made on first use: the credentials can take a call to the metadata server, and the storage library,
        # which knows how to sign, takes 0.2 s to import: it comes while an image is being generated.
        self._credentials: object = None
        self._bucket: storage.Bucket | None = None

    def sign(self, name: str) -> SignedUrl:
        """Return a URL that reads the object, with at least half of its life left. Raises StorageUnavailable."""
        now = self._clock.now()
        with self._lock:
            known = self._cache.get(name)
        if known and known.expires_at - now >= self._ttl / 2:
            return known
        made = self._signed(name, now)
        with self._lock:
            self._cache[name] = made
            self._cache.move_to_end(name)
            if len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        return made

    def sign_put(self, name: str, headers: dict[str, str]) -> SignedUrl:
        """Return a URL that takes one PUT with exactly these headers. Raises StorageUnavailable."""
        others = {k: v for k, v in headers.items() if k.lower() != "content-type"}
        bound = {"content_type": headers["Content-Type"], "headers": others}
        return self._signed(name, self._clock.now(), method="PUT", **bound)

    def _signed(self, name: str, now: datetime, method: str = "GET", **bound: object) -> SignedUrl:
        try:
            with self._lock:
                self._credentials = self._credentials or self._find()
                self._bucket = self._bucket or _bucket(self._name)
            url = self._bucket.blob(name).generate_signed_url(
                version="v4", method=method, expiration=self._ttl, credentials=self._credentials, **bound
            )
        except (GoogleAuthError, OSError, *_NOT_A_SIGNATURE) as e:
            log.signing_failed(e)
            raise StorageUnavailable("No URL could be signed; nothing else is wrong with the image.") from e
        return SignedUrl(str(url), (now + self._ttl).replace(microsecond=0))


def _bucket(name: str) -> "storage.Bucket":
    """Return a bucket of the storage library, which is used to sign and for no call."""
    from google.cloud import storage  # noqa: PLC0415 - see GcsSigner

    anonymous = google_credentials.AnonymousCredentials()
    return storage.Client(project="none", credentials=anonymous).bucket(name)


def signing_credentials(service_account: str | None, request: Any = None) -> Any:  # noqa: ANN401
    """Return credentials that can sign, by the environment: a key file, or IAM for anything else."""
    found, _ = google.auth.default(scopes=_SCOPES)
    if isinstance(found, google_credentials.Signing):
        return found
    bounded = request or functools.partial(Request(), timeout=_ATTEMPT_SECONDS)
    email = service_account or _own_email(found, bounded)
    return _signing(iam.Signer(bounded, found, email), email)


def throw_away_credentials() -> Any:  # noqa: ANN401
    """Return a key made for this process, for an emulator that has no credentials to check it against."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - tests and emulators only
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    log.unsigned_start("STORAGE_EMULATOR_HOST is set and GOOGLE_APPLICATION_CREDENTIALS is not")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _signing(crypt.RSASigner.from_string(key), "emulator@example.iam.gserviceaccount.com")


def _signing(signer: Any, email: str) -> Any:  # noqa: ANN401
    """Return credentials that sign and do nothing else."""
    return service_account.Credentials(signer, email, "http://127.0.0.1/no-token")


def _own_email(credentials: Any, request: Any) -> str:  # noqa: ANN401
    """Return who these credentials are; compute ones call themselves "default" until they were refreshed once."""
    if getattr(credentials, "service_account_email", None) in {None, "default"}:
        credentials.refresh(request)
    email = getattr(credentials, "service_account_email", None)
    if not email:
        raise GoogleAuthError("these credentials name no service account; set SIGNING_SERVICE_ACCOUNT")
    return str(email)

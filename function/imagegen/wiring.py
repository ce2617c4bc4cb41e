"""The composition root: which implementation stands behind which port. Built on first use, kept for the process.

functions-framework imports `main.py` in gunicorn's master and forks afterwards: threads and connections made at
import would be dead in the worker. So `start` reads the settings, and everything else waits for a request.
"""

import math
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from imagegen import heap, log
from imagegen.clock import SystemClock
from imagegen.doors.answers import Answers
from imagegen.doors.auth import Anybody, ApiKeys, Authenticator
from imagegen.doors.core import Core
from imagegen.doors.cors import Cors
from imagegen.doors.events import EventDoor
from imagegen.doors.pages import Pages
from imagegen.doors.request_bodies import Bodies
from imagegen.doors.routes import ROUTES, HttpDoor
from imagegen.doors.schedule import ScheduleDoor
from imagegen.pipeline.assembly import Outside, Rules, assemble
from imagegen.ports import Clock, Generator, History, Objects, Signer
from imagegen.references.delivery import Direct, FromBucket
from imagegen.references.upload_urls import UploadUrls
from imagegen.segmind.assets import SegmindAssets
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.history import SegmindHistory
from imagegen.segmind.v1 import SegmindV1
from imagegen.segmind.v2 import SegmindV2
from imagegen.settings import Settings, SettingsError
from imagegen.timeouts import Timeouts

if TYPE_CHECKING:
    from imagegen.google.json_api import JsonApi
    from imagegen.google.signing import GcsSigner

_LARGE_BODIES = 4
_SPARE_CONNECTIONS = 8
_POOL_THREADS = 64  # single storage calls of all requests: each takes tens of milliseconds
_SPARE_SECONDS = 300  # Segmind may queue a generation before it fetches the references


T = TypeVar("T")


class Once(Generic[T]):
    """A part that is made when it is first asked for: under a lock, since many requests can be the first at once."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: T | None = None

    def __call__(self) -> T:
        """Return the part."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made


class App:
    """Everything a process needs. Tests replace parts by subclassing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.core = Once(self._make_core)
        self.http = self._make_http()
        bucket, clock, timeouts = settings.uploads_bucket, self.clock, self._timeouts
        self.events = EventDoor(self.core, bucket, settings.event_max_age_seconds, clock, timeouts)
        self.schedule = ScheduleDoor(self.core, Bodies(_LARGE_BODIES), clock, bucket, timeouts.request_seconds)
        log.configure(settings.log_level, settings.project)

    def _make_http(self) -> HttpDoor:
        settings = self.settings
        bodies, cors, pages = Bodies(_LARGE_BODIES), Cors(settings.cors_origins), Pages(settings, ROUTES)
        return HttpDoor(self.core, self.auth, bodies, cors, self.clock, self._timeouts, settings.uploads_bucket, pages)

    def _make_core(self) -> Core:
        """Make what every door needs of the rest. The first request waits for it: it imports the storage client."""
        settings, bucket = self.settings, self.settings.uploads_bucket
        uploads = self.uploads if bucket else None
        delivery = self._delivery(uploads)
        outside = Outside(
            results=self.results,
            generator=self.generator,
            delivery=delivery,
            clock=self.clock,
            uploads=uploads,
            uploads_bucket=bucket or "",
            history=self.history,
            pool=ThreadPoolExecutor(_POOL_THREADS, "storage"),
            sign=self.signer.sign,
        )
        event_max_age = timedelta(seconds=settings.event_max_age_seconds)
        rules = Rules(settings.max_images_per_day, settings.max_images_per_user_per_day, event_max_age)
        pipeline = assemble(outside, self._timeouts, rules)
        return Core(
            pipeline=pipeline,
            answers=Answers(pipeline.jobs, self.signer, settings.results_bucket, self.clock),
            staging=delivery,
            uploads=uploads,
            upload_urls=UploadUrls(self._uploads_signer) if uploads else None,
        )

    @cached_property
    def auth(self) -> Authenticator:
        """Who may call."""
        settings = self.settings
        match settings.auth:
            case "keys":
                return ApiKeys(settings.api_keys)
            case "oidc":
                from imagegen.doors.oidc import OidcTokens  # noqa: PLC0415 - imports cryptography; other modes start without

                return OidcTokens(str(settings.oidc_issuer), str(settings.oidc_audience))
            case "iam" | "none":
                return Anybody()

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def generator(self) -> Generator:
        """Segmind."""
        kind = SegmindV2 if self.settings.segmind_api == "v2" else SegmindV1
        return kind(self._segmind, self.clock)

    @cached_property
    def history(self) -> History | None:
        """What became of calls, where the operator lets it be asked."""
        url = self.settings.segmind_history_url
        return SegmindHistory(self._segmind, url, self.clock) if url else None

    @cached_property
    def results(self) -> Objects:
        """The results bucket."""
        from imagegen.google import storage  # noqa: PLC0415 - half a cold start: only for requests that come so far

        return storage.GcsObjects(self._storage, self.settings.results_bucket)

    @cached_property
    def uploads(self) -> Objects:
        """The uploads bucket, where there is one."""
        from imagegen.google import storage  # noqa: PLC0415 - as above

        return storage.GcsObjects(self._storage, str(self.settings.uploads_bucket))

    @cached_property
    def signer(self) -> Signer:
        """Signed URLs of results."""
        return self._signer(self.settings.results_bucket, self.settings.signed_url_ttl_seconds)

    @cached_property
    def _uploads_signer(self) -> "GcsSigner":
        """Signed URLs of references: long enough for one generation."""
        ttl = math.ceil(self._timeouts.request_seconds) + _SPARE_SECONDS
        return self._signer(str(self.settings.uploads_bucket), ttl)

    def _delivery(self, uploads: Objects | None) -> Direct | FromBucket:
        settings = self.settings
        if uploads is None:
            return Direct()
        through_vendor = settings.reference_delivery == "segmind-asset"
        assets = SegmindAssets(self._segmind, settings.segmind_upload_url) if through_vendor else None
        return FromBucket(uploads, str(settings.uploads_bucket), self._uploads_signer, assets)

    @cached_property
    def _timeouts(self) -> Timeouts:
        return Timeouts(self.settings.segmind_timeout_seconds, self.settings.max_bodies_in_memory)

    @cached_property
    def _segmind(self) -> SegmindClient:
        settings = self.settings
        key = settings.segmind_api_key.get_secret_value()
        return SegmindClient(key, settings.segmind_base_url, self.clock, settings.threads)

    @cached_property
    def _storage(self) -> "JsonApi":
        from imagegen.google import storage  # noqa: PLC0415 - as above

        return storage.client(self.settings.threads + _SPARE_CONNECTIONS)

    def _signing_credentials(self) -> object:
        from imagegen.google import signing  # noqa: PLC0415 - as above

        known = {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"}
        if self.settings.storage_emulator_host and known.isdisjoint(os.environ):
            return signing.throw_away_credentials()
        return signing.signing_credentials(self.settings.signing_service_account)

    @cached_property
    def _credentials(self) -> Once[object]:
        return Once(
            self._signing_credentials
        )  # they can take a call to the metadata server: not before they are needed

    def _signer(self, bucket: str, ttl_seconds: int) -> "GcsSigner":
        from imagegen.google import signing  # noqa: PLC0415 - as above

        return signing.GcsSigner(bucket, self._credentials, ttl_seconds, self.clock)


_app: App | None = None


def start(env: Mapping[str, str] = os.environ) -> None:
    """Read the settings. Wrong ones stop the process with one line that names them all."""
    heap.keep_small()
    if _app is None:
        try:
            use(App(Settings.from_env(env)))
        except SettingsError as e:
            sys.exit(str(e))


def use(made: App | None) -> None:
    """Put this app behind the doors; None takes it away again."""
    global _app  # noqa: PLW0603 - a process serves one app
    _app = made


def app() -> App:
    """Return the app of this process."""
    if _app is None:
        start()
    assert _app is not None  # noqa: S101 - start sets it or ends the process
    return _app

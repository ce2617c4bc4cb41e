"""The composition root: which implementation stands behind which port. Built on first use, kept for the process.

functions-framework imports `main.py` in gunicorn's master and forks afterwards: threads and connections made at
import would be dead in the worker. So `start` reads the settings, and everything else waits for a request.
"""

import math
import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from imagegen import heap, log
from imagegen.clock import SystemClock
from imagegen.doors.answers import Answers
from imagegen.doors.auth import Anybody, ApiKeys, Authenticator
from imagegen.doors.cors import Cors
from imagegen.doors.events import EventCore, EventDoor
from imagegen.doors.pages import Pages
from imagegen.doors.request_bodies import Bodies
from imagegen.doors.routes import ROUTES, Core, HttpDoor
from imagegen.doors.schedule import ScheduleDoor, TickCore
from imagegen.pipeline.daily_cap import Budget
from imagegen.pipeline.endings import Keeper
from imagegen.pipeline.job_objects import Jobs
from imagegen.pipeline.job_queue import Backlog
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.service import ImageService
from imagegen.pipeline.sweep import Sweep
from imagegen.ports import Clock, Generator, Objects, Signer
from imagegen.references.delivery import Direct, FromBucket
from imagegen.references.upload_urls import UploadUrls
from imagegen.segmind.assets import SegmindAssets
from imagegen.segmind.client import Calls
from imagegen.segmind.v1 import SegmindV1
from imagegen.segmind.v2 import SegmindV2
from imagegen.settings import Settings, SettingsError
from imagegen.timeouts import Limits

if TYPE_CHECKING:
    from google.cloud import storage

    from imagegen.google.signing import GcsSigner

_LARGE_BODIES = 4
_SPARE_CONNECTIONS = 8
_SPARE_SECONDS = 300  # Segmind may queue a generation before it fetches the references


class App:
    """Everything a process needs, each part made when it is first asked for. Tests replace parts by subclassing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        log.configure(settings.log_level, settings.project)

    @cached_property
    def http(self) -> HttpDoor:
        """The HTTP door."""
        settings = self.settings
        bodies, cors, pages = Bodies(_LARGE_BODIES), Cors(settings.cors_origins), Pages(settings, ROUTES)
        return HttpDoor(self._once("core"), self.auth, bodies, cors, self.clock, settings.uploads_bucket, pages)

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
    def events(self) -> EventDoor:
        """The event door."""
        settings = self.settings
        core = self._once("event_core")
        return EventDoor(core, settings.uploads_bucket, settings.event_max_age_seconds, self.clock)

    @cached_property
    def schedule(self) -> ScheduleDoor:
        """The schedule door."""
        return ScheduleDoor(self._once("tick_core"), Bodies(_LARGE_BODIES), self.clock, self.settings.uploads_bucket)

    @cached_property
    def core(self) -> Core:
        """What the HTTP door needs."""
        answers = Answers(self._jobs, self.signer, self.settings.results_bucket, self.clock)
        urls = UploadUrls(self._uploads_signer) if self.settings.uploads_bucket else None
        return Core(self.service, answers, self._delivery, urls)

    @cached_property
    def event_core(self) -> EventCore:
        """What the event door needs."""
        return EventCore(self.service, self._delivery, self.uploads)

    @cached_property
    def tick_core(self) -> TickCore:
        """What the schedule door needs."""
        keeper = Keeper(self._jobs, self._budget, self.clock, self._limits)
        recovery = Recovery(self._jobs, self._budget, keeper, self.generator, self.clock)
        return TickCore(self.service, Sweep(self._jobs, self.results, recovery, self.clock, self._limits))

    @cached_property
    def service(self) -> ImageService:
        """The pipeline."""
        bucket = self.settings.uploads_bucket
        backlog = Backlog(self.uploads, bucket, self.clock) if bucket else None
        return ImageService(self._jobs, self._budget, self.generator, self._delivery, self.clock, self._limits, backlog)

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def generator(self) -> Generator:
        """Segmind."""
        kind = SegmindV2 if self.settings.segmind_api == "v2" else SegmindV1
        return kind(self._calls, self.clock)

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
        ttl = math.ceil(self._limits.request_seconds) + _SPARE_SECONDS
        return self._signer(str(self.settings.uploads_bucket), ttl)

    @cached_property
    def _delivery(self) -> Direct | FromBucket:
        settings = self.settings
        if settings.uploads_bucket is None:
            return Direct()
        through_vendor = settings.reference_delivery == "segmind-asset"
        assets = SegmindAssets(self._calls, settings.segmind_upload_url) if through_vendor else None
        return FromBucket(self.uploads, settings.uploads_bucket, self._uploads_signer, assets)

    @cached_property
    def _jobs(self) -> Jobs:
        return Jobs(self.results)

    @cached_property
    def _budget(self) -> Budget:
        settings = self.settings
        return Budget(self.results, self.clock, settings.max_images_per_day, settings.max_images_per_user_per_day)

    @cached_property
    def _limits(self) -> Limits:
        return Limits(self.settings.segmind_timeout_seconds, self.settings.max_bodies_in_memory)

    @cached_property
    def _calls(self) -> Calls:
        settings = self.settings
        key = settings.segmind_api_key.get_secret_value()
        return Calls(key, settings.segmind_base_url, self.clock, settings.threads)

    @cached_property
    def _storage(self) -> "storage.Client":
        from imagegen.google import storage  # noqa: PLC0415 - as above

        return storage.client(self.settings.project, self.settings.threads + _SPARE_CONNECTIONS)

    @cached_property
    def _signing_credentials(self) -> object:
        from imagegen.google import signing  # noqa: PLC0415 - as above

        known = {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"}
        if self.settings.storage_emulator_host and known.isdisjoint(os.environ):
            return signing.throw_away_credentials()
        return signing.signing_credentials(self.settings.signing_service_account)

    def _signer(self, bucket: str, ttl_seconds: int) -> "GcsSigner":
        from imagegen.google import signing  # noqa: PLC0415 - as above

        credentials = self._once("_signing_credentials")
        return signing.GcsSigner(self._storage.bucket(bucket), credentials, ttl_seconds, self.clock)

    def _once(self, part: str) -> Callable[[], Any]:
        """Return a getter for a part: made under a lock, since many requests may be the first at the same time."""

        def get() -> Any:  # noqa: ANN401 - the part's own type
            with self._lock:
                return getattr(self, part)

        return get


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

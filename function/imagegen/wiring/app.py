"""The doors, the core behind them, and the adapters behind its ports: each made when it is first asked for."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from imagegen import log
from imagegen.clock import SystemClock
from imagegen.doors.auth import ApiKeys, Authenticator, anybody
from imagegen.doors.cors import Cors
from imagegen.doors.pages import Pages
from imagegen.doors.routes import ROUTES, HttpDoor
from imagegen.ports import Clock, Generator, History, Objects, Signer
from imagegen.settings import Settings
from imagegen.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegen.doors.core import Core
    from imagegen.doors.events import EventDoor
    from imagegen.doors.images import ImageRoutes
    from imagegen.doors.request_bodies import Bodies
    from imagegen.doors.schedule import ScheduleDoor
    from imagegen.google.json_api import JsonApi
    from imagegen.google.signing import GcsSigner
    from imagegen.segmind.client import SegmindClient

_LARGE_BODIES = 4
_POOL_THREADS = 64  # single storage calls of all requests: each takes tens of milliseconds
_SPARE_CONNECTIONS = 8
_SPARE_SECONDS = 300  # Segmind may queue a generation before it fetches the references
T_co = TypeVar("T_co", covariant=True)


class _Once(cached_property[T_co]):
    """A part that is made under a lock of its own: many requests can be the first at once, and some parts take long."""

    def __init__(self, make: "Callable[[App], T_co]") -> None:
        super().__init__(make)
        self._lock = RLock()

    def __get__(self, app: object, owner: type | None = None) -> T_co:  # type: ignore[override]
        with self._lock:
            return super().__get__(app, owner)


class App:
    """The three doors and the core that they share. Tests replace a part by subclassing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        pages, cors = Pages(settings, ROUTES), Cors(settings.cors_origins)
        self.http = HttpDoor(lambda: self._images, cors, pages, self.clock, self._timeouts.request_seconds)
        log.configure(settings.log_level, settings.project)

    @_Once
    def events(self) -> "EventDoor":
        """The door of storage events."""
        from imagegen.doors.events import EventDoor

        bucket, max_age = self.settings.uploads_bucket, self.settings.event_max_age_seconds
        return EventDoor(lambda: self._core, self.bodies, bucket, max_age, self.clock, self._timeouts)

    @_Once
    def schedule(self) -> "ScheduleDoor":
        """The door of Cloud Scheduler."""
        from imagegen.doors.schedule import ScheduleDoor

        bucket, seconds = self.settings.uploads_bucket, self._timeouts.request_seconds
        return ScheduleDoor(lambda: self._core, self.bodies, self.clock, bucket, seconds)

    @_Once
    def _images(self) -> "ImageRoutes":
        from imagegen.doors.images import ImageRoutes

        bucket = self.settings.uploads_bucket
        return ImageRoutes(lambda: self._core, self.auth, self.bodies, self.clock, self._timeouts, bucket)

    @_Once
    def _core(self) -> "Core":
        """What every door needs of the rest. The first request waits for it: it imports the storage client."""
        from imagegen.doors.answers import Answers
        from imagegen.doors.core import Core
        from imagegen.pipeline.assembly import Outside, Rules, assemble
        from imagegen.references.delivery import Direct, FromBucket
        from imagegen.segmind.assets import SegmindAssets

        settings, bucket = self.settings, self.settings.uploads_bucket
        uploads = self.uploads if bucket else None
        delivery: Direct | FromBucket = Direct()
        if uploads:
            through_vendor = settings.reference_delivery == "segmind-asset"
            upload = SegmindAssets(self._segmind, settings.segmind_upload_url).upload if through_vendor else None
            delivery = FromBucket(uploads, str(bucket), self.uploads_signer, upload)
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
            sign_put=self.uploads_signer.sign_put if uploads else None,
        )

    @cached_property
    def bodies(self) -> "Bodies":
        """The reader of request bodies."""
        from imagegen.doors.request_bodies import Bodies

        return Bodies(_LARGE_BODIES, threads=self.settings.threads)

    @cached_property
    def auth(self) -> Authenticator:
        """Who may call."""
        settings = self.settings
        match settings.auth:
            case "keys":
                return ApiKeys(settings.api_keys).caller
            case "oidc":
                from imagegen.doors.oidc import OidcTokens
                from imagegen.doors.signing_keys import SigningKeys

                issuer = str(settings.oidc_issuer)
                return OidcTokens(issuer, str(settings.oidc_audience), SigningKeys(issuer, self.clock)).caller
            case "iam" | "none":
                return anybody

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def generator(self) -> Generator:
        """Segmind."""
        from imagegen.segmind.v1 import SegmindV1
        from imagegen.segmind.v2 import SegmindV2

        kind = SegmindV2 if self.settings.segmind_api == "v2" else SegmindV1
        return kind(self._segmind, self.clock)

    @cached_property
    def history(self) -> History | None:
        """What became of calls, where the operator lets it be asked."""
        from imagegen.segmind.history import SegmindHistory

        url = self.settings.segmind_history_url
        return SegmindHistory(self._segmind, url, self.clock) if url else None

    @cached_property
    def results(self) -> Objects:
        """The results bucket."""
        return self._bucket(self.settings.results_bucket)

    @cached_property
    def uploads(self) -> Objects:
        """The uploads bucket, where there is one."""
        return self._bucket(str(self.settings.uploads_bucket))

    @cached_property
    def signer(self) -> Signer:
        """Signed URLs of results."""
        return self._signer(self.settings.results_bucket, self.settings.signed_url_ttl_seconds)

    @cached_property
    def uploads_signer(self) -> "GcsSigner":
        """Signed URLs of references: long enough for one generation."""
        ttl = math.ceil(self._timeouts.request_seconds) + _SPARE_SECONDS
        return self._signer(str(self.settings.uploads_bucket), ttl)

    @cached_property
    def _timeouts(self) -> Timeouts:
        return Timeouts(self.settings.segmind_timeout_seconds, self.settings.max_bodies_in_memory)

    @cached_property
    def _segmind(self) -> "SegmindClient":
        from imagegen.segmind.client import SegmindClient

        settings = self.settings
        key = settings.segmind_api_key.get_secret_value()
        return SegmindClient(key, settings.segmind_base_url, self.clock, settings.threads)

    def _bucket(self, name: str) -> Objects:
        from imagegen.google import storage

        return storage.GcsObjects(self._storage, name)

    @cached_property
    def _storage(self) -> "JsonApi":
        from imagegen.google import storage

        return storage.client(self.settings.threads + _SPARE_CONNECTIONS)

    def _signer(self, bucket: str, ttl_seconds: int) -> "GcsSigner":
        from imagegen.google import signing

        return signing.GcsSigner(bucket, lambda: self._credentials, ttl_seconds, self.clock)

    @_Once
    def _credentials(self) -> object:
        """What signs. It may call the metadata server, so it waits until a URL is asked for."""
        from imagegen.google import signing

        known = {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"}
        if self.settings.storage_emulator_host and known.isdisjoint(os.environ):
            return signing.throw_away_credentials()
        return signing.signing_credentials(self.settings.signing_service_account)

"""The doors, and the core behind them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen import log
from imagegen.doors.auth import ApiKeys, Authenticator, anybody
from imagegen.doors.cors import Cors
from imagegen.doors.pages import Pages
from imagegen.doors.routes import ROUTES, HttpDoor
from imagegen.settings import Settings
from imagegen.wiring.adapters import Adapters
from imagegen.wiring.once import Once

if TYPE_CHECKING:
    from imagegen.doors.core import Core
    from imagegen.doors.events import EventDoor
    from imagegen.doors.images import ImageRoutes
    from imagegen.doors.request_bodies import Bodies
    from imagegen.doors.schedule import ScheduleDoor

_LARGE_BODIES = 4
_POOL_THREADS = 64  # single storage calls of all requests: each takes tens of milliseconds


class App(Adapters):
    """The three doors and the core that they share."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.core = Once(self._make_core)
        self._events, self._schedule = Once(self._make_events), Once(self._make_schedule)
        pages, cors = Pages(settings, ROUTES), Cors(settings.cors_origins)
        self.http = HttpDoor(Once(self._make_images), cors, pages, self.clock, self._timeouts.request_seconds)
        log.configure(settings.log_level, settings.project)

    @property
    def events(self) -> "EventDoor":
        """The door of storage events."""
        return self._events()

    @property
    def schedule(self) -> "ScheduleDoor":
        """The door of Cloud Scheduler."""
        return self._schedule()

    def _make_images(self) -> "ImageRoutes":
        from imagegen.doors.images import ImageRoutes

        return ImageRoutes(self.core, self.auth, self.bodies, self.clock, self._timeouts, self.settings.uploads_bucket)

    def _make_events(self) -> "EventDoor":
        from imagegen.doors.events import EventDoor

        bucket, max_age = self.settings.uploads_bucket, self.settings.event_max_age_seconds
        return EventDoor(self.core, self.bodies, bucket, max_age, self.clock, self._timeouts)

    def _make_schedule(self) -> "ScheduleDoor":
        from imagegen.doors.schedule import ScheduleDoor

        bucket = self.settings.uploads_bucket
        return ScheduleDoor(self.core, self.bodies, self.clock, bucket, self._timeouts.request_seconds)

    def _make_core(self) -> "Core":
        """Make what every door needs of the rest. The first request waits for it: it imports the storage client."""
        from imagegen.doors.answers import Answers
        from imagegen.doors.core import Core
        from imagegen.pipeline.assembly import Outside, Rules, assemble

        settings, bucket = self.settings, self.settings.uploads_bucket
        uploads = self.uploads if bucket else None
        delivery = self.delivery(uploads)
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

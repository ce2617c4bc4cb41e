"""The composition root: which implementation stands behind which port. Built on first use, kept for the process.

functions-framework imports `main.py` in gunicorn's master and forks afterwards: threads and connections made at
import would be dead in the worker. So `start` reads the settings, and everything else waits for a request.
"""

import os
import sys
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen import log
from imagegen.answers import Answers
from imagegen.auth import authenticator
from imagegen.bodies import Bodies
from imagegen.budget import Budget
from imagegen.clock import SystemClock
from imagegen.config import Settings, SettingsError
from imagegen.cors import Cors
from imagegen.jobs import Jobs
from imagegen.limits import Limits
from imagegen.ports import Clock, Generator, Objects, Signer
from imagegen.segmind.calls import Calls
from imagegen.segmind.client import SegmindV1
from imagegen.service import ImageService
from imagegen.web import Core, HttpDoor

if TYPE_CHECKING:
    from google.cloud import storage

_LARGE_BODIES = 4
_SPARE_CONNECTIONS = 8


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
        cors = Cors(settings.cors_origins)
        return HttpDoor(self._core_once, authenticator(settings), Bodies(_LARGE_BODIES), cors, self.clock)

    @cached_property
    def core(self) -> Core:
        """Service and answers."""
        settings, clock = self.settings, self.clock
        jobs = Jobs(self.results)
        budget = Budget(self.results, clock, settings.max_images_per_day, settings.max_images_per_user_per_day)
        limits = Limits(settings.segmind_timeout_seconds, settings.max_bodies_in_memory)
        service = ImageService(jobs, budget, self.generator, clock, limits)
        return Core(service, Answers(jobs, self.signer, settings.results_bucket, clock))

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def generator(self) -> Generator:
        """Segmind."""
        settings = self.settings
        key = settings.segmind_api_key.get_secret_value()
        return SegmindV1(Calls(key, settings.segmind_base_url, self.clock, settings.threads), self.clock)

    @cached_property
    def results(self) -> Objects:
        """The results bucket."""
        from imagegen import gcs  # noqa: PLC0415 - half a cold start: only for requests that come so far

        return gcs.GcsObjects(self._storage, self.settings.results_bucket)

    @cached_property
    def signer(self) -> Signer:
        """Signed URLs."""
        from imagegen import signing  # noqa: PLC0415 - as above

        settings = self.settings
        bucket = self._storage.bucket(settings.results_bucket)
        return signing.GcsSigner(bucket, self._signing_credentials, settings.signed_url_ttl_seconds, self.clock)

    def _signing_credentials(self) -> object:
        from imagegen import signing  # noqa: PLC0415 - as above

        known = {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"}
        if self.settings.storage_emulator_host and known.isdisjoint(os.environ):
            return signing.throw_away_credentials()
        return signing.signing_credentials(self.settings.signing_service_account)

    @cached_property
    def _storage(self) -> "storage.Client":
        from imagegen import gcs  # noqa: PLC0415 - as above

        return gcs.client(self.settings.project, self.settings.threads + _SPARE_CONNECTIONS)

    def _core_once(self) -> Core:
        with self._lock:
            return self.core


_app: App | None = None


def start(env: Mapping[str, str] = os.environ) -> None:
    """Read the settings. Wrong ones stop the process with one line that names them all."""
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

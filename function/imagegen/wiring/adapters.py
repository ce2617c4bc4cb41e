"""Which implementation stands behind which port: Segmind, Google, the time, the caller's credentials."""

import math
import os
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen.clock import SystemClock
from imagegen.ports import Clock, Generator, History, Objects, Signer
from imagegen.settings import Settings
from imagegen.timeouts import Timeouts
from imagegen.wiring.once import Once

if TYPE_CHECKING:
    from imagegen.google.json_api import JsonApi
    from imagegen.google.signing import GcsSigner
    from imagegen.references.delivery import Direct, FromBucket
    from imagegen.segmind.client import SegmindClient

_SPARE_CONNECTIONS = 8
_SPARE_SECONDS = 300  # Segmind may queue a generation before it fetches the references


class Adapters:
    """Made of the settings, each when it is first asked for. Tests replace them by subclassing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

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
        from imagegen.google import storage

        return storage.GcsObjects(self._storage, self.settings.results_bucket)

    @cached_property
    def uploads(self) -> Objects:
        """The uploads bucket, where there is one."""
        from imagegen.google import storage

        return storage.GcsObjects(self._storage, str(self.settings.uploads_bucket))

    @cached_property
    def signer(self) -> Signer:
        """Signed URLs of results."""
        return self._signer(self.settings.results_bucket, self.settings.signed_url_ttl_seconds)

    @cached_property
    def uploads_signer(self) -> "GcsSigner":
        """Signed URLs of references: long enough for one generation."""
        ttl = math.ceil(self._timeouts.request_seconds) + _SPARE_SECONDS
        return self._signer(str(self.settings.uploads_bucket), ttl)

    def delivery(self, uploads: Objects | None) -> "Direct | FromBucket":
        """Return how references reach Segmind; without an uploads bucket, as they are."""
        from imagegen.references.delivery import Direct, FromBucket
        from imagegen.segmind.assets import SegmindAssets

        settings = self.settings
        if uploads is None:
            return Direct()
        through_vendor = settings.reference_delivery == "segmind-asset"
        upload = SegmindAssets(self._segmind, settings.segmind_upload_url).upload if through_vendor else None
        return FromBucket(uploads, str(settings.uploads_bucket), self.uploads_signer, upload)

    @cached_property
    def _timeouts(self) -> Timeouts:
        return Timeouts(self.settings.segmind_timeout_seconds, self.settings.max_bodies_in_memory)

    @cached_property
    def _segmind(self) -> "SegmindClient":
        from imagegen.segmind.client import SegmindClient

        settings = self.settings
        key = settings.segmind_api_key.get_secret_value()
        return SegmindClient(key, settings.segmind_base_url, self.clock, settings.threads)

    @cached_property
    def _storage(self) -> "JsonApi":
        from imagegen.google import storage

        return storage.client(self.settings.threads + _SPARE_CONNECTIONS)

    def _signing_credentials(self) -> object:
        from imagegen.google import signing

        known = {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"}
        if self.settings.storage_emulator_host and known.isdisjoint(os.environ):
            return signing.throw_away_credentials()
        return signing.signing_credentials(self.settings.signing_service_account)

    @cached_property
    def _credentials(self) -> Once[object]:
        return Once(self._signing_credentials)  # may call the metadata server: not before they are needed

    def _signer(self, bucket: str, ttl_seconds: int) -> "GcsSigner":
        from imagegen.google import signing

        return signing.GcsSigner(bucket, self._credentials, ttl_seconds, self.clock)

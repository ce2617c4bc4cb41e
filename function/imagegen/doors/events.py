"""The event door: a finalized object becomes an order, and the event is acknowledged or asked for again.

Acknowledged is what another delivery would not change: success, an end that is kept, and an object that is not ours
or broken. Asked for again (5xx) is what may pass: a free failure until the event is too old, a job that runs elsewhere,
and an image that storage did not take.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from imagegen import log
from imagegen.doors.core import Core
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import IdempotencyKeyReused, ImageDeleted, ImageNotStored, InvalidRequest, StorageUnavailable
from imagegen.failure import Problem, ServiceError
from imagegen.model import MAX_BODY_BYTES, ImageRequest, Order
from imagegen.pipeline import job_files
from imagegen.pipeline.job_files import Upload
from imagegen.ports import Clock, Deadline
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

FINALIZED = "google.cloud.storage.object.v1.finalized"
_READ_SECONDS = 20.0
_GONE = "the object was deleted or overwritten meanwhile"


class Ignored(Exception):
    """An event is acknowledged without an image; the text says why."""


class Redeliver(Exception):
    """The platform shall deliver an event again; the text says why."""


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent as functions-framework hands it over: attributes, and data of whatever type came."""

    id: str
    type: str
    time: str | None
    data: object


@dataclass(frozen=True, slots=True)
class EventDoor:
    """Handles events of one bucket."""

    core: Callable[[], Core]
    bodies: Bodies
    bucket: str | None
    max_age_seconds: float
    clock: Clock
    timeouts: Timeouts

    def handle(self, event: Event) -> bool:
        """Run what the event asks for. Return False where the platform shall deliver it again."""
        with log.about(event.id[:128], "event"):
            try:
                self._run(self._upload(event))
            except Ignored as why:
                log.event_ignored(str(why))
            except Redeliver as why:
                log.event_redelivered(str(why))
                return False
            except Exception as error:  # noqa: BLE001 - the last line of defence: no stack trace leaves this process
                log.bug(error)
                return False
            return True

    def _upload(self, event: Event) -> Upload:
        """Return the object that was finalized. Raises Ignored where it is not one of ours."""
        data = event.data
        if event.type != FINALIZED:
            raise Ignored("not a finalized object")
        if not isinstance(data, dict):
            raise Ignored("no JSON object as data")
        if self.bucket is None or data.get("bucket") != self.bucket:
            raise Ignored("not the uploads bucket")
        try:
            upload = _upload_in(data, self.bucket, self._time(event.time or data.get("timeCreated")))
        except (KeyError, TypeError, ValueError):
            raise Ignored("broken data") from None
        if not (job_files.is_job(upload) or job_files.is_photo(upload)):
            raise Ignored("neither a job file nor an image with a prompt")
        return upload

    def _time(self, text: object) -> datetime:
        """Return when the event happened; one that does not say happened now."""
        try:
            moment = datetime.fromisoformat(_text(text))
        except (TypeError, ValueError):
            return self.clock.now()
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _run(self, upload: Upload) -> None:
        core = self.core()
        if self._is_over(upload, core):
            return
        try:
            order = self._order(upload, core)
        except InvalidRequest as error:
            # the id under which its end is looked for is all that is known of a job file that cannot be read
            image_id = job_files.id_in_name(upload) or upload.own_id
            self._refuse(core, Order(ImageRequest(""), "event", image_id=image_id), error)
        except ServiceError as error:
            self._again(upload, error)
            raise Ignored("it could not be read for so long that it is given up; nothing was claimed") from error
        else:
            self._create(upload, core, order)

    def _is_over(self, upload: Upload, core: Core) -> bool:
        """Tell from two reads whether an earlier delivery ended this job; one that runs is asked for again at once."""
        image_id = job_files.known_id(upload)
        try:
            outcome = core.pipeline.service.ended(image_id) if image_id else None
        except StorageUnavailable as error:
            self._again(upload, error)
            return False
        if outcome and outcome.ending is None:
            raise Redeliver("still being generated")
        return outcome is not None

    def _order(self, upload: Upload, core: Core) -> Order:
        """Return what the object orders, as it was when the event was sent. Raises Ignored where it is gone."""
        deadline = Deadline.within(self.clock, _READ_SECONDS)  # includes the wait for a place
        assert core.uploads is not None  # noqa: S101 - there are events of an uploads bucket only where there is one
        if job_files.is_photo(upload):
            if core.uploads.stat(upload.name, deadline, upload.generation) is None:
                raise Ignored(_GONE)
            return job_files.order_of_photo(upload)
        if upload.size > MAX_BODY_BYTES:
            raise InvalidRequest((Problem("", "the job file is larger than 16 MiB"),))
        with self.bodies.place(upload.size):
            body = core.uploads.read(upload.name, deadline, upload.generation)
            if body is None:
                raise Ignored(_GONE)
            order = job_files.order_of_job(upload, body)
            return replace(order, request=core.staging.stage(order.request, deadline))

    def _create(self, upload: Upload, core: Core, order: Order) -> None:
        deadline = Deadline.within(self.clock, self.timeouts.request_seconds)
        try:
            outcome = core.pipeline.service.create(order, Stopwatch(self.clock), deadline)
        except (IdempotencyKeyReused, ImageDeleted) as error:
            raise Ignored(f"{error.code}: {error.detail}") from error
        except ImageNotStored as error:  # v1: the next delivery finds that written down; v2: it fetches the image
            raise Redeliver(error.code) from error
        except ServiceError as error:
            if not isinstance(error, InvalidRequest):
                self._again(upload, error)
            self._refuse(core, order, error)
        else:
            if outcome.ending is None:
                raise Redeliver("still being generated")

    def _again(self, upload: Upload, error: ServiceError) -> None:
        """Ask for the event again, unless it is too old for that."""
        if self.clock.now() - upload.at < timedelta(seconds=self.max_age_seconds):
            raise Redeliver(error.code) from error

    def _refuse(self, core: Core, order: Order, error: ServiceError) -> None:
        """Write down that this order failed. Where storage will not take even that, the event has to come again.

        So it has where the order turns out to be another's, which is ended here and fails.
        """
        try:
            core.pipeline.service.refuse(order, error)
        except (IdempotencyKeyReused, ImageDeleted) as e:
            raise Ignored(f"{e.code}: {e.detail}") from e
        except ServiceError as e:
            raise Redeliver(e.code) from e


def _upload_in(data: dict[str, object], bucket: str, at: datetime) -> Upload:
    """Return the object that an event's data describes. Raises KeyError, TypeError, ValueError."""
    metadata, generation = data.get("metadata"), int(_text(data["generation"]))
    if not 0 < generation < 2**63:
        raise ValueError("not a generation")
    return Upload(
        bucket=bucket,
        name=_text(data["name"]),
        generation=generation,
        size=int(_text(data.get("size", "0"))),
        content_type=_text(data.get("contentType", "")),
        metadata={str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {},
        at=at,
    )


def _text(value: object) -> str:
    """Return text that can be sent on. Raises TypeError, and ValueError where it is not Unicode."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value).encode().decode()
    raise TypeError("neither text nor a number")

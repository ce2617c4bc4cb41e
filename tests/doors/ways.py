"""The ways in which an order comes to the doors, each of which can be gone again after it was cut off."""

import contextlib
import threading
from dataclasses import dataclass, field
from typing import Protocol, Self

import requests

from local.storage import StorageServer
from mock_segmind import Picture
from tests.doors.cloud import UPLOADS, Event, drop, drop_photo, finalized, job
from tests.doors.rig import Deployment
from tests.harness.orders import order


@dataclass
class World:
    """A deployment, its buckets, and the events that the platform has not seen acknowledged."""

    deployment: Deployment
    storage: StorageServer
    events: dict[str, Event] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> Self:
        """Start all doors: one that starts while a process is to die would be that process."""
        _ = self.deployment.http, self.deployment.events, self.deployment.schedule
        return self

    def deliver_what_waits(self) -> None:
        """Deliver the event of everything in the uploads bucket."""
        for name in self.storage.objects(UPLOADS, "jobs/"):
            self.deployment.events.deliver(finalized(self.storage, name))

    def event(self, name: str, event: Event) -> Event:
        """Return the event that was first made under this name: it is the same for each delivery."""
        with self.lock:
            return self.events.setdefault(name, event)


class Way(Protocol):
    """One way in."""

    name: str

    def ask(self, world: World, prompt: str) -> None:
        """Order an image, the same one for the same prompt. Raises ConnectionError where the process died."""
        ...


class ByHttp:
    name = "http"

    def ask(self, world: World, prompt: str) -> None:
        world.deployment.http.post(order(prompt), key=_key(prompt))


class ByJobFile:
    name = "job file"

    def ask(self, world: World, prompt: str) -> None:
        known = world.events.get(prompt) or drop(world.storage, f"jobs/{_key(prompt)}.json", job(prompt))
        world.deployment.events.deliver(world.event(prompt, known))


class ByPhoto:
    name = "photo"

    def ask(self, world: World, prompt: str) -> None:
        data = Picture("me").encoded("png")
        known = world.events.get(prompt) or drop_photo(world.storage, _key(prompt), data, "image/png", prompt=prompt)
        world.deployment.events.deliver(world.event(prompt, known))


class ByAsync:
    """The process that queues is the one that dies."""

    name = "async"

    def ask(self, world: World, prompt: str) -> None:
        world.deployment.http.post(order(prompt), key=_key(prompt), Prefer="respond-async")


class ByTick:
    """The process that queues is the one that dies."""

    name = "tick"

    def ask(self, world: World, prompt: str) -> None:
        world.deployment.schedule.tick({"name": _key(prompt), "images": [order(prompt)]})


WAYS: list[Way] = [ByHttp(), ByJobFile(), ByPhoto(), ByAsync(), ByTick()]


def survives(way: Way, world: World, prompt: str) -> bool:
    """Tell whether the process that an order came to lived to answer it."""
    with dying():
        way.ask(world, prompt)
        return True
    return False


def dying() -> contextlib.suppress:
    """Return a block in which the process on the other side may die: a caller sees its connection break."""
    return contextlib.suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def _key(prompt: str) -> str:
    return prompt.replace(" ", "-")

"""The platform between the uploads bucket and on_upload: every finalized object is an event, sent until it is taken."""

import threading
from types import TracebackType
from typing import Self

from local.storage import StorageServer
from tests.doors.cloud import UPLOADS, finalized
from tests.doors.rig import EventServer


class Platform:
    """Delivers in the background while it is entered; `delivered` counts the answers of each object."""

    def __init__(self, storage: StorageServer, server: EventServer) -> None:
        self._storage, self._server = storage, server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._deliver_all, daemon=True)
        self.answers: dict[str, list[int]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _deliver_all(self) -> None:
        while not self._over.wait(0.02):
            for name in self._storage.objects(UPLOADS):
                answers = self.answers.setdefault(name, [])
                if 200 not in answers:
                    answers.append(self._server.deliver(finalized(self._storage, name)))

"""What functions-framework gets instead of function/main.py: the same entry point, with little patience for bodies."""

import os

from imagegen import wiring
from imagegen.doors.cors import Cors
from imagegen.doors.pages import Pages
from imagegen.doors.request_bodies import Bodies, Patience
from imagegen.doors.routes import ROUTES, HttpDoor
from imagegen.settings import Settings


class ImpatientApp(wiring.App):
    """The real app with one place for large bodies, and a second for each of them."""

    def _make_http(self) -> HttpDoor:
        settings = self.settings
        bodies = Bodies(1, Patience(small=1.0, large=1.0, place=20.0))
        pages, cors = Pages(settings, ROUTES), Cors(settings.cors_origins)
        return HttpDoor(self.core, self.auth, bodies, cors, self.clock, self._timeouts, settings.uploads_bucket, pages)


wiring.use(ImpatientApp(Settings.from_env(os.environ)))

from main import generate_image  # noqa: E402 - it starts the real app unless there is one

__all__ = ["generate_image"]

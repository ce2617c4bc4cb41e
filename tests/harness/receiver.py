"""`receiver`: a server of this process that notes what is POSTed to it, for tests of what sends events and calls."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


@dataclass
class Receiver:
    """Notes every delivery, headers in lower case, and answers 204, but first the statuses that are scripted."""

    url: str
    statuses: deque[int] = field(default_factory=deque)
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def __call__(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.deliveries.append((headers, request.get_data()))
        status = self.statuses.popleft() if self.statuses else 204
        self.before()
        return Response(status=status)

    def headers(self, name: str) -> list[str]:
        """Return a header of each delivery."""
        return [headers[name] for headers, _ in self.deliveries]


@pytest.fixture(scope="session")
def receiving() -> Iterator[HTTPServer]:
    """One server for the whole session, since it takes half a second to stop."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def receiver(receiving: HTTPServer) -> Receiver:
    receiving.clear()
    made = Receiver(receiving.url_for("/"))
    receiving.expect_request("/", method="POST").respond_with_handler(made)
    return made

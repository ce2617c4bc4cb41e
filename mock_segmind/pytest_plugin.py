"""Fixtures: `segmind` is a cleared fake for one test, over one server for the session.

When the test is over, a scripted fault that never fired and traffic that the vendor does not know fail it.
"""

from collections.abc import Iterator

import pytest

from mock_segmind.fake import FakeSegmind


@pytest.fixture(scope="session")
def segmind_server() -> Iterator[FakeSegmind]:
    """One fake on one port for all tests of a process."""
    with FakeSegmind() as fake:
        yield fake


@pytest.fixture
def segmind(segmind_server: FakeSegmind) -> Iterator[FakeSegmind]:
    """Give the fake as new; check at the end what it was told to do and what it was asked."""
    segmind_server.clear()
    yield segmind_server
    segmind_server.check()

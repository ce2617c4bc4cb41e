"""Fixtures of the tests over HTTP."""

from collections.abc import Iterator

import pytest

from mock_segmind import FakeSegmind
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.pytest_plugin import Function
from tests.harness.server import FunctionServer


@pytest.fixture
def unspent(function: Function, segmind: FakeSegmind, results: Results) -> Iterator[FunctionServer]:
    """The function; after the test it has spent nothing and still generates."""
    made = function()
    yield made
    assert (segmind.ledger.posts(), results.jobs()) == ([], {})
    assert made.post(order()).status_code == 200

"""Fixtures of the tests over HTTP."""

from collections.abc import Iterator

import pytest

from tests.harness.orders import order
from tests.harness.site import Site


@pytest.fixture
def unspent(site: Site) -> Iterator[Site]:
    """The function; after the test it has spent nothing and still generates."""
    yield site
    assert (site.ledger.posts(), site.results.jobs()) == ([], {})
    assert site.post(order()).status_code == 200

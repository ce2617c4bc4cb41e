"""Fixtures for every kind of test: the fake vendor (`segmind`) and the storage on this machine (`storage`)."""

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None)  # nothing is timed in a test: a busy machine is no failure
settings.load_profile("project")

pytest_plugins = [
    "mock_segmind.pytest_plugin",
    "local.pytest_plugin",
    "tests.harness.fixtures",
    "tests.harness.receiver",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest tests first, so that two workers end together."""
    items.sort(key=lambda item: "kills" not in item.path.parts)

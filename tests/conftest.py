"""Fixtures for every kind of test: the fake vendor (`segmind`) and the storage on this machine (`storage`)."""

from hypothesis import settings

settings.register_profile("project", deadline=None)  # nothing is timed in a test: a busy machine is no failure
settings.load_profile("project")

pytest_plugins = [
    "mock_segmind.pytest_plugin",
    "local.pytest_plugin",
    "tests.harness.fixtures",
    "tests.harness.counts",
]

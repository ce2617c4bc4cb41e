"""Fixtures for every kind of test: the fake vendor (`segmind`) and the storage on this machine (`storage`)."""

pytest_plugins = [
    "mock_segmind.pytest_plugin",
    "local.pytest_plugin",
    "tests.harness.fixtures",
    "tests.harness.counts",
]

"""Fixtures of contract tests: `rig`, a function in this process, and `make_rig` for one with other settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen.settings import Settings
from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.contract.rig import HastyApp, MakeRig, Rig


@pytest.fixture
def make_rig(
    segmind: FakeSegmind, storage: StorageServer, storage_key: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeRig]:
    """Return what makes a function with these settings on top of the usual ones."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(storage_key))

    def make(**settings: str) -> Rig:
        usual = {
            "SEGMIND_API_KEY": segmind.key,
            "SEGMIND_BASE_URL": segmind.url,
            "RESULTS_BUCKET": "results",
            "STORAGE_EMULATOR_HOST": storage.url,
            "GOOGLE_CLOUD_PROJECT": "local-project",
            "MAX_IMAGES_PER_DAY": "5",
        }
        return Rig(HastyApp(Settings.from_env({**usual, **settings})), segmind, storage)

    yield make
    assert segmind.ledger.leaks() == [], "the key went to a hosted image"


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A function with the usual settings."""
    return make_rig()

"""Fixtures for tests of the doors: `doors(**settings)` is a whole deployment on this machine."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from mock_segmind import FakeSegmind, Picture
from tests.doors.control import CONTROLLED, Control
from tests.doors.rig import Deployment, DoorPool

Doors: TypeAlias = Callable[..., Deployment]


@pytest.fixture(scope="session")
def door_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorPool]:
    """Servers of the whole session."""
    pool = DoorPool(tmp_path_factory.mktemp("doors"))
    yield pool
    pool.kill_all()


@pytest.fixture
def doors(door_pool: DoorPool, function_settings: dict[str, str], segmind: FakeSegmind) -> Iterator[Doors]:
    """Give deployments with an uploads bucket and any other settings. A setting of "" counts as not set."""
    made: list[Deployment] = []

    def deploy(**others: str) -> Deployment:
        made.append(Deployment(door_pool, {**function_settings, "UPLOADS_BUCKET": "uploads", **others}))
        return made[-1]

    yield deploy
    for deployment in made:
        deployment.finish(segmind)


@pytest.fixture(scope="session")
def control_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where controlled deployments look for the time."""
    return tmp_path_factory.mktemp("control")


@pytest.fixture
def control(control_folder: Path) -> Iterator[Control]:
    """The clock of controlled deployments, set to the real time."""
    made = Control(control_folder)
    made.reset()
    yield made
    made.reset()


@pytest.fixture
def controlled(
    door_pool: DoorPool, function_settings: dict[str, str], control: Control, segmind: FakeSegmind
) -> Iterator[Doors]:
    """Give deployments like `doors`, whose clock the test moves and whose processes die when it says so."""
    made: list[Deployment] = []

    def deploy(**others: str) -> Deployment:
        env = {**function_settings, "UPLOADS_BUCKET": "uploads", **control.env, **others}
        made.append(Deployment(door_pool, env, CONTROLLED))
        return made[-1]

    yield deploy
    for deployment in made:
        deployment.finish(segmind)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A whole PNG image."""
    return Picture("a photo").encoded("png")


@pytest.fixture(scope="session")
def photo_uri(photo: bytes) -> str:
    """The same as a data: URI."""
    return f"data:image/png;base64,{base64.b64encode(photo).decode()}"

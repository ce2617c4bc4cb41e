"""SIGKILL at every step of every door, v1 and v2: afterwards bucket, slots, ledger and results agree."""

from collections.abc import Callable
from itertools import count

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.conftest import Doors
from tests.doors.control import Control
from tests.doors.trials import Aftermath
from tests.doors.ways import WAYS, ByHttp, Way, World, dying, survives
from tests.doors.wreck import Wreck

ENOUGH_SLOTS = {"MAX_IMAGES_PER_DAY": "5000", "EVENT_MAX_AGE_SECONDS": "90000"}
LEAST_STEPS = {"http": 9, "job file": 9, "photo": 9, "async": 3, "tick": 3}


@pytest.fixture
def world(controlled: Doors, storage: StorageServer) -> World:
    """A deployment that buys with v1."""
    return World(controlled(**ENOUGH_SLOTS), storage).start()


@pytest.fixture
def v2_world(controlled: Doors, storage: StorageServer) -> World:
    """A deployment that buys with v2."""
    return World(controlled(**ENOUGH_SLOTS, SEGMIND_API="v2"), storage).start()


def kill_at_every_step(way: Way, world: World, control: Control, api: str) -> list[str]:
    """Order one image for each step, whose process dies before it; return the prompts. The last one lived."""
    prompts = []
    for step in count():
        prompts.append(f"{api} boat {way.name} {step}")
        control.doom(prompts[-1].replace(" ", "-"), step)
        if survives(way, world, prompts[-1]):
            control.spare()
            return prompts
    raise AssertionError("unreachable")


def recover(way: Way, world: World, control: Control, prompts: list[str]) -> None:
    """An hour later half of the callers ask again, the platform delivers what waits, and the sweep does the rest."""
    control.pass_time()
    for prompt in prompts[::2]:
        way.ask(world, prompt)
    world.deliver_what_waits()
    world.deployment.schedule.sweep()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_kill_at_any_step_leaves_nothing_that_disagrees(
    request: pytest.FixtureRequest,
    control: Control,
    segmind: FakeSegmind,
    storage: StorageServer,
    counts: Callable[[str], None],
    way: Way,
    api: str,
) -> None:
    """Whatever step was its last: at most one bill, a slot for it, and an image or an unknown end; v2 finishes it."""
    world: World = request.getfixturevalue("world" if api == "v1" else "v2_world")
    prompts = kill_at_every_step(way, world, control, api)
    recover(way, world, control, prompts)
    after = Aftermath(storage, segmind)
    counts(f"{way.name} {api}: {len(prompts) - 1} kills, {after.totals}")
    assert len(prompts) > LEAST_STEPS[way.name]
    assert after.disagreements(prompts) == []
    assert world.deployment.schedule.sweep()["lost"] == 0


def test_what_v2_loses_is_the_ambiguous_submit_alone(
    v2_world: World, control: Control, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """Killed before the slot, before the submit and between submit and submitted.json: these alone are unknown."""
    prompts = kill_at_every_step(ByHttp(), v2_world, control, "v2")
    control.pass_time()
    v2_world.deployment.schedule.sweep()
    after = Aftermath(storage, segmind)
    lost = [after.of(prompt) for prompt in prompts if after.of(prompt).endings == ["lost.json"]]
    # kinds, not a count: on a busy machine a step can take one operation more, and two kills meet the same window
    assert {(traces.slots, traces.billed) for traces in lost} == {(0, 0), (1, 0), (1, 1)}
    assert after.totals["succeeded"] == sum(bool(after.of(prompt).ids) for prompt in prompts) - len(lost)


def test_what_v1_loses_keeps_its_slot(
    world: World, control: Control, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """Killed between the call and the stored image: unknown, one slot, one bill; asking again buys nothing."""
    prompts = kill_at_every_step(ByHttp(), world, control, "v1")
    control.pass_time()
    answers = [world.deployment.http.post(order_of(prompt), key=prompt.replace(" ", "-")) for prompt in prompts]
    after = Aftermath(storage, segmind)
    lost = [after.of(p) for p, a in zip(prompts, answers, strict=True) if a.status_code == 504]
    assert {(traces.slots, traces.billed) for traces in lost} == {(0, 0), (1, 0), (1, 1)}
    assert {answer.status_code for answer in answers} == {200, 504}
    assert after.totals["billed"] == len(prompts) - 2


def order_of(prompt: str) -> dict[str, object]:
    return {"promptText": prompt, "referenceImages": []}


def test_a_sweep_that_is_killed_anywhere_is_done_by_the_next(
    v2_world: World,
    control: Control,
    segmind: FakeSegmind,
    storage: StorageServer,
    counts: Callable[[str], None],
) -> None:
    """SIGKILL at every step of a sweep over fresh wrecks: the next sweep ends them all, once, and buys nothing."""
    control.pass_time()
    for step in count():
        wrecks = _wrecks(storage, segmind, step)
        control.doom(f"sweep-{step}", step)
        alive = _sweeps(v2_world)
        control.spare()
        v2_world.deployment.schedule.sweep()
        after = Aftermath(storage, segmind)
        assert {wreck.id: after.ending(wreck.id) for wreck in wrecks} == dict(
            zip([wreck.id for wreck in wrecks], ["lost.json", "result.json", "result.json"], strict=True)
        )
        assert after.totals == {"billed": 1, "images": 2, "slots": 3, "succeeded": 2, "unknown": 1}
        if alive:
            break
        storage.clear()
        segmind.clear()
    counts(f"sweep: {step} kills, the last one left {after.totals}")
    assert step > 10


def _sweeps(world: World) -> bool:
    with dying():
        world.deployment.schedule.sweep()
        return True
    return False


def _wrecks(storage: StorageServer, segmind: FakeSegmind, number: int) -> list[Wreck]:
    """Leave a lost claim, an image without its result, a submitted generation, and a slot of a claim given back."""
    body = {"promptText": f"boat {number}", "referenceImages": []}
    submit = requests.post(
        f"{segmind.url}/v2/runway-gen4-image", json=body, headers={"x-api-key": segmind.key}, timeout=10
    )
    Wreck(storage).slot(f"{number}-0")
    return [
        Wreck(storage).claimed().slot(f"{number}-1"),
        Wreck(storage).claimed().with_image().slot(f"{number}-2"),
        Wreck(storage).claimed().submitted(submit.json()["request_id"]).slot(f"{number}-3"),
    ]

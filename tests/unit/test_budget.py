"""The day's cap: never more slots than the cap, none lost, none given back that another claim holds."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen.errors import DailyLimitReached, StorageUnavailable
from imagegen.model import Claim, Order
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.daily_cap import Slot
from imagegen.ports import Deadline
from tests.harness.fakes import REQUEST, World


class Day(World):
    """Instances of a day's cap over one bucket."""

    def claim(self, owner: str = "") -> Claim:
        return new_claim(Order(REQUEST, "http", owner), self.clock.now(), 100)

    def take(self, owner: str = "") -> tuple[Slot, ...] | None:
        """Reserve for a new claim; None where the day is used up."""
        try:
            return self.budget.reserve(self.claim(owner), self.soon)
        except DailyLimitReached:
            return None

    def held(self, prefix: str = "spend/") -> int:
        return len(self.objects.names(prefix))


def test_without_a_cap_nothing_is_written() -> None:
    """0 is no cap; callers without an account, where everybody is one caller, have none of their own."""
    day, own = Day(), Day(per_user=1)
    assert (day.take("ada"), day.held()) == ((), 0)
    assert [own.take() for _ in range(3)] == [(), (), ()]


def test_slots_are_where_the_contract_says() -> None:
    """`spend/{day}/{slot}` for all, with its claim's id, `spend/{day}/users/{hash}/{slot}` for one, without a name."""
    day = Day(per_day=1, per_user=1)
    claim = day.claim("ada@example.com")
    day.budget.reserve(claim, day.soon)
    user, whole = sorted(day.objects.names(), reverse=True)
    assert whole == "spend/2026-03-14/0"
    assert user.startswith("spend/2026-03-14/users/")
    assert user.endswith("/0")
    assert "ada" not in user
    assert claim.id.encode() in day.objects.data(whole)


@pytest.mark.parametrize("cap", [1, 7, 8, 9, 40])
def test_a_cap_is_used_up_to_the_last_slot(cap: int) -> None:
    """Exactly so many, whether they are found blindly or by listing."""
    day = Day(per_day=cap)
    assert [bool(day.take()) for _ in range(cap + 2)] == [True] * cap + [False] * 2
    assert day.held() == cap


def test_a_user_has_a_cap_of_their_own() -> None:
    """One user's is used up, another's is not; a refusal, of either cap, leaves no slot of the other behind."""
    day = Day(per_day=3, per_user=2)
    assert [bool(day.take(user)) for user in ("ada", "ada", "ada", "bob", "bob")] == [True, True, False, True, False]
    assert (day.held("spend/2026-03-14/users/"), day.held()) == (3, 6)


def test_giving_back_frees_exactly_what_was_taken() -> None:
    """The next one may have it; giving it back again takes nothing from its next holder."""
    day = Day(per_day=1)
    first = day.take()
    assert first
    day.budget.give_back(first, day.soon)
    second = day.take()
    day.budget.give_back(first, day.soon)
    assert (bool(second), day.held()) == (True, 1)


def test_slots_are_found_again_by_their_claim() -> None:
    """A dead instance's slots, on both sides of midnight, and no others."""
    day = Day(per_day=5, per_user=5)
    day.clock.advance(12 * 3600 - 60)
    claim = day.claim("ada")
    mine = set(day.budget.reserve(claim, day.soon))
    day.take("ada")
    day.clock.advance(120)
    assert set(day.budget.slots_of(claim, day.soon)) == mine


@given(cap=st.integers(1, 12), moves=st.lists(st.integers(0, 5), max_size=40))
def test_slots_are_never_more_than_the_cap(cap: int, moves: list[int]) -> None:
    """However takes and returns follow each other: what is in the bucket is what is held, up to the cap."""
    day = Day(per_day=cap)
    held: list[tuple[Slot, ...]] = []
    for move in moves:
        if move == 0 and held:
            day.budget.give_back(held.pop(), day.soon)
        else:
            taken = day.take()
            assert bool(taken) == (len(held) < cap)
            held += [taken] if taken else []
        assert day.held() == len(held) <= cap


@settings(max_examples=25)
@given(cap=st.integers(1, 20), callers=st.integers(2, 40), failing=st.integers(0, 3))
def test_a_crowd_never_gets_more_than_the_cap(cap: int, callers: int, failing: int) -> None:
    """Threads at the same moment, some of which give theirs back: no slot too many, and none that is free refused."""
    day = Day(per_day=cap)

    def caller(number: int) -> bool:
        taken = day.take(f"user {number}")
        if taken and failing and number % failing == 0:
            day.budget.give_back(taken, day.soon)
            return False
        return bool(taken)

    with ThreadPoolExecutor(8) as pool:
        kept = sum(pool.map(caller, range(callers)))
    assert day.held() == kept <= cap
    assert failing or kept == min(cap, callers)


def test_what_is_left_of_a_day() -> None:
    """Of the cap for all, or of a user's own; what the account has and no slot shows counts, too."""
    day = Day(per_day=5, per_user=3)
    day.take("ada")
    assert [day.budget.left("2026-03-14", owner, day.soon) for owner in (None, "ada", "bob")] == [4, 2, 3]
    assert [day.budget.limit(owner) for owner in (None, "ada")] == [5, 3]
    assert Day().budget.left("2026-03-14", None, day.soon) == 0


@pytest.mark.parametrize("taken", [0, 7, 8, 9, 20])
def test_slots_that_others_took_since_the_last_look(taken: int) -> None:
    """The day is listed anew after so many misses: the cap holds, and no slot stays unused."""
    day = Day(per_day=21)
    day.take()
    other = day.other()
    assert all(other.take() for _ in range(taken))
    assert [bool(day.take()) for _ in range(21 - taken)] == [True] * (20 - taken) + [False]
    assert day.held() == 21


def test_a_day_that_was_used_up_is_looked_at_again() -> None:
    """For half a minute nobody asks storage; then a slot that another instance gave back is found."""
    day = Day(per_day=1)
    other = day.other()
    slots = other.take()
    assert slots
    assert day.take() is None
    other.budget.give_back(slots, day.soon)
    for seconds, refused in ((0.0, True), (29.9, True), (0.1, False)):
        day.clock.advance(seconds)
        looks = len(day.objects.operations)
        if refused:
            assert day.take() is None
            with pytest.raises(DailyLimitReached):
                day.budget.check("")
            assert len(day.objects.operations) == looks
        else:
            day.budget.check("")
            assert day.take()


def test_a_look_that_takes_too_long_is_not_waited_for() -> None:
    """Another request is listing the day: this one gives up when its time is over, and nothing was spent."""
    day = Day(per_day=5)

    def listing() -> StorageUnavailable:
        with ThreadPoolExecutor(1) as thread, pytest.raises(StorageUnavailable, match="in time"):
            thread.submit(day.budget.reserve, day.claim(), Deadline.within(day.clock, 0.01)).result()
        return StorageUnavailable()

    day.objects.fail("list", times=1, error=listing)
    with pytest.raises(StorageUnavailable):
        day.take()
    assert day.take()

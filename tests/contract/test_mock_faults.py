"""Scripted faults, over Python and over the admin route: which calls they take, how often, and that they fired."""

import json
from typing import Any

import pytest

from mock_segmind import FakeSegmind, Fault, fingerprint
from mock_segmind.faults.registry import REGISTRY
from mock_segmind.replies import JsonObject
from tests.cases import rows
from tests.contract import mock_client as plain


def statuses(segmind: FakeSegmind, *prompts: str, line: str = plain.V1) -> list[int | None]:
    return [plain.ask(segmind, prompt, line).status for prompt in prompts]


def admin(segmind: FakeSegmind, line: str, body: JsonObject | bytes | None = None) -> Any:  # noqa: ANN401  any JSON, asserted on
    """Answer of an admin route: its JSON where it is a 200, else status and message."""
    outcome = plain.call(segmind.url, line, body)
    return outcome.json if outcome.status == 200 else (outcome.status, outcome.fields["error"])


@pytest.mark.parametrize(
    ("times", "skip", "seen"), [(2, 0, [502, 502, 200]), (1, 1, [200, 502, 200]), (None, 0, [502, 502, 502])]
)
def test_a_rule_takes_so_many_calls(segmind: FakeSegmind, times: int | None, skip: int, seen: list[int]) -> None:
    """After those that it lets pass, and no more; None never ends. It counts them."""
    rule = segmind.faults.add(Fault.status(502, body="html"), times=times, skip=skip)
    assert statuses(segmind, "a", "b", "c") == seen
    assert (rule.fired, rule.spent) == (seen.count(502), times is not None)


def test_a_script_takes_only_what_it_matches(segmind: FakeSegmind) -> None:
    """By a part of the prompt, by a part of the path, by any rule; the first that takes a call wins."""
    segmind.faults.add("500", prompt="cat")
    segmind.faults.add("502", path="/v2/")
    segmind.faults.add("503", when=lambda call: len(call.prompt) == 3, times=None)
    assert statuses(segmind, "a cat", "a cat", "dog") == [500, 200, 503]
    assert statuses(segmind, "a horse", line=plain.V2) == [502]


def test_several_faults_play_together(segmind: FakeSegmind) -> None:
    """One script with a delay, an error and a cut connection: all of them on the same call."""
    segmind.faults.add("slow=0.01", "502,body=text", "truncated=3")
    outcome = plain.ask(segmind, "a cat")
    assert (outcome.status, outcome.body, outcome.broken) == (502, b"Bad", "IncompleteRead")


def test_a_script_goes_before_magic(segmind: FakeSegmind) -> None:
    """While a script takes the call, its prompt's own magic rests."""
    segmind.faults.add("503")
    assert statuses(segmind, "[mock:502]", "[mock:502]") == [503, 502]


def test_check_names_what_went_wrong(segmind_server: FakeSegmind) -> None:
    """A fault that never fired, unless it was optional; a path the vendor does not have; a bug of the fake's own."""
    fake = segmind_server
    fake.clear()
    fake.faults.add("502,body=html", times=2)
    fake.faults.add("503", optional=True)
    with pytest.raises(AssertionError, match=r"502,body=html\): fired 0 of 2 times"):
        fake.check()
    fake.clear()
    fake.check()
    assert plain.call(fake.url, "GET /v3/models").status == 404
    with pytest.raises(AssertionError, match="/v3/models"):
        fake.check()
    fake.clear()
    fake.faults.add("502", when=lambda call: bool(1 / len(call.prompt.strip())))
    assert (statuses(fake, " "), fake.ledger.settle()) == ([500], True)  # and nothing stays open
    with pytest.raises(ZeroDivisionError):
        fake.check()


@pytest.mark.parametrize("name", REGISTRY)
def test_a_fault_is_the_same_as_text(name: str) -> None:
    """Every fault with all its options, written out and read again, is the same."""
    options = REGISTRY[name].options
    fault = Fault(name, **{option.name: option.default for option in options}, times=2)
    assert Fault.parse(str(fault)) == fault
    assert hash(Fault.parse(str(fault))) == hash(fault)
    assert repr(fault).startswith(f"Fault.parse('{name}")


@pytest.mark.parametrize("code", [502, 418])
def test_any_status_has_a_constructor(code: int) -> None:
    """A known code is that code's fault, another one the fault for any status."""
    assert str(Fault.status(code)) == ("502" if code == 502 else "status,code=418")


def test_a_script_needs_faults_and_its_own_times(segmind: FakeSegmind) -> None:
    """`times` inside a fault's text is for prompts: in a script it would be ignored, so it is refused."""
    for faults in ((), ("502,times=2",)):
        with pytest.raises(ValueError, match="says `times` for all"):
            segmind.faults.add(*faults)
    assert segmind.faults.all() == []


def test_scripts_over_http(segmind: FakeSegmind) -> None:
    """Add, see it fire, remove by number or all: the same names as in Python."""
    body: JsonObject = {"faults": ["502,body=text"], "times": 2, "prompt": "cat", "optional": True}
    made = admin(segmind, "POST /_mock/faults", body)
    assert statuses(segmind, "a dog", "a cat") == [200, 502]
    listed = admin(segmind, "GET /_mock/faults")["faults"]
    assert listed == [{**made, "fired": 1}]
    assert made.keys() >= body.keys()
    assert admin(segmind, f"DELETE /_mock/faults/{made['id']}") == {"faults": []}
    assert statuses(segmind, "a cat") == [200]
    admin(segmind, "POST /_mock/faults", body)
    assert admin(segmind, "DELETE /_mock/faults") == {"faults": []}


@pytest.mark.parametrize(("line", "body", "says"), rows("mock_admin_errors"))
def test_a_wrong_admin_request_is_told(
    segmind: FakeSegmind, line: str, body: JsonObject | str | None, says: str
) -> None:
    """A 400 that lists what there would be, and nothing changed."""
    status, message = admin(segmind, line, body.encode() if isinstance(body, str) else body)
    assert status == 400
    assert says in message
    assert (segmind.faults.all(), len(segmind.accounts.all())) == ([], 1)


def test_accounts_and_ledger_over_http(segmind: FakeSegmind) -> None:
    """What Python sees of accounts and ledger, HTTP sees too; keys only as fingerprints."""
    opened = admin(segmind, "POST /_mock/accounts", {"key": "secret-key", "credits": 1, "rate_limit": 5})
    plain.ask(segmind, "a cat", key="secret-key")
    accounts, ledger = admin(segmind, "GET /_mock/accounts"), admin(segmind, "GET /_mock/ledger")
    assert opened["key"] == fingerprint("secret-key")
    assert {account["key"]: account["credits"] for account in accounts["accounts"]}[opened["key"]] == 0.9
    assert (ledger["billed"], ledger["totalBilled"], ledger["entries"][0]["status"]) == (1, 0.1, 200)
    assert "secret-key" not in json.dumps([opened, accounts, ledger])


def test_settings_health_and_clear_over_http(segmind: FakeSegmind) -> None:
    """Settings change at once; clear brings the first ones back and forgets the rest."""
    assert admin(segmind, "GET /_mock/health") == {"status": "ok"}
    assert admin(segmind, "POST /_mock/settings", {"latency": 0.01})["latency"] == 0.01
    assert plain.ask(segmind, "a cat").headers["x-generation-time"] == "0.01"
    admin(segmind, "POST /_mock/faults", {"faults": ["502"]})
    assert admin(segmind, "POST /_mock/clear") == {"status": "cleared"}
    assert admin(segmind, "GET /_mock/settings")["latency"] == 0
    assert (segmind.ledger.entries(), segmind.faults.all()) == ([], [])


def test_the_list_of_magic_prompts(segmind: FakeSegmind) -> None:
    """A page from another origin can read it; every fault is in it."""
    outcome = plain.call(segmind.url, "GET /_mock/magic")
    entries = outcome.fields["magic"]
    assert isinstance(entries, list)
    assert [entry["name"] for entry in entries if isinstance(entry, dict)] == list(REGISTRY)
    assert outcome.headers["access-control-allow-origin"] == "*"
    assert plain.call(segmind.url, "OPTIONS /_mock/faults").status == 204
    assert plain.call(segmind.url, "PUT /_mock/magic").status == 405


@pytest.mark.parametrize(("text", "says"), rows("mock_typos"))
def test_a_typo_is_told(segmind: FakeSegmind, text: str, says: str) -> None:
    """A magic prompt that the registry lacks is a 400 that lists what there is, never a silent success."""
    outcome = plain.ask(segmind, f"a cat [mock:{text}]")
    assert outcome.status == 400
    assert says in str(outcome.fields["error"])
    assert segmind.ledger.billed() == []


def test_magic_that_passes_after_two_times(segmind: FakeSegmind) -> None:
    """`times=2` shows a client's retries without set-up; another prompt counts for itself."""
    prompts = ["a [mock:502,times=2]"] * 3 + ["b [mock:502,times=2]"]
    assert statuses(segmind, *prompts) == [502, 502, 200, 502]


def test_magic_works_before_any_check(segmind: FakeSegmind) -> None:
    """A gateway that fails does not look at keys; without magic the same call is a 401."""
    tries = [plain.call(segmind.url, plain.V1, plain.request(prompt)).status for prompt in ("[mock:502]", "a cat")]
    assert tries == [502, 401]


def test_the_ledger_names_the_magic(segmind: FakeSegmind) -> None:
    """Which faults were played stands with the request, written as in the prompt."""
    plain.ask(segmind, "a cat [mock:slow=0.01][mock:502,body=text]")
    assert segmind.ledger.posts()[0].faults == ("slow,seconds=0.01", "502,body=text")

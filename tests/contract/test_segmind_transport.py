"""What goes wrong before Segmind has the request is free and repeated; nothing else is; and where the key goes."""

import json
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from urllib3.exceptions import NewConnectionError

from imagegen import connections
from tests.harness.rig import MakeRig, Rig
from tests.harness.stubs import Stub, answer, hang_up, self_signed

TRIES = 3  # one, and two repetitions


def repeats(capsys: pytest.CaptureFixture[str]) -> int:
    """Return how many repetitions were logged."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return sum(line["event"] == "segmind_repeated" for line in lines)


def get(url: str, *, public_only: bool = False) -> int:
    """Return the status that a GET is answered with."""
    pools = connections.pools(2, connections.Rules(15.0, public_only))
    with connections.send(pools, "GET", url, 5.0, {}) as response:
        return response.status


@contextmanager
def refuses() -> Iterator[str]:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens: no other process takes the port meanwhile
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


@contextmanager
def never_accepts() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for filler in (first, second):
            filler.setblocking(False)  # noqa: FBT003 - the only way to say it
            filler.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"


@pytest.mark.parametrize(
    ("place", "repetitions"), [(refuses(), 2), (never_accepts(), 0), (nullcontext("http://segmind.invalid"), 2)],
    ids=["refuses", "never accepts", "does not exist"],
)  # fmt: skip
def test_no_connection(
    make_rig: MakeRig, capsys: pytest.CaptureFixture[str], place: AbstractContextManager[str], repetitions: int
) -> None:
    """Nothing was sent: a 502 that cost nothing, after two repetitions where there is time; the key is free."""
    with place as url:
        rig = make_rig(SEGMIND_BASE_URL=url, SEGMIND_TIMEOUT_SECONDS="180" if repetitions else "1")
        answered = rig.order("key-1")
    assert (answered.status, answered.code, answered.json["billed"]) == (502, "segmind-unreachable", "no")
    assert (rig.left(), repeats(capsys)) == ([], repetitions)


@pytest.mark.parametrize("speaks", [False, True])
def test_a_server_without_a_tls_that_can_be_trusted(make_rig: MakeRig, tmp_path: Path, speaks: bool) -> None:
    """No handshake, or a certificate that nobody vouches for: no key and no request is sent; repeated, and free."""
    with Stub(tls=self_signed(tmp_path) if speaks else None) as stub:
        rig = make_rig(SEGMIND_BASE_URL=f"https://127.0.0.1:{stub.port}")
        answered = rig.order("key-1")
    assert (answered.code, rig.left(), stub.connections, stub.requests) == ("segmind-unreachable", [], TRIES, [])


def test_a_connection_that_breaks_after_the_request(make_rig: MakeRig) -> None:
    """Once it was sent the outcome is open: one request, an open outcome."""
    with Stub(hang_up) as stub:
        rig = make_rig(SEGMIND_BASE_URL=stub.url)
        answered = rig.order("key-1")
    assert (answered.code, len(stub.requests)) == ("outcome-unknown", 1)


@pytest.mark.parametrize(("status", "told"), [(301, 502), (302, 502), (303, 504), (307, 502), (308, 502)])
def test_a_redirect_is_not_followed(make_rig: MakeRig, status: int, told: int) -> None:
    """Neither the key nor the prompt goes where an answer points to."""
    with Stub(answer("HTTP/1.1 200 OK")) as other:
        redirect = answer(f"HTTP/1.1 {status} Elsewhere\nLocation: {other.url}/v1/runway-gen4-image")
        with Stub(redirect) as stub:
            rig = make_rig(SEGMIND_BASE_URL=stub.url)
            answered = rig.order("key-1")
    assert (other.connections, len(stub.requests)) == (0, 1)
    assert answered.status == told


def test_the_request_is_the_documented_one(make_rig: MakeRig) -> None:
    """Path, key and content type are the vendor page's; no cookie, no proxy, no compression is asked for."""
    with Stub(hang_up) as stub:
        make_rig(SEGMIND_BASE_URL=stub.url, SEGMIND_API_KEY="SG_sentinel").order()
    head = stub.requests[0].lower()
    assert head.startswith(b"post /v1/runway-gen4-image http/1.1\r\n")
    for line in (b"x-api-key: sg_sentinel", b"content-type: application/json", b"accept-encoding: identity"):
        assert line in head
    assert b"cookie" not in head
    assert b"authorization" not in head


def test_a_connection_that_was_closed_meanwhile_is_not_trusted(make_rig: MakeRig) -> None:
    """The other side closed it after an answer: the next order opens a new one and is not lost in the old."""
    refusal = answer("HTTP/1.1 401 Unauthorized\nConnection: keep-alive\nContent-Type: text/plain", b"no")
    with Stub(refusal) as stub:
        rig = make_rig(SEGMIND_BASE_URL=stub.url)
        codes = [rig.order().code for _ in range(3)]
    assert codes == ["segmind-unauthorized"] * 3
    assert (stub.connections, len(stub.requests)) == (3, 3)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes straight to Segmind, also where HTTP_PROXY is set."""
    with Stub() as proxy, Stub(answer("HTTP/1.1 200 OK")) as stub:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert get(stub.url) == 200
    assert (proxy.connections, len(stub.requests)) == (0, 1)


HERE = [
    *("127.0.0.1", "localhost", "LOCALHOST", "127.1", "0.0.0.0", "0"),
    *("2130706433", "0x7f000001", "017700000001", "0x7f.1"),
]


@pytest.mark.parametrize("host", HERE)
def test_a_public_session_never_talks_to_this_machine(host: str) -> None:
    """However the address is spelled, not even a connection is made where it turns out to be private."""
    with Stub(answer("HTTP/1.1 200 OK")) as stub:
        url = f"http://{host}:{stub.port}/"
        assert get(url) == 200
        with pytest.raises(connections.PrivateAddress):
            get(url, public_only=True)
    assert (stub.connections, len(stub.requests)) == (1, 1)


INSIDE = (
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]"),
    *("[64:ff9b::a00:1]", "[2002:a00:1::1]", "[::a00:1]", "[::ffff:10.0.0.1]", "[fe80::1%lo]"),
    *("[fd00:ec2::254]", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "198.18.0.1"),
    *("192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[100::1]"),
)


@pytest.mark.parametrize("host", INSIDE)
def test_no_address_inside_is_public(host: str) -> None:
    """Our own machine, its link, its network, carriers' networks, multicast, and what gateways unwrap into one."""
    with pytest.raises(connections.PrivateAddress):
        get(f"http://{host}:9/", public_only=True)


def test_a_name_that_changes_its_mind_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Public when it is looked at, this machine a moment later: what was looked at is what is called."""
    asked: list[str] = []

    def look_up(host: str, port: int, *rest: object, **named: object) -> list[tuple[object, ...]]:
        del rest, named
        asked.append(host)
        if host == "8.8.8.8":
            raise OSError("it is called, which is enough to see")
        address = "8.8.8.8" if asked.count(host) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with Stub(answer("HTTP/1.1 200 OK")) as stub:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        url = f"http://rebinds.example:{stub.port}/"
        with pytest.raises(NewConnectionError, match="no connection"):
            get(url, public_only=True)
        assert asked == ["rebinds.example", "8.8.8.8"]
        with pytest.raises(connections.PrivateAddress):
            get(url, public_only=True)
    assert stub.connections == 0


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_hosted_image_on_a_private_host_is_refused(
    rig: Rig, capsys: pytest.CaptureFixture[str], scheme: str, host: str
) -> None:
    """A vendor's answer cannot make us look around in our own network: no connection, no key, no second try."""
    with Stub(answer("HTTP/1.1 200 OK\nContent-Type: image/jpeg", b"\xff\xd8\xff")) as stub:
        rig.segmind.faults.add(f"hosted-elsewhere,url={scheme}://{host}:{stub.port}/image.jpg")
        answered = rig.order()
    assert (answered.code, stub.connections, repeats(capsys)) == ("segmind-bad-image", 0, 0)


def test_a_hosted_image_is_fetched_without_the_key(rig: Rig) -> None:
    """From the vendor's own origin too: hosted images are public, keys are not."""
    rig.segmind.faults.add("hosted")
    assert rig.order().status == 200
    (fetched,) = rig.segmind.ledger.entries("hosted")
    assert (fetched.key, rig.segmind.ledger.leaks()) == (None, [])


@pytest.mark.parametrize("failures", [1, 2])
def test_a_hosted_image_is_fetched_again(rig: Rig, failures: int) -> None:
    """Fetching is free and the image is paid for: a fetch that breaks is repeated."""
    rig.segmind.faults.add("hosted")
    rig.segmind.faults.add("reset,on=hosted", times=failures)
    assert (rig.order().status, rig.calls, rig.billed) == (200, 1, 1)

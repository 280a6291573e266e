"""RFC 3261 section 17, timer by timer, in time that only the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.sip.message import Request, Response, parse_message
from moonwire.core.sip.transactions import (
    ClientState,
    ClientTransaction,
    Reception,
    ServerState,
    ServerTransaction,
    Timing,
    Verdict,
    client_key,
    server_key,
)

TIMING = Timing()


def server(*, invite: bool = True, reliable: bool = False) -> ServerTransaction:
    return ServerTransaction(invite=invite, reliable=reliable, timing=TIMING)


def client(*, invite: bool = True, reliable: bool = False) -> ClientTransaction:
    return ClientTransaction(b"request", invite=invite, reliable=reliable, timing=TIMING, now=0.0)


def run(machine: ServerTransaction | ClientTransaction) -> list[tuple[float, bytes | Verdict]]:
    """Fire every timer until the machine has none left."""
    out: list[tuple[float, bytes | Verdict]] = []
    while (at := machine.deadline) is not None:
        outcome = machine.on_timer(at)
        if outcome is not None:
            out.append((round(at, 3), outcome))
    return out


def test_an_accepted_invite_repeats_its_200_until_the_ack_also_on_tcp():
    for reliable in (False, True):
        machine = server(reliable=reliable)
        assert machine.respond(b"100", 100, 0.0)
        assert machine.respond(b"200", 200, 0.0)
        assert not machine.respond(b"500", 500, 0.0)
        repeats = run(machine)
        assert [at for at, _ in repeats] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, 32.0]
        assert repeats[-1] == (32.0, Verdict.NO_ACK)


def test_the_ack_stops_the_repetition_but_repeated_invites_stay_absorbed():
    machine = server()
    machine.respond(b"200", 200, 0.0)
    machine.on_ack(1.0)
    assert machine.state is ServerState.CONFIRMED
    assert machine.on_repeated_request() == b"200"
    assert run(machine) == [(32.0, Verdict.DONE)]


def test_a_refused_invite_repeats_on_udp_until_the_ack():
    machine = server()
    machine.respond(b"486", 486, 0.0)
    assert machine.on_timer(0.2) is None
    assert machine.on_timer(0.5) == b"486"
    machine.on_ack(0.7)
    assert machine.on_repeated_request() is None
    assert run(machine) == [(5.7, Verdict.DONE)]


def test_a_refused_invite_without_ack_ends_quietly_after_timer_h():
    machine = server(reliable=True)
    machine.respond(b"486", 486, 0.0)
    assert run(machine) == [(32.0, Verdict.DONE)]


@pytest.mark.parametrize(("reliable", "end"), [(False, 32.0), (True, 0.0)])
def test_another_request_is_absorbed_for_timer_j(reliable, end):
    machine = server(invite=False, reliable=reliable)
    assert machine.on_repeated_request() is None
    machine.respond(b"200", 200, 0.0)
    assert machine.on_repeated_request() == b"200"
    machine.on_ack(0.0)
    assert run(machine) == [(end, Verdict.DONE)]


def test_a_client_invite_repeats_by_timer_a_and_gives_up_by_timer_b():
    sent = run(client())
    assert [at for at, _ in sent] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 32.0]
    assert sent[-1][1] is Verdict.TIMED_OUT
    assert run(client(reliable=True)) == [(32.0, Verdict.TIMED_OUT)]


def test_another_client_request_repeats_by_timer_e():
    sent = run(client(invite=False))
    assert [at for at, _ in sent][:5] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert sent[-1] == (32.0, Verdict.TIMED_OUT)


def test_a_provisional_response_stops_an_invite_and_slows_another_request():
    invite = client()
    assert invite.on_response(100, 0.1) is Reception.DELIVER
    assert invite.deadline is None
    other = client(invite=False)
    other.on_response(100, 0.1)
    assert other.deadline == pytest.approx(4.1)


def test_every_2xx_of_an_invite_is_delivered_every_other_final_once():
    machine = client()
    assert machine.on_response(200, 0.1) is Reception.DELIVER
    assert machine.on_response(200, 0.2) is Reception.DELIVER
    assert machine.on_response(486, 0.2) is Reception.IGNORE
    refused = client()
    assert refused.on_response(486, 0.1) is Reception.DELIVER
    assert refused.on_response(486, 0.2) is Reception.REPEAT_ACK
    assert refused.on_response(180, 0.2) is Reception.IGNORE
    assert run(refused) == [(32.1, Verdict.DONE)]
    assert refused.on_response(486, 40.0) is Reception.IGNORE
    other = client(invite=False)
    assert other.on_response(200, 0.1) is Reception.DELIVER
    assert other.on_response(200, 0.2) is Reception.IGNORE
    assert run(other) == [(5.1, Verdict.DONE)]


def test_a_cancelled_invite_that_rings_on_is_given_up():
    machine = client()
    machine.on_response(180, 1.0)
    machine.on_cancelled(10.0)
    assert run(machine) == [(42.0, Verdict.TIMED_OUT)]
    machine.on_cancelled(50.0)
    assert machine.deadline is None


@given(
    st.lists(st.tuples(st.sampled_from([100, 180, 200, 299, 301, 486, 603, "timer"]), st.floats(0, 50))), st.booleans()
)
def test_any_order_of_responses_and_timers_ends(steps, invite):
    machine = client(invite=invite)
    for what, at in sorted(steps, key=lambda step: step[1]):
        if what == "timer":
            machine.on_timer(at)
        else:
            machine.on_response(what, at)
    if machine.deadline is not None:
        run(machine)
        assert machine.state is ClientState.TERMINATED


def request(method: str, branch: str = "z9hG4bKa", cseq: str = "1", host: str = "h:1") -> Request:
    message = parse_message(
        f"{method} sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch={branch}\r\nFrom: <sip:a@b>;tag=1\r\n"
        f"To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: {cseq} {method}\r\n\r\n".encode()
    )
    assert isinstance(message, Request)
    return message


def test_keys_tell_transactions_apart():
    invite = server_key(request("INVITE"))
    assert server_key(request("ACK")) == invite
    assert server_key(request("CANCEL"), "INVITE") == invite
    assert server_key(request("CANCEL")) != invite
    assert server_key(request("INVITE", host="other:1")) != invite
    assert server_key(request("INVITE", branch="z9hG4bKb")) != invite
    assert server_key(request("INVITE", branch="old")) == server_key(request("ACK", branch="old"))
    assert server_key(request("INVITE", branch="z9hG4bK")) != server_key(request("INVITE", branch="z9hG4bK", cseq="2"))


def test_a_response_finds_its_request():
    message = parse_message(
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP i;branch=y\r\n"
        b"From: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n"
    )
    assert isinstance(message, Response)
    assert client_key(message) == ("z9hG4bKx", "BYE")

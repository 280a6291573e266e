"""A failing vendor never leaves the caller in silence: every kind of failure, in every state of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from moonwire.sandbox.caller import CallerReport, HangUp, Pause, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.cartesia import CartesiaFaults
from moonwire.sandbox.moonshot import Fault
from moonwire.sandbox.virtual_time import elapse, virtual_time

from .stage import AGENT, KEY, Stage, staged

HOURS = "Hello, what are your opening hours?"
SILENCE_LIMIT_S = 6.0


def owed_silence_s(report: CallerReport) -> float:
    """Return the longest time the caller waited for the agent: after the answer, and after each thing said."""
    moments = [0.0, *(turn.ended_s for turn in report.turns)]
    waits: list[float] = []
    for moment in moments:
        next_turn = next((turn.started_s for turn in report.turns if turn.started_s > moment), report.duration_s)
        speech = [start for start, end in report.agent_speech if end > moment]
        waits.append(max(0.0, min([*speech, report.duration_s]) - moment) if next_turn > moment else 0.0)
    return max(waits)


async def converse(stage: Stage) -> CallerReport:
    """Hear the greeting, ask something, and wait for what comes."""
    stage.deepgram.set_hearing([HOURS])
    report, _ = await stage.call(WaitForSilence(limit_s=8), Say(HOURS), WaitForSpeech(limit_s=8), Pause(8), HangUp())
    return report


LLM_FAULTS = [
    "quota",
    "rpm",
    "tpd",
    "overloaded",
    "permission",
    "server_error",
    "unavailable",
    "bad_gateway_html",
    "html_200",
    "reset_before_headers",
    "stall_before_headers",
    "stall_before_content",
    "stall_mid_stream",
    "stall_with_comments",
    "reset_mid_stream",
    "eof_mid_stream",
    "error_mid_stream",
    "error_first",
    "content_filter",
    "content_filter_mid_stream",
    "length_empty",
    "malformed_chunk",
    "empty_stream",
]


@pytest.mark.agent_row("model failure")
@pytest.mark.parametrize("kind", LLM_FAULTS)
def test_a_failing_model_is_never_silence(kind: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.moonshot.faults.add(Fault(kind=kind))  # pyright: ignore[reportArgumentType]
            report = await converse(stage)
            assert report.agent_speech, "the caller heard nothing at all"
            assert owed_silence_s(report) <= SILENCE_LIMIT_S, report.as_json()
            assert stage.named("error"), "the event log says nothing"
            assert stage.books.alerts
            assert KEY not in str(stage.lines) + str(stage.books.alerts)

    scene()


CARTESIA_FAULTS: dict[str, CartesiaFaults] = {
    "refused": CartesiaFaults(refuse_status=401),
    "payment": CartesiaFaults(refuse_status=402),
    "unavailable": CartesiaFaults(refuse_status=503),
    "hangs": CartesiaFaults(hang_handshake=True),
    "stalls": CartesiaFaults(stall=True),
    "stalls late": CartesiaFaults(stall_after_chunks=2),
    "drops": CartesiaFaults(drop_tcp_after_chunks=0),
    "drops late": CartesiaFaults(drop_tcp_after_chunks=2),
    "malformed": CartesiaFaults(malformed=True),
}


@pytest.mark.parametrize("name", CARTESIA_FAULTS)
def test_a_failing_voice_is_never_silence(name: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.cartesia.faults = CARTESIA_FAULTS[name]
            report = await converse(stage)
            assert report.agent_speech, "the caller heard nothing at all"
            assert owed_silence_s(report) <= SILENCE_LIMIT_S, report.as_json()

    scene()


DEEPGRAM_FAULTS: dict[str, dict[str, object]] = {
    "refused": {"refuse_status": 401},
    "payment": {"refuse_status": 402},
    "unavailable": {"refuse_status": 503},
    "hangs": {"hang_handshake": True},
    "stalls": {"stall": True},
    "drops": {"drop_after_s": 0.5},
    "closes": {"close_after_s": 0.5},
}


@pytest.mark.parametrize("name", DEEPGRAM_FAULTS)
def test_a_failing_recogniser_is_never_silence(name: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.deepgram.set_faults(**DEEPGRAM_FAULTS[name])
            report = await converse(stage)
            assert report.agent_speech, "the caller heard nothing at all"
            assert owed_silence_s(report) <= SILENCE_LIMIT_S, report.as_json()

    scene()


KILLS: dict[str, Callable[[Stage], Awaitable[object]]] = {
    "moonshot": lambda stage: stage.moonshot.stop(),
    "deepgram": lambda stage: stage.deepgram.stop(),
    "cartesia": lambda stage: stage.cartesia.stop(),
}

STATES = ["before the greeting", "during the greeting", "while listening", "while the caller speaks", "while answering"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("vendor", KILLS)
def test_killing_a_vendor_in_mid_call_is_never_silence(vendor: str, state: str, tmp_path: Path) -> None:
    at_s = {STATES[0]: 0.0, STATES[1]: 1.0, STATES[2]: 6.0, STATES[3]: 9.0, STATES[4]: 13.5}[state]

    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage, asyncio.TaskGroup() as group:
            stage.deepgram.set_hearing([HOURS, "And where are you?"])
            group.create_task(kill(stage, vendor, at_s))
            report, _ = await stage.call(
                *(Pause(8.0), Say(HOURS), Pause(8.0), Say("And where are you?"), WaitForSpeech(limit_s=8), Pause(8.0)),
                HangUp(),
            )
            assert report.agent_speech, "the caller heard nothing at all"
            assert owed_silence_s(report) <= SILENCE_LIMIT_S, report.as_json()

    scene()


async def kill(stage: Stage, vendor: str, at_s: float) -> None:
    """Stop a vendor's process at a time of the call, sockets and all."""
    while not stage.engine.active_calls:
        await asyncio.sleep(0)
    await elapse(at_s)
    if vendor == "deepgram":
        stage.deepgram.drop_connections()
    elif vendor == "cartesia":
        stage.cartesia.drop_all()
    await KILLS[vendor](stage)


@virtual_time
async def test_what_moderation_refuses_is_not_asked_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"greeting": "Good evening."}])
        stage.moonshot.faults.add(Fault("content_filter", times=1))
        stage.deepgram.set_hearing([HOURS, "And where are you?"])
        report, _ = await stage.call(
            WaitForSilence(), Say(HOURS), WaitForSilence(), Say("And where are you?"), WaitForSilence(), HangUp()
        )
        assert report.ok, report.problems
        first, second = stage.moonshot.chats
        assert HOURS in str(first.messages)
        assert HOURS not in str(second.messages), "every later request would be refused for it"
        assert [turn["cause"] for turn in stage.named("turn")] == ["greeting", "apology", "user"]

"""The adapter against its stand-in over real sockets, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import structlog.testing
from pydantic import SecretStr

from moonwire.errors import (
    CredentialError,
    ModelUnavailableError,
    QuotaError,
    RateLimitError,
    RequestRejectedError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TextToSpeech, Voice
from moonwire.sandbox.cartesia import CartesiaFaults, CartesiaSimulator, ErrorEvent
from moonwire.sandbox.contracts.tts import RecordingListener
from moonwire.sandbox.virtual_time import elapse, virtual_time
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts import open_tts

KEY = "sk_car_0123456789"
SYNTHESIZER = Synthesizer(vendor="cartesia", voice="f786b574-daa5-4673-aa0c-cbe3e8534c02", language="en-US")


@dataclass
class Rig:
    simulator: CartesiaSimulator
    tts: TextToSpeech
    voice: Voice

    def say(self, *pieces: str, finish: bool = True) -> tuple[RecordingListener, Any]:
        ear = RecordingListener()
        utterance = self.voice.speak(ear)
        for piece in pieces:
            utterance.send_text(piece)
        if finish:
            utterance.finish()
        return ear, utterance

    async def connected(self) -> None:
        await self.simulator.records.wait_until(lambda: bool(self.simulator.records.open_sessions))

    def contexts(self) -> list[str]:
        ids = [item.message["context_id"] for item in self.simulator.records.received]
        return list(dict.fromkeys(ids))


@asynccontextmanager
async def rig(faults: CartesiaFaults | None = None, *, key: str = KEY, **simulator_options: Any) -> AsyncGenerator[Rig]:
    options: dict[str, Any] = {"first_chunk_s": 0.09, "rtf": 8.0, "voice": "tone", **simulator_options}
    simulator = CartesiaSimulator(keys=[KEY], **options)
    simulator.faults = faults or CartesiaFaults()
    base_url = await simulator.start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        credential = VendorCredential("cartesia", secrets={"api_key": SecretStr(key)}, fields={"base_url": base_url})
        tts = open_tts(credential, http)
        voice = tts.open(SYNTHESIZER)
        try:
            yield Rig(simulator, tts, voice)
        finally:
            await voice.close()
            await simulator.stop()


def now_s() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_one_connection_with_pinned_version_and_key_in_the_header() -> None:
    async with rig() as r:
        for _ in range(3):
            ear, _ = r.say("Hello.")
            await ear.over()
        handshake, *more = r.simulator.records.handshakes
        assert not more
        assert (handshake.path, handshake.version, handshake.key) == ("/tts/websocket", "2026-03-01", KEY)
        assert len(r.contexts()) == 3


@virtual_time
async def test_text_before_the_connection_is_spoken_in_order() -> None:
    async with rig() as r:
        ear, _ = r.say("Hello there, ", "how are ", "you?")
        await ear.over()
        assert r.simulator.records.transcripts == ["Hello there, ", "how are ", "you?"]
        assert ear.said == ["Hello", "there,", "how", "are", "you?"]
        assert len(ear.audio) / 8000 == pytest.approx(0.06 * (12 + 7 + 4), abs=0.01)


@virtual_time
async def test_blanks_wait_for_the_next_words() -> None:
    async with rig() as r:
        ear, _ = r.say("Hello", " ", "", "there.", " ")
        await ear.over()
        assert r.simulator.records.transcripts == ["Hello", " there."]


@virtual_time
async def test_a_pause_longer_than_a_contexts_life_continues_in_a_new_one() -> None:
    async with rig() as r:
        ear, utterance = r.say("Let me look that up. ", finish=False)
        await ear.first_audio()
        await elapse(8)
        spoken_s = len(ear.audio) / 8000
        utterance.send_text("Here it is.")
        utterance.finish()
        await ear.over()
        assert ear.failure is None
        assert len(r.contexts()) == 2
        here = next(word for word in ear.words if word.text == "Here")
        assert here.start_s == pytest.approx(spoken_s, abs=0.001)
        assert ear.done == 1


@virtual_time
async def test_finishing_after_the_context_has_expired_is_just_done() -> None:
    async with rig() as r:
        ear, utterance = r.say("That was all.", finish=False)
        await elapse(8)
        utterance.finish()
        await ear.over(0.5)
        assert (ear.done, ear.failure) == (1, None)


@virtual_time
async def test_a_short_pause_stays_in_the_context() -> None:
    async with rig(rtf=0.0) as r:
        ear, utterance = r.say("One. ", finish=False)
        await ear.first_audio()
        await elapse(0.7)
        utterance.send_text("Two.")
        utterance.finish()
        await ear.over()
        assert len(r.contexts()) == 1
        assert ear.said == ["One.", "Two."]


@virtual_time
async def test_cancel_is_sent_and_stray_messages_find_nobody() -> None:
    async with rig() as r:
        first, utterance = r.say("This sentence is long enough to be interrupted by somebody.")
        await first.first_audio()
        utterance.cancel()
        chunks = first.chunks
        second, _ = r.say("Yes?")
        await second.over()
        records = r.simulator.records
        assert {"context_id": r.contexts()[0], "cancel": True} in [item.message for item in records.received]
        assert (first.chunks, first.done, first.failure) == (chunks, 0, None)
        assert len(second.audio) / 8000 == pytest.approx(0.24, abs=0.01)


@virtual_time
async def test_cancel_before_anything_was_sent_sends_nothing() -> None:
    async with rig() as r:
        await r.connected()
        _, utterance = r.say(finish=False)
        utterance.cancel()
        utterance.send_text("never")
        utterance.finish()
        await elapse(1)
        assert r.simulator.records.received == []


@virtual_time
async def test_idle_close_after_five_minutes_reopens_lazily_without_error() -> None:
    async with rig() as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        await elapse(360)
        assert r.simulator.records.open_sessions == []
        assert len(r.simulator.records.handshakes) == 1
        ear, _ = r.say("Still here.")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)
        assert len(r.simulator.records.handshakes) == 2


@virtual_time
async def test_a_connection_lost_before_audio_is_made_again_and_the_text_said_once_more() -> None:
    async with rig(CartesiaFaults(drop_tcp_after_chunks=0, drop_times=1)) as r:
        ear, _ = r.say("Good morning, ", "how are you?")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)
        assert ear.said == ["Good", "morning,", "how", "are", "you?"]
        assert len(r.simulator.records.handshakes) == 2


@virtual_time
async def test_a_connection_lost_again_is_a_failure() -> None:
    async with rig(CartesiaFaults(drop_tcp_after_chunks=0)) as r:
        started_s = now_s()
        ear, _ = r.say("Good morning.")
        await ear.over()
        assert isinstance(ear.failure, VendorUnavailableError)
        assert now_s() - started_s < 4
        assert len(r.simulator.records.transcripts) == 2


@virtual_time
async def test_a_connection_lost_in_mid_sentence_is_a_failure_and_the_next_utterance_speaks() -> None:
    async with rig(CartesiaFaults(drop_tcp_after_chunks=2, drop_times=1)) as r:
        ear, _ = r.say("A sentence that is cut off in its middle by a broken wire.")
        await ear.over()
        assert isinstance(ear.failure, VendorUnavailableError)
        assert ear.audio
        after, _ = r.say("Sorry.")
        await after.over()
        assert (after.done, after.failure) == (1, None)


@virtual_time
async def test_a_connection_lost_between_texts_costs_nothing() -> None:
    async with rig(rtf=0.0) as r:
        ear, utterance = r.say("One moment. ", finish=False)
        await ear.first_audio()
        await elapse(0.2)
        r.simulator.drop_all()
        await elapse(0.1)
        utterance.send_text("Found it.")
        utterance.finish()
        await ear.over()
        assert ear.failure is None
        assert ear.said == ["One", "moment.", "Found", "it."]


@pytest.mark.parametrize(
    "faults",
    [CartesiaFaults(stall=True), CartesiaFaults(stall_after_chunks=2), CartesiaFaults(hang_handshake=True)],
    ids=["never a word", "stops in the middle", "never upgrades"],
)
@virtual_time
async def test_a_stall_is_told_within_four_seconds_and_the_connection_replaced(faults: CartesiaFaults) -> None:
    async with rig(faults) as r:
        started_s = now_s()
        ear, _ = r.say("A sentence that never comes to its end, whatever one does.")
        await ear.over()
        assert isinstance(ear.failure, VendorTimeoutError | VendorUnavailableError)
        assert now_s() - started_s <= 4.0
        r.simulator.faults = CartesiaFaults()
        after, _ = r.say("Sorry.")
        await after.over()
        assert after.failure is None


@virtual_time
async def test_a_pause_of_the_model_is_no_stall() -> None:
    async with rig() as r:
        ear, utterance = r.say("Hm. ", finish=False)
        await elapse(30)
        assert ear.failure is None
        utterance.send_text("Yes.")
        utterance.finish()
        await ear.over()
        assert ear.said == ["Hm.", "Yes."]


@virtual_time
async def test_a_missing_done_is_forgiven_when_all_texts_were_flushed() -> None:
    async with rig(CartesiaFaults(no_done=True)) as r:
        ear, _ = r.say("All of it was spoken.")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)


@pytest.mark.parametrize(
    "faults",
    [
        CartesiaFaults(unknown_types=True),
        CartesiaFaults(extra_fields=True),
        CartesiaFaults(malformed=True),
        CartesiaFaults(odd_splits=True),
        CartesiaFaults(no_flush_done=True),
        CartesiaFaults(no_timestamps=True),
    ],
)
@virtual_time
async def test_surprises_on_the_wire_change_nothing(faults: CartesiaFaults) -> None:
    async with rig(faults) as r:
        ear, _ = r.say("Good morning, ", "everybody.")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)
        assert len(ear.audio) / 8000 == pytest.approx(0.06 * 23, abs=0.02)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, CredentialError), (402, QuotaError), (403, CredentialError), (400, RequestRejectedError)],
)
@virtual_time
async def test_a_refusal_is_told_at_once_and_not_retried(status: int, kind: type[Exception]) -> None:
    async with rig(CartesiaFaults(refuse_status=status)) as r:
        started_s = now_s()
        ear, _ = r.say("Hello.")
        await ear.over()
        again, _ = r.say("Hello?")
        await again.over()
        assert type(ear.failure) is type(again.failure) is kind
        assert ear.failure is not None
        assert ear.failure.status == status
        assert ear.failure.request_id
        assert KEY not in repr(ear.failure) + str(ear.failure) + repr(ear.failure.__context__)
        assert now_s() - started_s < 0.5
        assert len(r.simulator.records.handshakes) == 1


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitError), (503, VendorUnavailableError)])
@virtual_time
async def test_a_passing_refusal_is_retried_and_told_in_time_when_it_lasts(status: int, kind: type[Exception]) -> None:
    async with rig(CartesiaFaults(refuse_status=status, refuse_times=2)) as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        assert ear.failure is None
    async with rig(CartesiaFaults(refuse_status=status)) as r:
        started_s = now_s()
        ear, _ = r.say("Hello.")
        await ear.over()
        assert type(ear.failure) is kind
        assert now_s() - started_s <= 4.0


@virtual_time
async def test_the_key_does_not_follow_a_redirect() -> None:
    elsewhere = CartesiaSimulator(keys=[KEY], voice="tone")
    address = (await elsewhere.start()).replace("ws://", "http://") + "/tts/websocket"
    async with rig(CartesiaFaults(redirect_to=address)) as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        assert isinstance(ear.failure, RequestRejectedError)
        assert "base_url" in str(ear.failure)
        assert elsewhere.records.handshakes == []
    await elsewhere.stop()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (ErrorEvent(status=404, error_code="model_not_found", title="Model not found"), ModelUnavailableError),
        (ErrorEvent(status=400, title="Invalid request", message="language"), RequestRejectedError),
        (ErrorEvent(status=402, title="Out of credits"), QuotaError),
        (ErrorEvent(status=400, title="Invalid request", with_context_id=False), RequestRejectedError),
    ],
)
@virtual_time
async def test_error_events_become_our_errors(event: ErrorEvent, kind: type[Exception]) -> None:
    async with rig(CartesiaFaults(errors=[event])) as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        assert type(ear.failure) is kind
        after, _ = r.say("Sorry.")
        await after.over()
        assert after.failure is None


@virtual_time
async def test_a_server_error_before_audio_is_tried_once_more() -> None:
    async with rig(CartesiaFaults(errors=[ErrorEvent(status=500)])) as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)


@virtual_time
async def test_a_full_plan_is_waited_for_briefly_then_told() -> None:
    busy = ErrorEvent(status=429, error_code="concurrency_limited", title="Too many concurrent requests")
    async with rig(CartesiaFaults(errors=[busy, busy])) as r:
        ear, _ = r.say("Hello ", "there.")
        await ear.over()
        assert (ear.done, ear.failure) == (1, None)
        assert ear.said == ["Hello", "there."]
    async with rig(CartesiaFaults(errors=[busy] * 9)) as r:
        ear, _ = r.say("Hello.")
        await ear.over()
        assert isinstance(ear.failure, RateLimitError)


@virtual_time
async def test_a_model_named_as_voice_warns_once() -> None:
    async with rig() as r:
        with structlog.testing.capture_logs() as lines:
            for _ in range(2):
                voice = r.tts.open(Synthesizer(vendor="cartesia", voice="sonic-english"))
                ear = RecordingListener()
                utterance = voice.speak(ear)
                utterance.send_text("Hello.")
                utterance.finish()
                await ear.over()
                await voice.close()
                assert ear.failure is None
        assert len([line for line in lines if line.get("asked") == "sonic-english"]) == 1


@virtual_time
async def test_an_impossible_voice_fails_every_utterance_without_connecting() -> None:
    async with rig() as r:
        voice = r.tts.open(Synthesizer(vendor="cartesia", voice="Joanna"))
        kept, dropped = RecordingListener(), RecordingListener()
        utterance = voice.speak(kept)
        utterance.send_text("Hello.")
        utterance.finish()
        voice.speak(dropped).cancel()
        await kept.over()
        assert isinstance(kept.failure, RequestRejectedError)
        assert dropped.failure is None
        await voice.close()


@virtual_time
async def test_close_is_bounded_and_leaves_nothing() -> None:
    async with rig(CartesiaFaults(stall=True)) as r:
        await r.connected()
        ear, _ = r.say("Hello.")
        started_s = now_s()
        await r.voice.close()
        assert now_s() - started_s < 2
        await elapse(10)
        assert (ear.done, ear.failure) == (0, None)
        await r.simulator.records.wait_until(lambda: not r.simulator.records.open_sessions)


@virtual_time
async def test_connections_that_end_at_once_are_not_made_for_ever() -> None:
    async with rig(CartesiaFaults(close_after_s=0.01)) as r:
        await elapse(60)
        assert len(r.simulator.records.handshakes) <= 3

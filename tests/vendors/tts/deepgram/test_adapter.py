from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from moonwire.errors import QuotaError, RequestRejectedError, VendorTimeoutError, VendorUnavailableError
from moonwire.ports.tts import Voice
from moonwire.sandbox.contracts.tts import RecordingListener
from moonwire.sandbox.deepgramaura import AuraSimulator
from moonwire.spec.components import Synthesizer

from .conftest import OpenAccount


@pytest.fixture
async def voice(simulator: AuraSimulator, open_account: OpenAccount, synthesizer: Synthesizer) -> AsyncIterator[Voice]:
    account = await open_account(await simulator.start())
    opened = account.open(synthesizer)
    yield opened
    await opened.close()


async def speak(voice: Voice, *pieces: str) -> RecordingListener:
    ear = RecordingListener()
    utterance = voice.speak(ear)
    for piece in pieces:
        utterance.send_text(piece)
    utterance.finish()
    await ear.over()
    assert ear.calls_after_end == 0
    return ear


async def test_wire_of_one_reply(simulator: AuraSimulator, voice: Voice) -> None:
    ear = await speak(voice, "Good morning,", " how are you?")
    assert ear.done == 1
    texts = [message.get("text") for message in simulator.records.received if message["type"] == "Speak"]
    assert texts == ["Good morning, ", " how are you? "]
    path, status = simulator.records.handshakes[0]
    assert path == "/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
    assert status == 101


async def test_stray_audio_after_clear_is_dropped(simulator: AuraSimulator, voice: Voice) -> None:
    simulator.faults.stray_frames = 20
    first, second = RecordingListener(), RecordingListener()
    utterance = voice.speak(first)
    utterance.send_text("This is a long sentence that the caller interrupts, and its audio keeps coming for a while.")
    await first.first_audio()
    utterance.cancel()
    following = voice.speak(second)
    following.send_text("Yes?")
    following.finish()
    await second.over()
    assert "Clear" in simulator.records.types()
    assert second.done == 1
    assert len(second.audio) <= 0.3 * 8000


async def test_unanswered_clear_costs_a_connection(
    simulator: AuraSimulator, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.deepgram.adapter._CLEARED_WITHIN_S", 0.2)
    simulator.faults.no_cleared = True
    first = RecordingListener()
    utterance = voice.speak(first)
    utterance.send_text("This is a long sentence that the caller interrupts.")
    utterance.cancel()
    ear = await speak(voice, "Here I am.")
    assert ear.done == 1
    assert len(simulator.records.handshakes) <= 2


async def test_second_utterance_waits_for_the_first(simulator: AuraSimulator, voice: Voice) -> None:
    ears = [RecordingListener() for _ in range(3)]
    utterances = [voice.speak(ear) for ear in ears]
    for utterance in utterances:
        utterance.send_text("Same text.")
    for utterance in utterances:
        utterance.finish()
    for ear in ears:
        await ear.over()
    assert len({len(ear.audio) for ear in ears}) == 1
    assert all(ear.done == 1 for ear in ears)


async def test_flushes_stay_below_the_limit(simulator: AuraSimulator, voice: Voice) -> None:
    """Thirty clauses in one go, then a few replies: no warning, nothing lost."""
    ear = await speak(voice, *(f"Number {number}, " for number in range(30)))
    assert ear.done == 1
    for _ in range(4):
        assert (await speak(voice, "And more.")).done == 1
    assert simulator.records.warnings == []
    assert simulator.records.types().count("Flush") <= 20


async def test_long_text_is_cut(simulator: AuraSimulator, voice: Voice) -> None:
    ear = await speak(voice, "word " * 700)
    assert ear.done == 1
    texts = [message["text"] for message in simulator.records.received if message["type"] == "Speak"]
    assert max(map(len, texts)) <= 2000
    assert "".join(texts).split() == ["word"] * 700


async def test_silence_is_a_timeout(simulator: AuraSimulator, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.deepgram.utterance.STALL_LIMIT_S", 0.2)
    simulator.faults.stall = True
    ear = await speak(voice, "Hello?")
    assert isinstance(ear.failure, VendorTimeoutError)
    simulator.faults.stall = False
    assert (await speak(voice, "Better now.")).done == 1
    assert len(simulator.records.handshakes) == 2


async def test_lost_before_audio_is_said_again_once(simulator: AuraSimulator, voice: Voice) -> None:
    simulator.faults.drop_after_frames, simulator.faults.drop_times = 0, 1
    assert (await speak(voice, "Say this twice if need be.")).done == 1
    assert len(simulator.records.handshakes) == 2


async def test_lost_in_the_middle_fails(simulator: AuraSimulator, voice: Voice) -> None:
    simulator.faults.drop_after_frames = 2
    ear = await speak(voice, "This sentence is cut by a lost connection in its middle.")
    assert isinstance(ear.failure, VendorUnavailableError)


async def test_closed_while_idle_is_opened_again(simulator: AuraSimulator, voice: Voice) -> None:
    await speak(voice, "First.")
    simulator.drop_connections()
    assert (await speak(voice, "Second.")).done == 1


async def test_text_that_is_not_finished_waits_without_a_timeout(
    simulator: AuraSimulator, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.deepgram.utterance.STALL_LIMIT_S", 0.1)
    ear = RecordingListener()
    utterance = voice.speak(ear)
    utterance.send_text("Let me look that up. ")
    await ear.first_audio()
    with pytest.raises(TimeoutError):
        await ear.over(0.4)
    utterance.send_text("Here it is.")
    utterance.finish()
    await ear.over()
    assert ear.done == 1


@pytest.mark.parametrize(("status", "kind"), [(402, QuotaError), (400, RequestRejectedError)])
async def test_refusals(
    status: int, kind: type[Exception], simulator: AuraSimulator, open_account: OpenAccount
) -> None:
    simulator.faults.refuse_status = status
    voice = (await open_account(await simulator.start())).open(Synthesizer(vendor="deepgram"))
    ear = await speak(voice, "Hello.")
    assert isinstance(ear.failure, kind)
    await voice.close()


async def test_error_message(simulator: AuraSimulator, voice: Voice) -> None:
    simulator.faults.error = "DATA-0001"
    ear = await speak(voice, "Hello.")
    assert isinstance(ear.failure, RequestRejectedError)


async def test_oddities_do_no_harm(simulator: AuraSimulator, voice: Voice) -> None:
    simulator.faults.unknown_types = True
    assert (await speak(voice, "All is well.")).done == 1


async def test_wrong_voice_is_named(simulator: AuraSimulator, open_account: OpenAccount) -> None:
    voice = (await open_account(await simulator.start())).open(Synthesizer(vendor="deepgram", voice="flux-alexis-en"))
    ear = await speak(voice, "Hello.")
    assert "synthesizer.voice" in str(ear.failure)
    await voice.close()

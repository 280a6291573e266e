from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moonwire.errors import CredentialError, QuotaError, RequestRejectedError, VendorUnavailableError
from moonwire.ports.tts import Voice
from moonwire.sandbox.contracts.tts import RecordingListener
from moonwire.sandbox.elevenlabs import ElevenLabsSimulator
from moonwire.spec.components import Synthesizer

from .conftest import OpenAccount


@pytest.fixture
async def voice(
    simulator: ElevenLabsSimulator, open_account: OpenAccount, synthesizer: Synthesizer
) -> AsyncIterator[Voice]:
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


def messages(simulator: ElevenLabsSimulator) -> list[dict[str, Any]]:
    return [one.message for one in simulator.records.received]


async def test_wire_of_one_reply(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    ear = await speak(voice, "Good morning,", " how are you?")
    sent = messages(simulator)
    context_id = sent[0]["context_id"]
    assert sent[0] == {"text": " ", "context_id": context_id}
    assert [message.get("text") for message in sent[1:3]] == ["Good morning, ", " how are you? "]
    assert sent[3] == {"text": "", "context_id": context_id, "flush": True}
    assert sent[4] == {"context_id": context_id, "close_context": True}
    assert ear.said == ["Good", "morning,", "how", "are", "you?"]
    path, query, status = simulator.records.handshakes[0]
    assert (path, status) == ("/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/multi-stream-input", 101)
    assert query == {
        "model_id": "eleven_flash_v2_5",
        "output_format": "ulaw_8000",
        "auto_mode": "true",
        "sync_alignment": "true",
        "inactivity_timeout": "180",
        "language_code": "en",
    }


async def test_words_lie_where_they_sound(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    """60 ms per character: a word's place follows from the letters before it, over all chunks."""
    ear = await speak(voice, "One two three four. ", "Five.")
    expected_s = [0.0, 0.24, 0.48, 0.84, 1.2]
    assert all(abs(word.start_s - at_s) < 0.07 for word, at_s in zip(ear.words, expected_s, strict=True))
    assert abs(ear.words[-1].end_s - 1.5) < 0.15


async def test_context_is_opened_with_the_first_text_only(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    for _ in range(12):
        voice.speak(RecordingListener()).cancel()
    await speak(voice, "Here I am.")
    assert simulator.records.most_contexts == 1
    assert len({message["context_id"] for message in messages(simulator)}) == 1


async def test_many_interruptions_stay_below_the_limit(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    for _ in range(12):
        ear = RecordingListener()
        utterance = voice.speak(ear)
        utterance.send_text("This is a sentence that the caller interrupts at once.")
        await ear.first_audio()
        utterance.cancel()
    ear = await speak(voice, "Yes?")
    assert ear.failure is None
    assert simulator.records.most_contexts <= 5
    opened = {message["context_id"] for message in messages(simulator)}
    closed = {message["context_id"] for message in messages(simulator) if message.get("close_context")}
    assert opened == closed


async def test_a_sixth_context_waits_for_room(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    ears = [RecordingListener() for _ in range(7)]
    utterances = [voice.speak(ear) for ear in ears]
    for utterance in utterances:
        utterance.send_text("All at once. ")
    for utterance in utterances:
        utterance.finish()
    for ear in ears:
        await ear.over()
    assert all(ear.done == 1 and ear.audio for ear in ears)
    assert simulator.records.most_contexts == 5


@pytest.mark.parametrize("fault", ["snake_case", "unknown_types", "malformed", "no_alignment"])
async def test_oddities_do_no_harm(fault: str, simulator: ElevenLabsSimulator, voice: Voice) -> None:
    setattr(simulator.faults, fault, True)
    ear = await speak(voice, "Good morning, ", "how are you?")
    assert ear.failure is None
    assert len(ear.audio) > 8000
    assert ear.said == ([] if fault == "no_alignment" else ["Good", "morning,", "how", "are", "you?"])


async def test_end_without_final(simulator: ElevenLabsSimulator, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.elevenlabs.utterance.STALL_LIMIT_S", 0.3)
    simulator.faults.no_final = True
    ear = await speak(voice, "That was all.")
    assert ear.failure is None
    assert ear.done == 1


async def test_lost_before_audio_is_said_again_once(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    simulator.faults.drop_after_chunks, simulator.faults.drop_times = 0, 1
    ear = await speak(voice, "Say this twice if need be.")
    assert ear.failure is None
    assert len(simulator.records.handshakes) == 2


async def test_lost_in_the_middle_fails(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    simulator.faults.drop_after_chunks = 2
    ear = await speak(voice, "This sentence is cut by a lost connection in its middle.")
    assert isinstance(ear.failure, VendorUnavailableError)


async def test_closed_while_idle_is_opened_again(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    await speak(voice, "First.")
    simulator.drop_connections()
    ear = await speak(voice, "Second.")
    assert ear.failure is None


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Invalid API key", CredentialError),
        ("quota_exceeded: no credits left", QuotaError),
        ("A voice with this voice_id does not exist", RequestRejectedError),
    ],
)
async def test_reasons_of_a_close_are_understood(
    reason: str, kind: type[Exception], simulator: ElevenLabsSimulator, voice: Voice
) -> None:
    simulator.faults.close_at_once = reason
    simulator.drop_connections()
    ear = await speak(voice, "Hello.")
    assert isinstance(ear.failure, kind)
    assert ear.failure.remedy


async def test_error_message(simulator: ElevenLabsSimulator, voice: Voice) -> None:
    simulator.faults.error = "quota_exceeded"
    ear = await speak(voice, "Hello.")
    assert isinstance(ear.failure, QuotaError)


async def test_closes_politely(simulator: ElevenLabsSimulator, open_account: OpenAccount) -> None:
    voice = (await open_account(await simulator.start())).open(Synthesizer(vendor="elevenlabs"))
    await speak(voice, "Bye.")
    async with asyncio.timeout(1.0):
        await voice.close()
    assert messages(simulator)[-1] == {"close_socket": True}
    await simulator.until(lambda: simulator.records.close_codes == [1000])


async def test_wrong_voice_is_named(simulator: ElevenLabsSimulator, open_account: OpenAccount) -> None:
    account = await open_account(await simulator.start())
    voice = account.open(Synthesizer(vendor="elevenlabs", voice="no/such voice"))
    ear = await speak(voice, "Hello.")
    assert isinstance(ear.failure, RequestRejectedError)
    assert "synthesizer.voice" in str(ear.failure)
    await voice.close()

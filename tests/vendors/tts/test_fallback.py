from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TextToSpeech
from moonwire.sandbox.cartesia import CartesiaSimulator
from moonwire.sandbox.contracts.tts import RecordingListener
from moonwire.sandbox.elevenlabs import ElevenLabsSimulator
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts import open_tts
from moonwire.vendors.tts.fallback import FallbackTextToSpeech


@dataclass
class Pair:
    """Two simulated vendors, and what switched between them."""

    first: ElevenLabsSimulator
    other: CartesiaSimulator
    account: TextToSpeech
    switches: list[VendorError]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    first = ElevenLabsSimulator(first_chunk_s=0.0, rtf=0.0, voice="tone")
    other = CartesiaSimulator(keys=["k"], first_chunk_s=0.0, rtf=0.0, voice="tone")
    switches: list[VendorError] = []

    def account(vendor: str, url: str) -> TextToSpeech:
        secrets = {"api_key": SecretStr("k")}
        return open_tts(VendorCredential(vendor, secrets=secrets, fields={"base_url": url}), http)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        both = FallbackTextToSpeech(
            account("elevenlabs", await first.start()),
            account("cartesia", await other.start()),
            Synthesizer(vendor="cartesia"),
            switches.append,
        )
        yield Pair(first, other, both, switches)
        await first.stop()
        await other.stop()


async def speak(pair: Pair, *replies: str) -> list[RecordingListener]:
    voice = pair.account.open(Synthesizer(vendor="elevenlabs"))
    ears: list[RecordingListener] = []
    for reply in replies:
        ear = RecordingListener()
        utterance = voice.speak(ear)
        for word in reply.split():
            utterance.send_text(f"{word} ")
        utterance.finish()
        await ear.over()
        assert ear.calls_after_end == 0
        ears.append(ear)
    await voice.close()
    return ears


async def test_healthy_first_vendor_is_left_alone(pair: Pair) -> None:
    [ear] = await speak(pair, "All is well.")
    assert ear.said == ["All", "is", "well."]
    assert not pair.switches
    assert not pair.other.records.handshakes


async def test_other_vendor_says_it_all_and_stays(pair: Pair) -> None:
    pair.first.faults.refuse_status = 402
    ears = await speak(pair, "Say this all.", "And this.")
    assert [ear.said for ear in ears] == [["Say", "this", "all."], ["And", "this."]]
    assert len(pair.switches) == 1


async def test_slow_vendor_is_left(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.fallback.AUDIBLE_WITHIN_S", 0.2)
    pair.first.faults.stall = True
    [ear] = await speak(pair, "Somebody must say this.")
    assert ear.done == 1
    assert len(pair.switches) == 1


async def test_broken_off_reply_fails_and_the_next_is_spoken(pair: Pair) -> None:
    pair.first.faults.drop_after_chunks = 1
    broken, following = await speak(pair, "This sentence is cut in its middle by a loss.", "This one is not.")
    assert broken.failure is not None
    assert following.done == 1
    assert len(pair.switches) == 1


async def test_cancelled_reply_switches_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonwire.vendors.tts.fallback.AUDIBLE_WITHIN_S", 0.1)
    pair.first.faults.stall = True
    voice = pair.account.open(Synthesizer(vendor="elevenlabs"))
    ear = RecordingListener()
    utterance = voice.speak(ear)
    utterance.send_text("Never mind.")
    utterance.cancel()
    with pytest.raises(TimeoutError):
        await ear.over(0.3)
    await voice.close()
    assert not pair.switches


async def test_nothing_to_say_is_no_failure(pair: Pair) -> None:
    ears = await speak(pair, "", "...")
    assert [ear.done for ear in ears] == [1, 1]
    assert not pair.switches

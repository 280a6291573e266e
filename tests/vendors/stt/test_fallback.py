from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.errors import QuotaError, VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SpeechToText, SttStream
from moonwire.sandbox.contracts.stt import RecordingListener
from moonwire.sandbox.deepgram import DeepgramSimulator, Script
from moonwire.sandbox.deepgramflux import FluxSimulator
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt import open_stt
from moonwire.vendors.stt.fallback import FallbackSpeechToText

LOUD = bytes([0x10] * 10 + [0x90] * 10) * 8
QUIET = b"\xff" * 160


@dataclass
class Pair:
    """Two simulated vendors, and what switched between them."""

    first: FluxSimulator
    other: DeepgramSimulator
    account: SpeechToText
    switches: list[VendorError]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    first = FluxSimulator(hearing=Script(["hello from flux"], repeat=True))
    other = DeepgramSimulator(hearing=Script(["hello from nova"], repeat=True))
    switches: list[VendorError] = []

    def account(vendor: str, url: str) -> SpeechToText:
        secrets = {"api_key": SecretStr("k")}
        return open_stt(VendorCredential(vendor, secrets=secrets, fields={"base_url": url}), http)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        both = FallbackSpeechToText(
            account("deepgramflux", await first.start()),
            account("deepgram", await other.start()),
            Recognizer(vendor="deepgram"),
            switches.append,
        )
        yield Pair(first, other, both, switches)
        await first.stop()
        await other.stop()


def say(stream: SttStream) -> None:
    for frame in (LOUD,) * 40 + (QUIET,) * 60:
        stream.send_audio(frame)


async def test_healthy_first_vendor_is_left_alone(pair: Pair) -> None:
    ear = RecordingListener()
    stream = pair.account.open(Recognizer(vendor="deepgramflux"), ear)
    say(stream)
    await ear.until(lambda: ear.turns)
    await stream.close()
    assert ear.turns == ["hello from flux"]
    assert not pair.switches
    assert not pair.other.records


async def test_words_said_before_the_switch_are_heard(pair: Pair) -> None:
    pair.first.set_faults(refuse_status=402)
    ear = RecordingListener()
    stream = pair.account.open(Recognizer(vendor="deepgramflux"), ear)
    say(stream)
    await ear.until(lambda: ear.turns)
    await stream.close()
    assert ear.turns == ["hello from nova"]
    assert [type(error) for error in pair.switches] == [QuotaError]


async def test_loss_of_both_is_told_once(pair: Pair) -> None:
    pair.first.set_faults(refuse_status=401)
    pair.other.set_faults(refuse_status=402)
    ear = RecordingListener()
    stream = pair.account.open(Recognizer(vendor="deepgramflux"), ear)
    await ear.until(lambda: ear.failures)
    await stream.close()
    assert [type(error) for error in ear.failures] == [QuotaError]
    assert len(pair.switches) == 1


async def test_early_end_of_the_lost_vendor_is_taken_back(pair: Pair) -> None:
    ear = RecordingListener()
    stream = pair.account.open(Recognizer(vendor="deepgramflux"), ear)
    await pair.first.until(lambda: bool(pair.first.connections) and bool(pair.first.records[0].sent))
    turn = {"type": "TurnInfo", "turn_index": 0, "transcript": "maybe"}
    await pair.first.connections[0].send({**turn, "event": "EagerEndOfTurn"})
    await ear.until(lambda: ear.early)
    pair.first.set_faults(refuse_status=401)
    pair.first.drop_connections()
    await ear.until(lambda: pair.switches)
    assert ear.resumed == 1
    say(stream)
    await ear.until(lambda: ear.turns)
    await stream.close()


async def test_closing_while_switching(pair: Pair) -> None:
    pair.first.set_faults(refuse_status=401)
    ear = RecordingListener()
    stream = pair.account.open(Recognizer(vendor="deepgramflux"), ear)
    await pair.first.until(lambda: bool(pair.first.refusals))
    await stream.close()
    assert not ear.failures

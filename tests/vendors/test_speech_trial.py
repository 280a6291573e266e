from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.cartesia import CartesiaSimulator
from moonwire.sandbox.deepgram import DeepgramSimulator, Script
from moonwire.vendors.speech_trial import SpeechTrial, try_speech

KEY = "sk-speech-0123456789"


def credential(vendor: str, base_url: str, key: str = KEY) -> VendorCredential:
    return VendorCredential(vendor, secrets={"api_key": SecretStr(key)}, fields={"base_url": base_url})


def stage(trial: SpeechTrial, name: str, kind: str | None = None) -> dict[str, Any]:
    return next(one for one in trial.report["stages"] if one["name"] == name and kind in (None, one["kind"]))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
async def deepgram() -> AsyncIterator[DeepgramSimulator]:
    simulator = DeepgramSimulator(keys=[KEY], hearing=Script(["sorry i did not catch that"], repeat=True))
    yield simulator
    await simulator.stop()


@pytest.fixture
async def cartesia() -> AsyncIterator[CartesiaSimulator]:
    simulator = CartesiaSimulator(keys=[KEY], voice="tone")
    yield simulator
    await simulator.stop()


async def test_healthy_synthesiser(cartesia: CartesiaSimulator, http: aiohttp.ClientSession) -> None:
    trial = await try_speech(credential("cartesia", await cartesia.start()), http)
    assert trial.ok
    assert trial.report["tts"] == {"status": "ok"}
    assert trial.report["stt"] == {"status": "not tested"}
    assert [(one["name"], one["status"]) for one in trial.report["stages"]] == [
        ("input", "ok"),
        ("reach", "ok"),
        ("key", "ok"),
        ("talk", "ok"),
    ]
    assert 0 < trial.report["time_to_first_audio_ms"] < 1000
    assert cartesia.records.closed_sessions == 2 or cartesia.records.open_sessions


async def test_healthy_recogniser(deepgram: DeepgramSimulator, http: aiohttp.ClientSession) -> None:
    trial = await try_speech(credential("deepgram", await deepgram.start()), http)
    assert trial.report["stt"] == {"status": "ok"}
    assert stage(trial, "talk", "stt")["duration_ms"] < 1000
    assert trial.report["tts"] == {"status": "not tested"}
    assert stage(trial, "key", "tts")["code"] == "not-offered"
    assert trial.ok


async def test_only_what_the_account_is_used_for_is_tested(
    deepgram: DeepgramSimulator, http: aiohttp.ClientSession
) -> None:
    account = credential("deepgram", await deepgram.start())
    trial = await try_speech(replace(account, speaks=False), http)
    assert (trial.report["stt"], trial.report["tts"]) == ({"status": "ok"}, {"status": "not tested"})
    assert [one["kind"] for one in trial.report["stages"]] == [None, None, "stt", "stt"]
    trial = await try_speech(replace(account, listens=False, speaks=False), http)
    assert (trial.report["status"], trial.report["stages"]) == ("not_tested", [])


async def test_address_that_offers_nothing_fails(http: aiohttp.ClientSession, cartesia: CartesiaSimulator) -> None:
    trial = await try_speech(credential("deepgram", await cartesia.start()), http)
    assert not trial.ok
    assert trial.reason


async def test_wrong_key(deepgram: DeepgramSimulator, http: aiohttp.ClientSession) -> None:
    trial = await try_speech(credential("deepgram", await deepgram.start(), key="dg-wrong-key"), http)
    assert not trial.ok
    assert trial.report["status"] == "failed"
    key = stage(trial, "key", "stt")
    assert (key["status"], key["code"]) == ("failed", "credential")
    assert "API key" in key["hint"]
    assert key["request_id"]
    assert stage(trial, "talk", "stt")["status"] == "skipped"
    assert trial.report["stt"]["status"] == "fail"
    assert "dg-wrong-key" not in str(trial.report)


async def test_no_words_is_a_warning(
    deepgram: DeepgramSimulator, http: aiohttp.ClientSession, monkeypatch: Any
) -> None:
    monkeypatch.setattr("moonwire.vendors.speech_trial._TALK_LIMIT_S", 1.3)
    deepgram.set_hearing(Script([]))
    trial = await try_speech(credential("deepgram", await deepgram.start()), http)
    assert stage(trial, "talk", "stt")["code"] == "no-words"
    assert trial.report["stt"] == {"status": "ok"}


async def test_silent_vendor(cartesia: CartesiaSimulator, http: aiohttp.ClientSession) -> None:
    cartesia.faults.stall = True
    trial = await try_speech(credential("cartesia", await cartesia.start()), http)
    assert stage(trial, "key")["status"] == "ok"
    assert stage(trial, "talk")["code"] == "vendor-timeout"
    assert trial.report["tts"]["status"] == "fail"


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("wss://no-such-host.invalid", "dns"),
        ("wss://[::1", "input"),
        ("wss://", "input"),
    ],
)
async def test_unreachable(base_url: str, code: str, http: aiohttp.ClientSession) -> None:
    trial = await try_speech(credential("cartesia", base_url), http)
    failed = next(one for one in trial.report["stages"] if one["status"] == "failed")
    assert failed["code"] == code
    assert failed["hint"]
    assert trial.report["tts"]["status"] == "fail"


async def test_refused_and_not_tls(http: aiohttp.ClientSession, cartesia: CartesiaSimulator) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        trial = await try_speech(credential("cartesia", f"ws://127.0.0.1:{nobody.getsockname()[1]}"), http)
        assert stage(trial, "reach")["code"] == "refused"
    plain = (await cartesia.start()).replace("ws://", "wss://")
    assert stage(await try_speech(credential("cartesia", plain), http), "reach")["code"] == "tls"


@pytest.mark.parametrize(("key", "status"), [("", "failed"), ("schlüssel", "failed"), (f" {KEY}\n", "warning")])
async def test_keys_as_people_paste_them(
    key: str, status: str, cartesia: CartesiaSimulator, http: aiohttp.ClientSession
) -> None:
    trial = await try_speech(credential("cartesia", await cartesia.start(), key), http)
    assert stage(trial, "input")["status"] == status
    assert trial.ok == (status == "warning")


async def test_unknown_vendor_is_not_tested(http: aiohttp.ClientSession) -> None:
    trial = await try_speech(credential("acme", ""), http)
    assert trial.report["status"] == "not_tested"
    assert trial.report["tts"] == trial.report["stt"] == {"status": "not tested"}


async def test_leaves_nothing_behind(cartesia: CartesiaSimulator, http: aiohttp.ClientSession) -> None:
    before = asyncio.all_tasks()
    await try_speech(credential("cartesia", await cartesia.start()), http)
    left = [task.get_name() for task in asyncio.all_tasks() - before if "cartesia" in task.get_name()]
    assert not left

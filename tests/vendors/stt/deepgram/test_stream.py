"""The golden sequences of a live recognition, over real sockets against the simulator."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from moonwire.errors import (
    CredentialError,
    ModelUnavailableError,
    QuotaError,
    RateLimitError,
    RequestRejectedError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.sandbox.deepgram import Utterance
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt.deepgram.adapter import DeepgramSpeechToText

from .conftest import KEY, LOUD, QUICK, QUIET, Bench, Ears, say


def result(text: str, start: float, end: float, confidence: float = 0.9, **flags: bool) -> dict[str, Any]:
    words = text.split()
    step = (end - start) / max(1, len(words))
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": end - start,
        "is_final": False,
        "speech_final": False,
        "channel": {
            "alternatives": [
                {
                    "transcript": text,
                    "confidence": 0.9,
                    "words": [
                        {"word": w, "start": start + i * step, "end": start + (i + 1) * step}
                        for i, w in enumerate(words)
                    ],
                }
            ]
        },
        **flags,
    }


async def play(bench: Bench, *messages: dict[str, Any]) -> None:
    await bench.connected()
    for message in messages:
        await bench.simulator.connections[-1].send(message)


async def test_plain_turn(bench: Bench, ears: Ears) -> None:
    bench.hears("what are your opening hours")
    stream = bench.open(ears)
    say(stream, 1.6, 0.5)
    await ears.until_ends(1)
    assert ears.events[0] == ("speech", None)
    assert ears.of("interim")[-1] == "what are your opening hours"
    assert ears.events[-2:] == [("final", "what are your opening hours"), ("end", None)]
    say(stream, 0.0, 1.0)
    bench.hears("thank you")
    say(stream, 1.0, 0.5)
    await ears.until_ends(2)
    assert ears.of("final") == ["what are your opening hours", "thank you"]
    assert len(ears.of("end")) == 2  # the UtteranceEnd after speech_final closed nothing


async def test_audio_before_the_connection_is_kept(bench: Bench, ears: Ears) -> None:
    bench.hears("early bird")
    stream = bench.open(ears)
    say(stream, 1.0, 0.4)  # the handshake has not even begun
    await ears.until_ends(1)
    assert ears.of("final") == ["early bird"]


async def test_pieces_are_given_once_each_and_joined_in_interims(bench: Bench, ears: Ears) -> None:
    bench.open(ears)
    await play(
        bench,
        result("I would like", 0.0, 2.0, is_final=True),
        result("a table", 2.0, 3.0),
        result("a table for two", 2.0, 3.6, is_final=True),
        result("", 3.6, 4.0, is_final=True, speech_final=True),
    )
    await ears.until_ends(1)
    assert ears.of("interim") == ["I would like a table"]
    assert ears.of("final") == ["I would like", "a table for two"]


async def test_noise_is_closed_by_utterance_end(bench: Bench, ears: Ears) -> None:
    bench.hears(Utterance("is anybody there", noisy=True))
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until(lambda: ears.of("final"))
    assert not ears.of("end")
    say(stream, 0.0, 1.0)
    await ears.until_ends(1)
    assert ears.of("final") == ["is anybody there"]


async def test_utterance_end_older_than_the_newest_words_is_stale(bench: Bench, ears: Ears) -> None:
    bench.open(ears)
    await play(
        bench,
        result("one moment", 0.0, 1.5, is_final=True),
        result("I am", 1.5, 2.8),
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.5},
        result("I am back", 1.5, 3.2, is_final=True, speech_final=True),
    )
    await ears.until_ends(1)
    assert [kind for kind, _ in ears.events] == ["final", "interim", "final", "end"]


@pytest.mark.parametrize("answer", ["normal", "empty", "delayed"])
async def test_finalize_is_answered(bench: Bench, ears: Ears, answer: str) -> None:
    bench.simulator.set_faults(finalize=answer, finalize_delay_s=0.05)
    bench.hears("stop")
    stream = bench.open(ears)
    say(stream, 0.6, 0.2)
    stream.finalize()
    await ears.until_ends(1)
    assert ears.of("final") == ["stop"]
    say(stream, 0.0, 1.5)  # endpoint and word gap, both without a meaning now
    bench.hears("go on")
    say(stream, 0.6, 0.4)
    await ears.until_ends(2)
    assert ears.of("final") == ["stop", "go on"]
    assert len(ears.of("end")) == 2


async def test_finalize_without_an_answer_takes_the_interim_words(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(finalize="missing")
    bench.hears("wait a moment please")
    stream = bench.open(ears)
    say(stream, 1.6, 0.1)
    await ears.until(lambda: ears.of("interim"))
    began = time.monotonic()
    stream.finalize()
    await ears.until_ends(1)
    assert time.monotonic() - began >= QUICK.finalize_s * 0.9
    assert ears.of("final") == [ears.of("interim")[-1]]


async def test_a_late_final_gives_only_what_is_new(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(finalize="missing")
    stream = bench.open(ears)
    await play(bench, result("hello", 0.0, 0.4, is_final=True), result("I want to", 0.4, 1.0))
    await ears.until(lambda: ears.of("interim"))
    stream.finalize()
    await ears.until_ends(1)
    await play(bench, result("I want to book a table", 0.4, 2.0, is_final=True, speech_final=True))
    await ears.until_ends(2)
    assert ears.of("final") == ["hello", "I want to", "book a table"]


async def test_finals_that_never_come(bench: Bench, ears: Ears) -> None:
    bench.hears(Utterance("lost in the noise", unsettled=True))
    stream = bench.open(ears)
    say(stream, 1.6, 0.3)
    await ears.until_ends(1)
    assert ears.of("final") == ["lost in the noise"]
    assert "Finalize" in bench.simulator.records[0].types()


async def test_duplicates_unknown_types_and_extra_fields(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(duplicate=True, unknown_types=True, extra_fields=True)
    bench.hears("once only", "and once more")
    stream = bench.open(ears)
    say(stream, 1.0, 1.5)
    await ears.until_ends(1)
    say(stream, 1.0, 1.5)
    await ears.until_ends(2)
    await play(bench, {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 5.0})
    await ears.until(lambda: ears.events[-1][0] == "speech")
    assert ears.of("final") == ["once only", "and once more"]
    assert len(ears.of("end")) == 2


async def test_reconnect_in_the_middle_of_a_word_loses_nothing(bench: Bench, ears: Ears) -> None:
    bench.hears("first of all", "I would like a pizza", "I would like a pizza")
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until_ends(1)
    say(stream, 0.7)
    await ears.until(lambda: "I would" in ears.of("interim"))
    bench.simulator.drop_connections()
    await bench.connected(2)
    say(stream, 0.7, 0.5)
    await ears.until_ends(2)
    assert ears.of("final") == ["first of all", "I would like a pizza"]
    replayed = bytes(bench.simulator.records[1].audio)
    assert replayed.count(LOUD) == 70  # all of the second utterance, nothing of the first


async def test_idle_connection_is_kept_alive_with_text(ears: Ears, bench: Bench) -> None:
    stream = bench.open(ears)
    record = await _first_record(bench)
    await bench.simulator.until(lambda: record.types().count("KeepAlive") >= 2)
    assert bytes(record.audio) == QUIET  # once: KeepAlive does not count before the first audio
    say(stream, 0.4)
    await bench.simulator.until(lambda: record.audio_bytes >= 21 * 160)
    assert not ears.of("failed")


async def _first_record(bench: Bench) -> Any:
    await bench.connected()
    return bench.simulator.records[0]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ModelUnavailableError),
        (401, CredentialError),
        (402, QuotaError),
        (403, ModelUnavailableError),
        (404, RequestRejectedError),
        (429, RateLimitError),
        (503, VendorUnavailableError),
    ],
)
async def test_refusals_reach_the_call_in_time(bench: Bench, ears: Ears, status: int, error: type[VendorError]) -> None:
    bench.simulator.set_faults(refuse_status=status)
    stream = bench.open(ears)
    say(stream, 0.2)
    await ears.until(lambda: ears.of("failed"), within_s=QUICK.outage_s + 0.5)
    [failure] = ears.of("failed")
    assert type(failure) is error
    assert failure.status == status
    assert failure.remedy
    assert failure.request_id
    assert KEY not in str(failure) + failure.remedy
    assert failure.__cause__ is None
    assert (len(bench.simulator.refusals) > 1) == failure.retryable
    stream.send_audio(LOUD)
    stream.finalize()


async def test_a_refusal_that_passes_is_survived(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(refuse_status=503, refuse_times=2)
    bench.hears("still here")
    say(bench.open(ears), 1.0, 0.4)
    await ears.until_ends(1)
    assert ears.of("final") == ["still here"]


async def test_wrong_key(bench: Bench, ears: Ears) -> None:
    bench.simulator.keys = {"another"}
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], CredentialError)
    assert "Invalid credentials" in str(ears.of("failed")[0])


async def test_nobody_listens(bench: Bench, ears: Ears) -> None:
    await bench.simulator.stop()
    began = time.monotonic()
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], VendorUnavailableError)
    assert time.monotonic() - began < QUICK.outage_s + 0.3


async def test_handshake_that_never_ends(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(hang_handshake=True)
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], VendorTimeoutError)


async def test_vendor_that_dies_in_mid_call(bench: Bench, ears: Ears) -> None:
    stream = bench.open(ears)
    say(stream, 0.5)
    await ears.until(lambda: ears.of("speech"))
    await bench.simulator.stop()
    began = time.monotonic()
    await ears.until(lambda: ears.of("failed"))
    assert time.monotonic() - began < QUICK.outage_s + 0.5
    assert len(ears.of("failed")) == 1


async def test_connections_that_close_at_once(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(close_after_s=0.01, close_code=1011, close_reason="NET-0000")
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], VendorUnavailableError)
    assert len(bench.simulator.connections) == 3


async def test_stall_after_finalize_is_found_and_replayed(bench: Bench, ears: Ears) -> None:
    bench.hears("good morning", "nobody answers me", "nobody answers me")
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until_ends(1)
    bench.simulator.set_faults(stall=True)
    say(stream, 1.0, 0.2)
    stream.finalize()
    await bench.connected(2)
    bench.simulator.set_faults(stall=False)
    say(stream, 0.0, 0.4)
    await ears.until_ends(2)
    assert ears.of("final") == ["good morning", "nobody answers me"]


async def test_stall_that_lasts_fails_without_being_asked(bench: Bench, ears: Ears) -> None:
    bench.hears("good morning")
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until_ends(1)
    bench.simulator.set_faults(stall=True)
    say(stream, 1.0, 0.5)
    began = time.monotonic()
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], VendorTimeoutError)
    assert time.monotonic() - began < QUICK.quiet_s + 2 * QUICK.stalled_s + 1.0


async def test_a_short_word_into_a_stalled_connection_is_recognised_by_the_next(bench: Bench, ears: Ears) -> None:
    bench.hears("good morning", "yes", "yes")
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until_ends(1)
    bench.simulator.set_faults(stall=True)
    say(stream, 0.36, 0.3)
    await bench.connected(2)
    bench.simulator.set_faults(stall=False)
    say(stream, 0.0, 0.4)
    await ears.until_ends(2)
    assert ears.of("final") == ["good morning", "yes"]


async def test_a_frozen_vendor_fails_in_time(bench: Bench, ears: Ears) -> None:
    bench.hears("good morning")
    stream = bench.open(ears)
    say(stream, 1.0, 0.5)
    await ears.until_ends(1)
    bench.simulator.set_faults(stall=True, hang_handshake=True)
    say(stream, 1.0, 0.5)
    began = time.monotonic()
    await ears.until(lambda: ears.of("failed"))
    assert time.monotonic() - began < QUICK.quiet_s + QUICK.outage_s + 0.8
    assert len(bench.simulator.connections) == 1


async def test_a_cough_that_nobody_answers_changes_nothing(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(stall=True)
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.4, 0.4)
    stream.finalize()
    record = bench.simulator.records[0]
    await bench.simulator.until(lambda: record.types().count("KeepAlive") >= 3)  # 0.9 s: all limits have passed
    assert len(bench.simulator.connections) == 1
    assert not ears.of("failed")


async def test_short_utterance_and_min_confidence(bench: Bench, ears: Ears) -> None:
    bench.open(ears, deepgram_options={"shortUtterance": True}, min_confidence=0.5)
    await play(
        bench,
        {
            **result("mumble", 0.0, 0.5, is_final=True),
            "channel": {"alternatives": [{"transcript": "mumble", "confidence": 0.2}]},
        },
        result("yes", 0.5, 1.0, is_final=True),
    )
    await ears.until_ends(1)
    assert ears.of("final") == ["yes"]


async def test_close_is_quick_and_silent(bench: Bench, ears: Ears) -> None:
    bench.hears("goodbye")
    stream = bench.open(ears)
    say(stream, 1.0)
    await ears.until(lambda: ears.of("speech"))
    before = list(ears.events)
    await stream.close()
    assert ears.events == before
    record = bench.simulator.records[0]
    assert record.types()[-1] == "CloseStream"
    assert record.close_code == 1000
    await stream.close()


async def test_close_does_not_wait_for_a_dead_vendor(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(hang_handshake=True)
    stream = bench.open(ears)
    began = time.monotonic()
    await stream.close()
    assert time.monotonic() - began < 0.5
    assert not ears.events


async def test_application_host_needs_permission_and_its_own_key(bench: Bench) -> None:
    uri = bench.base_url.removeprefix("ws://")
    refused, own_key_only = Ears(), Ears()
    bench.open(refused, deepgram_options={"deepgramSttUri": uri, "deepgramSttUseTls": False})
    bench.open(own_key_only, deepgram_options={"deepgramSttUri": uri, "deepgramSttUseTls": False, "apiKey": KEY})
    for ears in (refused, own_key_only):
        await ears.until(lambda ears=ears: ears.of("failed"))
        assert isinstance(ears.of("failed")[0], RequestRejectedError)
    assert not bench.simulator.connections


async def test_no_key_and_a_bad_address(bench: Bench) -> None:
    no_key, bad_address = Ears(), Ears()
    recognizer = Recognizer(vendor="deepgram")
    bench.streams += [
        DeepgramSpeechToText(replace(bench.credential(), secrets={}), bench.http).open(recognizer, no_key),
        DeepgramSpeechToText(bench.credential(base_url="ftp://x"), bench.http).open(recognizer, bad_address),
    ]
    await no_key.until(lambda: no_key.of("failed"))
    await bad_address.until(lambda: bad_address.of("failed"))
    assert isinstance(no_key.of("failed")[0], CredentialError)
    assert isinstance(bad_address.of("failed")[0], RequestRejectedError)


async def test_a_listener_that_breaks_ends_in_a_failure_without_a_leak(bench: Bench) -> None:
    class Broken(Ears):
        def on_stt_speech_started(self) -> None:
            raise RuntimeError("bug in the listener")

    ears = Broken()
    say(bench.open(ears), 0.5)
    await ears.until(lambda: ears.of("failed"))
    failed = ears.of("failed")[0]
    assert isinstance(failed, VendorUnavailableError)
    assert "Moonwire itself" in failed.remedy


async def test_no_task_is_left(bench: Bench, ears: Ears) -> None:
    before = len(asyncio.all_tasks())
    stream = bench.open(ears)
    say(stream, 0.5)
    await ears.until(lambda: ears.of("speech"))
    await stream.close()
    await bench.simulator.until(lambda: bench.simulator.records[0].close_code is not None)
    assert len(asyncio.all_tasks()) <= before + 1  # the server's own connection task may still be ending
    assert isinstance(bench.http, aiohttp.ClientSession)


async def test_the_language_that_a_multilingual_model_hears(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(speaks="es")
    bench.hears("Hola.", "Buenos días.")
    stream = bench.open(ears, language="multi")
    await bench.connected()
    say(stream, 0.5, 1.0)
    await ears.until_ends(1)
    say(stream, 0.5, 1.0)
    await ears.until_ends(2)
    assert ears.of("language", "final") == [("language", "es"), ("final", "Hola."), ("final", "Buenos días.")]

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moonwire.errors import CredentialError, QuotaError, VendorTimeoutError, VendorUnavailableError
from moonwire.sandbox.deepgram import Utterance

from .conftest import Bench, Ears, say

EAGER = {"deepgram_options": {"eagerEotThreshold": 0.4, "eotThreshold": 0.8}}


async def test_plain_turn(bench: Bench, ears: Ears) -> None:
    bench.hears("hello there")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.8, 1.0)
    await ears.until_ends(1)
    assert ears.kinds() == ["speech", "final", "end"]
    assert ears.of("final") == ["hello there"]
    record = bench.simulator.records[0]
    assert record.path == "/v2/listen"
    assert ("model", "flux-general-en") in record.query
    assert record.sent[0][1]["type"] == "Connected"
    assert [message["sequence_id"] for _, message in record.sent] == list(range(len(record.sent)))


async def test_eager_end_then_end(bench: Bench, ears: Ears) -> None:
    bench.hears("book a table")
    stream = bench.open(ears, **EAGER)
    say(stream, 0.8, 1.0)
    await ears.until_ends(1)
    assert ears.kinds() == ["speech", "early", "final", "end"]
    assert ears.of("early") == ears.of("final") == ["book a table"]


async def test_eager_end_taken_back(bench: Bench, ears: Ears) -> None:
    bench.hears("book a table for two please")
    stream = bench.open(ears, **EAGER)
    say(stream, 0.6, 0.24)
    say(stream, 0.9, 1.0)
    await ears.until_ends(1)
    assert ears.kinds() == ["speech", "early", "resumed", "early", "final", "end"]
    assert ears.of("final") == ["book a table for two please"]


async def test_missing_audio_is_replaced_by_silence(bench: Bench, ears: Ears) -> None:
    """The vendor's timers run on audio: muted in mid-turn, the turn must end all the same."""
    bench.hears("I said this")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.6)
    await ears.until_ends(1)
    assert ears.of("final") == ["I said this"]
    assert bench.simulator.records[0].audio_bytes > 0.6 * 8000


async def test_no_silence_without_a_turn(bench: Bench, ears: Ears) -> None:
    stream = bench.open(ears)
    await bench.connected()
    record = bench.simulator.records[0]
    await _keep_sending(stream, lambda: record.audio_bytes > 1000, bench, loud=False)
    sent = record.audio_bytes + 800
    with pytest.raises(TimeoutError):
        await bench.simulator.until(lambda: record.audio_bytes > sent, 0.3)


async def test_finalize_forces_the_end(bench: Bench, ears: Ears) -> None:
    bench.hears("wait for nothing")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.6, 0.1)
    await ears.until(lambda: ears.of("interim"))
    stream.finalize()
    await ears.until_ends(1)
    assert ears.of("final") == ["wait for nothing"]
    assert bench.simulator.records[0].types() == ["ForceEndTurn"]


async def test_finalize_without_answer_settles_words_once(bench: Bench, ears: Ears) -> None:
    bench.hears("nobody answers")
    stream = bench.open(ears)
    await bench.connected()
    session = bench.simulator.connections[0]
    await session.send({"type": "TurnInfo", "event": "StartOfTurn", "turn_index": 0, "transcript": "nobody answers"})
    await ears.until(lambda: ears.of("interim"))
    stream.finalize()
    await ears.until_ends(1)
    late = {"type": "TurnInfo", "event": "EndOfTurn", "turn_index": 0, "transcript": "nobody answers me"}
    await session.send(late)
    await session.send(late)
    await ears.until_ends(2)
    assert ears.of("final") == ["nobody answers", "me"]


async def test_end_without_start_counts(bench: Bench, ears: Ears) -> None:
    bench.open(ears)
    await bench.connected()
    session = bench.simulator.connections[0]
    await session.send({"type": "TurnInfo", "event": "EndOfTurn", "turn_index": 3, "transcript": " yes  please "})
    await ears.until_ends(1)
    assert ears.kinds() == ["speech", "final", "end"]
    assert ears.of("final") == ["yes please"]


async def test_noise_ends_by_the_vendors_timeout(bench: Bench, ears: Ears) -> None:
    bench.hears(Utterance("in a noisy street", noisy=True))
    stream = bench.open(ears, deepgram_options={"eotTimeoutMs": 600})
    await bench.connected()
    say(stream, 0.6, 1.0)
    await ears.until_ends(1)
    assert [m["trigger"] for _, m in bench.simulator.records[0].sent if "trigger" in m] == ["timeout"]


async def test_stall_in_a_turn_gives_its_words_and_reconnects(bench: Bench, ears: Ears) -> None:
    bench.hears("the line went dead", "and came back")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.6)
    await ears.until(lambda: ears.of("interim"))
    bench.simulator.set_faults(stall=True)
    await _keep_sending(stream, lambda: len(bench.simulator.connections) > 1, bench, loud=False)
    bench.simulator.set_faults(stall=False)
    await ears.until_ends(1)
    assert len(ears.of("final")) == 1
    assert not ears.of("failed")


async def test_vendor_that_never_answers_again_fails(bench: Bench, ears: Ears) -> None:
    bench.hears("hello")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.0, 0.6)
    await bench.simulator.until(lambda: len(bench.simulator.records[0].sent) > 1)
    bench.simulator.set_faults(stall=True)
    talking = asyncio.create_task(_talk(stream))
    await ears.until(lambda: ears.of("failed"), 8.0)
    talking.cancel()
    assert isinstance(ears.of("failed")[0], VendorTimeoutError)


async def test_lost_connection_in_a_turn(bench: Bench, ears: Ears) -> None:
    bench.hears("one two three four", "one two three four")
    stream = bench.open(ears)
    await bench.connected()
    say(stream, 0.6)
    await ears.until(lambda: ears.of("interim"))
    bench.simulator.drop_connections()
    say(stream, 0.6, 1.0)
    await ears.until_ends(1)
    assert ears.of("final") == ["one two three four"]


async def test_refusals(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(refuse_status=402)
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], QuotaError)
    assert ears.of("failed")[0].vendor == "deepgramflux"


async def test_key_of_the_application(bench: Bench, ears: Ears) -> None:
    bench.open(ears, deepgram_options={"apiKey": "dg-other"})
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], CredentialError)
    assert "dg-other" not in str(ears.of("failed")[0])


async def test_retries_when_busy(bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(refuse_status=429, refuse_times=2)
    bench.hears("here I am")
    stream = bench.open(ears)
    say(stream, 0.6, 1.0)
    await ears.until_ends(1)
    assert len(bench.simulator.refusals) == 2


@pytest.mark.parametrize("fault", [{"no_connected": True}, {"hang_handshake": True}, {"close_after_s": 0.01}])
async def test_vendor_that_never_gets_ready(fault: dict[str, Any], bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(**fault)
    bench.open(ears)
    await ears.until(lambda: ears.of("failed"))
    assert isinstance(ears.of("failed")[0], VendorTimeoutError | VendorUnavailableError)


@pytest.mark.parametrize("fault", [{"duplicate": True}, {"unknown_types": True}, {"extra_fields": True}])
async def test_oddities_do_no_harm(fault: dict[str, Any], bench: Bench, ears: Ears) -> None:
    bench.simulator.set_faults(**fault)
    bench.hears("all is well")
    stream = bench.open(ears, **EAGER)
    say(stream, 0.6, 1.0)
    await ears.until_ends(1)
    assert ears.kinds() == ["speech", "early", "final", "end"]


async def test_languages_can_be_changed(bench: Bench, ears: Ears) -> None:
    stream = bench.open(ears, language="de-DE")
    await bench.connected()
    assert bench.simulator.connections[0].options.language_hints == ["de"]
    stream.expect_languages(["fr-CA", "xx"])
    await bench.simulator.until(lambda: bench.simulator.connections[0].options.language_hints == ["fr"])
    stream.expect_languages(["zh"])
    bench.simulator.drop_connections()
    await bench.connected(2)
    await bench.simulator.until(lambda: bench.simulator.connections[1].options.language_hints == ["fr"])


async def test_one_change_of_languages_at_a_time_and_the_newest_counts(bench: Bench, ears: Ears) -> None:
    stream = bench.open(ears, language="de-DE")
    await bench.connected()
    connection = bench.simulator.connections[0]
    stream.expect_languages(["fr"])
    await bench.simulator.until(lambda: connection.options.language_hints == ["fr"])
    for language in ("it", "pt", "es"):
        stream.expect_languages([language])
    await bench.simulator.until(lambda: connection.options.language_hints == ["es"])
    told = [message["language_hints"] for _, message in connection.record.messages if message["type"] == "Configure"]
    assert told[0] == ["fr"]
    assert told[-1] == ["es"]
    assert ["pt"] not in told


async def _keep_sending(stream: Any, done: Any, bench: Bench, *, loud: bool) -> None:
    talking = asyncio.create_task(_talk(stream, loud=loud))
    try:
        await bench.simulator.until(done, 8.0)
    finally:
        talking.cancel()


async def _talk(stream: Any, *, loud: bool = True) -> None:
    """Speak in real time until cancelled."""
    frame_s = 0.02
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        say(stream, frame_s if loud else 0.0, 0.0 if loud else frame_s)
        due_s += frame_s
        await asyncio.sleep(max(0.0, due_s - loop.time()))

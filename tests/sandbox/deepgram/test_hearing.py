"""What the simulator understands: known phrases at any level and start, other voices with PocketSphinx."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_alaw, encode_ulaw
from moonwire.sandbox.deepgram.fingerprint import KnownPhrases
from moonwire.sandbox.deepgram.handshake import ListenOptions
from moonwire.sandbox.deepgram.hearing import FirstThatKnows, Plausible, Script
from moonwire.sandbox.deepgram.segments import Burst, Endpoint, Onset, Segmenter, WordGap
from moonwire.sandbox.deepgram.sphinx import PhraseRecognizer
from moonwire.sandbox.voices.phrasebook import load_phrasebook

BOOK = load_phrasebook()
MULAW = ListenOptions(encoding="mulaw", sample_rate_hz=8000, endpointing_ms=300, utterance_end_ms=1000)


def bursts(audio: bytes, options: ListenOptions = MULAW) -> list[Burst]:
    segmenter = Segmenter(options, interim_s=0.5, settle_s=4.0)
    found: list[Burst] = []
    for mark in segmenter.take(audio):
        if isinstance(mark, Endpoint) and segmenter.burst is not None:
            found.append(segmenter.burst)
            segmenter.close_burst()
    return found


def on_the_line(speech: bytes, *, gain: float = 1.0, noise: float = 0.0, lead: int = 4000) -> np.ndarray:
    samples = ULAW_TO_PCM[np.frombuffer(speech, np.uint8)] / 32768 * gain
    samples = np.concatenate([np.zeros(lead), samples, np.zeros(6000)])
    samples += noise * np.random.default_rng(1).standard_normal(len(samples))
    return (np.clip(samples, -1, 1) * 32767).astype("<i2")


def words(known: KnownPhrases, audio: bytes) -> str:
    return " ".join(word.text for burst in bursts(audio) for word in known.words(burst))


@pytest.mark.parametrize(("gain", "noise", "lead"), [(1.0, 0.0, 4000), (0.3, 0.0, 4037), (0.6, 0.003, 4099)])
def test_each_phrase_is_known(gain: float, noise: float, lead: int) -> None:
    known = KnownPhrases(BOOK)
    for text, speech in BOOK.items():
        audio = encode_ulaw(on_the_line(speech, gain=gain, noise=noise, lead=lead).tobytes())
        assert words(known, audio) == text


def test_two_phrases_in_one_breath() -> None:
    first, second = list(BOOK)[:2]
    audio = BOOK[first] + b"\xff" * 800 + BOOK[second]
    assert words(KnownPhrases(BOOK), b"\xff" * 4000 + audio + b"\xff" * 4000) == f"{first} {second}"


def test_words_come_as_they_are_said() -> None:
    known = KnownPhrases(BOOK)
    text = max(BOOK, key=lambda phrase: len(BOOK[phrase]))
    [burst] = bursts(b"\xff" * 4000 + BOOK[text] + b"\xff" * 4000)
    half = Burst(burst.start_s, burst.start_s + burst.voiced_s / 2, burst.audio[: len(burst.audio) // 2], burst.rate_hz)
    some = " ".join(word.text for word in known.words(half))
    assert text.startswith(some)
    assert 0 < len(some) < len(text)


def test_what_is_not_in_the_book_is_not_known() -> None:
    fewer = {text: speech for text, speech in BOOK.items() if not text.startswith(("How", "What"))}
    known = KnownPhrases(fewer)
    for text, speech in BOOK.items():
        if text not in fewer:
            assert words(known, b"\xff" * 4000 + speech + b"\xff" * 4000) == ""
    assert words(known, b"\xff" * 4000 + bytes([0x10, 0x10, 0x90, 0x90]) * 4000 + b"\xff" * 4000) == ""


def test_encodings_give_the_same_bursts() -> None:
    pcm = on_the_line(BOOK[next(iter(BOOK))])
    mulaw = bursts(encode_ulaw(pcm.tobytes()))
    alaw = bursts(encode_alaw(pcm.tobytes()), ListenOptions(encoding="alaw", sample_rate_hz=8000, endpointing_ms=300))
    linear = bursts(pcm.tobytes(), ListenOptions(encoding="linear16", sample_rate_hz=8000, endpointing_ms=300))
    places = [[(round(b.start_s, 2), round(b.voiced_until_s, 2)) for b in found] for found in (mulaw, alaw, linear)]
    assert places[0] == places[2]
    assert len(places[0]) == len(places[1])


@given(st.lists(st.tuples(st.sampled_from([b"\x10\x90" * 80, b"\xff" * 160]), st.integers(1, 60)), max_size=12))
def test_marks_come_in_order_and_bursts_do_not_overlap(stretches: Sequence[tuple[bytes, int]]) -> None:
    segmenter = Segmenter(MULAW, interim_s=0.5, settle_s=4.0)
    at_s, open_burst = 0.0, False
    for mark in segmenter.take(b"".join(frame * count for frame, count in stretches)):
        assert mark.at_s >= at_s
        at_s = mark.at_s
        match mark:
            case Onset():
                assert not open_burst
                open_burst = True
            case Endpoint():
                assert open_burst
                open_burst = False
                segmenter.close_burst()
            case WordGap():
                assert not open_burst
            case _:
                pass


@pytest.mark.skipif(not PhraseRecognizer.available(), reason="PocketSphinx is not installed")
async def test_the_recogniser_knows_the_demo_phrases() -> None:
    recognizer = PhraseRecognizer(BOOK)
    try:
        found = []
        for speech in BOOK.values():
            clauses = [await recognizer.recognise(b) for b in bursts(b"\xff" * 4000 + speech + b"\xff" * 4000)]
            found.append(" ".join(clause or "?" for clause in clauses))
    finally:
        await recognizer.stop()
    right = sum(text == heard for text, heard in zip(BOOK, found, strict=True))
    assert right >= len(BOOK) - 2


@pytest.mark.skipif(not PhraseRecognizer.available(), reason="PocketSphinx is not installed")
async def test_the_recogniser_survives_its_childs_death() -> None:
    recognizer = PhraseRecognizer(BOOK)
    [burst] = bursts(b"\xff" * 4000 + BOOK[next(iter(BOOK))] + b"\xff" * 4000)
    try:
        assert await recognizer.recognise(burst)
        child = recognizer._child
        assert child is not None
        child.kill()
        await child.wait()
        assert await recognizer.recognise(burst) is None
        assert await recognizer.recognise(burst)
    finally:
        await recognizer.stop()


async def test_order_of_hearings() -> None:
    speech = BOOK[next(iter(BOOK))]
    [burst] = bursts(b"\xff" * 4000 + speech + b"\xff" * 4000)
    ear = FirstThatKnows(KnownPhrases({}), Script(["scripted"]), Plausible()).ear()
    texts: list[str] = []
    for _ in range(3):
        ear.begin()
        assert ear.so_far(burst) is None
        heard = await ear.whole(burst)
        again = await ear.whole(burst)
        assert heard == again
        assert heard is not None
        texts.append(" ".join(word.text for word in heard.words))
    assert texts == ["scripted", "Hello, can you hear me?", "Can you tell me more about that?"]
    short = Burst(0.0, 0.1, burst.audio[:800], 8000)
    ear.begin()
    assert await ear.whole(short) is None
    await asyncio.sleep(0)


def test_repeating_and_shared_scripts() -> None:
    script = Script(["a", "b"], repeat=True)
    assert [utterance.text for index in range(3) if (utterance := script.at(index))] == ["a", "b", "a"]
    shared = Script(["a"], shared=True)
    assert shared.ear() is shared.ear()
    assert shared.at(1) is None

"""The voice detector on real and synthetic sounds, batched and alone."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonwire.core.audio.frames import FRAME_BYTES, SILENCE_FRAME
from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_ulaw
from moonwire.errors import ConfigError
from moonwire.vendors.vad import create_vad
from moonwire.vendors.vad.silero import model
from moonwire.vendors.vad.silero.detector import SileroVad
from moonwire.vendors.vad.silero.model import SileroModel

HELLO = Path(__file__).with_name("hello.ulaw").read_bytes()
"""2.57 s, "Hello, what are your opening hours?", flite slt; its sound lasts from 0.22 to 2.30 s."""
SECOND = SILENCE_FRAME * 50


@dataclass
class Ears:
    """Remembers when voice began and ended, on the call's audio clock."""

    pushed_samples: int = 0
    began_s: list[float] = field(default_factory=list)
    ended_s: list[float] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_voice_started(self, ago_s: float) -> None:
        self.began_s.append(self.pushed_samples / 8000 - ago_s)
        self.changed.set()

    def on_voice_ended(self, ago_s: float) -> None:
        self.ended_s.append(self.pushed_samples / 8000 - ago_s)
        self.changed.set()


def frames(audio: bytes) -> list[bytes]:
    return [audio[i : i + FRAME_BYTES] for i in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)]


def hear(audio: bytes) -> Ears:
    ears = Ears()
    stream = SileroVad(threaded=False).open(ears)
    for frame in frames(audio):
        ears.pushed_samples += len(frame)
        stream.push(frame)
    return ears


def ulaw(samples: np.ndarray) -> bytes:
    return encode_ulaw((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def tone(hz: float, seconds: float, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)


def test_the_model_file_is_the_published_one() -> None:
    digest = hashlib.sha256(model._FILE.read_bytes()).hexdigest()
    assert digest == "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
    assert "MIT License" in (model._FILE.parent / "LICENSE").read_text()


def test_speech_begins_and_ends_once() -> None:
    ears = hear(SECOND + HELLO + SECOND)
    assert len(ears.began_s) == len(ears.ended_s) == 1
    assert 1.15 < ears.began_s[0] < 1.40
    assert 3.2 < ears.ended_s[0] < 3.6


def test_times_are_exact_in_samples() -> None:
    """A plain loop over single windows gives the same places, in whole windows from the call's first sample."""
    audio = SECOND + HELLO + SECOND + HELLO[3200:] + SECOND
    samples = (ULAW_TO_PCM[np.frombuffer(audio, np.uint8)] / 32768).astype(np.float32)
    silero = SileroModel()
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(32, np.float32)
    began, ended, voice, run, quiet = [], [], False, 0, 0
    for index in range(len(samples) // 256):
        window = samples[index * 256 : (index + 1) * 256]
        [probability], state = silero.run(np.concatenate((context, window))[None], state)
        context = window[-32:]
        run = run + 1 if probability >= 0.5 else 0
        quiet = quiet + 1 if probability < 0.35 else 0
        if not voice and run == 2:
            voice = True
            began.append((index - 1) * 256 / 8000)
        elif voice and quiet == 6:
            voice = False
            ended.append((index - 5) * 256 / 8000)
    ears = hear(audio)
    assert ears.ended_s == pytest.approx(ended)
    assert ears.began_s == pytest.approx(began, abs=0.033)  # the gate may move an onset by one window


@pytest.mark.parametrize(
    "sound",
    [
        SECOND * 3,
        ulaw(0.1 * np.random.default_rng(1).standard_normal(8000 * 4)),
        ulaw(0.01 * np.cumsum(np.random.default_rng(2).standard_normal(8000 * 4))),
        ulaw(np.concatenate([tone(697, 0.1) + tone(1209, 0.1), np.zeros(800)] * 15)),
        ulaw(np.concatenate([tone(440, 1.0) + tone(480, 1.0), np.zeros(8000)] * 2)),
    ],
    ids=["silence", "white noise", "rumble", "DTMF", "ring-back"],
)
def test_what_is_not_voice_gives_no_event(sound: bytes) -> None:
    assert hear(sound).began_s == []


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_another_voice(tmp_path: Path) -> None:
    wav = tmp_path / "a.wav"
    subprocess.run(["espeak-ng", "-w", wav, "Can I book a table for two tomorrow?"], check=True)
    pcm = np.frombuffer(wav.read_bytes()[44:], "<i2") / 32768
    places = np.arange(0, len(pcm) - 1, 22050 / 8000)
    ears = hear(SECOND + ulaw(np.interp(places, np.arange(len(pcm)), pcm)) + SECOND)
    assert ears.began_s
    assert len(ears.began_s) == len(ears.ended_s)


def test_the_gate_saves_most_of_the_silence_and_does_not_delay_the_onset() -> None:
    vad = SileroVad(threaded=False)
    long_pause, short_pause = Ears(), Ears()
    for ears, pause in ((long_pause, SECOND * 10), (short_pause, SILENCE_FRAME * 8)):
        stream = vad.open(ears)
        for frame in frames(pause + HELLO):
            ears.pushed_samples += len(frame)
            stream.push(frame)
        stream.close()
    stats = vad.stats()
    assert stats.windows_run < 0.4 * stats.windows
    assert stats.calls == 0
    onset_s = long_pause.began_s[0] - 10.0
    assert onset_s == pytest.approx(short_pause.began_s[0] - 0.16, abs=0.033)


async def pushed_by_all(vad: SileroVad, ears: list[Ears], sounds: list[bytes], done: Callable[[], bool]) -> None:
    streams = [vad.open(listener) for listener in ears]
    cut = [frames(sound) for sound in sounds]
    for step in range(max(map(len, cut))):
        for listener, stream, sound in zip(ears, streams, cut, strict=True):
            if step < len(sound):
                listener.pushed_samples += FRAME_BYTES
                stream.push(sound[step])
        if step % 8 == 0:
            await vad_idle(vad)
    async with asyncio.timeout(30):
        while not done():
            ears[-1].changed.clear()
            await ears[-1].changed.wait()
    for stream in streams:
        stream.close()


async def vad_idle(vad: SileroVad) -> None:
    """Wait until the thread has taken everything, so that no window is dropped and times can be compared."""
    async with asyncio.timeout(30):
        while vad._waiting:
            await asyncio.sleep(0)


async def test_many_calls_on_the_thread_hear_what_each_hears_alone() -> None:
    sounds = [SILENCE_FRAME * shift + HELLO + SECOND for shift in (0, 3, 7, 11, 13, 17, 19, 23)]
    alone = [hear(sound) for sound in sounds]
    vad, changed = SileroVad(few_calls=0, overload_tick_s=60.0), asyncio.Event()
    vad.start()
    ears = [Ears(changed=changed) for _ in sounds]
    try:
        await pushed_by_all(vad, ears, sounds, lambda: all(e.ended_s for e in ears))
    finally:
        vad.stop()
    stats = vad.stats()
    assert stats.ticks
    assert not stats.windows_dropped
    for together, single in zip(ears, alone, strict=True):
        assert together.began_s == pytest.approx(single.began_s, abs=0.033)
        assert together.ended_s == pytest.approx(single.ended_s, abs=0.033)


async def test_a_closed_call_hears_nothing_and_its_slot_begins_anew() -> None:
    vad = SileroVad()
    vad.start()
    try:
        first = Ears()
        stream = vad.open(first)
        for frame in frames(HELLO[:4000]):
            first.pushed_samples += len(frame)
            stream.push(frame)
        heard = len(first.began_s)
        stream.close()
        stream.push(HELLO[:160])
        stream.close()
        second = Ears()
        again = vad.open(second)
        for frame in frames(SECOND + HELLO + SECOND):
            second.pushed_samples += len(frame)
            again.push(frame)
        assert second.began_s == hear(SECOND + HELLO + SECOND).began_s
        assert len(first.began_s) == heard
        again.close()
    finally:
        vad.stop()
        vad.stop()


def test_a_call_that_floods_loses_its_oldest_windows() -> None:
    vad = SileroVad(threaded=False)
    stream = vad.open(Ears())
    windows = [(stream, bytes(256), 256 * i) for i in range(20)]
    rounds = vad._rounds(windows)  # pyright: ignore[reportArgumentType]
    assert [len(batch) for batch in rounds] == [1] * 8
    assert vad.stats().windows_dropped == 12


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=40))
def test_frames_of_any_length_give_the_same_windows(sizes: list[int]) -> None:
    audio = (HELLO * 2)[: sum(sizes)]
    vad = SileroVad(threaded=False)
    stream = vad.open(Ears())
    at = 0
    for size in sizes:
        stream.push(audio[at : at + size])
        at += size
    assert vad.stats().windows == len(audio) // 256


def test_more_calls_than_slots() -> None:
    vad = SileroVad(threaded=False)
    ears = [Ears() for _ in range(40)]
    streams = [vad.open(listener) for listener in ears]
    for frame in frames(HELLO[:8000]):
        for listener, stream in zip(ears, streams, strict=True):
            listener.pushed_samples += len(frame)
            stream.push(frame)
    assert len({tuple(listener.began_s) for listener in ears}) == 1
    assert ears[0].began_s


def test_detectors_by_name() -> None:
    assert isinstance(create_vad("silero", threaded=False), SileroVad)
    with pytest.raises(ConfigError, match="silero"):
        create_vad("nonesuch")

from __future__ import annotations

import io
import wave
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.audio.g711 import decode_ulaw, encode_alaw, encode_ulaw
from moonwire.core.audio.wav import WavError, interleave, read_wav, split_frames, wav_header

AT = np.arange(1600) / 8000
TONE = 8000 * np.sin(2 * np.pi * 400 * AT)
PCM = np.rint(TONE).astype("<i2")


def wav(kind: int, bits: int, body: bytes, *, channels: int = 1, rate_hz: int = 8000, extra: bytes = b"") -> bytes:
    form = pack("<HHIIHH", kind, channels, rate_hz, 0, 0, bits) + extra
    odd_chunk = b"LIST" + pack("<I", 3) + b"abc\x00"
    chunks = b"WAVE" + odd_chunk + b"fmt " + pack("<I", len(form)) + form + b"data" + pack("<I", len(body)) + body
    return b"RIFF" + pack("<I", len(chunks)) + chunks


def octets24(samples: np.ndarray) -> bytes:
    return b"".join((int(sample) * 256).to_bytes(3, "little", signed=True) for sample in samples)


@pytest.mark.parametrize(
    "data",
    [
        wav(1, 16, PCM.tobytes()),
        wav(1, 8, (np.rint(TONE / 256) + 128).astype(np.uint8).tobytes()),
        wav(1, 24, octets24(PCM)),
        wav(1, 32, (PCM.astype("<i4") * 65536).tobytes()),
        wav(3, 32, (TONE / 32767).astype("<f4").tobytes()),
        wav(3, 64, (TONE / 32767).astype("<f8").tobytes()),
        wav(6, 8, encode_alaw(PCM.tobytes())),
        wav(7, 8, encode_ulaw(PCM.tobytes())),
        wav(1, 16, np.repeat(PCM, 2).tobytes(), channels=2),
        wav(7, 8, np.repeat(np.frombuffer(encode_ulaw(PCM.tobytes()), np.uint8), 2).tobytes(), channels=2),
        wav(0xFFFE, 16, PCM.tobytes(), extra=pack("<HHIH", 22, 16, 0, 1) + bytes(14)),
    ],
)
def test_every_kind_becomes_the_same_speech(data: bytes) -> None:
    spoken = np.frombuffer(decode_ulaw(read_wav(data)), "<i2").astype(float)
    assert len(spoken) == 1600
    assert np.sqrt(np.mean((spoken - TONE) ** 2)) < 250


def test_other_rates_are_resampled() -> None:
    at = np.arange(8820) / 44100
    body = np.rint(8000 * np.sin(2 * np.pi * 400 * at)).astype("<i2").tobytes()
    spoken = np.frombuffer(decode_ulaw(read_wav(wav(1, 16, body, rate_hz=44100))), "<i2").astype(float)
    assert len(spoken) == 1600
    assert np.sqrt(np.mean((spoken[50:-50] - TONE[50:-50]) ** 2)) < 700


def test_an_open_length_reads_to_the_end() -> None:
    data = wav(7, 8, b"voice").replace(b"data" + pack("<I", 5), b"data\xff\xff\xff\xff")
    assert read_wav(data) == b"voice"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"ID3 an mp3",
        wav(1, 16, b"").replace(b"fmt ", b"fmt_"),
        wav(1, 16, b"").replace(b"fmt \x10", b"fmt \x08"),
        wav(2, 4, b"adpcm"),
        wav(1, 12, b"odd"),
        wav(1, 16, b"", channels=0),
        wav(1, 16, b"", rate_hz=7),
        wav(1, 16, b"\x00\x00", rate_hz=44057),
    ],
)
def test_what_cannot_be_played(data: bytes) -> None:
    with pytest.raises(WavError):
        read_wav(data)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_are_audio_or_a_wav_error(noise: bytes, keep: int) -> None:
    whole = wav(1, 24, noise)
    for data in (noise, whole[:keep] + noise, whole[: len(whole) - 1], whole[:keep] + noise[:1] + whole[keep + 1 :]):
        try:
            audio = read_wav(data)
        except WavError:
            continue
        assert audio is not None


def test_what_we_write_is_read_by_others() -> None:
    left = encode_ulaw(PCM.tobytes())
    right = encode_ulaw((-PCM).tobytes())
    body = interleave(left, right, encoding="pcm16")
    with wave.open(io.BytesIO(wav_header(len(body), encoding="pcm16", channels=2) + body)) as reader:
        assert (reader.getnchannels(), reader.getframerate(), reader.getsampwidth()) == (2, 8000, 2)
        frames = np.frombuffer(reader.readframes(1600), "<i2").reshape(-1, 2)
    assert frames[:, 0].tobytes() == decode_ulaw(left)
    assert frames[:, 1].tobytes() == decode_ulaw(right)


def test_a_mulaw_recording_reads_back() -> None:
    left = encode_ulaw(PCM.tobytes())
    body = interleave(left, left, encoding="mulaw")
    again = read_wav(wav_header(len(body), encoding="mulaw", channels=2) + body)
    assert decode_ulaw(again) == decode_ulaw(left)
    assert len(wav_header(0, encoding="mulaw", channels=2)) == len(wav_header(10**6, encoding="pcm16", channels=1))


def test_frames_are_filled_up_with_silence() -> None:
    assert list(split_frames(b"a" * 170)) == [b"a" * 160, b"a" * 10 + b"\xff" * 150]
    assert list(split_frames(b"")) == []

"""Translates WAV files: any common kind into the mu-law of a call, a call's two voices into a stereo recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.frames import FRAME_BYTES, SAMPLE_RATE_HZ, SILENCE_BYTE
from moonwire.core.audio.g711 import decode_alaw, decode_ulaw, encode_ulaw
from moonwire.core.audio.resample import resample

Encoding = Literal["mulaw", "pcm16"]

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_FORMAT = Struct("<HHIIHH")
_RATES_HZ = range(4000, 192001)


class WavError(ValueError):
    """The bytes are no WAV file that we can play."""


@dataclass(frozen=True, slots=True)
class WavFormat:
    """What a WAV file's `fmt ` chunk says."""

    kind: int
    channels: int
    rate_hz: int
    bits: int


def read_wav(data: bytes) -> bytes:
    """Return a WAV file's audio as mu-law 8 kHz mono, channels mixed.

    Understands PCM of 8, 16, 24 and 32 bits, float of 32 and 64 bits, A-law and mu-law, extensible headers, and
    files whose length fields a streaming writer left open.

    Raises:
        WavError: it is no WAV file, or of another kind.
    """
    wav, body = _chunks(data)
    if (wav.kind, wav.channels, wav.rate_hz) == (_ULAW, 1, SAMPLE_RATE_HZ):
        return body
    samples = _linear(wav, body)
    if wav.channels > 1:
        samples = samples[: len(samples) // wav.channels * wav.channels].reshape(-1, wav.channels).mean(axis=1)
    clipped = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    try:
        spoken = resample(clipped, wav.rate_hz, SAMPLE_RATE_HZ)
    except ValueError as error:
        raise WavError(f"cannot play a sample rate of {wav.rate_hz} Hz") from error
    return encode_ulaw(spoken.astype("<i2").tobytes())


def _chunks(data: bytes) -> tuple[WavFormat, bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("no RIFF/WAVE file")
    wav: WavFormat | None = None
    position = 12
    while position + 8 <= len(data):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 8 + size]
        if name == b"fmt ":
            wav = _format(body)
        elif name == b"data":
            if wav is None:
                raise WavError("audio before its format")
            return wav, body
        position += 8 + size + size % 2
    raise WavError("no audio in the file")


def _format(body: bytes) -> WavFormat:
    if len(body) < _FORMAT.size:
        raise WavError("format is cut short")
    kind, channels, rate_hz, _, _, bits = _FORMAT.unpack_from(body)
    if kind == _EXTENSIBLE and len(body) >= 26:
        kind = int.from_bytes(body[24:26], "little")
    if not 1 <= channels <= 8 or rate_hz not in _RATES_HZ:
        raise WavError(f"cannot play {channels} channels at {rate_hz} Hz")
    return WavFormat(kind, channels, rate_hz, bits)


def _linear(wav: WavFormat, body: bytes) -> NDArray[np.float64]:
    """Return samples on the scale of 16 bits."""
    body = body[: len(body) - len(body) % max(1, wav.bits // 8)]
    match wav.kind, wav.bits:
        case 1, 8:  # _PCM: 8 bits are unsigned, all wider ones signed
            return (np.frombuffer(body, np.uint8).astype(np.float64) - 128.0) * 256.0
        case 1, 16:
            return np.frombuffer(body, "<i2").astype(np.float64)
        case 1, 24:
            octets = np.frombuffer(body, np.uint8).reshape(-1, 3)
            high = octets[:, 1:].copy().view("<i2")[:, 0]
            return high.astype(np.float64) + octets[:, 0] / 256.0
        case 1, 32:
            return np.frombuffer(body, "<i4").astype(np.float64) / 65536.0
        case 3, 32:  # _FLOAT
            return np.nan_to_num(np.frombuffer(body, "<f4").astype(np.float64)) * 32767.0
        case 3, 64:
            return np.nan_to_num(np.frombuffer(body, "<f8")) * 32767.0
        case 6, 8:  # _ALAW
            return np.frombuffer(decode_alaw(body), "<i2").astype(np.float64)
        case 7, 8:  # _ULAW
            return np.frombuffer(decode_ulaw(body), "<i2").astype(np.float64)
        case _:
            raise WavError(f"cannot play WAV format {wav.kind} with {wav.bits} bits")


def split_frames(ulaw: bytes) -> Iterator[bytes]:
    """Yield 160-byte frames; the last one is filled up with silence."""
    for start in range(0, len(ulaw), FRAME_BYTES):
        yield ulaw[start : start + FRAME_BYTES].ljust(FRAME_BYTES, bytes([SILENCE_BYTE]))


def wav_header(data_bytes: int, *, encoding: Encoding, channels: int, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Return the header before `data_bytes` of audio; always the same length, so it can be overwritten at the end."""
    width = 1 if encoding == "mulaw" else 2
    kind = _ULAW if encoding == "mulaw" else _PCM
    form = _FORMAT.pack(kind, channels, rate_hz, rate_hz * channels * width, channels * width, width * 8)
    # Formats other than PCM carry an extension size and the number of sample frames; harmless for PCM.
    fact = b"fact" + (4).to_bytes(4, "little") + (data_bytes // (channels * width)).to_bytes(4, "little")
    form_chunk = b"fmt " + (len(form) + 2).to_bytes(4, "little") + form + b"\x00\x00"
    body = b"WAVE" + form_chunk + fact + b"data" + data_bytes.to_bytes(4, "little")
    return b"RIFF" + (len(body) + data_bytes).to_bytes(4, "little") + body


def interleave(left: bytes, right: bytes, *, encoding: Encoding) -> bytes:
    """Return stereo audio of two mu-law pieces of the same length."""
    if encoding == "mulaw":
        mixed = bytearray(2 * len(left))
        mixed[0::2] = left
        mixed[1::2] = right
        return bytes(mixed)
    pair = np.stack((np.frombuffer(decode_ulaw(left), "<i2"), np.frombuffer(decode_ulaw(right), "<i2")), axis=1)
    return pair.tobytes()

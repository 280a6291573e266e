"""A call's log told as a story."""

from __future__ import annotations

from typing import Any

import pytest

from moonwire.cli.inspect import describe

NOISE = {"kind": "call", "at_s": 0.2, "name": "noise_isolation", "direction": "read"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            NOISE | {"asked": "krisp", "engine": "webrtc", "level": 100.0, "reason": "krisp is not here"},
            "noise suppression of the caller's side by webrtc, level 100 instead of krisp: krisp is not here",
        ),
        (
            NOISE | {"asked": "rnnoise", "engine": "rnnoise", "level": 80.0, "direction": "write"},
            "noise suppression of the agent's side by rnnoise, level 80",
        ),
        (
            {"kind": "call", "name": "noise_isolation_done", "engine": "rnnoise", "audio_s": 12.1, "core": 0.0423},
            "rnnoise has cleaned 12.1 s, at 4.2% of a core",
        ),
        (NOISE | {"asked": "off", "engine": "none"}, "noise suppression of the caller's side ends"),
        (
            {"kind": "tts", "name": "vendor_switched", "asked": "elevenlabs", "used": "cartesia", "code": "quota"},
            "tts: elevenlabs is given up (quota); cartesia goes on",
        ),
        (
            {"kind": "stt", "name": "language", "language": "es", "voice_language": "es-MX"},
            "the caller speaks es, and is answered in es-MX",
        ),
        (
            {"kind": "llm", "name": "model_switched", "requested": "a", "used": "b", "reason": "retired", "why": "old"},
            "model: old; b answers instead",
        ),
        (
            {"kind": "llm", "name": "history_shortened", "messages": 8, "cut_results": 1},
            "model: the conversation has outgrown its context; 8 old messages left out, 1 tool results cut",
        ),
        (
            {"kind": "llm", "name": "request_changed", "change": "plain-schemas", "refusal": "no"},
            "model: the vendor refused the request (no); accepted after plain-schemas",
        ),
        ({"kind": "llm", "name": "answered"}, None),
        ({"kind": "stt", "name": "something new"}, None),
    ],
)
def test_lines_that_people_want_to_know(line: dict[str, Any], text: str | None) -> None:
    assert describe(line) == text

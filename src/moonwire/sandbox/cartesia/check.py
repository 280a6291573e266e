"""Decides what the Cartesia stand-in accepts: versions, keys, request fields; pure.

Source: https://docs.cartesia.ai/api-reference/tts/websocket, version 2026-03-01, read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

NEWEST_VERSION = "2026-03-01"
VERSIONS = ("2024-06-10", "2024-11-13", "2025-04-16", NEWEST_VERSION)
MODELS = frozenset(
    {"sonic-3.5", "sonic-3.5-2026-05-04", "sonic-3", "sonic-3-2026-01-12", "sonic-3-2025-10-27", "sonic-latest"}
    | {"sonic-2", "sonic-turbo", "sonic"}
)
ENCODINGS = frozenset({"pcm_f32le", "pcm_s16le", "pcm_mulaw", "pcm_alaw"})
SAMPLE_RATES_HZ = frozenset({8000, 16000, 22050, 24000, 44100, 48000})
VARYING_FIELDS = frozenset({"transcript", "continue", "duration", "flush"})
"""Everything else must be the same in all inputs of a context."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why something is refused."""

    status: int
    title: str
    message: str
    error_code: str | None = None
    names_context: bool = True
    """The service leaves the context out of some errors."""


def check_version(headers: Mapping[str, str], query: Mapping[str, str]) -> str | Complaint:
    """Return the API version that was asked for; the query wins over the header."""
    version = query.get("cartesia_version") or headers.get("Cartesia-Version")
    if not version:
        return Complaint(400, "Missing version", "the Cartesia-Version header is required")
    if version not in VERSIONS:
        return Complaint(400, "Invalid version", f"{version} is no known Cartesia-Version")
    return version


def offered_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the credential of a connection in any of its forms, empty when there is none."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("X-API-Key") or bearer or query.get("api_key") or query.get("access_token") or ""


def check_request(request: Mapping[str, Any], version: str) -> Complaint | None:
    """Return what is wrong with a generation request."""
    if not isinstance(request.get("transcript", ""), str):
        return _invalid("transcript must be a string")
    if not isinstance(request.get("continue", False), bool) or not isinstance(request.get("flush", False), bool):
        return _invalid("continue and flush must be booleans")
    model = request.get("model_id")
    if model not in MODELS:
        return Complaint(404, "Model not found", f"model {model} does not exist", "model_not_found")
    return (
        _check_voice(request.get("voice"))
        or _check_format(request.get("output_format"))
        or _check_delay(request, version)
        or _check_language(request.get("language"))
    )


def varied_field(first: Mapping[str, Any], later: Mapping[str, Any]) -> str | None:
    """Return the name of a field that differs although a context's inputs must repeat it."""
    for name in sorted((first.keys() | later.keys()) - VARYING_FIELDS):
        if first.get(name) != later.get(name):
            return name
    return None


def _invalid(message: str) -> Complaint:
    return Complaint(400, "Invalid request", message)


def _check_voice(voice: object) -> Complaint | None:
    members: dict[str, Any] = cast(dict[str, Any], voice) if isinstance(voice, dict) else {}
    if members.get("mode") != "id" or not _UUID.fullmatch(str(members.get("id", ""))):
        return _invalid("voice must be an object with mode 'id' and the voice's UUID as id")
    return None


def _check_format(output_format: object) -> Complaint | None:
    members: dict[str, Any] = cast(dict[str, Any], output_format) if isinstance(output_format, dict) else {}
    if members.get("container") != "raw":
        return _invalid("output_format.container must be 'raw'")
    if members.get("encoding") not in ENCODINGS:
        return _invalid("output_format.encoding is not supported")
    if members.get("sample_rate") not in SAMPLE_RATES_HZ:
        return _invalid("output_format.sample_rate is not supported")
    return None


def _check_delay(request: Mapping[str, Any], version: str) -> Complaint | None:
    longest = 5000 if version >= NEWEST_VERSION else 1000
    delay = request.get("max_buffer_delay_ms", 0)
    if isinstance(delay, bool) or not isinstance(delay, int) or not 0 <= delay <= longest:
        return _invalid(f"max_buffer_delay_ms must be between 0 and {longest}")
    return None


def _check_language(language: object) -> Complaint | None:
    if language is not None and not (isinstance(language, str) and re.fullmatch("[a-z]{2}", language)):
        return _invalid("language must be a two-letter code")
    return None


def default_delay_ms(version: str) -> int:
    """Return the buffer delay of requests that name none."""
    return 3000 if version >= NEWEST_VERSION else 0

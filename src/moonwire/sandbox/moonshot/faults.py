"""What can be switched on in the simulated Moonshot: faults, and the legal variants of its wire format."""

from __future__ import annotations

from typing import Literal

import msgspec

FaultKind = Literal[
    "overloaded", "concurrency", "rpm", "tpm", "tpd", "quota",
    "permission", "server_error", "unexpected_output", "unavailable", "bad_gateway_html", "html_200", "redirect",
    "reset_before_headers", "stall_before_headers", "stall_before_content", "stall_mid_stream",
    "stall_with_comments", "reset_mid_stream", "eof_mid_stream",
    "no_done", "no_finish", "error_mid_stream", "error_first", "content_filter", "content_filter_mid_stream",
    "length_empty", "bad_tool_json", "malformed_chunk", "empty_stream", "slow_models", "unknown_thinking",
    "temperature", "not_open", "tool_schema",
]  # fmt: skip
"""Source: error texts and behaviour from Moonshot's documentation and integrators' reports, read 2026-11-22."""

Place = Literal["chat", "models", "tools"]
"""All chat requests, the model list, or only chat requests that offer tools."""

STATUS_FAULTS: dict[FaultKind, tuple[int, str, str]] = {
    "overloaded": (429, "engine_overloaded_error", "The engine is currently overloaded, please try again later"),
    "concurrency": (
        429,
        "rate_limit_reached_error",
        "Your account <org-0f3a9c1d2b><ak-e1b2c3d4e5> request reached max organization concurrency: 1, "
        "please try again after 1 seconds",
    ),
    "rpm": (
        429,
        "rate_limit_reached_error",
        "Your account <org-0f3a9c1d2b><ak-e1b2c3d4e5> request reached max organization RPM: 3, "
        "please try again after 20 seconds",
    ),
    "tpm": (
        429,
        "rate_limit_reached_error",
        "Your account <org-0f3a9c1d2b><ak-e1b2c3d4e5> request reached TPM rate limit, current:512000, limit:500000",
    ),
    "tpd": (
        429,
        "rate_limit_reached_error",
        "Your account <org-0f3a9c1d2b><ak-e1b2c3d4e5> request reached TPD rate limit, current:1500001, limit:1500000",
    ),
    "quota": (
        429,
        "exceeded_current_quota_error",
        "Your account <org-0f3a9c1d2b><ak-e1b2c3d4e5> is suspended, please check your plan and billing details: "
        "You exceeded your current quota, please check your account balance",
    ),
    "permission": (403, "permission_denied_error", "Your IP is not allowed to access this organization"),
    "not_open": (403, "permission_denied_error", "The API you are accessing is not open"),
    "temperature": (400, "invalid_request_error", "Invalid request: invalid temperature: only 1 is allowed"),
    "tool_schema": (
        400,
        "invalid_request_error",
        "Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details: "
        "<At path 'properties.city.anyOf': type is not defined>",
    ),
    "server_error": (500, "server_error", "Internal server error"),
    "unexpected_output": (500, "unexpected_output", "invalid state transition"),
    "unavailable": (503, "server_unavailable", "The service is temporarily unavailable"),
    "content_filter": (400, "content_filter", "The request was rejected because it was considered high risk"),
    "unknown_thinking": (400, "invalid_request_error", "Invalid request: unknown parameter 'thinking'"),
}
"""Fault -> status, error.type, message."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One switched-on fault; it applies to requests that match, until `times` are used up."""

    kind: FaultKind
    times: int | None = None
    """How often; None = until switched off."""
    model: str | None = None
    key: str | None = None
    on: Place = "chat"
    """Which requests; `slow_models` belongs to the model list."""
    after_chunks: int = 2
    """Faults in the middle of a stream come after so many content chunks."""
    delay_s: float = 0.0
    """Waits before a status fault (a real overload refusal takes about 2 s); length of a slow model list."""
    retry_after: int | None = None
    """Sends a Retry-After header with a status fault."""


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Legal variants of the wire format; the defaults are what was captured most recently."""

    usage: Literal["choice", "top", "trailing", "choice+trailing", "none"] = "choice+trailing"
    line_end: Literal["lf", "crlf"] = "lf"
    framing: Literal["event", "coalesced", "split"] = "event"
    """One event per segment, several events per segment, or one event over several segments."""
    call_ids: Literal["plain", "prefixed"] = "prefixed"
    """`get_weather:0` or `functions.get_weather:0`."""
    later_ids: Literal["absent", "null", "empty"] = "absent"
    """What id and name look like in the later pieces of a tool call."""
    final_delta: Literal["empty", "null-content"] = "empty"
    reasoning_member: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    comments: bool = False
    """A keep-alive comment before each event."""
    unknown_fields: Literal["ignore", "refuse"] = "ignore"
    stream: bool = True
    """False answers in one piece although a stream was asked for, as some proxies do."""


class Pacing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the pieces of an answer come; zero everywhere is as fast as the machine allows."""

    headers_s: float = 0.0
    first_token_s: float = 0.05
    """Request to first content."""
    gap_s: float = 0.01
    """Between two tokens."""
    jitter_s: float = 0.0
    """Added to every gap, between 0 and this, from a fixed seed."""
    burst: int = 1
    """Tokens per chunk."""
    thinking_s: float = 1.0
    """How long a model reasons that was not told not to."""
    arguments_pause_s: float = 0.0
    """A silence before the arguments of a tool call."""


class FaultBoard:
    """The faults that are on, in order; the first that matches a request is used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._left: list[int | None] = []

    def add(self, *faults: Fault) -> None:
        """Switch faults on."""
        self._faults.extend(faults)
        self._left.extend(fault.times for fault in faults)

    def clear(self) -> None:
        """Switch all faults off."""
        self._faults.clear()
        self._left.clear()

    @property
    def active(self) -> list[Fault]:
        """The faults that still apply."""
        return [fault for fault, left in zip(self._faults, self._left, strict=True) if left is None or left > 0]

    def take(self, model: str, key: str, *on: Place) -> Fault | None:
        """Use up and return the first fault that matches a request; `on` says what the request is."""
        for index, fault in enumerate(self._faults):
            left = self._left[index]
            place = "models" if fault.kind == "slow_models" else fault.on
            if left == 0 or place not in on:
                continue
            if (fault.model is None or fault.model == model) and (fault.key is None or fault.key == key):
                self._left[index] = None if left is None else left - 1
                return fault
        return None

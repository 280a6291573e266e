"""Plays one connection of Deepgram Flux: takes audio and control messages, takes turns as the vendor would.

Confidence that the turn is over grows with the silence after the last sound, 1 - exp(-silence / 0.23 s): 0.5 after
160 ms, 0.75 after 320 ms. All of the vendor's timers run on audio received, never on the wall clock.

Source: developers.deepgram.com, "Listen v2 (Flux)", "Flux state machine", "Configure", read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import msgspec
from aiohttp import WSMsgType, web

from moonwire.sandbox.deepgram.handshake import ListenOptions
from moonwire.sandbox.deepgram.hearing import NOTHING, Ear, Heard, Hearing
from moonwire.sandbox.deepgram.records import ConnectionRecord
from moonwire.sandbox.deepgram.segments import Burst, Onset, Progress, Segmenter
from moonwire.sandbox.deepgramflux.faults import FluxFaults
from moonwire.sandbox.deepgramflux.handshake import FluxOptions, out_of_range, texts

UPDATE_S: Final = 0.25
_STEP_S: Final = 0.02
_CERTAINTY_S: Final = 0.23
_IDLE_CLOSE_S: Final = 60.0
_NEVER_S: Final = 1e9


@dataclass(slots=True)
class _Turn:
    """The open turn."""

    text: str = ""
    eager_text: str | None = None
    update_due_s: float = 0.0


class FluxSession:
    """One connection.

    Args:
        websocket: prepared server socket that leaves pings to us.
        request: its upgrade request; its transport is cut by `drop`.
        options: what the query asked for.
        hearing: the current hearing, asked at every burst so that it can be switched.
        faults: the current faults, asked at every message.
        record: filled with what arrives.
        on_activity: called after every message received or sent and at the end.
    """

    def __init__(
        self,
        websocket: web.WebSocketResponse,
        request: web.Request,
        options: FluxOptions,
        hearing: Callable[[], Hearing],
        faults: Callable[[], FluxFaults],
        record: ConnectionRecord,
        on_activity: Callable[[], None],
    ) -> None:
        self.record = record
        self.options = options
        self._websocket = websocket
        self._request = request
        self._hearing, self._faults = hearing, faults
        self._on_activity = on_activity
        self._loop = asyncio.get_running_loop()
        detector = ListenOptions(encoding=options.encoding, sample_rate_hz=options.sample_rate_hz, endpointing_ms=None)
        self._segmenter = Segmenter(detector, interim_s=_STEP_S, settle_s=_NEVER_S, quiet_s=_STEP_S)
        self._ear_of: Hearing = hearing()
        self._ear: Ear = self._ear_of.ear()
        self._turn: _Turn | None = None
        self._turn_index = 0
        self._sequence = 0
        self._idle_due_s = UPDATE_S
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Serve the connection to its end."""
        self.apply_faults()
        try:
            if not self._faults().no_connected:
                await self.send({"type": "Connected"})
            await self._receive()
        finally:
            for timer in self._timers:
                timer.cancel()
            for task in self._tasks:
                task.cancel()
            self.record.close_code = self._websocket.close_code
            self._on_activity()

    def apply_faults(self) -> None:
        """Start the clocks of the faults that end a connection."""
        faults = self._faults()
        if faults.close_after_s is not None:
            self._timers.append(
                self._loop.call_later(faults.close_after_s, self.close, faults.close_code, faults.close_reason)
            )
        if faults.drop_after_s is not None:
            self._timers.append(self._loop.call_later(faults.drop_after_s, self.drop))

    def drop(self) -> None:
        """Cut TCP without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Close with a code and reason."""
        task = self._loop.create_task(self._websocket.close(code=code, message=reason.encode()[:120]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message, numbered, with faults applied; tests use it to play any sequence."""
        faults = self._faults()
        if faults.stall or self._websocket.closed:
            return
        message = {**message, "request_id": self.record.request_id, "sequence_id": self._sequence}
        self._sequence += 1
        if faults.extra_fields:
            message = {**message, "beta_features": {"x": [1, None]}, "trace": "abc"}
        self.record.sent.append((self._loop.time(), message))
        del self.record.sent[:-1000]
        try:
            if faults.unknown_types:
                await self._websocket.send_str('{"type":"Telemetry","gauge":{"load":0.5}}')
            for _ in range(2 if faults.duplicate else 1):
                await self._websocket.send_str(msgspec.json.encode(message).decode())
        except ConnectionError:
            return
        self._on_activity()

    async def _receive(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_IDLE_CLOSE_S):  # frames and pings both count
                    message = await self._websocket.receive()
            except TimeoutError:
                await self._websocket.close(code=1011, message=b"timeout")
                return
            match message.type:
                case WSMsgType.BINARY:
                    await self._take_audio(message.data)
                case WSMsgType.TEXT:
                    if await self._take_control(message.data):
                        return
                case WSMsgType.PING:
                    await self._websocket.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    return
            self._on_activity()

    async def _take_audio(self, audio: bytes) -> None:
        self.record.audio_messages += 1
        self.record.audio_bytes += len(audio)
        for mark in self._segmenter.take(audio):
            if isinstance(mark, Onset):
                if (hearing := self._hearing()) is not self._ear_of:
                    self._ear_of, self._ear = hearing, hearing.ear()
                self._ear.begin()
            elif isinstance(mark, Progress):
                await self._follow(mark.at_s)
            else:
                await self._idle(mark.at_s)

    async def _idle(self, at_s: float) -> None:
        """Send the Update of a quarter of a second without a turn."""
        if at_s < self._idle_due_s:
            return
        self._idle_due_s = at_s + UPDATE_S
        if not self._faults().quiet_when_idle:
            await self._turn_info("Update", NOTHING, at_s, 0.0)

    async def _follow(self, at_s: float) -> None:
        """Judge the open burst after another 20 ms."""
        burst = self._segmenter.burst
        if burst is None:
            return
        silent_s = at_s - burst.voiced_until_s
        certainty = 1.0 - math.exp(-silent_s / _CERTAINTY_S)
        heard = self._ear.so_far(burst) or NOTHING
        timed_out = silent_s * 1000 >= self.options.eot_timeout_ms - 1e-6
        if timed_out or (certainty >= self.options.eot_threshold - 1e-9 and not (heard.noisy or heard.unsettled)):
            await self._end(burst, at_s, "timeout" if timed_out else "model", certainty)
        elif heard.words:
            await self._progress(heard, at_s, certainty)

    async def _progress(self, heard: Heard, at_s: float, certainty: float) -> None:
        text = _text(heard)
        turn = self._turn
        eager_from = self.options.eager_eot_threshold
        if turn is None:
            self._turn = _Turn(text, update_due_s=at_s + UPDATE_S)
            await self._turn_info("StartOfTurn", heard, at_s, certainty)
        elif turn.eager_text is not None and (certainty < (eager_from or 1.0) or text != turn.eager_text):
            turn.eager_text = None
            await self._turn_info("TurnResumed", heard, at_s, certainty)
        elif turn.eager_text is None and eager_from is not None and certainty >= eager_from:
            turn.eager_text = text
            await self._turn_info("EagerEndOfTurn", heard, at_s, certainty)
        elif at_s >= turn.update_due_s:
            turn.update_due_s = at_s + UPDATE_S
            await self._turn_info("Update", heard, at_s, certainty)

    async def _end(self, burst: Burst, at_s: float, trigger: str, certainty: float) -> None:
        heard = await self._ear.whole(burst) or NOTHING
        self._idle_due_s = at_s + UPDATE_S
        if heard.words:
            if self._turn is None:
                self._turn = _Turn(_text(heard))
                await self._turn_info("StartOfTurn", heard, at_s, certainty)
            elif self._turn.eager_text not in {None, _text(heard)}:
                await self._turn_info("TurnResumed", heard, at_s, certainty)
            await self._turn_info("EndOfTurn", heard, at_s, certainty, trigger)
            self._turn_index += 1
        self._turn = None
        self._segmenter.close_burst()

    async def _turn_info(
        self, event: str, heard: Heard, at_s: float, certainty: float, trigger: str | None = None
    ) -> None:
        burst = self._segmenter.burst
        start_s = burst.start_s if burst else at_s
        message: dict[str, Any] = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn_index,
            "audio_window_start": round(start_s, 3),
            "audio_window_end": round(at_s, 3),
            "transcript": _text(heard),
            "words": [
                {
                    "word": word.text,
                    "confidence": heard.confidence,
                    "start": round(start_s + word.start_s, 3),
                    "end": round(start_s + word.end_s, 3),
                }
                for word in heard.words
            ],
            "end_of_turn_confidence": round(certainty, 4),
        }
        if trigger:
            message["trigger"] = trigger
        if self.options.multilingual:
            message["languages"] = [spoken] if (spoken := self._faults().speaks) else ["en"]
            message["languages_hinted"] = list(self.options.language_hints)
        await self.send(message)

    async def _take_control(self, text: str) -> bool:
        """Answer a control message; return whether the connection is finished."""
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            message = {"unreadable": text}
        self.record.messages.append((self._loop.time(), message))
        match message.get("type"):
            case "ForceEndTurn":
                burst = self._segmenter.burst
                if burst is not None and self._turn is not None:
                    await self._end(burst, self._segmenter.now_s, "manual", 1.0)
            case "Configure":
                await self.send(self._configured(message))
            case "CloseStream":
                burst = self._segmenter.burst
                if burst is not None and self._turn is not None:
                    await self._end(burst, self._segmenter.now_s, "manual", 1.0)
                await self._websocket.close(code=1000)
                return True
            case kind:
                await self._complain("UNPARSABLE_CLIENT_MESSAGE", f"unknown message {kind!r}")
                await self._websocket.close(code=1008, message=b"unparsable client message")
                return True
        return False

    async def _complain(self, code: str, text: str) -> None:
        if self._faults().old_spellings:
            await self.send({"type": "Error", "error_code": code, "error": text})
        else:
            await self.send({"type": "Error", "code": code, "description": text})

    def _configured(self, message: dict[str, Any]) -> dict[str, Any]:
        thresholds = cast("dict[str, Any]", message.get("thresholds") or {})
        changed = replace(self.options, **{name: value for name, value in thresholds.items() if value is not None})
        if "keyterms" in message:
            changed = replace(changed, keyterms=texts(message["keyterms"]))
        if "language_hints" in message:
            changed = replace(changed, language_hints=texts(message["language_hints"]))
        complaint = "refused on purpose" if self._faults().refuse_configure else out_of_range(changed)
        if complaint:
            return {"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION", "description": complaint}
        self.options = changed
        return {
            "type": "ConfigureSuccess",
            "thresholds": {
                "eot_threshold": changed.eot_threshold,
                "eager_eot_threshold": changed.eager_eot_threshold,
                "eot_timeout_ms": changed.eot_timeout_ms,
            },
            "keyterms": list(changed.keyterms),
            "language_hints": list(changed.language_hints),
        }


def _text(heard: Heard) -> str:
    words: Sequence[str] = [word.text for word in heard.words]
    return " ".join(words)

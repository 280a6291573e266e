"""Plays one connection of Deepgram's listen v1: takes audio and control messages, answers as the vendor would.

Source: developers.deepgram.com, "Listen (streaming)", "Endpointing", "Utterance End", "Finalize", "Audio Keep Alive",
"Close Stream", "Configure", read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from moonwire.sandbox.deepgram.faults import Faults
from moonwire.sandbox.deepgram.handshake import ListenOptions
from moonwire.sandbox.deepgram.hearing import NOTHING, Ear, Heard, Hearing
from moonwire.sandbox.deepgram.records import ConnectionRecord, Pace
from moonwire.sandbox.deepgram.segments import (
    Endpoint,
    Mark,
    Onset,
    Progress,
    Quiet,
    Segmenter,
    Settle,
    WordGap,
)
from moonwire.sandbox.deepgram.wire import configured, metadata, results, schema_error, speech_started, utterance_end

_NET_0001: Final = (
    "Deepgram did not receive audio data or a text message within the timeout window. See https://dpgr.am/net0001"
)
_CAP: Final = 1.25
_PAUSE_S: Final = 0.1


class ListenSession:
    """One connection.

    Args:
        websocket: prepared server socket.
        request: its upgrade request; its transport is cut by `drop`.
        options: what the query asked for.
        hearing: the current hearing, asked at every burst so that it can be switched.
        faults: the current faults, asked at every message.
        pace: times.
        record: filled with what arrives.
        on_activity: called after every message received and at the end.
        keep_audio: whether the record holds the audio itself.
    """

    def __init__(  # noqa: PLR0913 - one object joins the connection with the simulator's switches
        self,
        *,
        websocket: web.WebSocketResponse,
        request: web.Request,
        options: ListenOptions,
        hearing: Callable[[], Hearing],
        faults: Callable[[], Faults],
        pace: Pace,
        record: ConnectionRecord,
        on_activity: Callable[[], None],
        keep_audio: bool,
    ) -> None:
        self.record = record
        self._websocket = websocket
        self._request = request
        self._options = options
        self._hearing, self._faults, self._pace = hearing, faults, pace
        self._on_activity = on_activity
        self._keep_audio = keep_audio
        self._loop = asyncio.get_running_loop()
        self._segmenter = Segmenter(options, interim_s=pace.interim_s, settle_s=pace.settle_s)
        self._ear_of: Hearing = hearing()
        self._ear: Ear = self._ear_of.ear()
        self._given_words = 0
        self._settled_s = 0.0
        self._last_word_end_s: float | None = None
        self._heard_audio = False
        self._last_alive_s = self._loop.time()
        self._worked_until_s = 0.0
        self._outbox: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue(maxsize=10_000)
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the connection to its end."""
        self._timers.append(self._loop.call_later(self._pace.idle_close_s, self._check_idle))
        self.apply_faults()
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send_delayed()) if self._pace.latency_s else None
                await self._receive()
                if sender is not None:
                    sender.cancel()
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
            self._at(faults.close_after_s, lambda: self.close(faults.close_code, faults.close_reason))
        if faults.drop_after_s is not None:
            self._at(faults.drop_after_s, self.drop)

    def drop(self) -> None:
        """Cut TCP without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Close with a code and reason, as the vendor does when something is wrong."""
        self._spawn(self._websocket.close(code=code, message=reason.encode()[:120]))

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message as it is (with faults and latency applied); tests use it to play any sequence."""
        if self._pace.latency_s:
            self._outbox.put_nowait((self._loop.time() + self._pace.latency_s, message))
        else:
            await self._write(message)

    async def _receive(self) -> None:
        async for message in self._websocket:
            if message.type is WSMsgType.BINARY:
                self._last_alive_s = self._loop.time()
                if not message.data:
                    await self._finish()
                    return
                await self._take_audio(message.data)
            elif message.type is WSMsgType.TEXT:
                done = await self._take_control(message.data)
                self._on_activity()
                if done:
                    return
            self._on_activity()

    async def _take_audio(self, audio: bytes) -> None:
        self.record.audio_messages += 1
        self.record.audio_bytes += len(audio)
        self._heard_audio = True
        if self._keep_audio:
            self.record.audio += audio
        if self._faults().realtime_cap:
            await self._work(len(audio) / self._options.sample_rate_hz / _CAP)
        for mark in self._segmenter.take(audio):
            await self._mark(mark)

    async def _work(self, seconds: float) -> None:
        now_s = self._loop.time()
        self._worked_until_s = max(now_s, self._worked_until_s) + seconds
        if self._worked_until_s - now_s > 2 * seconds:
            await asyncio.sleep(self._worked_until_s - now_s)

    async def _take_control(self, text: str) -> bool:
        """Answer a control message; return whether the connection is finished."""
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            self.record.messages.append((self._loop.time(), {"unreadable": text}))
            await self.send(schema_error(str(error), text))
            return False
        self.record.messages.append((self._loop.time(), message))
        if message.get("type") != "KeepAlive" or self._heard_audio:
            self._last_alive_s = self._loop.time()
        match message.get("type"):
            case "KeepAlive":
                pass
            case "Finalize":
                await self._finalize()
            case "Configure":
                await self.send(configured(message, self.record.request_id, self._options.model))
            case "CloseStream":
                await self._finish()
                return True
            case kind:
                await self.send(schema_error(f"unknown variant `{kind}`", text))
        return False

    async def _mark(self, mark: Mark) -> None:
        match mark:
            case Onset(at_s):
                self._listen_anew()
                if self._options.vad_events:
                    await self.send(speech_started(at_s))
            case Progress(at_s):
                if self._options.interim_results and (heard := self._so_far()) is not None:
                    await self._results(heard, at_s, is_final=False)
            case Settle(at_s):
                heard = self._so_far()
                if heard is not None and not heard.unsettled:
                    await self._results(heard, at_s, is_final=True)
            case Endpoint(at_s):
                await self._end_burst(at_s, speech_final=True)
            case WordGap(at_s):
                if self._options.endpointing_ms is None:
                    await self._end_burst(at_s, speech_final=False)
                await self._utterance_end()
            case Quiet(at_s):
                await self._results(NOTHING, at_s, is_final=True)

    def _listen_anew(self) -> None:
        if (hearing := self._hearing()) is not self._ear_of:
            self._ear_of, self._ear = hearing, hearing.ear()
        self._ear.begin()
        self._given_words = 0

    def _so_far(self) -> Heard | None:
        burst = self._segmenter.burst
        return None if burst is None else self._ear.so_far(burst)

    async def _end_burst(self, at_s: float, *, speech_final: bool) -> None:
        burst = self._segmenter.burst
        if burst is None:
            return
        heard = await self._ear.whole(burst) or NOTHING
        if heard.unsettled:
            await self._results(heard, at_s, is_final=False)
        else:
            await self._results(heard, at_s, is_final=True, speech_final=speech_final and not heard.noisy)
        self._segmenter.close_burst()

    async def _utterance_end(self) -> None:
        if self._last_word_end_s is None:
            return
        await self.send(utterance_end(self._last_word_end_s))
        self._last_word_end_s = None

    async def _finalize(self) -> None:
        faults = self._faults()
        burst = self._segmenter.burst
        heard = (self._ear.so_far(burst) or await self._ear.whole(burst) or NOTHING) if burst else NOTHING
        if heard.unsettled:
            heard = NOTHING
        at_s = self._segmenter.now_s
        match faults.finalize:
            case "normal":
                await self._results(heard, at_s, is_final=True, from_finalize=True)
            case "empty":
                await self._results(heard, at_s, is_final=True)
                await self._results(NOTHING, at_s, is_final=True, from_finalize=True)
            case "delayed":
                self._at(
                    faults.finalize_delay_s,
                    lambda: self._spawn(self._results(heard, at_s, is_final=True, from_finalize=True)),
                )
            case "missing":
                pass
        # Flushed in a pause, a burst is over: what is said next is the next one.
        if burst is not None and faults.finalize in {"normal", "empty"} and at_s - burst.voiced_until_s >= _PAUSE_S:
            self._segmenter.close_burst()

    async def _finish(self) -> None:
        """Send what is left and the summary, then close normally."""
        await self._end_burst(self._segmenter.now_s, speech_final=True)
        await self.send(metadata(self.record.request_id, self._segmenter.now_s))
        await self._outbox.join()
        await self._websocket.close(code=1000)

    async def _results(
        self, heard: Heard, at_s: float, *, is_final: bool, speech_final: bool = False, from_finalize: bool = False
    ) -> None:
        burst = self._segmenter.burst
        words = heard.words[self._given_words :]
        if not words and not is_final:
            return
        start_s = self._settled_s
        if words and burst is not None:
            self._last_word_end_s = burst.start_s + words[-1].end_s
        if is_final:
            self._given_words += len(words)
            self._settled_s = at_s
        await self.send(
            results(
                words,
                (start_s, at_s),
                burst.start_s if burst else 0.0,
                confidence=heard.confidence,
                flags=(is_final, speech_final, from_finalize),
                source=(self.record.request_id, self._options.model),
                languages=[self._faults().speaks] if self._options.detects_language else (),
            )
        )

    async def _write(self, message: dict[str, Any]) -> None:
        faults = self._faults()
        if faults.stall or self._websocket.closed:
            return
        if faults.unknown_types:
            await self._websocket.send_str('{"type":"Telemetry","gauge":{"load":0.5}}')
        if faults.extra_fields:
            message = {**message, "beta_features": {"x": [1, None]}, "trace": "abc"}
        self.record.sent.append((self._loop.time(), message))
        del self.record.sent[:-1000]
        text = msgspec.json.encode(message).decode()
        try:
            for _ in range(2 if faults.duplicate else 1):
                await self._websocket.send_str(text)
        except ConnectionError:
            return

    async def _send_delayed(self) -> None:
        while True:
            due_s, message = await self._outbox.get()
            await asyncio.sleep(max(0.0, due_s - self._loop.time()))
            await self._write(message)
            self._outbox.task_done()

    def _check_idle(self) -> None:
        left_s = self._last_alive_s + self._pace.idle_close_s - self._loop.time()
        if left_s > 0.001:
            self._timers.append(self._loop.call_later(left_s, self._check_idle))
        else:
            self.close(1011, _NET_0001)

    def _at(self, delay_s: float, call: Callable[[], None]) -> None:
        self._timers.append(self._loop.call_later(delay_s, call))

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

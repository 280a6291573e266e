"""Takes the noise out of a call: what the caller says before anybody hears it, or what the caller hears.

Switched on, changed and off in mid-call without a click and without losing a frame: the first and the last frame of an
engine fade from and to the untouched audio, and an engine hands over only when all it was given has come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Literal

import structlog

from moonwire.call.egress import Egress
from moonwire.core.audio.fade import crossfade
from moonwire.core.audio.frames import FRAME_S
from moonwire.ports.noise import NoiseListener, NoiseStream, NoiseSuppression, NoiseWish
from moonwire.spec.components import NoiseIsolation

log = structlog.get_logger()

Direction = Literal["read", "write"]
Opener = Callable[[NoiseListener], NoiseStream | None]

MOST_PENDING: Final = 10
"""Frames (0.2 s) that may be with an engine; one that has more is too slow and is done without."""
DEFAULT_ENGINE: Final = "krisp"
"""What jambonz takes when no engine is named."""
SPARE_ENGINE: Final = "webrtc"


class NoiseStage:
    """One direction's audio on its way; implements ports.noise.NoiseListener.

    Args:
        out: takes each frame, cleaned or not, in order.
        on_trouble: hears why an engine was given up; the audio then flows untouched.
        on_left: hears of each engine that has done its work.
    """

    def __init__(
        self,
        out: Callable[[bytes], None],
        on_trouble: Callable[[str], None],
        on_left: Callable[[NoiseStream], None] = lambda stream: None,
    ) -> None:
        self._out = out
        self._on_trouble = on_trouble
        self._on_left = on_left
        self._stream: NoiseStream | None = None
        self._next: Opener | None = None
        self._fresh = self._switching = self._last_pushed = False
        self._pending: deque[bytes] = deque()
        """Untouched frames that the engine has."""
        self._waiting: list[bytes] = []
        """Frames for the next engine; the old one still has some."""

    def push(self, frame: bytes) -> None:
        """Take the next 20 ms."""
        stream = self._stream
        if stream is None:
            self._out(frame)
            return
        if self._last_pushed:
            self._waiting.append(frame)
        else:
            self._last_pushed = self._switching
            self._pending.append(frame)
            stream.push(frame)
        if len(self._pending) + len(self._waiting) > MOST_PENDING:
            self.on_noise_failed("the engine is too slow")

    def switch(self, opener: Opener | None) -> None:
        """Go over to another engine, or to none, with the next frame."""
        if self._stream is None:
            self._begin(opener)
        else:
            self._next, self._switching = opener, True

    def on_clean(self, frame: bytes) -> None:
        """Take a frame back."""
        untouched = self._pending.popleft()
        if self._fresh:
            self._fresh = False
            frame = crossfade(untouched, frame)
        if self._last_pushed and not self._pending:
            self._out(crossfade(frame, untouched))
            self._change_over()
        else:
            self._out(frame)

    def on_noise_failed(self, reason: str) -> None:
        """Do without the engine."""
        waiting, self._waiting = [*self._pending, *self._waiting], []
        self._pending.clear()
        wanted, switching = self._next, self._switching
        self.close()
        for frame in waiting:
            self._out(frame)
        if switching:
            self._begin(wanted)
        else:
            self._on_trouble(reason)

    def close(self) -> None:
        """Let the engine go; what it still has is lost."""
        stream, self._stream = self._stream, None
        self._next, self._switching, self._last_pushed = None, False, False
        self._pending.clear()
        if stream is not None:
            stream.close()
            self._on_left(stream)

    def _begin(self, opener: Opener | None) -> None:
        self._stream = opener(self) if opener is not None else None
        self._fresh = True

    def _change_over(self) -> None:
        wanted = self._next
        waiting, self._waiting = self._waiting, []
        self.close()
        self._begin(wanted)
        for frame in waiting:
            self.push(frame)


class CallNoise:
    """Both directions of one call, as its application wants them.

    Args:
        suppression: the process's engines; None = there are none.
        consumers: hear the caller.
        egress: speaks to the caller.
        note: writes into the call's event log.
    """

    def __init__(
        self,
        suppression: NoiseSuppression | None,
        consumers: Sequence[Callable[[bytes], None]],
        egress: Egress,
        note: Callable[..., None],
    ) -> None:
        self._suppression = suppression
        self._consumers = consumers
        self._egress = egress
        self._note = note
        self._wishes: dict[Direction, NoiseIsolation] = {}
        self._latest: NoiseIsolation | None = None
        self._sent: bytes = b""
        self._stages: dict[Direction, NoiseStage] = {
            "read": self._stage("read", self._heard),
            "write": self._stage("write", self._send),
        }
        self.hear = self._stages["read"].push
        """Takes the caller's frames."""

    def apply(self, change: NoiseIsolation) -> NoiseIsolation:
        """Carry out a wish; what it leaves open stays as it was. Returns the wish as it holds now."""
        if not change.enable:
            named: tuple[Direction, ...] = (change.direction,) if "direction" in change.model_fields_set else ()
            for direction in named or tuple(self._wishes):
                self._stop(direction)
            return change
        known = NoiseIsolation.model_fields.keys() & change.model_fields_set
        before = self._wishes.get(change.direction) or self._latest or NoiseIsolation(mode=DEFAULT_ENGINE)
        wish = before.model_copy(update={"enable": True} | {name: getattr(change, name) for name in known})
        self._wishes[wish.direction] = self._latest = wish
        self._start(wish.direction, NoiseWish(wish.mode or DEFAULT_ENGINE, wish.level))
        return wish

    @contextmanager
    def during(self, wish: NoiseIsolation | None) -> Generator[None]:
        """Carry out a verb's wish while it runs; then what held before holds again, unless that was changed since."""
        if wish is None or not wish.enable:
            yield
            return
        before = self._wishes.get(wish.direction)
        own = self.apply(wish)
        try:
            yield
        finally:
            if self._wishes.get(own.direction) is own:
                self._stop(own.direction)
                if before is not None:
                    self.apply(before)

    def close(self) -> None:
        """Let the engines go."""
        for stage in self._stages.values():
            stage.close()

    def _stage(self, direction: Direction, out: Callable[[bytes], None]) -> NoiseStage:
        return NoiseStage(out, partial(self._replace, direction), partial(self._note_work, direction))

    def _note_work(self, direction: Direction, stream: NoiseStream) -> None:
        audio_s = stream.frames * FRAME_S
        self._note(
            "call",
            name="noise_isolation_done",
            direction=direction,
            engine=stream.engine,
            audio_s=round(audio_s, 2),
            cpu_s=round(stream.cpu_s, 3),
            core=round(stream.cpu_s / audio_s, 4) if audio_s else 0.0,
        )

    def _heard(self, frame: bytes) -> None:
        for consumer in self._consumers:
            consumer(frame)

    def _send(self, frame: bytes) -> None:
        self._sent = frame

    def _outgoing(self, frame: bytes) -> bytes:
        self._stages["write"].push(frame)
        return self._sent

    def _start(self, direction: Direction, wish: NoiseWish, trouble: str = "") -> None:
        if direction == "write":
            self._egress.shape = self._outgoing
        self._stages[direction].switch(lambda listener: self._open(direction, wish, trouble, listener))

    def _open(self, direction: Direction, wish: NoiseWish, trouble: str, listener: NoiseListener) -> NoiseStream | None:
        stream = None
        if self._suppression is not None and wish.level > 0:
            stream = self._suppression.open(wish, listener, at_once=direction == "write")
        facts: dict[str, Any] = {"asked": wish.engine, "engine": stream.engine if stream is not None else "none"}
        reason = trouble or (stream.substituted if stream is not None else "no engine is installed")
        if reason and wish.level > 0:
            facts["reason"] = reason
            log.info("noise suppression substituted", **facts)
        self._note("call", name="noise_isolation", direction=direction, level=wish.level, **facts)
        return stream

    def _stop(self, direction: Direction) -> None:
        if self._wishes.pop(direction, None) is not None:
            self._stages[direction].switch(None)
            self._note("call", name="noise_isolation", direction=direction, engine="none", asked="off")

    def _replace(self, direction: Direction, reason: str) -> None:
        wish = self._wishes[direction]
        if wish.mode != SPARE_ENGINE:
            self._start(direction, NoiseWish(SPARE_ENGINE, wish.level), f"{wish.mode}: {reason}")

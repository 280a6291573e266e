"""The one clock-work of the process: calls every member each 20 ms, on absolute deadlines, spread over phase slots.

Members sit in 20 slots of one millisecond, so a full server works a little every millisecond instead of everything at
once; the loop is woken for occupied slots only. Lateness never adds up: deadlines are counted from one epoch. After a
stall of more than 200 ms the lost time is skipped, because nobody can use a burst of old frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from moonwire.ports.clock import Clock

PERIOD_MS = 20
MAX_CATCH_UP_MS = 200
_EARLY_MS = 0.5
"""uvloop rounds timers to whole milliseconds; a slot may run that much too early."""

_log = structlog.get_logger()


class Ticket:
    """One membership; cancel it to leave."""

    __slots__ = ("_leave", "active", "on_error", "slot", "tick")

    def __init__(
        self,
        slot: int,
        tick: Callable[[], None],
        on_error: Callable[[Exception], None],
        leave: Callable[[Ticket], None],
    ) -> None:
        self.slot = slot
        self.tick = tick
        self.on_error = on_error
        self.active = True
        self._leave = leave

    def cancel(self) -> None:
        """Leave; the tick is not called any more, also not in the round that is running. May be repeated."""
        if self.active:
            self.active = False
            self._leave(self)


class Pacer:
    """The process's pacing; belongs to the loop on which its first member is added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._epoch_s = clock.monotonic_s()
        self._slots: list[tuple[Ticket, ...]] = [()] * PERIOD_MS
        self._next_step = [PERIOD_MS] * PERIOD_MS
        self._members = 0
        self._done_ms = 0
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self.skipped_ms = 0
        """Time left out because the process had stalled."""

    def __len__(self) -> int:
        return self._members

    def add(self, tick: Callable[[], None], on_error: Callable[[Exception], None]) -> Ticket:
        """Call `tick` every 20 ms from now on, in the emptiest slot.

        Args:
            tick: must return quickly and never block; may add members and cancel tickets, its own too.
            on_error: takes the exception of a failed tick, after the member was removed; others are not disturbed.
        """
        now_ms = self._now_ms()
        if not self._members:
            self._done_ms = int(now_ms)
        slot = min(
            range(PERIOD_MS),
            key=lambda slot: (len(self._slots[slot]), (slot - int(now_ms) - 1) % PERIOD_MS),
        )
        ticket = Ticket(slot, tick, on_error, self._remove)
        self._slots[slot] = (*self._slots[slot], ticket)
        self._members += 1
        self._plan()
        if not self._running:
            self._set_timer()
        return ticket

    def _remove(self, ticket: Ticket) -> None:
        self._slots[ticket.slot] = tuple(other for other in self._slots[ticket.slot] if other is not ticket)
        self._members -= 1
        self._plan()
        if not self._members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self) -> None:
        """Note the way from each slot to the next occupied one."""
        occupied = [slot for slot in range(PERIOD_MS) if self._slots[slot]]
        for slot in range(PERIOD_MS):
            self._next_step[slot] = min(((other - slot - 1) % PERIOD_MS + 1 for other in occupied), default=PERIOD_MS)

    def _now_ms(self) -> float:
        return (self._clock.monotonic_s() - self._epoch_s) * 1000.0

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._members:
            due_ms = self._done_ms + self._next_step[self._done_ms % PERIOD_MS]
            delay_s = max(0.0, due_ms - self._now_ms()) / 1000.0
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._run)

    def _run(self) -> None:
        self._timer = None
        self._running = True
        now_ms = int(self._now_ms() + _EARLY_MS)
        behind_ms = now_ms - self._done_ms
        if behind_ms > MAX_CATCH_UP_MS:
            self.skipped_ms += behind_ms - PERIOD_MS
            self._done_ms = now_ms - PERIOD_MS
        while (due_ms := self._done_ms + self._next_step[self._done_ms % PERIOD_MS]) <= now_ms:
            self._done_ms = due_ms
            for ticket in self._slots[due_ms % PERIOD_MS]:
                if ticket.active:
                    self._tick(ticket)
        self._running = False
        self._set_timer()

    def _tick(self, ticket: Ticket) -> None:
        try:
            ticket.tick()
        except Exception as error:  # noqa: BLE001 - one call's fault must not silence all others
            ticket.cancel()
            try:
                ticket.on_error(error)
            except Exception:  # noqa: BLE001
                _log.exception("pacing member failed while ending")

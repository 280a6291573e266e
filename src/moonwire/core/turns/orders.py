"""Collects the commands of one decision and remembers which timers are armed; decides nothing."""

from __future__ import annotations

from moonwire.core.turns.commands import ArmTimer, DisarmTimer, TurnCommand
from moonwire.core.turns.events import TimerName


class Orders:
    """The way out of the turn machine: every command passes here, so the books about timers are always right."""

    def __init__(self) -> None:
        self._commands: list[TurnCommand] = []
        self._armed: dict[TimerName, float] = {}

    @property
    def armed(self) -> dict[TimerName, float]:
        """Return a copy: armed timers and when they are due, in media seconds."""
        return dict(self._armed)

    def due(self, timer: TimerName) -> float | None:
        """Return when an armed timer is due, None for one that is not armed."""
        return self._armed.get(timer)

    def give(self, command: TurnCommand) -> None:
        """Add a command that is not about timers."""
        self._commands.append(command)

    def arm(self, timer: TimerName, due: float) -> None:
        """Arm a timer, or move it; due times are whole milliseconds, which keeps logs readable and sums exact."""
        due = round(due, 3)
        if timer in self._armed:
            self._commands = [
                given for given in self._commands if not (isinstance(given, ArmTimer) and given.timer == timer)
            ]
        self._armed[timer] = due
        self._commands.append(ArmTimer(timer, due))

    def disarm(self, timer: TimerName) -> None:
        """Disarm a timer; nothing happens when it is not armed."""
        if self._armed.pop(timer, None) is not None:
            self._commands.append(DisarmTimer(timer))

    def expired(self, timer: TimerName) -> None:
        """Forget a timer that has fired; the driver knows already."""
        self._armed.pop(timer, None)

    def take(self) -> list[TurnCommand]:
        """Return the collected commands and start a new list."""
        commands, self._commands = self._commands, []
        return commands

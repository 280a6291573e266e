"""Lets REST look at running calls and command them, through the same door as their applications."""

from __future__ import annotations

from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.engine import CallEngine
from moonwire.call.snapshot import snapshot
from moonwire.errors import CallError
from moonwire.ports.live_calls import LiveCall, NewCall, PlacedCall
from moonwire.spec.commands import AgentUpdateCommand, Command
from moonwire.spec.payloads import base_payload


class EngineCalls:
    """Implements ports.live_calls.LiveCalls over the engine's sessions."""

    def __init__(self, engine: CallEngine) -> None:
        self._engine = engine

    def all(self) -> Sequence[LiveCall]:
        """Return the calls that are up."""
        return [_shown(session.call) for session in self._engine.sessions if session.call is not None]

    def get(self, call_sid: str) -> LiveCall | None:
        """Return one."""
        session = self._engine.session(call_sid)
        return _shown(session.call) if session is not None and session.call is not None else None

    async def place(self, call: NewCall) -> PlacedCall:
        """Begin a call.

        Raises:
            CallError, RemoteProtocolError: as the port says.
        """
        return await self._engine.place(call)

    def execute(self, call_sid: str, command: Command) -> None:
        """Carry out a command.

        Raises:
            CallError: as the port says.
        """
        session = self._engine.session(call_sid)
        call = session.call if session is not None else None
        if session is None or call is None or call.gone.done():
            raise CallError("The call is over.", reason="call-gone")
        if isinstance(command, AgentUpdateCommand) and call.agent is None:
            raise CallError("No agent is running in this call.", reason="no-agent")
        session.on_command(command)


def _shown(call: Call) -> LiveCall:
    return LiveCall(
        call.sid,
        call.application.account_sid,
        base_payload(snapshot(call)),
        attempted_at=call.state.attempted_utc_s,
        answered_at=call.state.answered_utc_s,
        duration_s=round(call.timeline.since_answer_s()),
    )

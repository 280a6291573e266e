"""Lets REST look at running calls and command them, through the same door as their applications."""

from __future__ import annotations

from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.engine import CallEngine
from moonwire.call.parties.peer import Peer
from moonwire.call.session import CallSession
from moonwire.call.snapshot import snapshot
from moonwire.errors import CallError
from moonwire.ports.live_calls import LiveCall, NewCall, PlacedCall
from moonwire.spec.commands import (
    AgentUpdateCommand,
    CallStatusCommand,
    Command,
    DtmfCommand,
    MuteCommand,
    OtherLegCommand,
    TransferCommand,
    WhisperCommand,
)
from moonwire.spec.payloads import base_payload


class EngineCalls:
    """Implements ports.live_calls.LiveCalls over the engine's sessions."""

    def __init__(self, engine: CallEngine) -> None:
        self._engine = engine

    def all(self) -> Sequence[LiveCall]:
        """Return the calls that are up, each followed by the legs that were called for it."""
        calls = [session.call for session in self._engine.sessions if session.call is not None]
        return [shown for call in calls for shown in (_shown(call), *map(_shown_peer, call.peers.values()))]

    def get(self, call_sid: str) -> LiveCall | None:
        """Return one."""
        session = self._engine.session(call_sid)
        if session is not None and session.call is not None:
            return _shown(session.call)
        found = self._peer(call_sid)
        return _shown_peer(found[1]) if found is not None else None

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
        if session is None and (found := self._peer(call_sid)) is not None:
            session, command = found[0], _for_peer(call_sid, command)
        call = session.call if session is not None else None
        if session is None or call is None or call.gone.done():
            raise CallError("The call is over.", reason="call-gone")
        _check_fits(call, command)
        session.on_command(command)

    def _peer(self, call_sid: str) -> tuple[CallSession, Peer] | None:
        """Return a leg that was called, and whose call it belongs to."""
        for session in self._engine.sessions:
            if session.call is not None and call_sid in session.call.peers:
                return session, session.call.peers[call_sid]
        return None


def _for_peer(call_sid: str, command: Command) -> OtherLegCommand:
    if not isinstance(command, MuteCommand | DtmfCommand | CallStatusCommand | WhisperCommand):
        raise CallError("This leg was dialled; the call that it belongs to takes this.", reason="dialled-leg")
    return OtherLegCommand(call_sid, command)


def _check_fits(call: Call, command: Command) -> None:
    inner = command.command if isinstance(command, OtherLegCommand) else command
    match inner:
        case AgentUpdateCommand() if call.agent is None:
            raise CallError("No agent is running in this call.", reason="no-agent")
        case WhisperCommand() if call.bridge is None:
            raise CallError("Nobody is connected with the caller.", reason="not-connected")
        case TransferCommand() if not call.timeline.is_answered:
            raise CallError("The call is not answered.", reason="not-answered")
        case TransferCommand() if call.agent is not None and call.agent.conversation.is_transferring:
            raise CallError("A transfer is already under way.", reason="transferring")
        case _:
            pass


def _shown_peer(peer: Peer) -> LiveCall:
    picture = peer.snapshot()
    return LiveCall(
        peer.sid,
        picture.account_sid,
        base_payload(picture),
        attempted_at=peer.attempted_s,
        answered_at=peer.answered_s,
        duration_s=picture.duration_s or 0,
    )


def _shown(call: Call) -> LiveCall:
    return LiveCall(
        call.sid,
        call.application.account_sid,
        base_payload(snapshot(call)),
        attempted_at=call.state.attempted_utc_s,
        answered_at=call.state.answered_utc_s,
        duration_s=round(call.timeline.since_answer_s()),
    )

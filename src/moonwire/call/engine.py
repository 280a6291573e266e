"""The front door of the engine: takes legs, runs one session each, keeps one call's failure from all others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType

import structlog

from moonwire.call.parties.outgoing import place
from moonwire.call.services import CallServices
from moonwire.call.session import CallSession
from moonwire.errors import CallError, LocalProtocolError
from moonwire.ports.legs import CallLeg, CallPlacer
from moonwire.ports.live_calls import NewCall, PlacedCall

log = structlog.get_logger()


class CallEngine:
    """Implements ports.legs.CallAcceptor; an async context that ends its calls on exit."""

    def __init__(self, services: CallServices) -> None:
        self.services = services
        self._sessions: dict[str, CallSession] = {}
        self._group: asyncio.TaskGroup | None = None
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def __aenter__(self) -> CallEngine:
        """Open the group that owns all calls."""
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all calls and wait for them; an error outside passes through untouched."""
        del kind, error, trace
        for session in list(self._sessions.values()):
            session.end_by_server("shutdown")
        if self._group is not None:
            await self._group.__aexit__(None, None, None)

    @property
    def active_calls(self) -> int:
        """How many calls are up."""
        return len(self._sessions)

    @property
    def sessions(self) -> Sequence[CallSession]:
        """All live calls, oldest first."""
        return list(self._sessions.values())

    def dial_through(self, placer: CallPlacer) -> None:
        """Place the calls' own calls there from now on."""
        self.services.dialer.placer = placer

    def session(self, call_sid: str) -> CallSession | None:
        """Return a live call."""
        return self._sessions.get(call_sid)

    def offer(self, leg: CallLeg) -> None:
        """Take a new leg."""
        if self._group is None:
            raise LocalProtocolError("a call was offered before the engine was started")
        self._group.create_task(self._run(leg))

    async def place(self, new: NewCall) -> PlacedCall:
        """Begin a call; returns when the INVITE is out.

        Raises:
            CallError, RemoteProtocolError: as ports.live_calls.LiveCalls.place.
        """
        if self._group is None or self._draining:
            raise CallError("This process takes no calls now.", reason="busy")
        leg, outgoing = await place(self.services, new)
        session = CallSession(leg, self.services, (leg, outgoing))
        self._group.create_task(self._follow(session))
        return PlacedCall(session.sid, leg.info.call_id)

    async def wait_idle(self) -> None:
        """Wait until no call is up."""
        await self._idle.wait()

    async def drain(self, limit_s: float) -> None:
        """Refuse new calls and wait for the running ones, bounded."""
        self._draining = True
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls still up after drain", calls=len(self._sessions))

    async def _run(self, leg: CallLeg) -> None:
        if self._draining:
            await leg.reject(503, "Service Unavailable", {"Retry-After": "5"})
            return
        await self._follow(CallSession(leg, self.services))

    async def _follow(self, session: CallSession) -> None:
        self._sessions[session.sid] = session
        self._idle.clear()
        try:
            await session.run()
        except Exception:
            log.exception("call failed", call_sid=session.sid)
        finally:
            del self._sessions[session.sid]
            if not self._sessions:
                self._idle.set()

"""Calls somebody on behalf of a call: all targets at once, the first who answers and accepts wins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from moonwire.call.context import Call
from moonwire.call.peer import Peer
from moonwire.call.speech import Speech
from moonwire.errors import CallError, CallRefusedError, RemoteProtocolError, VendorError
from moonwire.spec.components import Synthesizer
from moonwire.spec.transfers import Confirm, Target

log = structlog.get_logger()

CONFIRM_S = 10.0
"""How long the person called may think about the key."""

Reason = Literal["no-answer", "busy", "declined", "error"]


class NobodyError(CallError):
    """No target took the call."""

    def __init__(self, why: Reason, status: int | None) -> None:
        super().__init__(f"the call was not taken: {why}", reason=why)
        self.why: Reason = why
        self.status = status


@dataclass(frozen=True, slots=True)
class Destination:
    """A target as SIP reaches it."""

    uri: str
    headers: dict[str, str]
    auth: tuple[str, str] | None


def destination(call: Call, target: Target) -> Destination:
    """Return where a target is reached.

    Raises:
        NobodyError: it cannot be reached from here.
    """
    auth = (target.auth.username, target.auth.password) if target.auth else None
    if target.type == "sip" and target.sip_uri:
        uri = target.sip_uri if target.sip_uri.startswith(("sip:", "sips:")) else f"sip:{target.sip_uri}"
        return Destination(uri, dict(target.headers), auth)
    if target.type == "phone" and target.number:
        routes = call.services.dialer.routes
        route = routes.route(call.application.account_sid, target.trunk) if routes is not None else None
        if route is not None:
            return Destination(route.uri(target.number), dict(target.headers), auth or route.auth)
        log.warning(
            "no way to a number", call_sid=call.sid, remedy="give a carrier an outbound gateway", trunk=target.trunk
        )
    raise NobodyError("error", None)


async def dial(
    call: Call,
    targets: Sequence[Target],
    *,
    caller_id: str,
    timeout_s: float,
    confirm: Confirm | None = None,
    synthesizer: Synthesizer | None = None,
) -> Peer:
    """Call all targets; return the first who answers (and accepts), the others are given up.

    Raises:
        NobodyError: nobody; it says why the likeliest one did not.
    """
    tries = [asyncio.create_task(_try(call, target, caller_id, timeout_s, confirm, synthesizer)) for target in targets]
    failures: list[NobodyError] = []
    winner: Peer | None = None
    try:
        for next_done in asyncio.as_completed(tries):
            try:
                winner = await next_done
                return winner
            except NobodyError as failure:
                failures.append(failure)
    finally:
        for one in tries:
            one.cancel()
        await asyncio.wait(tries)
        for one in tries:
            if not one.cancelled() and one.exception() is None and one.result() is not winner:
                await one.result().hang_up()
    ranks = ("no-answer", "busy", "declined", "error")
    raise min(failures, key=lambda failure: ranks.index(failure.why))


async def _try(
    call: Call,
    target: Target,
    caller_id: str,
    timeout_s: float,
    confirm: Confirm | None,
    synthesizer: Synthesizer | None,
) -> Peer:
    peer = Peer()
    place = destination(call, target)
    if call.services.dialer.placer is None:
        raise NobodyError("error", None)
    try:
        leg = await call.services.dialer.placer.place(
            place.uri,
            from_user=caller_id,
            listener=peer,
            source=peer,
            headers=place.headers,
            auth=place.auth,
            timeout_s=timeout_s,
        )
    except CallRefusedError as refusal:
        raise NobodyError(refusal_reason(refusal.status), refusal.status) from None
    except (CallError, RemoteProtocolError) as error:
        log.warning("target cannot be called", call_sid=call.sid, error=str(error))
        raise NobodyError("error", None) from None
    peer.connect(leg)
    try:
        if confirm is not None and synthesizer is not None:
            await _confirm(call, peer, confirm, synthesizer)
    except BaseException:
        await peer.hang_up()
        raise
    return peer


def refusal_reason(status: int) -> Reason:
    """Name a SIP status as jambonz's transfers do."""
    match status:
        case 486 | 600:
            return "busy"
        case 603 | 403 | 607:
            return "declined"
        case 408 | 480 | 487:
            return "no-answer"
        case _:
            return "error"


async def _confirm(call: Call, peer: Peer, confirm: Confirm, synthesizer: Synthesizer) -> None:
    """Ask the person to press a key.

    Raises:
        NobodyError: another key, none, or the end of the call.
    """
    try:
        async with asyncio.timeout(CONFIRM_S + 20):
            await speak_to(call, peer, confirm.prompt, synthesizer)
        async with asyncio.timeout(CONFIRM_S):
            if await peer.digits.get() == confirm.digit:
                return
    except (TimeoutError, VendorError):
        pass
    raise NobodyError("declined", None)


async def speak_to(call: Call, peer: Peer, text: str, synthesizer: Synthesizer) -> None:
    """Say something to the person we called and wait until it is heard, or that leg is over.

    Raises:
        VendorError: the voice failed.
    """
    if peer.egress is None:
        return
    over = asyncio.get_running_loop().create_future()
    listener = _Listener(over)
    speech = Speech(
        call.voice(synthesizer), peer.egress, listener, on_started=lambda: None, on_finished=listener.on_heard
    )
    speech.say(text)
    speech.finish()
    try:
        await asyncio.wait({over, peer.ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        speech.cancel()
        peer.egress.clear(speech.segment)
    if over.done():
        over.result()


class _Listener:
    """Waits for one text to be heard."""

    def __init__(self, over: asyncio.Future[None]) -> None:
        self._over = over

    def on_heard(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def on_speech_audio(self) -> None:
        """Audio arrives."""

    def on_speech_failed(self, error: VendorError) -> None:
        """Give up."""
        if not self._over.done():
            self._over.set_exception(error)

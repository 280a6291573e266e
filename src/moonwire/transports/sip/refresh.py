"""Keeps one call's session timer: refreshes when that is our part, ends the call when nobody did.

Source: RFC 4028 sections 7.1, 7.2, 7.4 and 10; RFC 3261 section 14.1 (the wait after 491).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from moonwire.core.sip.message import Response, sdp_body
from moonwire.core.sip.session_timer import SessionTimer, agreed_timer, min_se
from moonwire.errors import RemoteProtocolError
from moonwire.ports.clock import Clock
from moonwire.transports.sip.alarm import Alarm
from moonwire.transports.sip.exchanges import Body, OnResponse
from moonwire.transports.sip.media import CallMedia


class DialogSender(Protocol):
    """Sends a request inside the dialog, Contact included, and the ACK of a 2xx."""

    def send(
        self,
        method: str,
        *,
        headers: dict[str, str],
        body: Body | None,
        on_response: OnResponse,
        on_timeout: Callable[[], None],
    ) -> None:
        """Send a request."""
        ...

    def acknowledge(self, response: Response) -> None:
        """Send the ACK of a 2xx to our INVITE."""
        ...


class SessionRefresh:
    """One call's session timer."""

    def __init__(self, *, clock: Clock, sender: DialogSender, media: CallMedia, on_expired: Callable[[], None]) -> None:
        self.peer_updates = False
        """The peer allows UPDATE, which costs no offer and answer."""
        self.inviting = False
        """A re-INVITE of ours is unanswered; one that crosses it gets 491."""
        self._sender = sender
        self._media = media
        self._on_expired = on_expired
        self._timer: SessionTimer | None = None
        self._refresh = Alarm(clock, self._send_refresh)
        self._expiry = Alarm(clock, on_expired)

    def begin(self, timer: SessionTimer | None) -> None:
        """Take what a (re-)INVITE or UPDATE agreed; None switches the timer off."""
        self.stop()
        self._timer = timer
        if timer is None:
            return
        if timer.we_refresh:
            self._refresh.set_in(timer.refresh_after_s)
            self._expiry.set_in(timer.interval_s)
        else:
            self._expiry.set_in(timer.give_up_after_s)

    def stop(self) -> None:
        """Forget all deadlines."""
        self._refresh.cancel()
        self._expiry.cancel()

    def _send_refresh(self) -> None:
        timer = self._timer
        if timer is None or self.inviting:
            return
        headers = {"Supported": "timer", "Session-Expires": f"{int(timer.interval_s)};refresher=uac"}
        if timer.interval_s > 90:
            headers["Min-SE"] = "90"
        method = "UPDATE" if self.peer_updates else "INVITE"
        self.inviting = method == "INVITE"
        self._sender.send(
            method,
            headers=headers,
            body=self._media.offer() if self.inviting else None,
            on_response=self._on_response,
            on_timeout=self._on_lost,
        )

    def _on_lost(self) -> None:
        self.inviting = False
        self._on_expired()

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            return
        was_inviting, self.inviting = self.inviting, False
        if response.status < 300:
            self._refreshed(response, was_inviting=was_inviting or "INVITE" in response.headers["CSeq"])
        elif response.status in (408, 481):
            self._on_expired()
        elif response.status == 422 and self._timer is not None:
            self._timer = replace(self._timer, interval_s=max(self._timer.interval_s, min_se(response.headers)))
            self._send_refresh()
        elif response.status == 491:
            self._refresh.set_in(2.1 + secrets.randbelow(20) / 10)
        # Anything else leaves the call up; it ends when the interval is over.

    def _refreshed(self, response: Response, *, was_inviting: bool) -> None:
        if was_inviting:
            self._sender.acknowledge(response)
            try:
                self._media.accept(sdp_body(response))
                self._media.start()
            except RemoteProtocolError:
                pass  # the old agreement stands
        self.begin(agreed_timer(response.headers))

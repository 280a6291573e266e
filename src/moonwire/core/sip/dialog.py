"""One dialog: its identity, its route set, its sequence numbers, and the requests sent inside it.

Source: RFC 3261 section 12.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipmessage import Headers

from moonwire.core.sip.grammar import parameter, parse_address, parse_uri
from moonwire.core.sip.message import Request, Response, cseq_number, list_header, tag_of
from moonwire.errors import RemoteProtocolError

DialogKey = tuple[str, str]
"""Call-ID and our tag."""


@dataclass(slots=True)
class Dialog:
    """One dialog as one side sees it; addresses are whole header values, tags included."""

    call_id: str
    local: str
    remote: str
    remote_target: str
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None

    @property
    def key(self) -> DialogKey:
        """Where the endpoint finds this dialog."""
        return (self.call_id, tag_of(self.local))

    @property
    def remote_tag(self) -> str:
        """The peer's tag."""
        return tag_of(self.remote)

    @classmethod
    def of_received_invite(cls, request: Request, local_tag: str, *, default_target: str) -> Dialog:
        """Open the called side's dialog; the route set is Record-Route in order.

        Args:
            request: the INVITE.
            local_tag: our tag.
            default_target: stands in for a Contact that is missing altogether, as some trunks' is.

        Raises:
            RemoteProtocolError: an unusable Contact, or a malformed header.
        """
        return cls(
            call_id=request.headers["Call-ID"],
            local=f"{request.headers['To']};tag={local_tag}",
            remote=request.headers["From"],
            remote_target=contact_uri(request.headers) if request.headers.get("Contact") else default_target,
            route_set=_record_routes(request.headers),
            local_cseq=0,
            remote_cseq=cseq_number(request.headers),
        )

    @classmethod
    def of_response(cls, request: Request, response: Response) -> Dialog:
        """Open the calling side's dialog; the route set is Record-Route reversed.

        Raises:
            RemoteProtocolError: no usable Contact, or a malformed header.
        """
        return cls(
            call_id=request.headers["Call-ID"],
            local=request.headers["From"],
            remote=response.headers["To"],
            remote_target=contact_uri(response.headers),
            route_set=tuple(reversed(_record_routes(response.headers))),
            local_cseq=cseq_number(request.headers),
            remote_cseq=None,
        )

    def accepts_cseq(self, number: int) -> bool:
        """Advance to a request's number; False when it is not newer than the last one (answer 500)."""
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, headers: Headers) -> None:
        """Take over the Contact of a re-INVITE, an UPDATE or their 2xx, when there is a usable one."""
        try:
            self.remote_target = contact_uri(headers)
        except RemoteProtocolError:
            return

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """Start a request inside the dialog; the endpoint adds the Via.

        Args:
            method: anything but CANCEL.
            cseq: for an ACK the number of its INVITE, otherwise the next number is taken.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self._routing()
        request = Request(method, uri)
        request.headers.set("Max-Forwards", "70")
        if routes:
            request.headers.setlist("Route", list(routes))
        request.headers.set("From", self.local)
        request.headers.set("To", self.remote)
        request.headers.set("Call-ID", self.call_id)
        request.headers.set("CSeq", f"{cseq} {method}")
        return request

    def next_hop(self) -> str:
        """Return the URI to send to: the first route, else the remote target."""
        return str(parse_address(self.route_set[0]).uri) if self.route_set else self.remote_target

    def _routing(self) -> tuple[str, tuple[str, ...]]:
        if not self.route_set:
            return self.remote_target, ()
        first = parse_address(self.route_set[0]).uri
        if parameter(first.parameters, "lr") is not None:
            return self.remote_target, self.route_set
        # A strict router of RFC 2543 wants its own URI in the request line (section 12.2.1.1).
        return str(first), (*self.route_set[1:], f"<{self.remote_target}>")


def contact_uri(headers: Headers) -> str:
    """Return the URI of the first Contact, as received.

    Raises:
        RemoteProtocolError: there is none, or it is no SIP URI.
    """
    contacts = list_header(headers, "Contact")
    if not contacts:
        raise RemoteProtocolError("no Contact")
    text = contacts[0]
    uri = text[text.find("<") + 1 : text.find(">")] if "<" in text and ">" in text else text.partition(";")[0]
    if parse_uri(uri).scheme == "tel":
        raise RemoteProtocolError("Contact is no SIP URI")
    return uri


def _record_routes(headers: Headers) -> tuple[str, ...]:
    routes = tuple(list_header(headers, "Record-Route"))
    for route in routes:
        parse_address(route)
    return routes

"""What a user agent server checks before it looks at a request's meaning, in the order of RFC 3261 section 8.2."""

from __future__ import annotations

from dataclasses import dataclass, field

from moonwire.core.sip.grammar import TOKEN, parse_address, parse_cseq, parse_uri, parse_via, split_values
from moonwire.core.sip.message import Request, option_tags, tag_of
from moonwire.core.sip.phrases import PHRASES
from moonwire.errors import RemoteProtocolError

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"
SUPPORTED = "timer"
_SERVED = frozenset(ALLOW.split(", ")) | {"REFER"}
_KNOWN = _SERVED | {"REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "PRACK"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """How to refuse a request."""

    status: int
    phrase: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


def screen(request: Request) -> Refusal | None:
    """Return how a request must be refused, None when it may be looked at; not for ACK.

    Source: RFC 3261 sections 8.1.1, 8.2.1 to 8.2.3, 16.3 (Max-Forwards), 20.5 and 21.4.6.
    """
    if request.defect is not None:
        return Refusal(request.defect.status, request.defect.phrase)
    malformed = _malformed(request)
    if malformed is not None:
        return malformed
    if request.method not in _SERVED:
        status = 405 if request.method in _KNOWN else 501
        return Refusal(status, PHRASES[status], {"Allow": ALLOW})
    hops = request.headers.get("Max-Forwards")
    if hops is not None and hops.isdigit() and int(hops) == 0:
        return Refusal(483, PHRASES[483])
    unknown = sorted(option_tags(request.headers, "Require") - {SUPPORTED})
    if unknown and request.method != "CANCEL":
        return Refusal(420, PHRASES[420], {"Unsupported": ", ".join(unknown)})
    return None


def _malformed(request: Request) -> Refusal | None:
    headers = request.headers
    try:
        parse_uri(request.uri)
    except RemoteProtocolError as error:
        phrase = PHRASES[416] if error.status == 416 else "Malformed Request-URI"
        return Refusal(error.status, phrase)
    try:
        for value in split_values(headers["Via"]):
            parse_via(value)
        cseq = parse_cseq(headers["CSeq"])
        parse_address(headers["From"])
        parse_address(headers["To"])
    except RemoteProtocolError:
        return Refusal(400, "Malformed Header")
    if cseq.method != request.method:
        return Refusal(400, "CSeq Method Mismatch")
    if any(len(headers.getlist(name)) > 1 for name in ("From", "To", "Call-ID", "CSeq", "Max-Forwards")):
        return Refusal(400, "Repeated Header")
    call_id = headers["Call-ID"]
    if not call_id or len(call_id) > 512 or len(tag_of(headers["From"])) > 512:
        return Refusal(400, "Bad Call-ID")
    if not TOKEN.match(request.method):
        return Refusal(400, PHRASES[400])
    return None

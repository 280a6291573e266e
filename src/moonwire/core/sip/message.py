"""SIP requests and responses as bytes and as values; header text is kept as received, so echoes are exact.

A message that can still be answered is never refused here: its first defect travels with it, and the user agent
answers with that status. Only what cannot be answered raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sipmessage import Headers
from sipmessage.message import COMPACT_FORMS

from moonwire.core.sip.grammar import TOKEN, parse_address, parse_cseq, parse_via, split_values
from moonwire.core.sip.phrases import PHRASES
from moonwire.errors import RemoteProtocolError

MAX_MESSAGE_BYTES = 65535
MAX_HEADER_LINES = 256
_FOLD = re.compile(r"\r?\n[ \t]+")
_REQUIRED = ("Via", "From", "To", "Call-ID", "CSeq")


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a request, as the status to answer with."""

    status: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request; `uri` is the Request-URI as received."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A SIP response."""

    status: int
    phrase: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


SipMessage = Request | Response


def parse_message(data: bytes) -> SipMessage:
    """Read one message (a datagram, or what the stream framer cut out).

    Raises:
        RemoteProtocolError: nobody could be answered: no SIP, or a header without which no response can be made.

    Source: RFC 3261 sections 7, 8.1.1 and 18.3.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError("message too large", status=513)
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    text = _FOLD.sub(" ", head.decode("utf-8", "surrogateescape"))
    lines = text.split("\r\n")
    headers, defect = _parse_headers(lines[1:])
    if not separator:
        defect = defect or Defect(400, "Missing Empty Line")
    for name in _REQUIRED:
        if headers.get(name) is None:
            raise RemoteProtocolError(f"no {name} header")
    body, length_defect = _cut_body(headers, body)
    return _start_line(lines[0], headers, body, defect or length_defect)


def _start_line(line: str, headers: Headers, body: bytes, defect: Defect | None) -> SipMessage:
    if line[:4].upper() == "SIP/":
        version, _, rest = line.partition(" ")
        code, _, phrase = rest.partition(" ")
        if version.upper() != "SIP/2.0" or not re.fullmatch(r"[1-6]\d\d", code):
            raise RemoteProtocolError("malformed status line")
        if defect is not None:
            raise RemoteProtocolError(f"malformed response: {defect.phrase}")
        return Response(int(code), phrase, headers, body)
    parts = line.split(" ")
    if len(parts) < 3 or not TOKEN.match(parts[0]) or parts[-1][:4].upper() != "SIP/":
        raise RemoteProtocolError("malformed request line")
    uri = " ".join(parts[1:-1])
    if parts[-1].upper() != "SIP/2.0":
        defect = Defect(505, PHRASES[505])
    elif not uri or re.search(r"[\s<>]", uri):
        defect = defect or Defect(400, "Malformed Request-URI")
    return Request(parts[0], uri, headers, body, defect)


def _parse_headers(lines: list[str]) -> tuple[Headers, Defect | None]:
    headers = Headers()
    defect = Defect(400, "Too Many Headers") if len(lines) > MAX_HEADER_LINES else None
    for line in lines[:MAX_HEADER_LINES]:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not TOKEN.match(name):
            defect = defect or Defect(400, "Malformed Header")
            continue
        # A bare CR or LF inside a value would split our echo of it.
        headers.add(COMPACT_FORMS.get(name.lower(), name), re.sub(r"[\r\n\0]", " ", value).strip())
    return headers, defect


def _cut_body(headers: Headers, body: bytes) -> tuple[bytes, Defect | None]:
    text = headers.get("Content-Length")
    if text is None:
        return body, None
    if not re.fullmatch(r"[0-9]{1,6}", text):
        return body, Defect(400, "Bad Content-Length")
    if int(text) > len(body):
        return body, Defect(400, "Body Shorter Than Content-Length")
    return body[: int(text)], None


def encode(message: SipMessage) -> bytes:
    """Build the bytes of a message; Content-Length is set here."""
    message.headers.set("Content-Length", str(len(message.body)))
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} SIP/2.0"
    else:
        start = f"SIP/2.0 {message.status} {message.phrase}"
    return f"{start}\r\n{message.headers}".encode("utf-8", "surrogateescape") + message.body


def make_response(request: Request, status: int, phrase: str | None = None, *, to_tag: str = "") -> Response:
    """Start a response: Via, From, To (with our tag), Call-ID, CSeq, and Record-Route where a dialog may follow.

    Source: RFC 3261 sections 8.2.6.2 and 12.1.1.
    """
    response = Response(status, clean_text(phrase) if phrase else PHRASES.get(status, "Unknown"))
    response.headers.setlist("Via", list(request.headers.getlist("Via")))
    if status > 100 and request.method == "INVITE" and request.headers.getlist("Record-Route"):
        response.headers.setlist("Record-Route", list(request.headers.getlist("Record-Route")))
    for name in ("From", "To", "Call-ID", "CSeq"):
        response.headers.set(name, request.headers[name])
    if to_tag and status > 100 and not tag_of(request.headers["To"]):
        response.headers.set("To", f"{request.headers['To']};tag={to_tag}")
    return response


def tag_of(value: str) -> str:
    """Return the tag of a From or To value, empty when it has none or is malformed."""
    try:
        parameters = parse_address(value).parameters
    except RemoteProtocolError:
        return ""
    return next((text or "" for key, text in parameters.items() if key.lower() == "tag"), "")


def top_via(headers: Headers) -> str:
    """Return the first Via value."""
    return split_values(headers["Via"])[0]


def stamp_via(request: Request, address: str, port: int) -> None:
    """Write `received` and `rport` into the top Via, so that responses find their way through NAT.

    Source: RFC 3261 section 18.2.1; RFC 3581 section 4.
    """
    values = split_values(request.headers["Via"])
    first = values[0]
    via = parse_via(first)
    parameters = {key.lower(): value for key, value in via.parameters.items()}
    first = re.sub(r";\s*received\s*=\s*[^;,\s]*", "", first, flags=re.IGNORECASE)
    if "rport" in parameters:
        first = re.sub(r"(;\s*rport)\b(\s*=\s*[^;,\s]*)?", rf"\1={port}", first, flags=re.IGNORECASE)
    if "rport" in parameters or via.host.strip("[]") != address:
        first += f";received={address}"
    rest = request.headers.getlist("Via")[1:]
    request.headers.setlist("Via", [", ".join([first, *values[1:]]), *rest])


def list_header(headers: Headers, name: str) -> list[str]:
    """Return a comma-separated header's values, in order."""
    return [value for line in headers.getlist(name) for value in split_values(line)]


def option_tags(headers: Headers, name: str) -> set[str]:
    """Return Supported, Require or Allow as a set, in lower case."""
    return {value.lower() for value in list_header(headers, name)}


def cseq_number(headers: Headers) -> int:
    """Return the CSeq number.

    Raises:
        RemoteProtocolError: malformed.
    """
    return parse_cseq(headers["CSeq"]).sequence


def content_type(message: SipMessage) -> str:
    """Return the body's media type in lower case without parameters, empty when there is no body."""
    value = message.headers.get("Content-Type") or ""
    return value.partition(";")[0].strip().lower() if message.body else ""


def clean_text(text: str) -> str:
    """Return text that cannot end a header line."""
    return re.sub(r"[\r\n\0]+", " ", text).strip()


def add_headers(message: SipMessage, headers: Mapping[str, str] | None) -> None:
    """Add an application's own headers; names that are no tokens or belong to the protocol are left out."""
    for name, value in (headers or {}).items():
        if TOKEN.match(name) and name.lower() not in _PROTOCOL_HEADERS:
            message.headers.set(name, clean_text(str(value)))


_PROTOCOL_HEADERS = frozenset(
    name.lower()
    for name in (
        *("Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Route", "Record-Route", "Contact"),
        *("Content-Length", "Content-Type", "Session-Expires", "Min-SE"),
        *("v", "f", "t", "i", "m", "l", "c", "x"),
    )
)


def sdp_body(message: SipMessage) -> bytes:
    """Return the session description of a message, taken out of a multipart body when there is one.

    Raises:
        RemoteProtocolError: no body (400), or a body without a session description (415).

    Source: RFC 3261 section 7.4; RFC 5621 (multipart bodies).
    """
    media_type = content_type(message)
    if media_type == "application/sdp":
        return message.body
    if media_type.startswith("multipart/"):
        boundary = re.search(
            r'boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', message.headers["Content-Type"], re.I
        )
        if boundary:
            for part in message.body.split(b"--" + (boundary.group(1) or boundary.group(2)).encode())[1:]:
                head, _, content = part.partition(b"\r\n\r\n")
                if re.search(rb"^content-type\s*:\s*application/sdp\b", head, re.I | re.M):
                    return content.rstrip(b"\r\n") + b"\r\n"
    raise RemoteProtocolError("no session description", status=415 if message.body else 400)

"""The whole error tree; each name says who must act, each class has a stable code.

MoonwireError
├── ConfigError                 the operator: settings or moonwire.yaml
├── StoreUnavailableError       the operator: the database is away; calls go on with what is cached
├── RecordError                 the REST client: unknown, taken, not theirs, or not valid
├── SpecError                   the application: a wrong verb, hook answer or command (carries the path)
├── HookError                   the application: unreachable, slow, refused or closed
├── ToolServerError             the tool server (MCP) that an application named: unreachable, slow or wrong
├── CallError                   nobody: one call ended for a named reason
│   └── CallRefusedError        the called side: refused, busy, not answered, unreachable
├── LocalProtocolError          we: a bug in how we speak a protocol
├── RemoteProtocolError         the peer: malformed SIP, SDP, RTP or WebSocket traffic
└── VendorError                 a speech or language-model vendor
    ├── CredentialError         the operator: the key is wrong, revoked, of another region, or not permitted
    ├── QuotaError              the operator: no money or no voucher left; never retried
    ├── RateLimitError          nobody now: the account's limit; may be retried after a wait
    ├── VendorOverloadedError   nobody now: the vendor has no capacity
    ├── ModelUnavailableError   the operator: the model is retired or not available to this account
    ├── ContextTooLongError     we: the history must be trimmed
    ├── ContentFilteredError    the caller or the prompt: moderation refused
    ├── RequestRejectedError    the application or we: the vendor refused a parameter
    ├── VendorTimeoutError      the vendor: nothing useful within the limit (stalled)
    └── VendorUnavailableError  the vendor or the network: unreachable, dropped, 5xx
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

OUR_FAULT = "This is an error in Moonwire itself: report it with the server's log."
"""The remedy where nobody else can do anything."""


class MoonwireError(Exception):
    """Root of all errors that Moonwire raises on purpose."""

    code: ClassVar[str] = "moonwire"


class ConfigError(MoonwireError):
    """A setting or the configuration file is wrong; the message names the thing and the remedy."""

    code = "config"


class StoreUnavailableError(MoonwireError):
    """The database cannot be reached, is locked or full; calls go on with what is cached."""

    code = "store-unavailable"


class RecordError(MoonwireError):
    """A managed record cannot be read or written as asked; `why` decides the HTTP status."""

    code = "record"

    def __init__(
        self, message: str, *, why: Literal["invalid", "forbidden", "not-found", "conflict", "in-use"]
    ) -> None:
        super().__init__(message)
        self.why = why


class SpecError(MoonwireError):
    """An application sent something the jambonz vocabulary does not allow."""

    code = "spec"

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class HookError(MoonwireError):
    """A customer's application could not be reached, refused, was too slow or closed."""

    code = "hook"

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class ToolServerError(MoonwireError):
    """An external tool server could not be reached, was too slow, or broke its protocol."""

    code = "tool-server"


class CallError(MoonwireError):
    """One call cannot go on; `reason` is the stable word in records and events."""

    code = "call"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CallRefusedError(CallError):
    """A call or transfer that we asked for was not taken; `status` and `phrase` are what SIP said."""

    def __init__(self, status: int, phrase: str, *, reason: str = "rejected") -> None:
        super().__init__(f"the call was not answered: {status} {phrase}", reason=reason)
        self.status = status
        self.phrase = phrase


class LocalProtocolError(MoonwireError):
    """We were about to break a protocol."""

    code = "local-protocol"


class RemoteProtocolError(MoonwireError):
    """A peer broke a protocol; `status` hints at the SIP or HTTP status to answer with."""

    code = "remote-protocol"

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class VendorWords:
    """A failure in more detail than its class: our stable word for the cause, the vendor's own words (redacted)."""

    cause: str = ""
    """`region`, `ip-not-allowed`, `wrong-path`, `not-an-api`, `concurrency`, ... (docs/reference/llm-test.md)."""
    type: str = ""
    text: str = ""
    says: str = ""
    """One short sentence of ours without the vendor's words; empty when the error's text is that already."""


class VendorError(MoonwireError):
    """A vendor failed; the text never holds a credential or a prompt."""

    code = "vendor"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        remedy: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        said: VendorWords | None = None,
    ) -> None:
        super().__init__(message)
        self.vendor = vendor
        self.remedy = remedy
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.said = said or VendorWords()


class CredentialError(VendorError):
    """The vendor refused the key: wrong, revoked, of another region, or without permission."""

    code = "credential"


class QuotaError(VendorError):
    """The account has no balance or voucher left; retrying cannot help."""

    code = "quota"


class RateLimitError(VendorError):
    """The account's own limit was reached; `retry_after_s` says for how long, when known."""

    code = "rate-limit"
    retryable = True


class VendorOverloadedError(VendorError):
    """The vendor has no capacity at the moment."""

    code = "vendor-overloaded"
    retryable = True


class ModelUnavailableError(VendorError):
    """The model is retired, misspelt, or not available to this account."""

    code = "model-unavailable"


class ContextTooLongError(VendorError):
    """Prompt and cap exceed the model's context."""

    code = "context-too-long"
    overrun: float = 1.0
    """How many times the limit was asked for, where the vendor told both numbers."""


class ContentFilteredError(VendorError):
    """The vendor's moderation refused the input or stopped the output."""

    code = "content-filtered"


class RequestRejectedError(VendorError):
    """The vendor refused a parameter or the shape of the request."""

    code = "request-rejected"


class VendorTimeoutError(VendorError):
    """Nothing useful came within the limit."""

    code = "vendor-timeout"
    retryable = True


class VendorUnavailableError(VendorError):
    """The vendor cannot be reached, dropped the connection, or answered 5xx."""

    code = "vendor-unavailable"
    retryable = True

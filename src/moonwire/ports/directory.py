"""What calls read of the operator's configuration: answered from memory, never from a database on a call's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.spec.hooks import Hook


@dataclass(frozen=True, slots=True)
class LlmChoice:
    """A model of a vendor, with the credential's label when there are several."""

    vendor: str
    model: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """One application as calls see it."""

    sid: str
    account_sid: str
    name: str
    call_hook: Hook | None
    call_status_hook: Hook | None = None
    app_json: Sequence[Mapping[str, Any]] | None = None
    """Runs instead of asking the hook."""
    env_vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    synthesizer: Synthesizer | None = None
    recognizer: Recognizer | None = None
    llm: LlmChoice | None = None
    fallback_llm: Sequence[LlmChoice] = ()
    agent_messages: Literal["auto", "agent", "hook"] = "auto"
    """Whether agent events go as `agent:event` or as `verb:hook` (jambonz's Python SDK knows only the latter)."""
    webhook_secret: SecretStr | None = None
    record_calls: bool = False
    by_operator: bool = True
    """The operator wrote its hooks into the configuration file: private hosts are fine. False: REST or portal did."""


@dataclass(frozen=True, slots=True)
class VendorCredential:
    """One stored or inline vendor account; secrets are masked by type."""

    vendor: str
    label: str | None = None
    sid: str | None = None
    """None for a credential that came inside a verb (`auth`)."""
    secrets: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    """`api_key`, ... in snake_case."""
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """Everything that is no secret: `base_url`, `model_id`, `retired_models` (`substitute` | `refuse`) ..."""
    fallback: Sequence[LlmChoice] = ()
    listens: bool = True
    """Of a speech account: may be used to recognise."""
    speaks: bool = True
    """Of a speech account: may be used to speak."""
    by_operator: bool = True
    """The operator wrote its addresses into the configuration file: private hosts are fine. False: REST or portal."""

    @property
    def api_key(self) -> str:
        """The key in clear text, empty when there is none; for the vendor's request header only."""
        secret = self.secrets.get("api_key")
        return secret.get_secret_value() if secret else ""

    @property
    def base_url(self) -> str | None:
        """The operator's endpoint, or None for the vendor's own."""
        return self.fields.get("base_url") or None


class Directory(Protocol):
    """Applications, numbers and credentials, from memory."""

    def application_for_number(self, number: str) -> ApplicationRecord | None:
        """Return the active application of a called number (compared without a leading plus)."""
        ...

    def application_for_carrier(self, carrier: str) -> ApplicationRecord | None:
        """Return the application that a carrier's calls to unknown numbers run."""
        ...

    def application(self, sid: str) -> ApplicationRecord | None:
        """Return an application by sid."""
        ...

    def bare_application(self, account_sid: str) -> ApplicationRecord:
        """Return an application of an account that has nothing but the account's defaults."""
        ...

    def llm_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        """Return the account's language-model credential; without a label the default or only one."""
        ...

    def speech_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        """Return the account's speech credential; without a label the default or only one."""
        ...


AlertType = Literal[
    "no-application",
    "webhook-failure",
    "webhook-connection-failure",
    "webhook-auth-failure",
    "payload-error",
    "no-tts",
    "no-stt",
    "tts-failure",
    "stt-failure",
    "llm-failure",
    "model-retired",
    "call-limit",
    "tool-server-failure",
]


class Alerts(Protocol):
    """Tells the operator."""

    def raise_alert(
        self, account_sid: str, alert_type: AlertType, message: str, *, remedy: str = "", call_sid: str = ""
    ) -> None:
        """Record an alert, repeated ones counted; never blocks; the text holds no secret."""
        ...


class ServiceHealth(Protocol):
    """Remembers how stored credentials do in real calls."""

    def service_used(self, credential_sid: str) -> None:
        """Note a success; never blocks, may be called for every turn."""
        ...

    def service_failed(self, credential_sid: str, code: str, message: str) -> None:
        """Note a failure by its error's code and text, which hold no secret; never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished call, as RecentCalls shows it; times are seconds since 1970."""

    call_sid: str
    account_sid: str
    application_sid: str | None
    call_id: str
    from_: str
    to: str
    direction: Literal["inbound", "outbound"]
    trunk: str | None
    transport: str
    attempted_at: float
    answered_at: float | None
    terminated_at: float
    sip_status: int
    termination_by: str
    termination_reason: str
    remote_host: str
    trace_id: str
    recording_path: str | None = None
    usage: dict[str, int] | None = None
    """Tokens of the call's language models, under the names of `turn_end`; None when there were none."""


class CallRecords(Protocol):
    """Keeps finished calls."""

    def add(self, record: CallRecord) -> None:
        """Queue a record for writing; never blocks; kept on disk when the database is away."""
        ...

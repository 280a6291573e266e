"""Handing a call over: targets, methods, dispositions; the `handoff` member of the agent verb.

Source: jambonz-python-sdk 0.4.0, components/handoff, components/transferOptions and components/target.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from moonwire.spec.components import SipHeaders, Synthesizer, WireModel, as_list
from moonwire.spec.hooks import HookField

HOST: Final = r"^[A-Za-z0-9._:\[\]-]{1,255}$"


class TargetAuth(WireModel):
    """Digest credentials of a target."""

    username: str
    password: str = Field(repr=False)


class FromAddress(WireModel):
    """The From address that a target shall see."""

    user: str | None = None
    host: Annotated[str, Field(pattern=HOST)] | None = None


class Target(WireModel):
    """Whom to call: a number through a carrier, or a SIP address."""

    type: Literal["phone", "sip", "user", "teams"]
    number: str | None = None
    sip_uri: str | None = None
    name: str | None = None
    trunk: str | None = None
    headers: SipHeaders = Field(default_factory=dict[str, str])
    auth: TargetAuth | None = None
    from_: FromAddress = Field(default_factory=FromAddress, alias="from")
    override_to: str | None = None
    proxy: str | None = None
    confirm_hook: HookField | None = None


class Confirm(WireModel):
    """What the person called hears, and the key that accepts the call."""

    prompt: str
    digit: str


Fallback = Literal["return", "voicemail", "hangup"]


class Disposition(WireModel):
    """What becomes of the caller when nobody takes the call."""

    on_no_answer: Fallback = "return"
    on_busy: Fallback = "return"
    on_decline: Fallback = "return"
    on_failure: Fallback = "return"
    voicemail_url: str | None = None


class BriefTemplate(WireModel):
    """Guidance for the summary."""

    template: str


class TransferOptions(WireModel):
    """Whom to reach, how, and what becomes of the caller when nobody takes the call."""

    mode: Literal["blind", "warm"]
    target: Annotated[list[Target], BeforeValidator(as_list), Field(min_length=1)]
    blind_method: Literal["refer", "dial"] = "refer"
    caller_present: bool = False
    """Warm: the caller hears what the person is told."""
    caller_id: str | None = None
    on_hold_hook: HookField | None = None
    """Warm: what a caller hears who is not present."""
    timeout: float = Field(default=30, gt=0, le=600)
    confirm: Confirm | None = None
    amd: dict[str, Any] | None = None
    disposition: Disposition = Field(default_factory=Disposition)
    action_hook: HookField | None = None
    """Hears how the transfer ended."""
    event_hook: HookField | None = None
    """Hears how it gets on."""


class Handoff(TransferOptions):
    """The agent's transfer tool."""

    brief: Literal["auto", "none"] | BriefTemplate = "auto"
    brief_synthesizer: Synthesizer | None = None
    tool_name: str = "transfer_to_human"
    tool_description: str | None = None

"""The `sip:decline` verb: refuse a call that is not answered yet.

Source: @jambonz/schema 0.4.15, verbs/sip-decline.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moonwire.spec.components import SipHeaders, VerbModel


class SipDecline(VerbModel):
    """Refuse with a SIP status; `reason` is the reason phrase."""

    verb: Literal["sip:decline"] = "sip:decline"
    status: int = Field(ge=300, le=699)
    reason: str | None = None
    headers: SipHeaders = Field(default_factory=dict[str, str])

"""The `sip:refer` verb: ask the caller's side to call somebody else.

Source: @jambonz/schema 0.4.15, verbs/sip-refer.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moonwire.spec.components import SipHeaders, VerbModel
from moonwire.spec.hooks import HookField


class SipRefer(VerbModel):
    """Transfer the call by REFER."""

    verb: Literal["sip:refer"] = "sip:refer"
    refer_to: str = Field(min_length=1, max_length=512)
    """A SIP URI or a telephone number."""
    referred_by: str | None = None
    referred_by_display_name: str | None = None
    headers: SipHeaders = Field(default_factory=dict[str, str])
    action_hook: HookField | None = None
    event_hook: HookField | None = None
    """Hears how the call that was asked for gets on."""

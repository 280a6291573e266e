"""The `hangup` verb: end the call.

Source: @jambonz/schema 0.4.15, verbs/hangup.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moonwire.spec.components import SipHeaders, VerbModel


class Hangup(VerbModel):
    """End the call; `headers` go into the BYE."""

    verb: Literal["hangup"] = "hangup"
    headers: SipHeaders = Field(default_factory=dict[str, str])

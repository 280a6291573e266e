"""The `pause` verb: wait.

Source: @jambonz/schema 0.4.15, verbs/pause.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moonwire.spec.components import VerbModel


class Pause(VerbModel):
    """Wait `length` seconds."""

    verb: Literal["pause"] = "pause"
    length: float = Field(ge=0, allow_inf_nan=False)

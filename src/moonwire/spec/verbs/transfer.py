"""The `transfer` verb: hand the caller over to a person, blind or warm, with what happens when nobody takes the call.

Source: @jambonz/schema 0.4.15, verbs/transfer and components/transferOptions.
"""

from __future__ import annotations

from typing import Literal

from moonwire.spec.components import Synthesizer, VerbModel, WireModel
from moonwire.spec.leniency import Location
from moonwire.spec.transfers import TransferOptions


class SpokenBrief(WireModel):
    """What the person hears before the caller is connected."""

    text: str
    synthesizer: Synthesizer | None = None


class Transfer(TransferOptions, VerbModel):
    """Transfer the call."""

    verb: Literal["transfer"] = "transfer"
    brief: SpokenBrief | None = None


def may_drop(place: Location) -> bool:
    """Say whether the transfer can be made without the member at this place: whom to call, and how, is needed."""
    return place[0] not in ("target", "mode", "confirm")

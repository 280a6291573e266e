"""The `dial` verb: call somebody and connect the caller with whoever answers first.

Source: @jambonz/schema 0.4.15, verbs/dial and components/target.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from moonwire.spec.components import SipHeaders, VerbModel, as_list
from moonwire.spec.hooks import HookField
from moonwire.spec.leniency import Location
from moonwire.spec.transfers import Target


class KeyCapture(VerbModel):
    """Sequences of keys to look for, by leg."""

    child_call: list[str] = Field(default_factory=list[str])
    parent_call: list[str] = Field(default_factory=list[str])


class Dial(VerbModel):
    """Call all targets; the first who answers is connected."""

    verb: Literal["dial"] = "dial"
    target: Annotated[list[Target], BeforeValidator(as_list), Field(min_length=1)]
    action_hook: HookField | None = None
    answer_on_bridge: bool = False
    """Answer the caller only when somebody has taken the call."""
    caller_id: str | None = None
    caller_name: str | None = None
    confirm_hook: HookField | None = None
    dial_music: str | None = None
    """Heard while it rings, instead of the ringing tone."""
    dtmf_capture: list[str] | KeyCapture | None = None
    dtmf_hook: HookField | None = None
    headers: SipHeaders = Field(default_factory=dict[str, str])
    time_limit: float | None = Field(default=None, gt=0)
    timeout: float = Field(default=60, gt=0, le=600)
    proxy: str | None = None
    tag: dict[str, Any] | None = None
    listen: dict[str, Any] | None = None
    stream: dict[str, Any] | None = None
    transcribe: dict[str, Any] | None = None
    dub: list[Any] | None = None
    amd: dict[str, Any] | None = None
    on_hold_hook: HookField | None = None
    refer_hook: HookField | None = None

    @property
    def patterns(self) -> KeyCapture:
        """The sequences of keys to look for; a bare list holds for both legs."""
        chosen = self.dtmf_capture
        if isinstance(chosen, list):
            return KeyCapture(child_call=chosen, parent_call=chosen)
        return chosen or KeyCapture()

    @property
    def without_effect(self) -> tuple[str, ...]:
        """Wire names of members that are understood but have no effect in this version."""
        names = ("listen", "stream", "transcribe", "dub", "amd", "on_hold_hook", "refer_hook")
        return tuple(type(self).model_fields[name].alias or name for name in names if getattr(self, name) is not None)


def may_drop(place: Location) -> bool:
    """Say whether the call can be made without the member at this place: whom to call is needed."""
    return place[0] not in ("target", "confirmHook", "confirm_hook")

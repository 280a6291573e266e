"""The `play` verb: play audio files.

Source: @jambonz/schema 0.4.15, verbs/play.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moonwire.spec.components import Repetitions, VerbModel
from moonwire.spec.hooks import HookField


class Play(VerbModel):
    """Play one or several files, one after the other."""

    verb: Literal["play"] = "play"
    url: str | list[str]
    loop: Repetitions = 1
    """0 = until stopped."""
    early_media: bool = False
    seek_offset: float = Field(default=0, ge=0)
    """Samples to skip at the start."""
    timeout_secs: float | None = Field(default=None, ge=0)
    action_hook: HookField | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """The files in order."""
        return (self.url,) if isinstance(self.url, str) else tuple(self.url)

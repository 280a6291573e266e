"""The `config` verb: settings that hold for the rest of the session.

Source: @jambonz/schema 0.4.15, verbs/config.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from moonwire.spec.components import NoiseIsolation, Recognizer, Synthesizer, VerbModel
from moonwire.spec.hooks import HookField


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Config(VerbModel):
    """Change session settings; a member that is absent changes nothing."""

    verb: Literal["config"] = "config"
    synthesizer: Synthesizer | None = None
    recognizer: Recognizer | None = None
    notify_events: bool | None = None
    """Whether the application hears `verb:status`."""
    notify_stt_latency: bool | None = None
    reset: Annotated[list[str], BeforeValidator(_names)] = Field(default_factory=list[str])
    """Names of settings that go back to the application's defaults."""
    early_media: bool | None = None
    disable_tts_cache: bool | None = None
    track_tts_playout: bool | None = None
    auto_stream_tts: bool | None = None
    boost_audio_signal: float | str | None = None
    on_hold_music: str | None = None
    refer_hook: HookField | None = None
    sip_request_within_dialog_hook: HookField | None = None
    action_hook_delay_action: dict[str, Any] | None = None
    barge_in: dict[str, Any] | None = None
    tts_stream: dict[str, Any] | None = None
    record: dict[str, Any] | None = None
    listen: dict[str, Any] | None = None
    stream: dict[str, Any] | None = None
    transcribe: dict[str, Any] | None = None
    amd: dict[str, Any] | None = None
    vad: dict[str, Any] | None = None
    filler_noise: dict[str, Any] | None = None
    noise_isolation: NoiseIsolation | None = None
    """Suppression of noise for the rest of the session; `enable: false` ends it."""
    turn_taking: dict[str, Any] | None = None

    @property
    def not_yet_run(self) -> tuple[str, ...]:
        """Wire names of members that are understood but have no effect in this version."""
        return tuple(
            name
            for name in ("bargeIn", "ttsStream", "record", "listen", "stream", "transcribe", "amd")
            if name in self.written_members
        )

    @property
    def written_members(self) -> frozenset[str]:
        """Wire names of the members that the application set."""
        fields = type(self).model_fields
        return frozenset(fields[name].alias or name for name in self.model_fields_set if name in fields)

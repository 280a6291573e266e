"""What the voice is asked for, seen at the vendor's end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agent_verb.talk import JUST_THE_GREETING, held
from tests.call.application import Application
from tests.call.stage import Stage

from moonwire.sandbox.caller import Pause, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time

VOICE = "f786b574-daa5-4673-aa0c-cbe3e8534c02"


@virtual_time
async def test_tts_vendor(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"tts": {"vendor": "nobody"}}, steps=[WaitForSilence(), Pause(30)])
    assert "nobody" in talk.errors[0]["msg"]
    assert talk.report.agent_speech, "a recorded sentence"
    assert talk.hooked("/complete")[0]["completion_reason"] == "server error"


@virtual_time
async def test_tts_label(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"tts": {"label": "second account"}}, steps=[WaitForSilence(), Pause(30)])
    assert "second account" in talk.errors[0]["msg"]
    assert talk.report.agent_speech


@virtual_time
async def test_tts_language(tmp_path: Path) -> None:
    assert (await held(tmp_path, {"tts": {"language": "fr-FR"}}, steps=JUST_THE_GREETING)).tts["language"] == "fr"


@virtual_time
async def test_tts_voice(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"tts": {"voice": VOICE}}, steps=JUST_THE_GREETING)
    assert talk.tts["voice"]["id"] == VOICE


@virtual_time
async def test_tts_voice__may_be_an_object(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"tts": {"voice": None} | {"options": {}}}, steps=JUST_THE_GREETING)
    assert talk.tts["voice"]["id"]
    talk = await held(tmp_path, {"tts": {"vendor": "cartesia", "voice": {"voice_id": VOICE}}}, steps=JUST_THE_GREETING)
    assert talk.tts["voice"]["id"] == VOICE


@virtual_time
async def test_tts_options(tmp_path: Path) -> None:
    options = {"model_id": "sonic-3", "speed": 1.2, "emotion": "calm", "nonsense": 1}
    talk = await held(tmp_path, {"tts": {"options": options}}, steps=JUST_THE_GREETING)
    assert talk.tts["model_id"] == "sonic-3"
    assert talk.tts["generation_config"] == {"speed": 1.2, "emotion": "calm"}


@pytest.mark.parametrize("spelling", ["apiKey", "api_key"])
def test_tts_options_api_key(spelling: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        def bring(stage: Stage, application: Application) -> None:
            application.agent["tts"] = {"vendor": "cartesia", "voice": VOICE, "options": {spelling: "my-own-key"}}
            stage.cartesia._keys = frozenset({"my-own-key"})

        talk = await held(tmp_path, steps=JUST_THE_GREETING, before=bring)
        assert talk.errors == []
        assert [one.key for one in talk.stage.cartesia.records.handshakes] == ["my-own-key"]
        assert "my-own-key" not in str(talk.stage.cartesia.records.received)
        assert "my-own-key" not in str(talk.stage.lines)

    scene()


@virtual_time
async def test_tts_engine(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"tts": {"engine": "neural", "gender": "FEMALE"}}, steps=JUST_THE_GREETING)
    assert talk.errors == []
    assert talk.heard == ["Hello."]

"""What the recogniser is asked for, seen at the vendor's end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import JUST_THE_GREETING, Talk, held
from tests.call.application import Application
from tests.call.stage import Stage

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.deepgram.hearing import Utterance
from moonwire.sandbox.virtual_time import virtual_time

FLUX = {"vendor": "deepgramflux"}


async def asked(tmp_path: Path, stt: dict[str, Any]) -> dict[str, str]:
    """Return the query of a call whose recogniser is this one."""
    talk = await held(tmp_path, {"stt": stt}, steps=JUST_THE_GREETING)
    assert talk.errors == []
    return talk.stt


async def all_asked(tmp_path: Path, stt: dict[str, Any], name: str) -> list[str]:
    """Return every value of a repeated parameter."""
    talk = await held(tmp_path, {"stt": stt}, steps=JUST_THE_GREETING)
    record = (talk.stage.deepgram.records or talk.stage.flux.records)[0]
    return [value for key, value in record.query if key == name]


async def heard_nothing_but_a_sentence(tmp_path: Path, members: dict[str, Any]) -> Talk:
    talk = await held(tmp_path, members, steps=[WaitForSilence(), Pause(30)])
    assert talk.report.agent_speech
    assert talk.stage.books.alerts
    return talk


@virtual_time
async def test_stt_vendor(tmp_path: Path) -> None:
    talk = await heard_nothing_but_a_sentence(tmp_path, {"stt": {"vendor": "nobody"}})
    assert "nobody" in talk.errors[0]["msg"]
    assert talk.hooked("/complete")[0]["completion_reason"] == "server error"


@virtual_time
async def test_stt_vendor_custom(tmp_path: Path) -> None:
    talk = await heard_nothing_but_a_sentence(tmp_path, {"stt": {"vendor": "custom:mine"}})
    assert "custom:mine" in talk.errors[0]["msg"]


@virtual_time
async def test_stt_label(tmp_path: Path) -> None:
    talk = await heard_nothing_but_a_sentence(tmp_path, {"stt": {"label": "second account"}})
    assert "second account" in talk.errors[0]["msg"]


@virtual_time
async def test_stt_language(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"language": "de-DE"}))["language"] == "de-DE"


@virtual_time
async def test_stt_model(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"model": "nova-2-phonecall"}))["model"] == "nova-2-phonecall"


@virtual_time
async def test_stt_hints(tmp_path: Path) -> None:
    stt = {"model": "nova-3-general", "hints": ["Moonwire", {"phrase": "Kimi", "boost": 5}]}
    assert await all_asked(tmp_path, stt, "keyterm") == ["Moonwire", "Kimi"]


@virtual_time
async def test_stt_alt_languages(tmp_path: Path) -> None:
    stt = FLUX | {"language": "en", "altLanguages": ["es-ES", "de"]}
    assert await all_asked(tmp_path, stt, "language_hint") == ["en", "es", "de"]


@virtual_time
async def test_stt_punctuation(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"punctuation": False}))["punctuate"] == "false"


@virtual_time
async def test_stt_interim(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"interim": False}))["interim_results"] == "true"


@virtual_time
async def test_stt_min_confidence(tmp_path: Path) -> None:
    unsure = Utterance("We mumble.", confidence=0.3)
    talk = await held(
        tmp_path,
        {"stt": {"minConfidence": 0.6}},
        steps=[WaitForSilence(), Say("We mumble."), Pause(4), HangUp()],
        before=lambda stage, _: stage.deepgram.set_hearing([unsure]),
    )
    assert talk.events("user_transcript") == []


@virtual_time
async def test_stt_deepgram_options_model(tmp_path: Path) -> None:
    stt = {"model": "nova-2", "deepgramOptions": {"model": "nova-3-general"}}
    assert (await asked(tmp_path, stt))["model"] == "nova-3-general"


@virtual_time
async def test_stt_deepgram_options_api_key(tmp_path: Path) -> None:
    def bring(stage: Stage, application: Application) -> None:
        stored = stage.directory.speech_credential("", "deepgram", None)
        assert stored is not None
        options = {"apiKey": "my-own-key", "deepgramSttUri": stored.base_url, "deepgramSttUseTls": False}
        application.agent["stt"] = {"vendor": "deepgram", "deepgramOptions": options}
        stage.deepgram.keys = {"my-own-key"}

    talk = await held(tmp_path, steps=JUST_THE_GREETING, before=bring)
    assert talk.stage.deepgram.records[0].key == "my-own-key"
    assert "my-own-key" not in str(talk.stage.lines)


@virtual_time
async def test_stt_deepgram_options_api_key__flux_behind_the_accounts_address(tmp_path: Path) -> None:
    """The key is the application's, the way to the vendor is the account's, also for the company's other product."""

    def bring(stage: Stage, application: Application) -> None:
        application.agent["stt"] = FLUX | {"deepgramOptions": {"apiKey": "my-own-key"}}
        stage.flux.keys = {"my-own-key"}

    talk = await held(tmp_path, steps=JUST_THE_GREETING, before=bring)
    assert talk.stage.flux.records[0].key == "my-own-key"


@pytest.mark.parametrize("part", ["stt", "tts"])
def test_custom_speech_vendors(part: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        talk = await heard_nothing_but_a_sentence(tmp_path, {part: {"vendor": "custom:mine"}})
        assert talk.errors[0]["msg"] == "custom speech vendors are not supported: 'custom:mine'"
        assert "Use one of: " in talk.errors[0]["details"]

    scene()


@pytest.mark.parametrize(("value", "sent"), [(500, "500"), (False, "false"), (True, "300")])
def test_stt_deepgram_options_endpointing(value: object, sent: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        assert (await asked(tmp_path, {"deepgramOptions": {"endpointing": value}}))["endpointing"] == sent

    scene()


@virtual_time
async def test_stt_deepgram_options_utterance_end_ms(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"deepgramOptions": {"utteranceEndMs": 1500}}))["utterance_end_ms"] == "1500"


@virtual_time
async def test_stt_deepgram_options_smart_formatting(tmp_path: Path) -> None:
    assert (await asked(tmp_path, {"deepgramOptions": {"smartFormatting": False}}))["smart_format"] == "false"


@virtual_time
async def test_stt_deepgram_options_keyterms(tmp_path: Path) -> None:
    stt = {"deepgramOptions": {"model": "nova-3-general", "keyterms": ["Moonwire", "Kimi"]}}
    assert await all_asked(tmp_path, stt, "keyterm") == ["Moonwire", "Kimi"]


@virtual_time
async def test_stt_deepgram_options_eot_threshold(tmp_path: Path) -> None:
    assert (await asked(tmp_path, FLUX | {"deepgramOptions": {"eotThreshold": 0.8}}))["eot_threshold"] == "0.8"


@virtual_time
async def test_stt_deepgram_options_eot_timeout_ms(tmp_path: Path) -> None:
    assert (await asked(tmp_path, FLUX | {"deepgramOptions": {"eotTimeoutMs": 3000}}))["eot_timeout_ms"] == "3000"


@virtual_time
async def test_stt_deepgram_options_eager_eot_threshold(tmp_path: Path) -> None:
    stt = FLUX | {"deepgramOptions": {"eagerEotThreshold": 0.4, "eotThreshold": 0.8}}
    assert (await asked(tmp_path, stt))["eager_eot_threshold"] == "0.4"


@virtual_time
async def test_stt_deepgram_options_language_hints(tmp_path: Path) -> None:
    stt = FLUX | {"language": None, "deepgramOptions": {"languageHints": ["fr", "nl"]}}
    assert await all_asked(tmp_path, stt, "language_hint") == ["fr", "nl"]


@pytest.mark.agent_row("stt.hintsBoost", "stt.vad")
@virtual_time
async def test_stt_options_of_other_vendors(tmp_path: Path) -> None:
    stt = {
        "googleOptions": {"serviceVersion": "v2"},
        "azureOptions": {"speechSegmentationSilenceTimeoutMs": 500},
        "vad": {"enable": True, "vendor": "silero"},
        "hintsBoost": 20,
    }
    query = await asked(tmp_path, stt)
    assert query["model"].startswith("nova")

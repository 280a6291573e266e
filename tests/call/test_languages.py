from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.call.application import serving
from tests.call.tools.test_tools import PARIS, WEATHER, agent

from moonwire.call.languages import Languages
from moonwire.cli.inspect import replay
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.deepgram import Script
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.virtual_time import elapse, virtual_time
from moonwire.spec.components import Synthesizer

from .stage import AGENT, Stage, staged

BASE = Synthesizer(vendor="cartesia", voice="katie", language="en-US", options={"speed": 1.1})
CONFIG: dict[str, dict[str, Any]] = {
    "es": {"tts": {"voice": "maria"}},
    "fr-FR": {"tts": {"vendor": "elevenlabs", "voice": "Claire"}},
    "de": {"tts": {"voice": 7}},
}


def test_off_changes_nothing() -> None:
    languages = Languages(False, CONFIG, BASE)
    assert not languages.hear("es")
    assert languages.synthesizer == BASE


def test_first_utterance_locks() -> None:
    languages = Languages(True, CONFIG, BASE)
    assert languages.hear("es")
    chosen = languages.synthesizer
    assert (chosen.vendor, chosen.voice, chosen.language, chosen.options) == ("cartesia", "maria", "es", {"speed": 1.1})
    assert not languages.hear("fr")
    assert languages.synthesizer == chosen


def test_the_language_that_is_spoken_already_is_locked_without_a_new_voice() -> None:
    languages = Languages(True, CONFIG, BASE)
    assert languages.hear("en")
    assert languages.synthesizer == BASE
    assert not languages.hear("es")


def test_every_utterance() -> None:
    languages = Languages("always", CONFIG, BASE)
    heard = []
    for language in ("es", "es", "fr", "pt", "en"):
        languages.hear(language)
        heard.append((languages.synthesizer.vendor, languages.synthesizer.voice, languages.synthesizer.language))
    assert heard == [
        ("cartesia", "maria", "es"),
        ("cartesia", "maria", "es"),
        ("elevenlabs", "Claire", "fr"),
        ("cartesia", "katie", "pt"),
        ("cartesia", "katie", "en"),
    ]


def test_expected_language_has_its_voice_from_the_start() -> None:
    assert Languages(False, CONFIG, BASE, "es-MX").synthesizer.voice == "maria"
    assert Languages(False, CONFIG, BASE, "it").synthesizer == BASE


@pytest.mark.parametrize("entry", [{}, {"tts": None}, {"tts": {"voice": 7}}, {"tts": "x"}])
def test_unusable_entries_keep_the_voice(entry: dict[str, Any]) -> None:
    languages = Languages(True, {"de": entry}, BASE)
    assert languages.hear("de")
    assert (languages.synthesizer.voice, languages.synthesizer.language) == ("katie", "de")


@pytest.mark.agent_row("autoLockLanguage", "languageConfig")
def test_agent_follows_the_callers_language(tmp_path: Path) -> None:
    """Flux hears Spanish: its hints are locked, and the reply is spoken by the voice for Spanish."""

    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.flux.set_faults(speaks="es")
            stage.flux.set_hearing(Script(["Hello, what are your opening hours?"]))
            agent = {
                **AGENT,
                "stt": {"vendor": "deepgramflux", "deepgramOptions": {"model": "flux-general-multi"}},
                "autoLockLanguage": True,
                "languageConfig": {"es": {"tts": {"vendor": "elevenlabs", "voice": "maria"}}},
            }
            stage.run_application([agent])
            await stage.call(
                WaitForSilence(limit_s=8),
                Say("Hello, what are your opening hours?"),
                WaitForSpeech(limit_s=8),
                WaitForSilence(limit_s=20),
                HangUp(),
            )
            assert stage.flux.connections[0].options.language_hints == ["es"]
            [noted] = stage.named("stt", name="language")
            assert noted["voice_language"] == "es"
            path, query, _ = stage.elevenlabs.records.handshakes[0]
            assert "/maria/" in path
            assert query["language_code"] == "es"
            assert stage.elevenlabs.records.texts()

    scene()


FLUX_MULTI = {"vendor": "deepgramflux", "deepgramOptions": {"model": "flux-general-multi"}}
HOURS = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."
ENGLISH, SPANISH, FRENCH = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
CONFIGURED = {"es": {"tts": {"voice": SPANISH}}, "fr-FR": {"tts": {"voice": FRENCH}}}


def spoken_by(stage: Stage) -> list[tuple[str, str]]:
    """Return voices and languages that spoke, in order."""
    messages = [one.message for one in stage.cartesia.records.received if one.message.get("transcript")]
    return list(dict.fromkeys((one["voice"]["id"], one["language"]) for one in messages))


@pytest.mark.agent_row("autoLockLanguage", "languageConfig")
@pytest.mark.parametrize(
    ("lock", "heard", "voices"),
    [
        (False, [], []),
        (True, ["es"], [(SPANISH, "es")]),
        ("always", ["es", "fr"], [(SPANISH, "es"), (FRENCH, "fr")]),
    ],
)
@virtual_time
async def test_a_caller_who_changes_language(
    lock: Any, heard: list[str], voices: list[tuple[str, str]], tmp_path: Path
) -> None:
    async with staged(tmp_path) as stage:
        stage.flux.set_faults(speaks="es")
        stage.flux.set_hearing(Script([HOURS, HOURS]))
        tts = {"vendor": "cartesia", "voice": ENGLISH, "language": "en"}
        members = {"stt": FLUX_MULTI, "tts": tts, "autoLockLanguage": lock, "languageConfig": CONFIGURED}
        stage.run_application([AGENT | members])
        turn = (Say(HOURS), WaitForSpeech(limit_s=8), WaitForSilence(limit_s=20))
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.call(WaitForSilence(limit_s=8), *turn, *turn, HangUp()))
            await stage.flux.until(lambda: len(stage.moonshot.chats) == 2, 60)
            stage.flux.set_faults(speaks="fr")
        assert [line["language"] for line in stage.named("stt", name="language")] == heard
        assert spoken_by(stage) == [(ENGLISH, "en"), *voices]


@virtual_time
async def test_back_channels_are_those_of_the_language_that_is_heard(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.flux.set_faults(speaks="es")
        stage.flux.set_hearing(Script([STORY, "Sí, claro."]))
        stage.run_application([AGENT | {"stt": FLUX_MULTI}])
        steps = (Say(STORY), Interrupt("Wait, stop please.", after_s=2.0), WaitForSilence())
        await stage.call(WaitForSilence(limit_s=8), *steps, HangUp())
        assert stage.named("turn", interrupted=True) == []
        assert stage.named("turn.command", type="ResumePlayback")
        assert replay(stage.lines).difference is None


@virtual_time
async def test_a_call_in_chinese(tmp_path: Path) -> None:
    """Kimi answers in Chinese: cut at Chinese marks, spoken in Chinese; 嗯嗯 lets it go on, 等一下 stops it."""
    story = "好的，我给您讲一个月亮的故事。" + "很久很久以前，月亮上住着一只白兔，它每天都在桂花树下捣药。" * 6
    async with staged(tmp_path) as stage:
        stage.run_application(
            [
                AGENT
                | {
                    "stt": {"vendor": "deepgram", "language": "zh-CN"},
                    "tts": {"vendor": "cartesia", "voice": ENGLISH, "language": "zh-CN"},
                }
            ]
        )
        stage.deepgram.set_hearing(["请给我讲一个故事。", "嗯嗯，好的。", "等一下，请问几点开门？"])
        stage.moonshot.say("您好！这里是小月餐厅，请问有什么可以帮您？", story, "我们早上九点开门。")
        interrupt = Interrupt("Wait, stop please.", after_s=2.0)
        await stage.call(
            WaitForSilence(), Say(STORY), interrupt, Pause(3), Say("Wait, stop please."), WaitForSilence(), HangUp()
        )
        assert not stage.named("error")
        assert stage.cartesia.records.transcripts[:2] == ["您好！", "这里是小月餐厅，请问有什么可以帮您？"]
        assert stage.cartesia.records.transcripts[2] == "好的，我给您讲一个月亮的故事。"
        assert all(text.rstrip().endswith(("。", "！", "？", "，")) for text in stage.cartesia.records.transcripts)
        assert spoken_by(stage) == [(ENGLISH, "zh")]
        assert stage.named("turn.command", type="ResumePlayback")
        [cut] = stage.named("turn", interrupted=True)
        assert cut["pii_heard"]
        assert story.startswith(cut["pii_heard"].rstrip("。，"))
        told = [message for message in stage.moonshot.chats[-1].messages if message["role"] != "system"]
        assert [message["content"] for message in told if message["role"] == "user"][-2:] == [
            "请给我讲一个故事。",
            "等一下，请问几点开门？",
        ]
        assert stage.named("turn")[-1]["pii_heard"] == "我们早上九点开门。"
        assert replay(stage.lines).difference is None


@virtual_time
async def test_what_is_said_while_a_tool_runs_is_in_the_callers_language(tmp_path: Path) -> None:
    async def slow(arguments: dict[str, Any]) -> str:
        await elapse(10)
        return "20 grados"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=slow) as application:
        application.agent |= {"stt": FLUX_MULTI, "autoLockLanguage": True}
        stage.run_application(None, application.url)
        stage.flux.set_faults(speaks="es")
        stage.flux.set_hearing(Script([HOURS]))
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "Hace veinte grados.")
        await stage.call(WaitForSilence(limit_s=8), Say(HOURS), WaitForSpeech(), Pause(12), WaitForSilence(), HangUp())
        assert "Un momento, por favor." in [text.strip() for text in stage.cartesia.records.transcripts]

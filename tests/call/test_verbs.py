"""The plain verbs, run by the engine: what the caller hears and what the application is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.core.audio.wav import wav_header
from moonwire.sandbox.caller import HangUp, Pause, ScriptedCaller, WaitForSilence, WaitForSpeech
from moonwire.sandbox.patch import patch
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, Stage, staged

SAY: dict[str, Any] = {"verb": "say", "text": "Good day.", "synthesizer": {"vendor": "cartesia", "voice": "sonic"}}


@dataclass
class Webhooks:
    """An application over HTTP: answers each path with verbs and keeps what it was sent."""

    answers: dict[str, Any]
    url: str = ""
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.heard.append((request.path, body))
        answer = self.answers.get(request.path, [])
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="audio/wav")
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.json_response(answer)

    async def file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.answers[request.path], content_type="audio/wav")

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for where, body in self.heard if where == path]


@asynccontextmanager
async def application(stage: Stage, answers: dict[str, Any]) -> AsyncGenerator[Webhooks]:
    """Run a webhook application and make it answer every number."""
    hooks = Webhooks(answers)
    app = web.Application()
    app.router.add_post("/{path:.*}", hooks.answer)
    app.router.add_get("/{path:.*}", hooks.file)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    stage.run_application(None, f"{hooks.url}/call")
    try:
        yield hooks
    finally:
        await runner.cleanup()


@virtual_time
async def test_say_speaks_and_the_call_ends_with_the_script(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([SAY])
        report, leg = await stage.call(WaitForSpeech(), Pause(30))
        assert leg.answered.is_set()
        assert len(report.agent_speech) == 1
        assert report.ended_by == "moonwire"
        assert stage.books.records[-1].termination_reason == "script-ended"


@virtual_time
async def test_say_in_a_loop_says_it_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([SAY | {"loop": 3}, {"verb": "pause", "length": 1}])
        report, _ = await stage.call(WaitForSpeech(), Pause(30))
        first, last = report.agent_speech[0], report.agent_speech[-1]
        assert last[1] - first[0] > 1.5


@virtual_time
async def test_a_failing_voice_falls_back_to_another_vendor_or_goes_on(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application(
            [
                {"verb": "say", "text": "Nobody", "synthesizer": {"vendor": "nobody", "voice": "x"}},
                SAY,
            ]
        )
        report, _ = await stage.call(WaitForSpeech(), Pause(30))
        assert len(report.agent_speech) == 1
        assert stage.named("error")[0]["verb"] == "say"
        assert stage.books.alerts[0][0] == "tts-failure"


@virtual_time
async def test_pause_hangup_and_their_headers(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([{"verb": "pause", "length": 2.5}, {"verb": "hangup", "headers": {"X-Reason": "done"}}])
        report, leg = await stage.call(Pause(30))
        assert 2.4 < report.duration_s < 2.7
        assert leg.bye_headers == {"X-Reason": "done"}


@virtual_time
async def test_sip_decline_refuses_with_its_own_status(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([{"verb": "sip:decline", "status": 486, "reason": "Busy Here", "headers": {"X-A": "1"}}])
        _, leg = await stage.call(Pause(30))
        assert leg.refused == (486, "Busy Here", {"X-A": "1"})
        assert not leg.answered.is_set()


@virtual_time
async def test_a_script_that_never_answers_is_declined(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([{"verb": "tag", "data": {"a": 1}}])
        _, leg = await stage.call(Pause(30))
        assert leg.refused is not None
        assert leg.refused[0] == 603


@virtual_time
async def test_play_fetches_and_reports_to_its_hook(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        sound = bytes([0x20]) * FRAME_BYTES * 50
        wav = wav_header(len(sound), encoding="mulaw", channels=1) + sound
        answers: dict[str, Any] = {"/tone.wav": wav, "/played": [{"verb": "hangup"}]}
        async with application(stage, answers) as hooks:
            url = f"{hooks.url}/tone.wav"
            answers["/call"] = [{"verb": "play", "url": url, "actionHook": "/played"}, {"verb": "pause", "length": 60}]
            report, _ = await stage.call(WaitForSpeech(), Pause(30))
            (done,) = hooks.bodies("/played")
        assert done["reason"] == "playCompleted"
        assert 900 <= done["playback_milliseconds"] <= 1200
        assert report.duration_s < 3, "the hook's hangup replaced the pause"


@virtual_time
async def test_play_of_nothing_playable_is_told_and_survived(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        answers: dict[str, Any] = {"/no.wav": b"this is no wav"}
        async with application(stage, answers) as hooks:
            answers["/call"] = [{"verb": "play", "url": f"{hooks.url}/no.wav", "actionHook": "/played"}, SAY]
            report, _ = await stage.call(WaitForSpeech(), Pause(30))
            (done,) = hooks.bodies("/played")
        assert done["reason"] == "playFailed"
        assert report.agent_speech


@virtual_time
async def test_tag_and_config_hold_for_the_rest_of_the_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        answers: dict[str, Any] = {
            "/call": [
                {"verb": "tag", "data": {"customer": 7}},
                {"verb": "config", "synthesizer": {"vendor": "cartesia", "voice": "sonic-english"}},
                {"verb": "say", "text": "Configured."},
                {"verb": "redirect", "actionHook": "/next"},
            ],
            "/next": [{"verb": "hangup"}],
        }
        async with application(stage, answers) as hooks:
            report, _ = await stage.call(WaitForSpeech(), Pause(30))
            (next_hook,) = hooks.bodies("/next")
        assert report.agent_speech
        assert next_hook["customerData"] == {"customer": 7}
        assert next_hook["call_status"] == "in-progress"


@virtual_time
async def test_a_verb_we_do_not_run_is_passed_over(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([{"verb": "conference", "name": "room"}, SAY])
        report, _ = await stage.call(WaitForSpeech(), Pause(30))
        assert report.agent_speech
        assert "conference" in stage.named("error")[0]["error"]


@virtual_time
async def test_an_unknown_number_is_refused_with_a_reason(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.directory.overlay_sandbox(None)
        _, leg = await stage.call(Pause(5))
        assert leg.refused == (480, "no configured application", {})
        assert "no application" in stage.books.alerts[0][1]


@virtual_time
async def test_an_application_that_fails_refuses_the_call_and_says_why(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for broken in (500, {"not": "an array"}, [{"verb": "unheard-of"}], []):
            async with application(stage, {"/call": broken}):
                _, leg = await stage.call(Pause(5))
            assert leg.refused is not None, broken
            assert leg.refused[0] == 480
            assert leg.refused[2].get("X-Reason"), broken
        assert len(stage.books.alerts) >= 4
        assert stage.engine.active_calls == 0


@virtual_time
async def test_an_unreachable_application_refuses_the_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application(None, "http://127.0.0.1:9/call")
        _, leg = await stage.call(Pause(60))
        assert leg.refused is not None
        assert leg.refused[0] == 480


@pytest.mark.agent_row("caller hangs up", "actionHook")
@virtual_time
async def test_the_agents_end_reaches_the_action_hook_when_the_caller_hangs_up(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        answers = {"/call": [AGENT | {"actionHook": "/agent-complete"}], "/agent-complete": [{"verb": "hangup"}]}
        async with application(stage, answers) as hooks:
            await stage.call(WaitForSilence(), HangUp())
            (done,) = hooks.bodies("/agent-complete")
        assert done["completion_reason"] == "normal conversation end"
        assert stage.named("call", name="ended")[0]["reason"] == "bye"


@pytest.mark.agent_row("fatal error", "llm.vendor")
@virtual_time
async def test_a_failed_agent_tells_the_action_hook_and_what_follows_runs(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        broken = AGENT | {"llm": AGENT["llm"] | {"vendor": "nobody"}, "actionHook": "/agent-complete"}
        answers = {"/call": [broken], "/agent-complete": [SAY, {"verb": "hangup"}]}
        async with application(stage, answers) as hooks:
            report, _ = await stage.call(WaitForSpeech(), Pause(30))
            (done,) = hooks.bodies("/agent-complete")
        assert done["completion_reason"] == "server error"
        assert "nobody" in done["error"]
        assert len(report.agent_speech) >= 1


@virtual_time
async def test_a_caller_who_gives_up_while_it_rings_leaves_nothing_behind(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        gate = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            await gate.wait()
            return web.json_response([])

        app = web.Application()
        app.router.add_post("/call", slow)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        stage.run_application(None, f"http://127.0.0.1:{runner.addresses[0][1]}/call")
        leg = patch(ScriptedCaller((), record=False), stage.engine, to="1000")
        await asyncio.sleep(0)
        await leg.caller_end.hang_up()
        await stage.engine.wait_idle()
        gate.set()
        await runner.cleanup()
        assert not leg.answered.is_set()
        assert stage.books.records[-1].termination_reason == "cancel"

"""Tools in a conversation: what the model is told, what the caller hears, what the application sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.call.application import Unanswered, serving
from tests.call.stage import AGENT, Stage, staged

from moonwire.cli.inspect import replay
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import elapse, virtual_time

ASK = "How is the weather in Paris?"
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
WRAPPED = {"type": "function", "function": WEATHER | {"name": "get_time"}}
PARIS = ScriptedCall("get_weather", {"city": "Paris"})
LOOK = "One moment, I will look that up."


def agent(*tools: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An agent with tools and a fixed greeting, so that the model's first answer is the first turn's."""
    llm: dict[str, Any] = AGENT["llm"]
    options = llm["llmOptions"] | {"tools": list(tools)}
    return AGENT | {"greeting": "Hello.", "llm": llm | {"llmOptions": options}} | members


async def call_once(stage: Stage, *more: Any, said: str = ASK) -> None:
    report, _ = await stage.call(WaitForSilence(), Say(said), *(more or (WaitForSilence(),)), HangUp())
    assert report.ok, report.problems


def told(stage: Stage, chat: int = -1) -> list[dict[str, Any]]:
    """What the model was told, without the instructions."""
    return [dict(message) for message in stage.moonshot.chats[chat].messages[1:]]


def body(stage: Stage) -> dict[str, Any]:
    """The latest request as a whole."""
    return json.loads(stage.moonshot.chats[-1].body)


def refused(stage: Stage) -> list[str]:
    return [str(record.status) for record in stage.moonshot.chats if record.status not in (None, 200)]


@pytest.mark.agent_row(
    "toolHook", "tools over WebSocket", "order of events", "llm.llmOptions.tools", "turn_end of older servers"
)
@virtual_time
async def test_a_tool_is_run_and_its_result_spoken(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        return f"18 C in {arguments['city']}"

    async with staged(tmp_path) as stage, serving(agent(WEATHER, WRAPPED), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer(LOOK, (PARIS,)), "It is eighteen degrees in Paris.")
        await call_once(stage)
        assert application.order == [
            *("llm_response", "turn_end"),
            *("user_transcript", "agent:tool-call", "llm_response", "turn_end"),
        ]
        (call,) = application.of("agent:tool-call")
        assert call["name"] == "get_weather"
        assert call["arguments"] == {"city": "Paris"}
        assert application.events[-2]["response"] == f"{LOOK} It is eighteen degrees in Paris."
        end = application.events[-1]
        assert end["response"] == f"{LOOK} It is eighteen degrees in Paris."
        assert end["latency"]["tool_ms"] >= 0
        assert end["tool_calls"][0].items() >= {"tool_call_id": call["tool_call_id"], "name": "get_weather"}.items()
        assert isinstance(end["tool_calls"][0]["result_ms"], int)
        asked, result = told(stage)[-2:]
        assert asked["content"] == LOOK
        assert result == {"role": "tool", "tool_call_id": call["tool_call_id"], "content": "18 C in Paris"}
        offered = [tool["function"]["name"] for tool in body(stage)["tools"]]
        assert offered == ["get_weather", "get_time"]
        assert refused(stage) == []
        assert replay(stage.lines).difference is None


@virtual_time
async def test_what_is_said_before_a_tool_is_heard_while_it_runs(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        await elapse(8)
        return "18 C"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer(LOOK, (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, WaitForSilence(), Pause(8), WaitForSilence())
        assert [line["type"] for line in stage.named("turn.event", reply=2)][:3] == [
            *("ToolsStarted", "PlaybackStarted", "ToolsFinished")
        ]
        (answer,) = [line for line in stage.named("turn") if line["cause"] == "user"]
        assert answer["pii_heard"] == f"{LOOK} It is eighteen degrees."


@virtual_time
async def test_a_slow_tool_without_words_does_not_fail_the_reply(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        await elapse(15)
        return "18 C"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, Pause(15), WaitForSilence())
        assert stage.named("turn")[-1]["pii_heard"] == "It is eighteen degrees."
        assert stage.books.alerts == []


@pytest.mark.agent_row("parallel tool calls", "tool results")
@virtual_time
async def test_parallel_calls_run_side_by_side_and_answer_in_any_order(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> dict[str, Any]:
        await elapse(2 if arguments["city"] == "Paris" else 1)
        return {"degrees": 18, "city": arguments["city"]}

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        rome = ScriptedCall("get_weather", {"city": "Rome"})
        stage.moonshot.say(ScriptedAnswer("", (PARIS, rome)), "Both are warm.")
        await call_once(stage)
        results = [json.loads(message["content"]) for message in told(stage)[-2:]]
        assert results == [{"degrees": 18, "city": "Paris"}, {"degrees": 18, "city": "Rome"}]
        assert 1900 < application.events[-1]["latency"]["tool_ms"] < 2900
        assert refused(stage) == []


@pytest.mark.agent_row("tool timeout")
@virtual_time
async def test_a_tool_that_never_answers_becomes_an_error_for_the_model(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        raise Unanswered

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer(LOOK, (PARIS,)), "I cannot reach the weather service.")
        await call_once(stage, WaitForSilence(), Pause(30), WaitForSilence())
        assert "error" in json.loads(told(stage)[-1]["content"])
        assert stage.named("turn")[-1]["pii_heard"].endswith("I cannot reach the weather service.")


@virtual_time
async def test_an_unknown_tool_becomes_an_error_for_the_model(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent(WEATHER)) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (ScriptedCall("dance"),)), "I cannot dance.")
        await call_once(stage)
        assert application.of("agent:tool-call") == []
        assert "no tool named dance" in told(stage)[-1]["content"]


@pytest.mark.agent_row("tool rounds")
@virtual_time
async def test_rounds_are_limited(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        return "cloudy"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        cities = ("Paris", "Rome", "Oslo", "Bern", "Wien")
        stage.moonshot.say(*(ScriptedAnswer("", (ScriptedCall("get_weather", {"city": city}),)) for city in cities))
        stage.moonshot.say("It is cloudy everywhere.")
        await call_once(stage)
        assert len(application.of("agent:tool-call")) == 5
        assert "tools" not in body(stage)
        assert stage.named("turn")[-1]["pii_heard"] == "It is cloudy everywhere."


@pytest.mark.agent_row("tool rounds")
@virtual_time
async def test_a_call_repeated_unchanged_is_stopped(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        return "cloudy"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(*(ScriptedAnswer("", (PARIS,)) for _ in range(3)), "It is cloudy.")
        await call_once(stage)
        assert len(application.of("agent:tool-call")) == 2
        assert "already made twice" in told(stage)[-1]["content"]


@pytest.mark.agent_row("huge tool output")
@virtual_time
async def test_a_huge_result_is_cut_with_a_note(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        return "x" * 1_000_000

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "That was long.")
        await call_once(stage)
        content = told(stage)[-1]["content"]
        assert len(content) < 66_000
        assert "it has 1000000 bytes" in content


@pytest.mark.agent_row("tool after interruption")
@virtual_time
async def test_a_result_that_comes_after_an_interruption_is_still_recorded(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        await elapse(5)
        return "18 C"

    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=weather) as application:
        stage.run_application(None, application.url)
        stop = "Wait, stop please."
        stage.deepgram.set_hearing([ASK, stop, ASK])
        stage.moonshot.say(ScriptedAnswer(f"{LOOK} {LOOK} {LOOK}", (PARIS,)), "What is it?", "It is eighteen degrees.")
        report, _ = await stage.call(
            *(WaitForSilence(), Say(ASK), Interrupt(stop, after_s=1.5)),
            *(WaitForSilence(), Pause(5), Say(ASK), WaitForSilence(), HangUp()),
        )
        assert report.ok, report.problems
        assert refused(stage) == []
        during, after = told(stage, -2), told(stage, -1)
        assert [message["content"] for message in during if message["role"] == "tool"] == ['{"error":"cancelled"}']
        assert [message["content"] for message in after if message["role"] == "tool"] == ["18 C"]
        heard = next(message["content"] for message in after if message.get("tool_calls"))
        assert heard
        assert len(heard) < len(f"{LOOK} {LOOK} {LOOK}")
        assert [message["role"] for message in after] == [
            *("user", "assistant", "user", "assistant", "tool", "user", "assistant", "user")
        ]


@pytest.mark.agent_row("tools over HTTP")
@virtual_time
async def test_a_webhook_gives_its_body_as_the_result(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"degrees": 18})

    server = web.Application()
    server.router.add_post("/tool", answer)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/tool"
    async with staged(tmp_path) as stage:
        stage.run_application([agent(WEATHER, toolHook=url)])
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage)
        assert asked[0].keys() == {"tool_call_id", "name", "arguments"}
        assert told(stage)[-1]["content"] == '{"degrees":18}'
    await runner.cleanup()


@pytest.mark.agent_row("tool without toolHook")
@virtual_time
async def test_without_a_tool_hook_the_model_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([agent(WEATHER)])
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "I cannot look that up.")
        await call_once(stage)
        assert "no toolHook" in told(stage)[-1]["content"]

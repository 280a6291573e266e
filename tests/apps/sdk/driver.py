"""An application on jambonz-python-sdk that does what the test asks for, by events."""

# pyright: basic
from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from jambonz_sdk.websocket import create_endpoint


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def act(session: Any, what: str) -> None:
    match what:
        case "again":
            await session.say(text="again").send()
        case "tag":
            await session.inject_tag({"orderId": 7})
        case "dtmf":
            await session.inject_dtmf("5")
        case "mute":
            await session.inject_mute("mute")
        case "update":
            await session.update_agent({"type": "inject_context", "messages": [{"role": "system", "content": "VIP"}]})
        case "elsewhere":
            await session.inject_redirect("/elsewhere")
        case "complete":
            await session.inject_command("call:status", {"call_status": "completed"})
        case "drop":
            await session._ws.close(code=1011)
        case _:
            await session.reply()


async def on_session(session: Any) -> None:
    tell(f"session {session.call_sid}")

    async def on_event(event: dict[str, Any]) -> None:
        tell(f"event {event['type']}")
        await act(session, event["type"])

    async def on_tool(call: dict[str, Any]) -> None:
        await session.tool_output(call["tool_call_id"], f"sunny in {call['arguments']['cityName']}")
        await session.reply()

    async def on_done(event: dict[str, Any]) -> None:
        await session.say(text=f"bye {event['completion_reason']}").hangup().reply()

    session.on("call:status", lambda status: tell(f"status {status['call_status']}"))
    session.on("verb:status", lambda status: tell(f"verb {status['event']} {status['name']}"))
    session.on("/agent-event", on_event)
    session.on("/tool", on_tool)
    session.on("/done", on_done)
    session.on("/silent", lambda _: None)
    session.agent(
        llm={
            "vendor": "moonshot",
            "model": "kimi-k2.6",
            "llmOptions": {"messages": [{"role": "system", "content": "Be brief."}]},
        },
        actionHook="/done",
        eventHook="/agent-event",
        toolHook="/tool",
    )
    await session.send()


async def on_redirect(session: Any) -> None:
    await session.say(text="redirected").reply()


async def main() -> None:
    make_service, _ = await create_endpoint(host="127.0.0.1", port=int(os.environ["PORT"]))
    service = make_service(path="/")
    service.on("session:new", on_session).on("session:redirect", on_redirect)
    tell("listening")
    await asyncio.Event().wait()


asyncio.run(main())

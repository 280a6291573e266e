"""An agent with a tool of the application, on jambonz-python-sdk."""

import asyncio
import os

from jambonz_sdk.websocket import create_endpoint

PORT = int(os.environ.get("PORT", "3000"))
GET_WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of today at a place.",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}


async def on_session(session) -> None:
    choice = (session.data.get("env_vars") or {}).get("LLM_MODEL", "moonshot:kimi-k2.6")
    vendor, _, model = choice.partition(":")

    async def on_tool(call) -> None:
        place = call["arguments"].get("location", "here")
        await session.tool_output(call["tool_call_id"], f"18 degrees and cloudless in {place}")

    async def on_complete(event) -> None:
        print("agent complete:", event.get("completion_reason"), flush=True)
        await session.hangup().reply()

    session.on("/tool-call", on_tool)
    session.on("/agent-complete", on_complete)
    session.agent(
        llm={
            "vendor": vendor,
            "model": model,
            "llmOptions": {"systemPrompt": "You are a receptionist. Use your tools.", "tools": [GET_WEATHER]},
        },
        stt={"vendor": "deepgram", "language": "en-US"},
        tts={"vendor": "cartesia", "voice": "f786b574-daa5-4673-aa0c-cbe3e8534c02"},
        turnDetection="krisp",
        toolHook="/tool-call",
        actionHook="/agent-complete",
    )
    await session.send()


async def main() -> None:
    make_service, runner = await create_endpoint(port=PORT)
    make_service(path="/").on("session:new", on_session)
    print(f"listening on port {PORT}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

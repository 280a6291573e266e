"""The voice agent of jambonz's Moonshot page, as an application on jambonz-python-sdk."""

import asyncio
import json
import os

from jambonz_sdk.websocket import create_endpoint

PORT = int(os.environ.get("PORT", "3000"))

# what the operator may set for this application; the page's model unless LLM_MODEL says otherwise
ENV_VARS = {
    "LLM_MODEL": {
        "type": "string",
        "description": "vendor:model of the language model",
        "default": "moonshot:kimi-k2-0711-preview",
    },
}


def log(*words: object) -> None:
    print(*words, flush=True)


async def on_session(session) -> None:
    choice = (session.data.get("env_vars") or {}).get("LLM_MODEL", ENV_VARS["LLM_MODEL"]["default"])
    vendor, _, model = choice.partition(":")
    log(f"call {session.call_sid} from {session.from_} to {session.to}: {vendor} {model}")

    async def on_event(event) -> None:
        log("event", json.dumps(event))
        await session.reply()

    async def on_complete(event) -> None:
        log("agent complete:", event.get("completion_reason"))
        await session.hangup().reply()

    session.on("/agent-event", on_event)
    session.on("/agent-complete", on_complete)

    session.agent(
        llm={
            "vendor": vendor,
            "model": model,
            "llmOptions": {
                "systemPrompt": "You are a helpful voice assistant.",
            },
        },
        stt={"vendor": "deepgram", "language": "en-US"},
        tts={"vendor": "cartesia", "voice": "sonic-english"},
        turnDetection="krisp",
        bargeIn={"enable": True},
        actionHook="/agent-complete",
        eventHook="/agent-event",  # not on the page: what happens in the call, for the log above
    )
    await session.send()


async def main() -> None:
    make_service, runner = await create_endpoint(port=PORT, env_vars=ENV_VARS)
    make_service(path="/").on("session:new", on_session)
    log(f"listening on port {PORT}")
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

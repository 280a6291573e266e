"""Payloads against the callback schemas of jambonz."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jambonz_sdk
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from moonwire.spec import payloads
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.spec.payloads import CallSnapshot, SessionDetails, ToolReport, TurnReport, UsageReport

SCHEMAS = Path(jambonz_sdk.__file__).parent / "schema"


def schema(name: str) -> Draft202012Validator:
    files = [json.loads(path.read_text()) for path in SCHEMAS.rglob("*.schema.json")]
    registry = Registry().with_resources([(file["$id"], Resource.from_contents(file)) for file in files])
    return Draft202012Validator(
        json.loads((SCHEMAS / "callbacks" / f"{name}.schema.json").read_text()), registry=registry
    )


CALL = CallSnapshot(
    call_sid="c1",
    account_sid="a1",
    application_sid="app1",
    direction="inbound",
    from_="+15551234567",
    to="+16175551212",
    call_id="x@y",
    call_status="trying",
    sip_status=100,
    sip_reason="Trying",
    caller_name="Alice",
    trace_id="abc",
    sip_address="10.0.0.1:5060",
    public_ip="203.0.113.9",
    api_base_url="https://x/v1",
    originating_sip_ip="10.0.0.9",
    originating_sip_trunk_name="carrier",
    customer_data={"orderId": 7},
    headers={"X-Foo": "1"},
    duration_s=42,
    call_termination_by="caller",
)


def test_the_base_payload() -> None:
    payload = payloads.base_payload(CALL, verb_id="v")
    schema("base").validate(payload)
    assert payload["from"] == "+15551234567"
    assert payload["caller_id"] == "+15551234567"
    assert payload["sbc_callid"] == "x@y"
    assert payload["customerData"] == {"orderId": 7}
    assert payload["verb_id"] == "v"
    assert "duration" not in payload
    assert "parent_call_sid" not in payload


def test_final_statuses_tell_the_end() -> None:
    payload = payloads.call_status(replace(CALL, call_status="completed", sip_status=200, sip_reason="OK"))
    schema("call-status").validate(payload)
    assert payload["duration"] == 42
    assert payload["call_termination_by"] == "caller"


def test_session_new() -> None:
    details = SessionDetails(
        service_provider_sid="sp",
        synthesizer=Synthesizer(vendor="cartesia", voice="x", fallback_vendor="eleven"),
        recognizer=Recognizer(vendor="deepgram", language="en-US"),
        env_vars={"LLM_Model": "x"},
        sip={"method": "INVITE", "headers": {"X-Foo": "1"}},
    )
    payload = payloads.session_new(CALL, details)
    schema("session-new").validate(payload)
    assert payload["defaults"] == {
        "synthesizer": {"vendor": "cartesia", "voice": "x", "fallback_vendor": "eleven"},
        "recognizer": {"vendor": "deepgram", "language": "en-US"},
    }
    assert payload["fs_sip_address"] == payload["local_sip_address"]
    assert payload["fs_public_ip"] == payload["public_ip"]
    bare = payloads.session_new(CALL, SessionDetails())
    schema("session-new").validate(bare)
    assert "sip" not in bare
    assert bare["env_vars"] == {}


def without_ours(payload: dict[str, Any]) -> dict[str, Any]:
    """Leave the members that the schema, which is closed, knows."""
    known = {"type", "transcript", "response", "interrupted", "latency"}
    mine = {"stt_ms", "eot_ms", "llm_ms", "tts_ms", "tool_ms"}
    stripped = {name: value for name, value in payload.items() if name in known}
    return stripped | {"latency": {name: value for name, value in payload["latency"].items() if name not in mine}}


FULL = TurnReport(
    transcript="hello",
    response="hi",
    interrupted=True,
    transcriber_ms=180.4,
    turn_detection_ms=-1,
    model_ms=420,
    voice_ms=130,
    tool_ms=7,
    preflight="hit",
    preflight_tokens=12,
    confidence=0.987654,
    tool_calls=[ToolReport("t", "n", {"aB": 1}, 6.6), ToolReport("u", "m", {})],
    usage=UsageReport(10, 5, 3, 0, 18),
    model="moonshot:kimi-k2.6",
    turn_detection="silence",
    extra={"type": "cannot replace", "reply": 3},
)


@pytest.mark.agent_row("turn_end.latency", "turn_end of older servers", "turn_end.usage")
def test_turn_end_has_both_names_of_every_latency() -> None:
    payload = payloads.turn_end(FULL)
    schema("agent-turn").validate(without_ours(payload))
    assert payload["latency"] == {
        "transcriber_latency": 180,
        "stt_ms": 180,
        "turn_detection_latency": 0,
        "eot_ms": 0,
        "model_latency": 420,
        "llm_ms": 420,
        "voice_latency": 130,
        "tts_ms": 130,
        "tool_ms": 7,
        "preflight": {"result": "hit", "tokens": 12},
    }
    assert payload["usage"]["total_tokens"] == 18
    assert payload["tool_calls"][0] == {"tool_call_id": "t", "name": "n", "arguments": {"aB": 1}, "result_ms": 7}
    assert "result_ms" not in payload["tool_calls"][1]
    assert payload["type"] == "turn_end"
    assert payload["reply"] == 3
    assert payload["confidence"] == 0.9877


@pytest.mark.agent_row("turn_end.latency", "turn_end.latency.preflight")
def test_turn_end_leaves_out_what_does_not_apply() -> None:
    payload = payloads.turn_end(TurnReport("", "hi", interrupted=False, preflight="miss", preflight_tokens=3))
    schema("agent-turn").validate(payload)
    assert payload == {
        "type": "turn_end",
        "transcript": "",
        "response": "hi",
        "interrupted": False,
        "latency": {"preflight": {"result": "miss"}},
    }


@pytest.mark.parametrize(
    "event", [payloads.user_transcript("a"), payloads.llm_response("b"), payloads.user_interruption()]
)
def test_the_other_events(event: dict[str, Any]) -> None:
    assert schema("agent-turn").is_valid(event)


def test_completions() -> None:
    done = payloads.agent_complete(CALL, "server error", error="401", verb_id="v")
    assert (done["completion_reason"], done["error"], done["verb_id"]) == ("server error", "401", "v")
    assert "error" not in payloads.agent_complete(CALL, "normal conversation end")
    played = payloads.play_complete(CALL, played_s=1.25, failed=False)
    schema("play").validate(played)
    assert played["playback_milliseconds"] == 1250
    assert payloads.play_complete(CALL, played_s=0, failed=True)["status"] == "fail"
    assert payloads.tool_call("t", "n", {"aB": 1}) == {"tool_call_id": "t", "name": "n", "arguments": {"aB": 1}}


def test_statuses_and_errors() -> None:
    for status in (
        payloads.verb_lifecycle("starting", "say"),
        payloads.verb_lifecycle("finished", "say", "v"),
        payloads.verb_event("synthesized-audio", "say", vendor="cartesia", characters=5, served_from_cache=False),
        payloads.verb_event("kill-playback", "say", "v"),
    ):
        schema("verb-status").validate(status)
    assert payloads.application_error("m") == {"msg": "m"}
    assert payloads.application_error("m", details="d", verb="agent", verb_id="v", content="c") == {
        "msg": "m", "details": "d", "verb": "agent", "id": "v", "content": "c",
    }  # fmt: skip

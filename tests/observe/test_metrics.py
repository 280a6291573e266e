"""Names and labels that dashboards rely on, read off the calls' event logs."""

from __future__ import annotations

from pathlib import Path

from moonwire.observe.event_log import FileEventLogs
from moonwire.observe.metered import MeteredEventLogs
from moonwire.observe.metrics import Metrics


def test_exposition(tmp_path: Path) -> None:
    metrics = Metrics()
    files = FileEventLogs(tmp_path)
    logs = MeteredEventLogs(files, metrics)
    log = logs.open("c1")
    log.write("call", -1.0, name="offered", transport="sip")
    log.write("turn.event", 0.0, type="CallAnswered")
    latency = {"model_latency": 150, "llm_ms": 150, "tts_ms": None, "response_ms": 400, "preflight": {}}
    log.write("turn", 3.0, interrupted=True, latency=latency)
    usage = {"input": 100, "output": 20, "cache_read": 512, "cache_write": 0, "reasoning": 7}
    log.write("llm", 3.0, name="answered", usage=usage)
    log.write("error", 4.0, verb="agent", code="quota")
    log.write("call", 12.5, name="ended", reason="bye")
    log.close()
    metrics.loop_lagged(0.003)
    metrics.watch("vad_tick_seconds", "Last tick of the detector.", lambda: 0.002)
    metrics.watch("moonwire_calls_active", "Calls that are up.", lambda: 3.0)
    text, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    lines = text.decode().splitlines()
    for line in (
        'moonwire_calls_total{reason="bye",transport="sip"} 1.0',
        "moonwire_call_duration_seconds_sum 12.5",
        'moonwire_turns_total{interrupted="yes"} 1.0',
        'moonwire_stage_seconds_bucket{le="0.2",stage="llm"} 1.0',
        'moonwire_stage_seconds_count{stage="response"} 1.0',
        'moonwire_call_errors_total{code="quota",verb="agent"} 1.0',
        'moonwire_llm_tokens_total{kind="input"} 100.0',
        'moonwire_llm_tokens_total{kind="cache_read"} 512.0',
        "moonwire_loop_lag_seconds_count 1.0",
        "moonwire_vad_tick_seconds 0.002",
        "moonwire_calls_active 3.0",
    ):
        assert line in lines
    assert [one["kind"] for one in logs.read("c1")] == ["call", "turn.event", "turn", "llm", "error", "call"]
    files.close()


def test_two_servers_in_one_process_do_not_share() -> None:
    Metrics().call_ended("sip", "bye", 1.0)
    assert b"moonwire_calls_total{" not in Metrics().exposition()[0]

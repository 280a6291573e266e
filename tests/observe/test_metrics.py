"""Names and labels that dashboards rely on."""

from __future__ import annotations

from moonwire.observe.metrics import Metrics


def test_exposition() -> None:
    metrics = Metrics()
    metrics.call_started("sip")
    metrics.call_started("sip")
    metrics.call_ended("sip", "bye", 12.5)
    metrics.stage_took("reply", 0.12)
    metrics.vendor_failed("moonshot", "quota")
    metrics.frames_dropped("inbound", 3)
    metrics.loop_lagged(0.003)
    metrics.watch("vad_tick_seconds", "Last tick of the detector.", lambda: 0.002)
    text, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    lines = text.decode().splitlines()
    for line in (
        'moonwire_calls_active{transport="sip"} 1.0',
        'moonwire_calls_total{reason="bye",transport="sip"} 1.0',
        "moonwire_call_duration_seconds_count 1.0",
        'moonwire_stage_seconds_bucket{le="0.2",stage="reply"} 1.0',
        'moonwire_vendor_errors_total{code="quota",vendor="moonshot"} 1.0',
        'moonwire_dropped_frames_total{where="inbound"} 3.0',
        "moonwire_loop_lag_seconds_count 1.0",
        "moonwire_vad_tick_seconds 0.002",
    ):
        assert line in lines


def test_two_servers_in_one_process_do_not_share() -> None:
    Metrics().call_started("sip")
    assert b"moonwire_calls_active{" not in Metrics().exposition()[0]

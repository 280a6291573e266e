"""Runs the whole benchmark and writes it into bench/results/; README.md says what the figures mean.

Run: `make bench`, or `.venv/bin/python -m bench [--quick]`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.prompts import PACKAGE, PROMPTS
from bench.report import Row, load, machine, table, write
from moonwire.vendors.turn.smart_turn.file import find_model

RAMP = (80, 160)
STOP_ADDED_MS = 250.0
STOP_LATE_SHARE = 0.001
RUN_LIMIT_S = 240


def part(module: str, *arguments: str) -> dict[str, float]:
    """Run one part in a process of its own and return its figures."""
    print(f"  {module} {' '.join(arguments)} ...", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        start_new_session=True,
    )
    if done.returncode:
        raise SystemExit(f"bench.{module} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def talk(calls: int, seconds: float, *switches: str, rounds: int = 1) -> dict[str, float]:
    """Run one scenario some times and return each figure's median."""
    runs = [part("conversation", f"--calls={calls}", f"--seconds={seconds}", *switches) for _ in range(rounds)]
    return {name: median(run[name] for run in runs) for name in runs[0]}


def ramp(scale: float) -> dict[int, dict[str, float]]:
    """Raise the number of calls until they suffer."""
    found: dict[int, dict[str, float]] = {}
    for calls in RAMP:
        found[calls] = talk(calls, 8 * scale)
        if not _is_fine(found[calls]):
            break
    return found


def _is_fine(run: dict[str, float]) -> bool:
    return run["added_p95_ms"] <= STOP_ADDED_MS and run["late_frames_share"] <= STOP_LATE_SHARE


def measure(scale: float) -> dict[str, Any]:
    """Run everything."""
    raw: dict[str, Any] = {"machine": machine(), "load_before": load()}
    raw["startup"] = part("startup")
    raw["one"] = talk(1, 35 * scale)
    raw["twenty"] = talk(20, 8 * scale, rounds=3)
    raw["interrupting"] = talk(20, 10 * scale, "--interrupt")
    raw["application"] = talk(20, 8 * scale, "--application")
    raw["ramp"] = ramp(scale)
    raw["floor_one"] = talk(1, 20 * scale, "--floor")
    raw["floor_twenty"] = talk(20, 8 * scale, "--floor")
    raw["llm_chunk"] = part("llm_chunk", "2")
    raw["rtp"] = part("rtp", "60", "4")
    raw["vad"] = part("vad", "2")
    raw["noise"] = part("noise", "3") | part("noisy_phrases", "10")
    raw["turns"] = turn_taking()
    raw["early"] = part("early", f"--seconds={10 * scale}")
    if "acoustic model" in raw["turns"]:
        raw["acoustic"] = talk(20, 10 * scale, "--acoustic")
    raw["load_after"] = load()
    return raw


def turn_taking() -> dict[str, dict[str, float]]:
    """Measure who speaks when on human prompts: with the acoustic model if it was fetched, otherwise with a timer."""
    if not PROMPTS.is_dir():
        print(f"note: no turn taking on human speech: the Debian package {PACKAGE} is not installed", file=sys.stderr)
        return {}
    if find_model(Path("var"), None) is None:
        return {"silence timer": part("turns", "--silence=0.4")}
    return {"acoustic model": part("turns")}


def rows(raw: dict[str, Any]) -> list[Row]:
    """Say what the raw figures mean."""
    one, twenty, cutting, start = raw["one"], raw["twenty"], raw["interrupting"], raw["startup"]
    chunk, rtp, vad = raw["llm_chunk"], raw["rtp"], raw["vad"]
    steps = {20: twenty, **raw["ramp"]}
    fine = [calls for calls, run in steps.items() if _is_fine(run)]
    most = f"at least {max(fine)}" if len(fine) == len(steps) else str(max(fine, default="below 20"))
    return [
        *_latency("1 call", one, raw["floor_one"]),
        Row("of which to the model/to the voice/to the caller, p50 ms", _stages(one)),
        *_latency("20 calls", twenty, raw["floor_twenty"]),
        Row("added, 20 calls, WebSocket application", _pair(raw["application"])),
        Row("CPU, core per call at 20 calls", *_limit(twenty["core_per_call"], 0.02, 4)),
        Row("server kept waiting by other programs, 20 calls", f"{twenty['server_kept_waiting']:.1%}"),
        Row("CPU of the floor, no VAD", f"{raw['floor_twenty']['core_per_call']:.4f}"),
        Row("memory, MiB per additional call", *_limit(twenty["rss_per_call_mib"], 1.0, 2)),
        Row("memory, MiB after one call", f"{twenty['rss_idle_mib']:.0f}"),
        Row("barge-in: onset to hold, p50/p95 ms", *_hold(cutting)),
        Row("barge-in: last frame after minSpeechDuration, p95 ms", *_limit(cutting["last_frame_p95_ms"], 60, 0)),
        *(Row(f"added latency, {calls} calls", f"{_pair(run)}; {_busy(run)}") for calls, run in raw["ramp"].items()),
        Row("calls on one core (p95 added <= 250 ms, no late audio)", most),
        Row("moonwire --help, s", *_limit(start["help_s"], 0.5, 2)),
        Row("moonwire serve to /readyz, s", *_limit(start["ready_s"], 3.0, 2)),
        Row("the same with an empty data directory, s", f"{start['first_ready_s']:.2f}"),
        Row("streamed chat chunk, us of CPU", *_limit(chunk["adapter_us"], 40, 0)),
        Row("the same, cut into clauses", f"{chunk['with_clauses_us']:.0f}"),
        Row("RTP, core per call at 60 calls (no agent)", f"{rtp['core_per_call']:.4f}"),
        Row("VAD, core per call at 1/20/80 calls", "/".join(f"{vad[f'core_per_call_{n}']:.4f}" for n in (1, 20, 80))),
        *_noise(raw["noise"]),
        *(row for name, run in raw["turns"].items() for row in _turns(name, run)),
        _early(raw["early"]),
        *(_acoustic(raw["acoustic"]) if "acoustic" in raw else ()),
    ]  # fmt: skip


def _turns(name: str, run: dict[str, float]) -> list[Row]:
    """The turn-taking table: the peers cut off as many as a timer, lose 12 of 12 back-channels, resume after 2.7 s."""
    cut, timer = run["cut_off_share"], run["cut_off_share_of_equal_timer"]
    model = name == "acoustic model"
    lost, resume, stop = run["backchannels_lost"], run["resume_max_ms"], run["stop_p50_ms"]
    text = f"{cut:.0%}, a timer of equal delay {timer:.0%}"
    kinds = f"{run['cut_off_share_mid_sentence']:.0%}/{run['cut_off_share_between_sentences']:.0%}"
    return [
        Row(f"{name}: end of turn after, p50/p90 ms", f"{run['delay_p50_ms']:.0f}/{run['delay_p90_ms']:.0f}",
            "450" if model else "", run["delay_p50_ms"] <= 450 if model else None),
        Row(f"{name}: callers cut off in an inner pause", text, "half" if model else "",
            cut <= timer / 2 if model else None),
        Row("the same, pauses in mid-sentence/between sentences", kinds),
        Row("back-channels that lose speech", f"{lost:.0f} of {run['backchannels']:.0f}", "1", lost <= 1),
        Row("speech resumes after a false alarm, most ms", f"{resume:.0f}", "500", resume <= 500),
        Row("real interruption stops the agent, p50/p90 ms", f"{stop:.0f}/{run['stop_p90_ms']:.0f}", "300",
            stop <= 300),
        Row("stops for voices in the background", f"{run['babble_stops']:.0f} of {run['babbles']:.0f}"),
    ]  # fmt: skip


def _noise(run: dict[str, float]) -> list[Row]:
    engines = [name.removesuffix("_frame_p95_ms") for name in run if name.endswith("_frame_p95_ms")]
    understood = "/".join(f"{run[f'{engine}_understood']:.0f}" for engine in ("untouched", *engines))
    return [
        Row(
            f"noise suppression by {engine}, 8 calls: core per call, ms per frame p95",
            f"{run[f'{engine}_core_per_call']:.4f}, {run[f'{engine}_frame_p95_ms']:.1f}",
        )
        for engine in engines
    ] + [Row(f"phrases of {run['phrases']:.0f} understood at 10 dB, untouched/{'/'.join(engines)}", understood)]


def _early(run: dict[str, float]) -> Row:
    """An answer that was begun early must come earlier by what there was to save, but for noise."""
    least = min(run["confirmation_ms"], run["first_token_ms"])
    text = f"{run['saved_ms']:.0f} ({run['without_p50_ms']:.0f} to {run['with_p50_ms']:.0f})"
    return Row("early generation saves, p50 ms", text, f"{least:.0f}", run["saved_ms"] >= least - 10)


def _acoustic(run: dict[str, float]) -> list[Row]:
    """The acoustic model in a crowd: what is late was decided by silence."""
    answer = f"{run['turn_answer_p50_ms']:.0f}/{run['turn_answer_p95_ms']:.0f}"
    asked = run["turn_answers"] + run["turn_answers_late"]
    late = f"; {run['turn_answers_late']:.0f} of {asked:.0f} too late, decided by silence"
    in_time = run["turn_answers_late"] <= 0.05 * asked
    return [
        Row("acoustic model at 20 calls: answers within, p50/p95 ms", answer + late, "150", in_time),
        Row("acoustic model at 20 calls: core per call", *_limit(run["core_per_call"], 0.04, 4)),
    ]


def _latency(name: str, run: dict[str, float], floor: dict[str, float]) -> list[Row]:
    met = run["added_p50_ms"] <= 8 and run["added_p95_ms"] <= 25
    return [
        Row(f"added latency, {name}, p50/p95 ms", _pair(run), "8/25", met),
        Row(f"added latency of the floor, {name}", _pair(floor)),
    ]


def _pair(run: dict[str, float]) -> str:
    return f"{run['added_p50_ms']:.1f}/{run['added_p95_ms']:.1f}"


def _stages(run: dict[str, float]) -> str:
    names = ("to_model_p50_ms", "model_to_voice_p50_ms", "voice_to_caller_p50_ms")
    return "/".join(f"{run[name]:.1f}" for name in names)


def _busy(run: dict[str, float]) -> str:
    busy = f"server {run['server_busy']:.0%} and callers {run['callers_busy']:.0%} busy"
    return f"{run['core_per_call']:.4f} core per call, {busy}"


def _hold(run: dict[str, float]) -> tuple[str, str, bool]:
    missed = f", {run['not_held']:.0f} of {run['barge_ins']:.0f} not held" if run["not_held"] else ""
    text = f"{run['held_p50_ms']:.0f}/{run['held_p95_ms']:.0f}{missed}"
    return text, "120", run["held_p95_ms"] <= 120 and not run["not_held"]


def _limit(value: float, limit: float, digits: int) -> tuple[str, str, bool]:
    return f"{value:.{digits}f}", f"{limit:g}", value <= limit


def main() -> None:
    """Measure, print, write."""
    began_s = time.monotonic()
    raw = measure(0.5 if "--quick" in sys.argv else 1.0)
    raw["took_s"] = round(time.monotonic() - began_s)
    found = rows(raw)
    print(f"\n{table(found)}\n\n{write(found, raw)} ({raw['took_s']} s)")


if __name__ == "__main__":
    main()

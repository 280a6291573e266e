"""`moonwire check`: finds out by doing whether this machine and configuration can serve calls; safe to paste."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from moonwire.cli.llm import name_of, services_of_file, stored_services, try_services
from moonwire.errors import ConfigError
from moonwire.settings import Settings, environment, load_settings
from moonwire.store.configuration import load_configuration
from moonwire.store.store import Store
from moonwire.vendors.vad.silero.detector import SileroVad

Verdict = Literal["ok", "note", "fail"]
MIN_FREE_MB = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    subject: str
    verdict: Verdict
    text: str


async def find_out(settings: Settings, config: Path | None) -> list[Finding]:
    """Try everything; no finding holds a secret."""
    probes: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("configuration file", lambda: _configuration(config)),
        ("database", lambda: _database(settings)),
        ("HTTP port", lambda: _port(settings.http_host, settings.http_port, socket.SOCK_STREAM, "HTTP")),
        ("SIP port (TCP)", lambda: _port(settings.sip_host, settings.sip_port, socket.SOCK_STREAM, "SIP")),
        ("SIP port (UDP)", lambda: _port(settings.sip_host, settings.sip_port, socket.SOCK_DGRAM, "SIP")),
        ("RTP port", lambda: _port(settings.sip_host, settings.rtp_port_min, socket.SOCK_DGRAM, "RTP")),
        ("voice detector", _voice_detector),
        ("disk", lambda: _disk(settings)),
    ]
    findings: list[Finding] = []
    for subject, probe in probes:
        try:
            findings.append(Finding(subject, "ok", await probe()))
        except ConfigError as error:
            findings.append(Finding(subject, "fail", str(error)))
    findings += await _language_models(config)
    findings.append(_espeak())
    return findings


def run_check(config: Path | None) -> None:
    """Print the findings; exit 1 when calls cannot be served."""
    findings = asyncio.run(find_out(load_settings(), config))
    for finding in findings:
        typer.echo(f"{finding.verdict:5} {finding.subject}: {finding.text}")
    if any(finding.verdict == "fail" for finding in findings):
        raise SystemExit(1)


async def _configuration(config: Path | None) -> str:
    if config is None:
        return "none named; what is in the database counts"
    load_configuration(config, environment())
    return f"{config.name} is well-formed and all its variables are set"


async def _database(settings: Settings) -> str:
    store = await Store.open(settings)
    try:
        keys = "vendor keys are configured" if store.directory.has_vendor_keys else "no vendor key: the sandbox serves"
        return f"opened and migrated, secrets readable; {keys}"
    finally:
        await store.close()


async def _port(host: str, port: int, kind: socket.SocketKind, name: str) -> str:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"{host}:{port} cannot be used ({error.strerror}); "
                f"stop what holds it or choose another MOONWIRE_{name}_*"
            ) from None
    return f"{host}:{port} is free"


async def _voice_detector() -> str:
    detector = SileroVad(threaded=False)
    detector.start()
    detector.stop()
    return "Silero model loads"


async def _disk(settings: Settings) -> str:
    free_mb = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else Path()).free // 1_000_000
    if free_mb < MIN_FREE_MB:
        raise ConfigError(f"only {free_mb} MB free where {settings.data_dir} lies; make room or move MOONWIRE_DATA_DIR")
    return f"{free_mb} MB free"


async def _language_models(config: Path | None) -> list[Finding]:
    """Test each language-model service as the portal does; that is one short answer each."""
    try:
        services = services_of_file(config) if config else await stored_services()
    except ConfigError:
        return []  # the probes above have told it
    findings: list[Finding] = []
    for service, trial in zip(services, await try_services(services), strict=True):
        troubles = [stage for stage in trial.stages if stage.status == "warning"]
        text = trial.reason or "; ".join(f"{stage.message} {stage.hint}".strip() for stage in troubles)
        verdict: Verdict = "fail" if not trial.is_ok else "note" if troubles else "ok"
        findings.append(Finding(f"language model {name_of(service)}", verdict, text or "answers and calls tools"))
    return findings


def _espeak() -> Finding:
    if shutil.which("espeak-ng"):
        return Finding("espeak-ng", "ok", "the sandbox speaks with words")
    return Finding("espeak-ng", "note", "not installed; the sandbox speaks with tones")

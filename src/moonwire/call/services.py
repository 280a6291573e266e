"""What the engine needs from the rest of the process, handed over once by app.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from moonwire.ports.applications import ApplicationConnector
from moonwire.ports.clock import Clock
from moonwire.ports.directory import Alerts, CallRecords, Directory
from moonwire.ports.event_log import EventLogs
from moonwire.ports.interruption_predictor import InterruptionPredictor
from moonwire.ports.legs import CallPlacer
from moonwire.ports.noise import NoiseSuppression
from moonwire.ports.routes import OutboundRoutes
from moonwire.ports.tool_servers import ToolServers
from moonwire.ports.turn_detector import TurnDetector
from moonwire.ports.vad import VoiceActivityDetector
from moonwire.ports.vendors import Vendors


@dataclass(frozen=True, slots=True)
class CallServices:
    """Long-lived collaborators of all calls."""

    clock: Clock
    directory: Directory
    connector: ApplicationConnector
    vendors: Vendors
    vad: VoiceActivityDetector | None
    event_logs: EventLogs
    alerts: Alerts
    records: CallRecords
    recordings: Path
    """Folder of recordings."""
    tool_servers: ToolServers
    dialer: Dialer
    load_audio: Callable[[str], Awaitable[bytes]]
    """Fetches a `play` URL as mu-law 8 kHz.

    Raises HookError when it cannot be fetched or is no audio we know.
    """
    addresses: AddressBook
    noise: NoiseSuppression | None = None
    """The noise-suppression engines, when this process has any."""
    turn_detector: TurnDetector | None = None
    """The acoustic end-of-turn engine, when this process has one."""
    interruption_predictor: InterruptionPredictor | None = None
    """The engine that tells interruptions by sound, when this process has one."""
    greeting_turn_end: bool = True
    """A greeting's end is told as a `turn_end` where the application does not say."""


@dataclass(slots=True)
class Dialer:
    """How this process calls out; the endpoint that places calls joins when it is up."""

    routes: OutboundRoutes | None = None
    placer: CallPlacer | None = None


@dataclass(frozen=True, slots=True)
class AddressBook:
    """How the outside reaches this process, as told to applications."""

    sip_address: str
    """host:port"""
    public_ip: str
    api_base_url: str

"""The composition root: the only file that knows all rooms; builds them, connects them, starts and stops them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
import uvicorn
from fastapi import FastAPI

from moonwire.api.application import create_api
from moonwire.api.health import HealthSources
from moonwire.api.services import ApiServices, CredentialTest
from moonwire.apps.app_env import AppEnvProbe
from moonwire.apps.audio import AudioFetcher
from moonwire.apps.connector import AppConnector
from moonwire.apps.tool_servers import McpToolServers
from moonwire.call.engine import CallEngine
from moonwire.call.live_calls import EngineCalls
from moonwire.call.services import AddressBook, CallServices, Dialer
from moonwire.core.hosts import LOOPBACK, HostPolicy
from moonwire.errors import ConfigError, LocalProtocolError
from moonwire.observe.clock import SystemClock
from moonwire.observe.event_log import FileEventLogs
from moonwire.observe.loop_lag import watch_loop_lag
from moonwire.observe.metered import MeteredEventLogs
from moonwire.observe.metrics import Metrics
from moonwire.ports.clock import Clock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.event_log import EventLogs
from moonwire.ports.legs import CallLeg
from moonwire.ports.live_calls import LiveCalls
from moonwire.sandbox.caller import CallerReport, ScriptedCaller, Step
from moonwire.sandbox.fleet import SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.settings import Settings
from moonwire.store.administration import StoreAdministration
from moonwire.store.declared import Configuration
from moonwire.store.directory import MemoryDirectory
from moonwire.store.routes import StoredRoutes
from moonwire.store.sandbox_overlay import sandbox_configuration
from moonwire.store.store import Store
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.endpoint import SipEndpoint
from moonwire.transports.websocket.server import websocket_protocol
from moonwire.transports.websocket.twilio import TWILIO_PATH, TwilioDoor
from moonwire.vendors.address_guard import AddressGuard
from moonwire.vendors.catalogue import VendorCatalogue
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.ears import Ears, open_ears
from moonwire.vendors.llm import manifests as llm_manifests
from moonwire.vendors.llm_models import models_of
from moonwire.vendors.llm_trial import LlmTester, TrialOptions
from moonwire.vendors.speech_manifest import forms
from moonwire.vendors.speech_trial import try_speech
from moonwire.vendors.stt import stt_manifests
from moonwire.vendors.tts import tts_manifests

log = structlog.get_logger()

DRAIN_S = 30.0
CALLER_RTP = (30000, 39999)
"""RTP ports of `moonwire call`, apart from a server's on the same machine."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running process, as the command line and tests see it."""

    settings: Settings
    store: Store
    engine: CallEngine
    sip: SipEndpoint
    http_port: int
    sandbox: SandboxFleet | None
    event_logs: FileEventLogs

    async def drain(self, limit_s: float = DRAIN_S) -> None:
        """Take no new calls and let the running ones come to their end, bounded."""
        self.sip.drain()
        await self.engine.drain(limit_s)


@asynccontextmanager
async def running_server(
    settings: Settings,
    configuration: Configuration | None = None,
    *,
    watch: Callable[[EventLogs], EventLogs] = lambda logs: logs,
) -> AsyncGenerator[Server]:
    """Start everything; it stops when the context ends.

    Args:
        settings: of the process.
        configuration: applied before the first call.
        watch: wraps the event logs for an onlooker.

    Raises:
        ConfigError: a setting, the configuration, the database or a port is unusable.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = await Store.open(settings)
        stack.push_async_callback(store.close)
        if configuration is not None:
            await store.apply(configuration)
        fleet = await _sandbox(settings, store, stack)
        metrics = Metrics()
        stack.callback(asyncio.create_task(watch_loop_lag(clock, metrics.loop_lagged)).cancel)
        event_logs = FileEventLogs(settings.data_dir)
        stack.callback(event_logs.close)
        pacer = Pacer(clock)
        hosts = HostPolicy((*settings.private_hosts, *(LOOPBACK if fleet else ())))
        outbound = await _outbound(clock, hosts, stack)
        ears = open_ears(settings, metrics.watch, stack, metrics.turn_answered)
        engine = await _engine(settings, store, outbound, watch(MeteredEventLogs(event_logs, metrics)), ears, stack)
        sip = _sip(settings, store.directory, engine, pacer, outbound)
        await sip.start()
        stack.push_async_callback(sip.stop)
        door = TwilioDoor(gate=store.directory, acceptor=engine, pacer=pacer, clock=clock)
        metrics.watch("moonwire_calls_active", "Calls that are up.", lambda: float(engine.active_calls))
        api = _api(_CallSide(settings, EngineCalls(engine), fleet), store, outbound, event_logs, metrics)
        port = await _serve_http(settings, api, door, stack)
        yield Server(settings, store, engine, sip, port, fleet, event_logs)


async def _sandbox(settings: Settings, store: Store, stack: AsyncExitStack) -> SandboxFleet | None:
    if not settings.sandbox_is_on(vendor_keys=store.directory.has_vendor_keys):
        return None
    fleet = await stack.enter_async_context(running_fleet())
    overlay = sandbox_configuration(
        fleet.moonshot_url,
        fleet.deepgram_url,
        fleet.cartesia_url,
        moonshot_key=SANDBOX_KEY,
        deepgram_key=SANDBOX_KEY,
        cartesia_key=SANDBOX_KEY,
        elevenlabs=(fleet.elevenlabs_url, SANDBOX_KEY),
    )
    store.directory.overlay_sandbox(overlay)
    log.info("sandbox vendors are on", moonshot=fleet.moonshot_url, deepgram=fleet.deepgram_url)
    return fleet


def _sip(
    settings: Settings, gate: MemoryDirectory, engine: CallEngine, pacer: Pacer, outbound: _Outbound
) -> SipEndpoint:
    clock = outbound.clock
    rtp = RtpEngine(pacer=pacer, port_min=settings.rtp_port_min, port_max=settings.rtp_port_max, clock=clock)
    endpoint = SipEndpoint(
        gate=gate,
        acceptor=engine,
        rtp=rtp,
        host=settings.sip_host,
        port=settings.sip_port,
        public_ip=settings.public_ip,
        clock=clock,
    )

    def permitted(host: str, addresses: Sequence[str]) -> Sequence[str]:
        """Users may call public addresses, those that the operator permits, and those of carriers that may call us."""
        known = [address for address in addresses if gate.operator_knows(address)]
        return known or outbound.guard.permitted(host, addresses)

    endpoint.guard_calls(permitted)
    engine.dial_through(endpoint)
    return endpoint


@dataclass(frozen=True, slots=True)
class _Outbound:
    """How the process reaches vendors and applications."""

    clock: Clock
    hosts: HostPolicy
    guard: AddressGuard
    http: aiohttp.ClientSession
    """For addresses that the operator wrote."""
    guarded_http: aiohttp.ClientSession
    """For addresses that users and applications chose."""
    connections: VendorConnections


async def _outbound(clock: Clock, hosts: HostPolicy, stack: AsyncExitStack) -> _Outbound:
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300))
    stack.push_async_callback(http.close)
    guard = AddressGuard(hosts)
    guarded_http = aiohttp.ClientSession(connector=guard.connector())
    stack.push_async_callback(guarded_http.close)
    connections = VendorConnections(clock, guard.connector)
    stack.push_async_callback(connections.close)
    return _Outbound(clock, hosts, guard, http, guarded_http, connections)


async def _engine(
    settings: Settings,
    store: Store,
    outbound: _Outbound,
    event_logs: EventLogs,
    ears: Ears,
    stack: AsyncExitStack,
) -> CallEngine:
    http, guarded_http, hosts = outbound.http, outbound.guarded_http, outbound.hosts
    tool_servers = McpToolServers(hosts.allows_url)
    stack.push_async_callback(tool_servers.close)
    services = CallServices(
        clock=outbound.clock,
        directory=store.directory,
        connector=AppConnector(http, store.alerts, outbound.clock, hosts.allows_url, guarded_http=guarded_http),
        vendors=VendorCatalogue(
            store.directory,
            http,
            outbound.connections,
            hosts.allows_host,
            guarded_http=guarded_http,
            health=store.service_health,
        ),
        vad=ears.voice,
        noise=ears.noise,
        interruption_predictor=ears.interruptions,
        greeting_turn_end=settings.greeting_turn_end,
        turn_detector=ears.turns,
        event_logs=event_logs,
        alerts=store.alerts,
        records=store.call_records,
        recordings=settings.data_dir / "recordings",
        tool_servers=tool_servers,
        dialer=Dialer(StoredRoutes(store.directory)),
        load_audio=AudioFetcher(guarded_http, hosts.allows_url).load,
        addresses=_addresses(settings),
    )
    return await stack.enter_async_context(CallEngine(services))


def _addresses(settings: Settings) -> AddressBook:
    host = settings.public_ip or settings.sip_host
    return AddressBook(
        sip_address=f"{host}:{settings.sip_port}",
        public_ip=host,
        api_base_url=f"http://{settings.public_ip or '127.0.0.1'}:{settings.http_port}/v1",
    )


@dataclass(frozen=True, slots=True)
class _CallSide:
    """What REST sees of the running calls, and the sandbox they may use."""

    settings: Settings
    calls: LiveCalls
    fleet: SandboxFleet | None


def _api(side: _CallSide, store: Store, outbound: _Outbound, event_logs: FileEventLogs, metrics: Metrics) -> FastAPI:
    sandbox = {"moonshot": side.fleet.moonshot_regions} if side.fleet else {}
    tester = LlmTester(outbound.connections, outbound.guard, lambda vendor: sandbox.get(vendor, ()))

    async def test_llm(credential: VendorCredential, region_check: bool) -> CredentialTest:
        trial = await tester.test(credential, TrialOptions(region_check))
        return CredentialTest(trial.is_ok, trial.reason, trial.report)

    async def test_speech(credential: VendorCredential) -> CredentialTest:
        http = outbound.http if credential.by_operator else outbound.guarded_http
        trial = await try_speech(credential, http, None if credential.by_operator else outbound.guard)
        return CredentialTest(trial.ok, trial.reason, trial.report)

    async def list_models(credential: VendorCredential) -> list[dict[str, object]]:
        return await models_of(credential, outbound.connections)

    rest = ApiServices(
        StoreAdministration(store),
        event_logs,
        outbound.clock,
        outbound.hosts,
        llm_manifests=lambda: llm_manifests(sandbox),
        speech_manifests=lambda: forms((*stt_manifests(), *tts_manifests())),
        is_sandboxed=side.fleet is not None,
        test_llm=test_llm,
        test_speech=test_speech,
        live_calls=side.calls,
        list_models=list_models,
        probe_app_env=AppEnvProbe(outbound.guarded_http, outbound.hosts.allows_url).ask,
        request_limit=side.settings.rest_limit,
    )
    return create_api(HealthSources({"database": store.is_ready}, metrics.exposition), rest)


async def _serve_http(settings: Settings, api: FastAPI, door: TwilioDoor, stack: AsyncExitStack) -> int:
    config = uvicorn.Config(
        api,
        host=settings.http_host,
        port=settings.http_port,
        ws=websocket_protocol({TWILIO_PATH: door}),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        forwarded_allow_ips=list(settings.trusted_proxies),
    )
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve())

    async def stop() -> None:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=10)

    stack.push_async_callback(stop)
    while not server.started:
        if serving.done():
            raise ConfigError(
                f"cannot listen for HTTP on {settings.http_host}:{settings.http_port}; "
                "choose another MOONWIRE_HTTP_HOST or MOONWIRE_HTTP_PORT"
            )
        await asyncio.sleep(0.01)
    return server.servers[0].sockets[0].getsockname()[1]


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handling: the command line owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def dial(uri: str, steps: Sequence[Step], *, record_to: Path | None = None) -> CallerReport:
    """Call a SIP URI as a scripted caller, from an ephemeral port.

    Raises:
        CallError: refused, or not answered.
    """
    clock = SystemClock()
    caller = ScriptedCaller(steps)
    rtp = RtpEngine(pacer=Pacer(clock), port_min=CALLER_RTP[0], port_max=CALLER_RTP[1], clock=clock)
    nobody = _Nobody()
    endpoint = SipEndpoint(
        gate=nobody, acceptor=nobody, rtp=rtp, host=_own_address(uri), port=0, public_ip=None, clock=clock
    )
    await endpoint.start()
    try:
        leg = await endpoint.place(uri, from_user="moonwire-caller", listener=caller, source=caller)
        report = await caller.run(leg, record_to=record_to)
        # On an outbound leg the far end is the server: what the leg calls "caller" is Moonwire, and the reverse.
        report.ended_by = "caller" if report.ended_by == "moonwire" else "moonwire"
        return report
    finally:
        await endpoint.stop()


def _own_address(uri: str) -> str:
    host = uri.rpartition("@")[2].removeprefix("sip:").partition(":")[0]
    return "127.0.0.1" if host in ("localhost", "127.0.0.1") else "0.0.0.0"


class _Nobody:
    """A caller takes no calls."""

    def offer(self, leg: CallLeg) -> None:
        raise LocalProtocolError(f"unexpected call {leg.info.call_id}")

    def carrier_for_address(self, address: str) -> None:
        del address

    def carrier_for_token(self, token: str) -> None:
        del token

    def twilio_auth_tokens(self) -> dict[str, str]:
        return {}

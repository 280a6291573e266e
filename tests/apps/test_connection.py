"""Connecting to an application, losing it, and finding it again, over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from moonwire.apps.connector import AppConnector
from moonwire.apps.surroundings import Timings
from moonwire.errors import HookError
from moonwire.spec.hooks import Hook

from .conftest import (
    SAY,
    SESSION_NEW,
    Heard,
    HeardAlerts,
    Peer,
    ScriptedApplication,
    WallClock,
    record,
    until_closed,
    verbs_of,
)


async def test_an_application_that_never_acknowledges_fails_the_call(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    application.scripts = [until_closed]
    session = connector.open(record(application.ws_url), "c1", Heard())
    with pytest.raises(HookError, match="did not acknowledge"):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)
    assert alerts.alerts[0][0] == "webhook-connection-failure"


async def test_nobody_listens(connector: AppConnector, alerts: HeardAlerts, unused_tcp_port: int) -> None:
    session = connector.open(record(f"ws://127.0.0.1:{unused_tcp_port}/#rc=2"), "c1", Heard())
    with pytest.raises(HookError, match="cannot be reached"):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)
    assert [kind for kind, _ in alerts.alerts] == ["webhook-connection-failure"]


@pytest.mark.parametrize(("fragment", "attempts"), [("", 1), ("#rc=2&rp=4xx", 3), ("#rc=2&rp=all", 3), ("#rc=0", 1)])
async def test_a_refused_upgrade_is_retried_as_the_fragment_asks(
    application: ScriptedApplication, connector: AppConnector, fragment: str, attempts: int
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=404)

    application.routes["/x"] = refuse
    session = connector.open(record(application.ws_url + "x" + fragment), "c1", Heard())
    with pytest.raises(HookError, match="404"):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)
    assert len(application.requests) == attempts


@pytest.mark.parametrize("redirects", [2, 3])
async def test_at_most_two_redirects(application: ScriptedApplication, connector: AppConnector, redirects: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await until_closed(peer)

    async def onward(request: web.Request) -> web.Response:
        left = int(request.query["left"])
        raise web.HTTPFound("/" if left == 1 else f"/r?left={left - 1}")

    application.scripts = [script]
    application.routes["/r"] = onward
    session = connector.open(record(f"{application.ws_url}r?left={redirects}"), "c1", Heard())
    if redirects == 2:
        assert len(await session.begin(SESSION_NEW)) == 1
    else:
        with pytest.raises(HookError, match="redirects too often"):
            await session.begin(SESSION_NEW)
    await session.close()


async def test_close_1000_means_that_the_application_is_finished(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.next()
        await peer.socket.close(code=1000)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/a"), {}) is None
    assert await heard.end() is True
    assert not session.keeps_call_up
    session.agent_event(Hook("/e"), {})
    assert await session.call_hook(Hook("/a"), {}) is None
    await session.close()
    assert application.connections == 1
    assert heard.closed.empty()


async def test_a_binary_frame_cuts_the_application_off_but_not_the_call(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    heard = Heard()
    codes: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.socket.send_bytes(b"\x00")
        codes.append(await peer.end())

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await heard.end() is True
    await session.close()
    assert codes == [1003]
    assert application.connections == 1
    assert alerts.alerts[0][0] == "payload-error"


@pytest.mark.agent_row("reconnect")
async def test_a_dropped_socket_is_reopened_and_the_verbs_of_its_ack_are_not_run(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()
    seen: dict[str, Any] = {}
    waiting = asyncio.Event()

    async def first(peer: Peer) -> None:
        seen["new"] = await peer.next()
        await peer.ack(seen["new"], SAY)
        await peer.next()
        peer.cut()

    async def second(peer: Peer) -> None:
        seen["again"] = await peer.next()
        waiting.set()
        session.call_status({"call_status": "held back"})
        await peer.ack(seen["again"], {"verb": "say", "text": "again"})
        seen["held"] = [await peer.next(), await peer.next()]
        await peer.ack(seen["again"], {"verb": "hangup"})
        await until_closed(peer)

    application.scripts = [first, second]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/lost"), {}) is None
    session.agent_event(Hook("/e"), {"type": "queued"})
    await asyncio.wait_for(waiting.wait(), 5)
    assert verbs_of(await heard.command()) == ["hangup"]
    await session.close()
    assert seen["again"]["type"] == "session:reconnect"
    assert seen["again"]["data"] == seen["new"]["data"]
    assert seen["again"]["msgid"] != seen["new"]["msgid"]
    assert "hook" not in seen["again"]
    assert [message["type"] for message in seen["held"]] == ["agent:event", "call:status"]
    assert heard.closed.empty()


async def test_a_drop_before_the_first_ack_is_answered_by_the_reconnect(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    async def first(peer: Peer) -> None:
        await peer.next()
        await peer.socket.close(code=4004)

    async def second(peer: Peer) -> None:
        message = await peer.next()
        assert message["type"] == "session:reconnect"
        await peer.ack(message, SAY)
        await until_closed(peer)

    application.scripts = [first, second]
    session = connector.open(record(application.ws_url), "c1", Heard())
    assert len(await session.begin(SESSION_NEW)) == 1
    await session.close()


async def test_reconnects_end_with_the_retries(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    heard = Heard()

    async def first(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        peer.cut()

    async def closing(peer: Peer) -> None:
        await peer.socket.close(code=1011)

    application.scripts = [first, closing]
    session = connector.open(record(application.ws_url + "#rc=3"), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await heard.end() is False
    await session.close()
    assert application.connections == 4
    assert alerts.alerts[0][0] == "webhook-connection-failure"


async def test_closing_while_connecting_ends_begin(connector: AppConnector, unused_tcp_port: int) -> None:
    session = connector.open(record(f"ws://127.0.0.1:{unused_tcp_port}/"), "c1", Heard())
    begin = asyncio.create_task(session.begin(SESSION_NEW))
    await asyncio.sleep(0)
    await session.close()
    with pytest.raises(HookError):
        await begin
    assert len(asyncio.all_tasks()) == 1


async def test_an_oversized_message_is_not_taken(application: ScriptedApplication, connector: AppConnector) -> None:
    heard = Heard()

    async def first(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.socket.send_str('"' + "x" * (1 << 20) + '"')
        await until_closed(peer)

    async def second(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.say(type="command", command="redirect", data=[SAY])
        await until_closed(peer)

    application.scripts = [first, second]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert verbs_of(await heard.command()) == ["say"]
    await session.close()


async def test_an_upgrade_that_nobody_answers_is_bounded(http: aiohttp.ClientSession, alerts: HeardAlerts) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(ignore, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for timings in (
        Timings(upgrade_s=0.05, retry_delays_s=(0.01,)),
        Timings(first_connection_s=0.05, retry_delays_s=(0.01,)),
    ):
        connector = AppConnector(http, alerts, WallClock(), lambda _: True, timings)
        session = connector.open(record(f"ws://127.0.0.1:{port}/"), "c1", Heard())
        with pytest.raises(HookError, match="in time"):
            await session.begin(SESSION_NEW)
        await session.close(failed=True)
    server.close()
    await server.wait_closed()
    assert len(alerts.alerts) == 2


async def test_what_an_application_never_reads_is_bounded(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    down = asyncio.Event()
    seen: list[str] = []

    async def first(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        peer.cut()
        down.set()

    async def second(peer: Peer) -> None:
        await peer.ack(await peer.next())
        while (message := await peer.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            seen.append(message.data)

    application.scripts = [first, second]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    await down.wait()
    for index in range(1500):
        session.verb_status({"index": index})
    await session.close()
    assert len(seen) <= 1000


@pytest.mark.parametrize("target", ["private.example", "same"])
async def test_a_redirect_of_the_upgrade_may_not_lead_to_a_private_host(
    application: ScriptedApplication, connector: AppConnector, target: str
) -> None:
    async def onward(request: web.Request) -> web.Response:
        raise web.HTTPFound("/" if target == "same" else "http://private.example/")

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await until_closed(peer)

    application.routes["/r"] = onward
    application.scripts = [script]
    session = connector.open(record(f"{application.ws_url}r#rc=0"), "c1", Heard())
    if target == "same":
        await session.begin(SESSION_NEW)
    else:
        with pytest.raises(HookError, match="PRIVATE_HOSTS"):
            await session.begin(SESSION_NEW)
    await session.close()


async def test_an_application_that_restarts_slowly_is_reached_again(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()

    async def restarting(_: web.Request) -> web.Response:
        if len(application.requests) == 3:
            del application.routes["/"]
        return web.Response(status=503)

    async def first(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        application.routes["/"] = restarting
        peer.cut()

    async def second(peer: Peer) -> None:
        await peer.ack(await peer.next())
        await peer.say(type="command", command="redirect", data=[SAY])
        await until_closed(peer)

    application.scripts = [first, second]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert verbs_of(await heard.command()) == ["say"]
    assert len(application.requests) == 4
    await session.close()

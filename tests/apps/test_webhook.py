"""Webhook applications over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from moonwire.apps.connector import AppConnector
from moonwire.errors import HookError, SpecError
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import Hangup, Say

from .conftest import SAY, SESSION_NEW, Heard, HeardAlerts, Peer, ScriptedApplication, record


class Pages:
    """Answers by path and keeps the bodies."""

    def __init__(self, application: ScriptedApplication) -> None:
        self.application = application
        self.bodies: list[tuple[str, bytes]] = []

    def serve(self, path: str, *answers: web.Response | object) -> None:
        left = list(answers)

        async def route(request: web.Request) -> web.Response:
            self.bodies.append((request.path, await request.read()))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, web.Response):
                return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
            return web.json_response(answer)

        self.application.routes[path] = route


@pytest.fixture
def pages(application: ScriptedApplication) -> Pages:
    return Pages(application)


async def test_the_initial_webhook_is_signed_and_answered_by_verbs(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/new", [SAY])
    hook = Hook(f"{pages.application.http_url}/new#rc=1", username="u", password="p")
    session = connector.open(record(hook, webhook_secret=SecretStr("s3cret")), "c1", Heard())
    verbs = await session.begin({**SESSION_NEW, "durationS": 2.0, "name": "Ünal"})
    await session.close()
    assert isinstance(verbs[0], Say)
    assert not session.keeps_call_up
    request = pages.application.requests[0]
    body = pages.bodies[0][1]
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "jambonz"
    assert request.headers["Authorization"] == "Basic dTpw"
    stamp, _, signature = request.headers["Jambonz-Signature"].partition(",v1=")
    digest = hmac.new(b"s3cret", f"{stamp.removeprefix('t=')}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == digest
    assert body.decode().endswith('"env_vars":{"aB":1},"duration_s":2,"name":"Ünal"}')
    assert "type" not in json.loads(body)


async def test_get_sends_scalars_as_query(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/new", [SAY])
    hook = Hook(f"{pages.application.http_url}/new", method="GET")
    session = connector.open(record(hook), "c1", Heard())
    await session.begin({**SESSION_NEW, "sip": {"a": 1}, "yes": True})
    await session.close()
    query = dict(pages.application.requests[0].query)
    assert query == {"call_sid": "c1", "direction": "inbound", "from": "+1", "to": "2", "yes": "true"}
    assert pages.bodies[0][1] == b""


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ([{"verb": "hangup"}], 1),
        ({"verb": "hangup"}, 1),
        ({"hangup": {}}, 1),
        ([], None),
        (web.Response(status=204), None),
        (web.Response(status=202, text="[]", content_type="application/json"), None),
        (web.Response(text='[{"verb":"hangup"}]', content_type="text/plain"), None),
        (web.Response(status=500), None),
        (web.Response(text="[", content_type="application/json"), None),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), None),
        (web.Response(text="", content_type="application/json"), None),
        (web.Response(text=" " * (1 << 20) + "[]", content_type="application/json"), None),
        ([{"verb": "nonsense"}], None),
    ],
)
async def test_answers_of_action_hooks(pages: Pages, connector: AppConnector, answer: Any, count: int | None) -> None:
    pages.serve("/new", [SAY])
    pages.serve("/done", answer)
    session = connector.open(record(f"{pages.application.http_url}/new"), "c1", Heard())
    await session.begin(SESSION_NEW)
    verbs = await session.call_hook(Hook("/done"), {"reason": "x"})
    await session.close()
    if count is None:
        assert verbs is None
    else:
        assert verbs is not None
        assert isinstance(verbs[0], Hangup)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(status=204), SpecError),
        (web.Response(text="hello"), SpecError),
        ([], SpecError),
        ([{"verb": "pause"}], SpecError),
        (web.Response(status=500), HookError),
        (web.Response(status=401), HookError),
    ],
)
async def test_the_initial_webhook_must_bring_verbs(
    pages: Pages, connector: AppConnector, alerts: HeardAlerts, answer: Any, error: type[Exception]
) -> None:
    pages.serve("/new", answer)
    session = connector.open(record(f"{pages.application.http_url}/new"), "c1", Heard())
    with pytest.raises(error):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)
    assert len(alerts.alerts) == 1
    if isinstance(answer, web.Response) and answer.status == 401:
        assert alerts.alerts[0][0] == "webhook-auth-failure"


@pytest.mark.parametrize(
    ("fragment", "status", "attempts"),
    [("", 503, 1), ("#rc=2", 503, 1), ("#rc=2&rp=5xx", 503, 3), ("#rc=2&rp=all", 404, 3), ("#rc=1&rp=ct,4xx", 503, 1)],
)
async def test_retries_follow_the_fragment(
    pages: Pages, connector: AppConnector, fragment: str, status: int, attempts: int
) -> None:
    pages.serve("/new", web.Response(status=status))
    session = connector.open(record(f"{pages.application.http_url}/new{fragment}"), "c1", Heard())
    with pytest.raises(HookError):
        await session.begin(SESSION_NEW)
    await session.close()
    assert len(pages.bodies) == attempts


async def test_a_webhook_that_answers_too_late(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None:
            await response.write(b" ")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.1)
        return response

    application.routes["/new"] = slow
    session = connector.open(record(f"{application.http_url}/new"), "c1", Heard())
    with pytest.raises(HookError, match="in time"):
        await session.begin(SESSION_NEW)
    await session.close()
    assert alerts.alerts[0][0] == "webhook-connection-failure"


@pytest.mark.agent_row("events over HTTP")
async def test_events_are_posted_in_order_without_base_payload(pages: Pages, connector: AppConnector) -> None:
    for path in ("/event", "/status"):
        pages.serve(path, web.Response(status=200))
    pages.serve("/new", [SAY])
    base = pages.application.http_url
    session = connector.open(record(f"{base}/new", call_status_hook=Hook(f"{base}/status")), "c1", Heard())
    await session.begin(SESSION_NEW)
    session.call_status({"call_status": "in-progress"})
    for index in range(3):
        session.agent_event(Hook("/event"), {"type": "turn_end", "index": index})
    session.verb_status({"event": "starting"})
    session.error({"msg": "x"})
    await session.close()
    assert [path for path, _ in pages.bodies] == ["/new", "/status", "/event", "/event", "/event"]
    assert [json.loads(body)["index"] for _, body in pages.bodies[2:]] == [0, 1, 2]
    assert json.loads(pages.bodies[2][1]) == {"type": "turn_end", "index": 0}


@pytest.mark.agent_row("tools over HTTP")
async def test_a_tool_hook_answers_with_the_result(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/new", [SAY])
    pages.serve("/tool", {"degrees": 18}, web.Response(text="warm"))
    session = connector.open(record(f"{pages.application.http_url}/new"), "c1", Heard())
    await session.begin(SESSION_NEW)
    call = {"tool_call_id": "t1", "name": "w", "arguments": {"aB": 1}}
    assert await session.call_tool(Hook("/tool"), call) == {"degrees": 18}
    assert await session.call_tool(Hook("/tool"), call) == "warm"
    await session.close()
    assert json.loads(pages.bodies[1][1]) == call


async def test_relative_hooks_inherit_address_and_credentials(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/deep/new", [SAY])
    pages.serve("/done", [])
    pages.serve("/deep/done", [])
    hook = Hook(f"{pages.application.http_url}/deep/new", username="u", password="p")
    session = connector.open(record(hook), "c1", Heard())
    await session.begin(SESSION_NEW)
    await session.call_hook(Hook("/done"), {})
    await session.call_hook(Hook("done"), {})
    await session.close()
    assert [request.path for request in pages.application.requests[1:]] == ["/done", "/deep/done"]
    assert pages.application.requests[2].headers["Authorization"] == "Basic dTpw"


async def test_hooks_on_private_hosts_are_refused(pages: Pages, connector: AppConnector, alerts: HeardAlerts) -> None:
    pages.serve("/new", [SAY])
    session = connector.open(record(f"{pages.application.http_url}/new"), "c1", Heard())
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("http://private.example/x"), {}) is None
    assert await session.call_hook(Hook("ws://private.example/x"), {}) is None
    session.agent_event(Hook("http://private.example/x"), {})
    with pytest.raises(HookError, match="PRIVATE_HOSTS"):
        await session.redirect(Hook("http://private.example/x"), {})
    await session.close()
    assert len(alerts.alerts) == 4


async def test_inline_verbs_need_no_application(connector: AppConnector) -> None:
    session = connector.open(record(None, app_json=[SAY]), "c1", Heard())
    verbs = await session.begin(SESSION_NEW)
    assert isinstance(verbs[0], Say)
    assert await session.call_hook(Hook("/done"), {}) is None
    session.agent_event(Hook("/event"), {})
    session.call_status({})
    assert not session.keeps_call_up
    await session.close()


async def test_inline_verbs_may_have_hooks_at_the_call_hook(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/done", [{"verb": "hangup"}])
    session = connector.open(record(f"{pages.application.http_url}/new", app_json=[SAY]), "c1", Heard())
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/done"), {}) is not None
    await session.close()
    assert [path for path, _ in pages.bodies] == ["/done"]


@pytest.mark.parametrize("app_json", [[{"verb": "x"}], []])
async def test_wrong_inline_verbs(connector: AppConnector, app_json: list[dict[str, Any]]) -> None:
    session = connector.open(record(None, app_json=app_json), "c1", Heard())
    with pytest.raises(SpecError):
        await session.begin(SESSION_NEW)
    await session.close()


@pytest.mark.parametrize("hook", [None, "/relative", "ftp://x/"])
async def test_an_application_without_address(connector: AppConnector, hook: str | None) -> None:
    session = connector.open(record(hook), "c1", Heard())
    with pytest.raises(HookError):
        await session.begin(SESSION_NEW)
    await session.close()


async def test_a_webhook_application_hands_over_to_a_socket_and_back(pages: Pages, connector: AppConnector) -> None:
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.next())
        await peer.ack(seen[-1], SAY, SAY)
        seen.append(await peer.next())
        await peer.ack(seen[-1], {"verb": "hangup"})
        await peer.end()

    pages.application.scripts = [script]
    pages.serve("/new", [SAY])
    pages.serve("/back", [SAY])
    base = pages.application.http_url
    session = connector.open(record(f"{base}/new"), "c1", Heard())
    await session.begin(SESSION_NEW)
    verbs = await session.call_hook(Hook(pages.application.ws_url + "ws"), {"call_sid": "c1"})
    assert verbs is not None
    assert len(verbs) == 2
    assert session.keeps_call_up
    assert await session.call_hook(Hook("/relative"), {}) is not None
    assert len(await session.redirect(Hook(f"{base}/back"), {"call_sid": "c1"})) == 1
    assert not session.keeps_call_up
    await session.close()
    assert [message["type"] for message in seen] == ["session:new", "verb:hook"]
    assert seen[1]["hook"] == "/relative"


async def test_an_absolute_hook_of_a_socket_application_goes_over_http(pages: Pages, connector: AppConnector) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.end()

    pages.application.scripts = [script]
    pages.serve("/done", [{"verb": "hangup"}])
    pages.serve("/event", web.Response(status=500))
    base = pages.application.http_url
    session = connector.open(record(pages.application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook(f"{base}/done"), {"call_sid": "c1"}) is not None
    session.agent_event(Hook(f"{base}/event"), {"type": "turn_end"})
    await session.close()
    assert [path for path, _ in pages.bodies] == ["/done", "/event"]


async def test_nobody_listens(connector: AppConnector, alerts: HeardAlerts, unused_tcp_port: int) -> None:
    session = connector.open(record(f"http://127.0.0.1:{unused_tcp_port}/#rc=2"), "c1", Heard())
    with pytest.raises(HookError, match="cannot be reached"):
        await session.begin(SESSION_NEW)
    await session.close()
    assert [kind for kind, _ in alerts.alerts] == ["webhook-connection-failure"]


async def test_notifications_are_bounded(application: ScriptedApplication, connector: AppConnector) -> None:
    never = asyncio.Event()

    async def stuck(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    application.routes["/event"] = stuck
    session = connector.open(record(f"{application.http_url}/new", app_json=[SAY]), "c1", Heard())
    await session.begin(SESSION_NEW)
    for index in range(600):
        session.agent_event(Hook("/event"), {"index": index})
    started = asyncio.get_running_loop().time()
    await session.close()
    assert asyncio.get_running_loop().time() - started < 3
    never.set()


async def test_a_socket_cannot_take_a_single_message(application: ScriptedApplication, connector: AppConnector) -> None:
    session = connector.open(record(None, app_json=[SAY]), "c1", Heard())
    await session.begin(SESSION_NEW)
    session.agent_event(Hook(application.ws_url), {})
    with pytest.raises(HookError, match="http address"):
        await session.call_tool(Hook(application.ws_url), {"tool_call_id": "t"})
    await session.close()
    assert not application.requests


async def test_a_relative_hook_may_have_credentials_of_its_own(pages: Pages, connector: AppConnector) -> None:
    pages.serve("/done", [])
    session = connector.open(record(f"{pages.application.http_url}/new", app_json=[SAY]), "c1", Heard())
    await session.begin(SESSION_NEW)
    await session.call_hook(Hook("/done", username="a", password="b"), {})
    await session.close()
    assert pages.application.requests[0].headers["Authorization"] == "Basic YTpi"

"""Calls that REST asks for: from the INVITE to the record, answered or not, given up, limited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.call.application import Application, serving
from tests.call.stage import AGENT, Stage, staged
from tests.call.telephones import Exchange, Person

from moonwire.call.live_calls import EngineCalls
from moonwire.errors import CallError
from moonwire.ports.live_calls import NewCall, PlacedCall
from moonwire.ports.routes import OutboundRoute
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.commands import CallStatusCommand
from moonwire.spec.hooks import Hook
from moonwire.spec.transfers import Target

BOB = "sip:bob@sip.example"
TO_BOB = Target(type="sip", sip_uri=BOB)


@asynccontextmanager
async def calling(
    tmp_path: Path, people: Mapping[str, Person | int | None]
) -> AsyncGenerator[tuple[Stage, Application, Exchange]]:
    async with staged(tmp_path) as stage, serving(AGENT) as application:
        stage.run_application(None, application.url)
        exchange = Exchange(people)
        stage.engine.dial_through(exchange)
        yield stage, application, exchange


async def place(stage: Stage, application: Application, **members: Any) -> PlacedCall:
    call: dict[str, Any] = {"account_sid": "", "target": TO_BOB, "from_": "+16175551212"}
    call["changes"] = {"call_hook": Hook(application.url)}
    return await EngineCalls(stage.engine).place(NewCall(**call | members))


async def over(stage: Stage) -> None:
    async with asyncio.timeout(120):
        await asyncio.sleep(0)
        await stage.engine.wait_idle()


def statuses(application: Application) -> list[tuple[str, int]]:
    return [(data["call_status"], data["sip_status"]) for data in application.of("call:status")]


@virtual_time
async def test_an_answered_call_runs_its_application(tmp_path: Path) -> None:
    bob = Person(stays_s=8)
    async with calling(tmp_path, {BOB: bob}) as (stage, application, _):
        stage.moonshot.say("Hello Bob.")
        placed = await place(stage, application, customer_data={"order": {"Nr": 7}})
        await over(stage)
        (begun,) = application.of("session:new")
        assert (begun["call_sid"], begun["direction"], begun["call_status"]) == (
            placed.call_sid,
            "outbound",
            "in-progress",
        )
        assert (begun["from"], begun["to"], begun["sip_status"]) == ("+16175551212", BOB, 200)
        assert begun["customerData"] == {"order": {"Nr": 7}}
        assert "sip" not in begun
        assert "service_provider_sid" not in begun
        assert {"env_vars", "defaults"} <= set(begun)
        assert statuses(application) == [
            ("trying", 100),
            ("ringing", 180),
            ("in-progress", 200),
            ("completed", 200),
        ]
        assert all(data["direction"] == "outbound" for data in application.of("call:status"))
        assert bob.heard > 20, "the agent's greeting"
        (record,) = stage.books.records
        assert (record.direction, record.to, record.sip_status, record.termination_by) == (
            "outbound",
            BOB,
            200,
            "caller",
        )
        assert record.answered_at is not None


@pytest.mark.parametrize(
    ("answer", "status", "sip_status"),
    [(486, "busy", 486), (603, "busy", 603), (404, "failed", 404), (487, "no-answer", 487), (None, "no-answer", 487)],
)
@virtual_time
async def test_a_call_that_nobody_takes(tmp_path: Path, answer: int | None, status: str, sip_status: int) -> None:
    async with calling(tmp_path, {BOB: answer}) as (stage, application, exchange):
        await place(stage, application, timeout_s=12)
        await over(stage)
        assert application.of("session:new") == []
        assert statuses(application)[-1] == (status, sip_status)
        assert stage.books.records[0].sip_status == sip_status
        assert stage.books.records[0].answered_at is None
        assert exchange.orders[0].timeout_s == 12


@virtual_time
async def test_a_webhook_hears_how_it_goes(tmp_path: Path) -> None:
    heard: list[str] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((await request.json())["call_status"])
        return web.Response()

    async with calling(tmp_path, {BOB: 486}) as (stage, application, _):
        server = web.Application()
        server.router.add_post("/status", take)
        runner = web.AppRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hook = Hook(f"http://127.0.0.1:{runner.addresses[0][1]}/status")
        await place(stage, application, changes={"call_hook": Hook(application.url), "call_status_hook": hook})
        await over(stage)
        await runner.cleanup()
        assert heard == ["trying", "busy"]


@virtual_time
async def test_a_ringing_call_is_seen_and_given_up(tmp_path: Path) -> None:
    async with calling(tmp_path, {BOB: None}) as (stage, application, exchange):
        placed = await place(stage, application)
        live = EngineCalls(stage.engine)
        async with asyncio.timeout(5):
            while not any(call.payload["call_status"] == "ringing" for call in live.all()):
                await asyncio.sleep(0)
        live.execute(placed.call_sid, CallStatusCommand("no-answer"))
        await over(stage)
        assert exchange.given_up == [BOB]
        assert statuses(application)[-1] == ("no-answer", 487)


@virtual_time
async def test_a_call_ends_at_its_limit(tmp_path: Path) -> None:
    bob = Person(stays_s=300)
    async with calling(tmp_path, {BOB: bob}) as (stage, application, _):
        stage.moonshot.say("Hello Bob.")
        await place(stage, application, time_limit_s=9)
        await over(stage)
        assert bob.ended is not None
        (record,) = stage.books.records
        assert record.termination_reason == "time-limit"
        assert application.of("call:status")[-1]["duration"] == 9


@virtual_time
async def test_an_application_that_does_not_answer_ends_the_call(tmp_path: Path) -> None:
    bob = Person(stays_s=300)
    async with calling(tmp_path, {BOB: bob}) as (stage, application, _):
        await place(stage, application, changes={"call_hook": Hook("ws://127.0.0.1:9/#rc=0")})
        await over(stage)
        assert bob.ended is not None
        assert stage.books.records[0].termination_reason == "application-failed"


@virtual_time
async def test_inline_verbs_run_on_a_call_of_ours(tmp_path: Path) -> None:
    bob = Person(stays_s=300)
    async with calling(tmp_path, {BOB: bob}) as (stage, application, _):
        verbs = [{"verb": "say", "text": "Hello.", "synthesizer": {"vendor": "cartesia"}}, {"verb": "hangup"}]
        await place(stage, application, changes={"app_json": verbs})
        await over(stage)
        assert bob.heard > 5
        assert application.messages == []


class Routes:
    def route(self, account_sid: str, trunk: str | None) -> OutboundRoute | None:
        return OutboundRoute("north", "192.0.2.9", auth=("u", "p")) if trunk in (None, "north") else None


@virtual_time
async def test_a_number_goes_through_a_carrier(tmp_path: Path) -> None:
    uri = "sip:+15085551212@192.0.2.9:5060"
    async with calling(tmp_path, {uri: 486}) as (stage, application, exchange):
        stage.engine.services.dialer.routes = Routes()
        number = Target(type="phone", number="+15085551212", trunk="north", headers={"X-A": "1"})
        await place(stage, application, target=number, headers={"X-B": "2"}, from_host="a.example", caller_name="Ann")
        await over(stage)
        (order,) = exchange.orders
        assert (order.uri, order.auth, order.guarded) == (uri, ("u", "p"), False)
        assert order.headers == {"X-A": "1", "X-B": "2"}
        assert (order.from_user, order.from_host, order.from_name) == ("+16175551212", "a.example", "Ann")
        assert (stage.books.records[0].trunk, stage.books.records[0].to) == ("north", "+15085551212")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"type": "phone", "number": "+1508"}, "no-route"),
        ({"type": "phone", "number": "+1508", "trunk": "south"}, "no-route"),
        ({"type": "phone"}, "unsupported-target"),
        ({"type": "sip"}, "unsupported-target"),
        ({"type": "sip", "sipUri": "sip:a b@c\r\nX: y"}, "unsupported-target"),
        ({"type": "user", "name": "bob"}, "no-route"),
        ({"type": "teams", "number": "1"}, "unsupported-target"),
    ],
)
@virtual_time
async def test_targets_that_cannot_be_reached(tmp_path: Path, target: dict[str, str], reason: str) -> None:
    async with calling(tmp_path, {}) as (stage, application, _):
        with pytest.raises(CallError) as refused:
            await place(stage, application, target=Target.model_validate(target))
        assert refused.value.reason == reason
        assert stage.engine.active_calls == 0


@virtual_time
async def test_an_address_of_a_rest_client_is_checked(tmp_path: Path) -> None:
    async with calling(tmp_path, {BOB: 486}) as (stage, application, exchange):
        await place(stage, application)
        await over(stage)
        assert exchange.orders[0].guarded


@virtual_time
async def test_an_application_of_another_account_is_unknown(tmp_path: Path) -> None:
    async with calling(tmp_path, {BOB: 486}) as (stage, application, _):
        with pytest.raises(CallError) as refused:
            await place(stage, application, application_sid="00000000-0000-4000-8000-000000000009")
        assert refused.value.reason == "no-application"

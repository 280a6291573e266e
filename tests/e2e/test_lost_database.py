"""PostgreSQL under a running server: a warm call asks it nothing, and its loss is not heard by any caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import event
from tests.databases import PASSWORD, PostgreSql, make_settings, own_postgresql, postgresql

from moonwire.app import Server, dial, running_server
from moonwire.call.live_calls import EngineCalls
from moonwire.sandbox.caller import CallerReport, HangUp, Say, Step, WaitForSpeech, conversation, prepare
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

__all__ = ["own_postgresql", "postgresql"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KEY = "11111111-2222-4333-8444-555555555555"
FILE = f"""
applications:
  - name: inline
    app_json:
      - verb: agent
        stt: {{vendor: deepgram, language: en-US}}
        tts: {{vendor: cartesia, voice: sonic-english}}
        llm: {{vendor: moonshot, model: kimi-k2.6}}
phone_numbers: [{{number: "1000", application: inline}}]
api_keys: [{{name: owner, token: "{KEY}"}}]
"""


@asynccontextmanager
async def serving(data_dir: Path, url: str) -> AsyncGenerator[Server]:
    stored = make_settings(data_dir, url)
    settings = Settings(
        data_dir=stored.data_dir,
        database_url=stored.database_url,
        http_port=0,
        sip_host="127.0.0.1",
        sip_port=0,
        sandbox="on",
        admin_password=SecretStr(PASSWORD),
    )
    async with running_server(settings, parse_configuration(FILE, {})) as server:
        yield server


TALK = conversation(Say("Hello, what are your opening hours?"))
GREETING = (WaitForSpeech(limit_s=10), HangUp())


async def call(server: Server, plan: Sequence[Step]) -> CallerReport:
    report = await dial(f"sip:1000@127.0.0.1:{server.sip.local_port}", await prepare(plan))
    await server.engine.wait_idle()
    return report


async def ask(server: Server, path: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as http,
        http.get(path, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


@contextmanager
def statements(server: Server) -> Generator[list[str]]:
    """Collect what is sent to the database, but for the watch of its revision number."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM meta" not in statement:
            seen.append(statement)

    engine = server.store.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await check():
            await asyncio.sleep(0)


async def test_calls_ask_the_database_nothing_and_outlive_it(tmp_path: Path, own_postgresql: PostgreSql) -> None:
    async with serving(tmp_path, own_postgresql.url) as server:
        account = server.store.directory.default_account_sid
        async with asyncio.TaskGroup() as group:
            with statements(server) as asked:
                calling = group.create_task(call(server, TALK))
                await until(lambda: answered(server))
            assert asked == [], "between INVITE and 200"
            await asyncio.to_thread(own_postgresql.stop)
        report = calling.result()
        assert report.ok, report.problems
        assert len(report.agent_speech) >= 2, "greeting and answer"
        assert (await ask(server, "/readyz"))[0] == 503
        assert (await ask(server, "/v1/Accounts"))[0] == 503
        assert (await call(server, GREETING)).ok, "a new call, while the database is away"
        spool = tmp_path / "spool" / "records.jsonl"
        await until(lambda: asyncio.to_thread(spool.exists))

        await asyncio.to_thread(own_postgresql.start)
        await until(server.store.is_ready)

        async def written() -> bool:
            _, page = await ask(server, f"/v1/Accounts/{account}/RecentCalls?page=1&count=5")
            return page.get("total") == "2"

        await until(written)


async def answered(server: Server) -> bool:
    return any(one.payload.get("call_status") == "in-progress" for one in EngineCalls(server.engine).all())

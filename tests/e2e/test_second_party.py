"""Calls with a second party over real SIP: handed over warm, blind and by REFER, dialled, and when nobody takes it.

All calls run at once against one server; what each side hears is measured on its own telephone.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.e2e.telephones import Answering, Telephones, ringing
from tests.transports.sip.conftest import OFFER, Phone

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import CallerReport, HangUp, Pause, PlayAudio, Say, Step, WaitForSilence, prepare
from moonwire.sandbox.fleet import SANDBOX_KEY, running_fleet
from moonwire.sandbox.moonshot.script import Json, Lines, Receptionist, ScriptedAnswer, ScriptedCall, text_of
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

BRIEF = "A caller wants to book a table for two tomorrow."
KEY = "11111111-2222-4333-8444-555555555555"
CARL = {"type": "phone", "number": "+15085551212"}
NEXT = PlayAudio("nothing", bytes([0xFF]) * 160)
"""Lets a caller wait for what is said from here on."""
SORRY = "I am sorry, nobody is free at the moment."


class Model(Receptionist):
    """Hands every caller over at once, and goes on with those whom nobody took."""

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        if messages[-1].get("role") == "tool":
            return ScriptedAnswer(SORRY)
        if any("transfer_to_human" in str(tool) for tool in tools):
            return ScriptedAnswer("I will connect you.", (ScriptedCall("transfer_to_human"),))
        return ScriptedAnswer(BRIEF if "Caller" in text_of(messages[-1]) else SORRY)


def agent(**handoff: Any) -> list[dict[str, Any]]:
    """An agent that hands over."""
    return [
        {
            "verb": "agent",
            "stt": {"vendor": "deepgram"},
            "tts": {"vendor": "cartesia", "voice": "sonic-english"},
            "llm": {"vendor": "moonshot", "model": "kimi-k2.6"},
            "handoff": {"mode": "blind", "blindMethod": "dial", **handoff},
        }
    ]


def applications(telephones: Telephones) -> dict[str, list[dict[str, Any]]]:
    """What each number runs."""

    def to(name: str) -> list[dict[str, Any]]:
        return [{"type": "sip", "sipUri": telephones.uri(name)}]

    return {
        "1001": agent(mode="warm", target=to("ann")),
        "1002": agent(target=to("busy")),
        "1003": agent(target=to("nobody"), timeout=2, disposition={"onNoAnswer": "hangup"}),
        "1004": agent(target=to("patient"), timeout=60),
        "1005": agent(target=to("box"), blindMethod="refer"),
        "1007": [{"verb": "dial", "target": to("early"), "answerOnBridge": True, "timeout": 4}, {"verb": "hangup"}],
        "1006": [{"verb": "dial", "target": [CARL, *to("slow")], "answerOnBridge": True}, {"verb": "hangup"}],
    }


def configuration(telephones: Telephones, moonshot: str, deepgram: str, cartesia: str) -> str:
    numbers = applications(telephones)
    return msgspec.json.encode(
        {
            "llm_services": [{"vendor": "moonshot", "api_key": SANDBOX_KEY, "base_url": moonshot}],
            "speech_services": [
                {"vendor": "deepgram", "api_key": SANDBOX_KEY, "base_url": deepgram},
                {"vendor": "cartesia", "api_key": SANDBOX_KEY, "base_url": cartesia},
            ],
            "applications": [{"name": name, "app_json": verbs} for name, verbs in numbers.items()],
            "phone_numbers": [{"number": name, "application": name} for name in numbers],
            "api_keys": [{"name": "owner", "token": KEY}],
            "carriers": [
                {"name": "loopback", "inbound": ["127.0.0.1/32"], "outbound": [f"127.0.0.1:{telephones.port}"]}
            ],
        }
    ).decode()


async def call(server: Server, number: str, *steps: Step) -> CallerReport:
    return await dial(f"sip:{number}@127.0.0.1:{server.sip.local_port}", await prepare(steps))


async def early_audio(server: Server) -> list[int]:
    """Call somebody who speaks but does not answer; returns the statuses and how many packets of audio came."""
    phone = Phone(server.sip.local_port)
    audio = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        audio.bind(("127.0.0.1", 0))
        audio.setblocking(False)
        phone.invite(OFFER.format(port=audio.getsockname()[1]), uri=f"sip:1007@127.0.0.1:{server.sip.local_port}")
        early = await phone.until(183)
        final = await asyncio.wait_for(phone.final(), 20)
        phone.ack(final)
        packets = 0
        while True:
            try:
                packets += len(audio.recv(2048)) > 12
            except BlockingIOError:
                return [early.status, final.status, packets]
    finally:
        audio.close()
        phone.close()


async def order(server: Server, uri: str) -> tuple[int, str]:
    """Ask REST for a call to an address; returns the answer's status and code."""
    url = f"http://127.0.0.1:{server.http_port}/v1/Accounts"
    body = {"from": "1", "to": {"type": "sip", "sipUri": uri}, "app_json": '[{"verb": "pause", "length": 1}]'}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
        async with http.get(url) as answer:
            (account,) = await answer.json()
        async with http.post(f"{url}/{account['account_sid']}/Calls", json=body) as answer:
            return answer.status, (await answer.json()).get("code", "")


async def refer_by_hand(server: Server) -> list[str]:
    """Call with a telephone that takes a REFER; returns what the server then sends, in order."""
    phone = Phone(server.sip.local_port)
    try:
        phone.invite(uri=f"sip:1005@127.0.0.1:{server.sip.local_port}")
        phone.ack(await phone.until(200))
        refer = await asyncio.wait_for(phone.until("REFER"), 20)
        phone.reply_to(refer, "202 Accepted")
        for status, state in (("100 Trying", "active;expires=60"), ("200 OK", "terminated;reason=noresource")):
            headers = f"Event: refer\r\nSubscription-State: {state}\r\n"
            body = f"SIP/2.0 {status}\r\n"
            phone.send(phone.text("NOTIFY", body=body, media_type="message/sipfrag", headers=headers))
            assert (await phone.until(200)).get("CSeq").endswith("NOTIFY")
        bye = await phone.until("BYE")
        phone.reply_to(bye, "200 OK")
        return [refer.get("Refer-To"), bye.method]
    finally:
        phone.close()


async def test_callers_reach_a_person_or_go_on(tmp_path: Path) -> None:
    people = {
        "ann": Answering((WaitForSilence(), Say("Yes, that is right."), WaitForSilence(), HangUp())),
        "busy": Answering(refuses=486),
        "nobody": Answering(),
        "patient": Answering(),
        CARL["number"]: Answering((Say("How is the weather today?"), WaitForSilence(), HangUp())),
        "slow": Answering(),
        "early": Answering((Say("The number you have dialled is busy."), Pause(20)), speaks_early=True),
        "dora": Answering((Pause(20),)),
    }
    async with ringing(people) as telephones, running_fleet() as fleet:
        fleet.moonshot.world.lines = Lines((), Model())
        yaml = configuration(telephones, fleet.moonshot_url, fleet.deepgram_url, fleet.cartesia_url)
        settings = Settings(data_dir=tmp_path, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="off")
        async with running_server(settings, parse_configuration(yaml, {})) as server, asyncio.TaskGroup() as group:
            warm = group.create_task(
                call(server, "1001", WaitForSilence(), NEXT, WaitForSilence(), Say("Thank you, goodbye."), Pause(20))
            )
            busy = group.create_task(call(server, "1002", WaitForSilence(quiet_s=1.5), HangUp()))
            unanswered = group.create_task(call(server, "1003", Pause(30)))
            impatient = group.create_task(call(server, "1004", WaitForSilence(quiet_s=1.5), HangUp()))
            referred = group.create_task(refer_by_hand(server))
            ordered = group.create_task(order(server, telephones.uri("dora")))
            private = group.create_task(order(server, "sip:dora@10.255.255.1"))
            early = group.create_task(early_audio(server))
            dialled = group.create_task(
                call(server, "1006", WaitForSilence(), Say("Hello, can you help me?"), Pause(20))
            )
        await server.engine.wait_idle()

    ann, carl = await people["ann"].report, await people[CARL["number"]].report
    assert len(ann.agent_speech) >= 2, ("the brief, then the caller", ann, warm.result())
    assert warm.result().ended_by == "moonwire"
    assert len(warm.result().agent_speech) >= 2, "the agent, then Ann"
    assert busy.result().ok, busy.result().problems
    assert SORRY in " ".join(fleet.cartesia.records.transcripts), "the agent has gone on"
    assert unanswered.result().ended_by == "moonwire"
    assert (await people["nobody"].end).reason == "cancel"
    assert impatient.result().completed
    assert (await people["patient"].end).reason == "cancel"
    assert referred.result() == [f"<{telephones.uri('box')}>", "BYE"]
    assert ordered.result() == (201, ""), "the address of a carrier that may call us"
    assert (await people["dora"].report).end_reason == "bye"
    assert private.result() == (400, "private-address")
    status, final, packets = early.result()
    assert (status, final) == (183, 603)
    assert packets > 50, "what is said over there, before anybody answers"
    assert carl.agent_speech, "the caller reached Carl"
    assert dialled.result().agent_speech, "Carl reached the caller"
    assert (await people["slow"].end).reason == "cancel"

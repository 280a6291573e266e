"""The records that exist only while the sandbox is on: services on the simulators, loopback carrier, an agent.

Pure data; nothing of it is written to the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from pydantic import SecretStr

from moonwire.ports.directory import ApplicationRecord, LlmChoice, VendorCredential
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.store.snapshot import KnownCarrier

SANDBOX_APPLICATION_SID = "00000000-0000-4000-8000-000000000001"
SANDBOX_MODEL = "kimi-k2.6"

LOOPBACK = KnownCarrier(name="loopback", networks=(ip_network("127.0.0.1/32"), ip_network("::1/128")))
"""Calls from the machine itself."""

SANDBOX_AGENT: Sequence[Mapping[str, Any]] = (
    {
        "verb": "agent",
        "stt": {"vendor": "deepgram", "language": "en-US"},
        "tts": {"vendor": "cartesia", "voice": "sonic-english"},
        "llm": {
            "vendor": "moonshot",
            "model": SANDBOX_MODEL,
            "llmOptions": {
                "messages": [
                    {
                        "role": "system",
                        "content": "You are a friendly receptionist on the phone. Answer in one or two sentences.",
                    }
                ]
            },
        },
        "turnDetection": "krisp",
        "greeting": True,
    },
)
"""What answers every number while no application is configured."""


@dataclass(frozen=True, slots=True)
class SandboxOverlay:
    """Records that fill whatever the operator has not configured."""

    llm: Sequence[VendorCredential]
    speech: Sequence[VendorCredential]
    application: ApplicationRecord
    carriers: Sequence[KnownCarrier] = (LOOPBACK,)


def sandbox_configuration(
    moonshot_url: str,
    deepgram_url: str,
    cartesia_url: str,
    *,
    moonshot_key: str = "sk-sandbox",
    deepgram_key: str = "sandbox",
    cartesia_key: str = "sandbox",
    elevenlabs: tuple[str, str] | None = None,
) -> SandboxOverlay:
    """Make the records that point at running simulators; URLs as `base_url` of a service has them.

    `elevenlabs` is URL and key.
    """
    return SandboxOverlay(
        llm=(_credential("moonshot", moonshot_url, moonshot_key),),
        speech=(
            _credential("deepgram", deepgram_url, deepgram_key),
            _credential("cartesia", cartesia_url, cartesia_key),
            *([_credential("elevenlabs", *elevenlabs)] if elevenlabs else []),
        ),
        application=ApplicationRecord(
            sid=SANDBOX_APPLICATION_SID,
            account_sid="",
            name="sandbox agent",
            call_hook=None,
            app_json=SANDBOX_AGENT,
            synthesizer=Synthesizer(vendor="cartesia", voice="sonic-english", language="en"),
            recognizer=Recognizer(vendor="deepgram", language="en-US"),
            llm=LlmChoice("moonshot", SANDBOX_MODEL),
        ),
    )


def _credential(vendor: str, url: str, key: str) -> VendorCredential:
    return VendorCredential(vendor=vendor, secrets={"api_key": SecretStr(key)}, fields={"base_url": url})

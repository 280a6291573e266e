"""All vendor simulators of the sandbox together, as `moonwire sandbox`, the demo and a server without keys use them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date

from moonwire.sandbox.cartesia import CartesiaSimulator
from moonwire.sandbox.deepgram import DeepgramSimulator
from moonwire.sandbox.deepgramaura import AuraSimulator
from moonwire.sandbox.deepgramflux import FluxSimulator
from moonwire.sandbox.elevenlabs import ElevenLabsSimulator
from moonwire.sandbox.moonshot import MoonshotSimulator
from moonwire.sandbox.moonshot.registry import TODAY
from moonwire.sandbox.voices import load_phrasebook

SANDBOX_KEY = "sk-sandbox"
SANDBOX_CHINA_KEY = "sk-sandbox-china"


@dataclass(frozen=True, slots=True)
class SandboxFleet:
    """Running simulators and where they listen."""

    moonshot: MoonshotSimulator
    deepgram: DeepgramSimulator
    flux: FluxSimulator
    aura: AuraSimulator
    """Both on Deepgram's address."""
    cartesia: CartesiaSimulator
    elevenlabs: ElevenLabsSimulator
    moonshot_url: str
    moonshot_china_url: str
    deepgram_url: str
    cartesia_url: str
    elevenlabs_url: str

    @property
    def moonshot_regions(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Label and Base URL of the simulated Moonshot's platforms; their keys are not interchangeable."""
        return ("Sandbox (Global)", self.moonshot_url), ("Sandbox (China)", self.moonshot_china_url)


@asynccontextmanager
async def running_fleet(
    host: str = "127.0.0.1", ports: tuple[int, int, int, int] = (0, 0, 0, 0), *, today: date = TODAY
) -> AsyncGenerator[SandboxFleet]:
    """Start the simulators; they stop when the context ends.

    Args:
        host: where they listen.
        ports: of Moonshot (global, China), Deepgram and Cartesia; 0 lets the system choose.
        today: decides which Moonshot models live; a fixed day, so that a demo stays what it was.
    """
    moonshot = MoonshotSimulator(date=today, keys={"global": [SANDBOX_KEY], "china": [SANDBOX_CHINA_KEY]})
    flux = FluxSimulator(phrases=load_phrasebook())
    aura = AuraSimulator()
    deepgram = DeepgramSimulator(phrases=load_phrasebook(), neighbours=[flux, aura])
    cartesia = CartesiaSimulator(keys=[SANDBOX_KEY])
    elevenlabs = ElevenLabsSimulator(keys=[SANDBOX_KEY])
    async with AsyncExitStack() as stack:
        global_url = await moonshot.start(host, ports[0], region="global")
        stack.push_async_callback(moonshot.stop)
        china_url = await moonshot.start(host, ports[1], region="china")
        deepgram_url = await deepgram.start(host, ports[2])
        stack.push_async_callback(deepgram.stop)
        cartesia_url = await cartesia.start(host, ports[3])
        stack.push_async_callback(cartesia.stop)
        elevenlabs_url = await elevenlabs.start(host)
        stack.push_async_callback(elevenlabs.stop)
        yield SandboxFleet(
            moonshot,
            deepgram,
            flux,
            aura,
            cartesia,
            elevenlabs,
            global_url,
            china_url,
            deepgram_url,
            cartesia_url,
            elevenlabs_url,
        )

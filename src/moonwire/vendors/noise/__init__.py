"""Lists the noise-suppression engines and opens the one asked for, or the nearest that this process has.

`rnnoise` and `krisp` need something that does not come with Moonwire; without it, or when more calls want them than
the threads can serve, WebRTC's suppressor takes their place and the stream says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.errors import ConfigError
from moonwire.ports.noise import NoiseListener, NoiseStream, NoiseWish
from moonwire.vendors.krisp_sdk import MODULE, load_krisp
from moonwire.vendors.noise.krisp import suppressor as krisp
from moonwire.vendors.noise.rnnoise import suppressor as rnnoise
from moonwire.vendors.noise.webrtc import suppressor as webrtc
from moonwire.vendors.noise_workers import InlineStream, NoiseStats, NoiseWorkers, Suppressor

log = structlog.get_logger()

ENGINES: Final = (krisp.NAME, rnnoise.NAME, webrtc.NAME)
Maker = Callable[[float], Suppressor]


class NoiseEngines:
    """Implements ports.noise.NoiseSuppression.

    Args:
        dear: engines that need a thread, by name: each makes a stream's state for a level.
        threads: at most so many; each serves eight streams.
        threaded: False cleans every frame at once, whatever it costs (virtual time, replays).
    """

    def __init__(self, dear: Mapping[str, Maker], *, threads: int = 1, threaded: bool = True) -> None:
        self.stats = NoiseStats()
        self._dear = dear
        self._threaded = threaded
        self._workers = NoiseWorkers(self.stats, threads)

    def open(self, wish: NoiseWish, listener: NoiseListener, *, at_once: bool = False) -> NoiseStream | None:
        """Begin to clean a stream."""
        make, reason = self._dear.get(wish.engine), ""
        if make is not None and not self._threaded:
            return InlineStream(make(wish.level), listener, self.stats, wish.engine, "")
        if make is None:
            reason = "" if wish.engine == webrtc.NAME else _absent(wish.engine)
        elif at_once:
            reason = "too slow for the agent's side"
        else:
            stream = self._workers.open(partial(make, wish.level), listener, wish.engine)
            if stream is not None:
                return stream
            reason = "as many calls use it as this machine can serve"
        try:
            return InlineStream(webrtc.WebrtcSuppressor(wish.level), listener, self.stats, webrtc.NAME, reason)
        except ImportError:  # the package exists for Linux on two processors
            return None

    def warm_up(self) -> None:
        """Load the engine that runs on the event loop; the first one takes some milliseconds."""
        with suppress(ImportError):
            webrtc.WebrtcSuppressor(100.0).clean(SILENCE_FRAME)

    def close(self) -> None:
        """End the threads."""
        self._workers.close()


def open_noise_engines(library: Path | None, environment: Mapping[str, str], module: str = MODULE) -> NoiseEngines:
    """Return the engines of this process.

    Args:
        library: RNNoise's shared library, where there is one.
        environment: names Krisp's key and model.
        module: of Krisp's SDK.
    """
    dear: dict[str, Maker] = {}
    sdk = load_krisp(environment, krisp.MODELS, module)
    if sdk is not None:
        dear[krisp.NAME] = partial(krisp.KrispSuppressor, sdk)
    if library is not None:
        try:
            dear[rnnoise.NAME] = partial(rnnoise.RnnoiseSuppressor, rnnoise.RnnoiseLibrary(library))
        except ConfigError as error:
            log.warning("rnnoise unusable", error=str(error))
    return NoiseEngines(dear, threads=os.cpu_count() or 1)


def _absent(engine: str) -> str:
    return f"{engine} is not on this machine" if engine in ENGINES else f"{engine[:40]!r} is no engine of this server"

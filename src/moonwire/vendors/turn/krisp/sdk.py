"""Loads the licensed Krisp VIVA SDK when it, its key and its turn model are on this machine; otherwise there is none.

The SDK comes from the vendor's portal, not from a package index. It is initialised once and never destroyed: a session
that outlives the SDK reads freed memory. Written against the vendor's Python interface as Pipecat 1.14 uses it; it has
been run against a stand-in for that interface, not against the SDK itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import structlog

from moonwire.vendors.turn.krisp.detector import KrispTurns

log = structlog.get_logger()

KEYS: Final = ("KRISP_VIVA_API_KEY", "KRISP_VIVA_SDK_LICENSE_KEY")
MODEL: Final = "KRISP_VIVA_TURN_MODEL_PATH"


def open_krisp(environment: Mapping[str, str], module: str = "krisp_audio") -> KrispTurns | None:
    """Return the engine, or None with the reason in the log.

    Args:
        environment: names key and model file as the vendor's other integrations do.
        module: of the SDK.
    """
    path = environment.get(MODEL)
    if not path:
        return None
    if not Path(path).is_file():
        log.warning("krisp turn model missing", variable=MODEL, path=path)
        return None
    try:
        sdk: Any = import_module(module)
        _initialise(sdk, next((environment[key] for key in KEYS if environment.get(key)), ""))
    except ImportError:
        log.warning("krisp sdk not installed", remedy="install the wheel from Krisp's portal", variable=MODEL)
        return None
    except (RuntimeError, ValueError, TypeError, AttributeError, OSError) as error:
        log.warning("krisp sdk refused to start", error=type(error).__name__)
        return None
    return KrispTurns(sdk, path)


def _initialise(sdk: Any, key: str) -> None:
    try:
        sdk.globalInit("", key, _on_licence_error, _on_log, sdk.LogLevel.Off)
    except TypeError:  # builds before licence keys
        sdk.globalInit("", _on_log, sdk.LogLevel.Off)


def _on_licence_error(error: object, message: object) -> None:
    log.error("krisp licence refused", error=str(error), reason=str(message))


def _on_log(message: object, level: object) -> None:
    log.debug("krisp sdk", text=str(message), level=str(level))

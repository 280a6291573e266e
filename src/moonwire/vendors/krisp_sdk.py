"""Loads the licensed Krisp VIVA SDK when it, its key and the model that is wanted are on this machine.

The SDK comes from the vendor's portal, not from a package index. It is initialised once and never destroyed: a session
that outlives the SDK reads freed memory. Written against the vendor's Python interface as Pipecat 1.14 uses it; it has
been run against a stand-in for that interface, not against the SDK itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

import structlog

log = structlog.get_logger()

KEYS: Final = ("KRISP_VIVA_API_KEY", "KRISP_VIVA_SDK_LICENSE_KEY")
MODULE: Final = "krisp_audio"
_started: WeakSet[Any] = WeakSet()


@dataclass(frozen=True, slots=True)
class KrispSdk:
    """The initialised module and the model for one of its uses."""

    module: Any
    model_path: str

    def session(self, session: str, config: str, rates: Mapping[str, Any], duration: str) -> Any:
        """Open a session on the model: its class, its configuration's class, sample rates and frame duration."""
        model = self.module.ModelInfo()
        model.path = self.model_path
        settings = getattr(self.module, config)()
        for name, rate in rates.items():
            setattr(settings, name, rate)
        settings.inputFrameDuration = getattr(self.module.FrameDuration, duration)
        settings.modelInfo = model
        return getattr(self.module, session).create(settings)


def load_krisp(environment: Mapping[str, str], variables: Sequence[str], module: str = MODULE) -> KrispSdk | None:
    """Return the SDK, or None with the reason in the log.

    Args:
        environment: names key and model file as the vendor's other integrations do.
        variables: any of these names the model file.
        module: of the SDK.
    """
    variable = next((name for name in variables if environment.get(name)), None)
    if variable is None:
        return None
    path = environment[variable]
    if not Path(path).is_file():
        log.warning("krisp model missing", variable=variable, path=path)
        return None
    try:
        sdk: Any = import_module(module)
        if sdk not in _started:
            _initialise(sdk, next((environment[key] for key in KEYS if environment.get(key)), ""))
            _started.add(sdk)
    except ImportError:
        log.warning("krisp sdk not installed", remedy="install the wheel from Krisp's portal", variable=variable)
        return None
    except (RuntimeError, ValueError, TypeError, AttributeError, OSError) as error:
        log.warning("krisp sdk refused to start", error=type(error).__name__)
        return None
    return KrispSdk(sdk, path)


def _initialise(sdk: Any, key: str) -> None:
    try:
        sdk.globalInit("", key, _on_licence_error, _on_log, sdk.LogLevel.Off)
    except TypeError:  # builds before licence keys
        sdk.globalInit("", _on_log, sdk.LogLevel.Off)


def _on_licence_error(error: object, message: object) -> None:
    log.error("krisp licence refused", error=str(error), reason=str(message))


def _on_log(message: object, level: object) -> None:
    log.debug("krisp sdk", text=str(message), level=str(level))

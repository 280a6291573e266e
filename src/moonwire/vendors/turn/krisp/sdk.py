"""Offers Krisp's turn detection where the licensed SDK, its key and its turn model are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moonwire.vendors.krisp_sdk import MODULE, load_krisp
from moonwire.vendors.turn.krisp.detector import KrispTurns

MODEL: Final = "KRISP_VIVA_TURN_MODEL_PATH"


def open_krisp(environment: Mapping[str, str], module: str = MODULE) -> KrispTurns | None:
    """Return the engine, or None with the reason in the log.

    Args:
        environment: names key and model file as the vendor's other integrations do.
        module: of the SDK.
    """
    sdk = load_krisp(environment, (MODEL,), module)
    return KrispTurns(sdk) if sdk is not None else None

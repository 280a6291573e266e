"""Passes over verbs that Moonwire knows by name only, and says so."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.errors import SpecError
from moonwire.spec.verbs import UnsupportedVerb


async def run_unsupported(call: Call, verb: UnsupportedVerb) -> None:
    """Report the verb by name.

    Raises:
        SpecError: always; the call goes on with the next verb.
    """
    del call
    raise SpecError(f"the verb '{verb.verb}' is not supported by this server; it was passed over")

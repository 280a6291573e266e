"""Runs `redirect`."""

from __future__ import annotations

from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.snapshot import snapshot
from moonwire.spec.payloads import base_payload
from moonwire.spec.verbs import Redirect, Verb


async def run_redirect(call: Call, verb: Redirect) -> Sequence[Verb]:
    """Ask another hook for the verbs that follow.

    Raises:
        HookError, SpecError: the hook gave no usable verbs; the call goes on with the rest of the stack.
    """
    return await call.session.redirect(verb.action_hook, base_payload(snapshot(call)))

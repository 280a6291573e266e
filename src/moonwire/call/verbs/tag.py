"""Runs `tag`."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.spec.verbs import Tag


async def run_tag(call: Call, verb: Tag) -> None:
    """Merge the application's data into customerData."""
    call.state.customer_data.update(verb.data)

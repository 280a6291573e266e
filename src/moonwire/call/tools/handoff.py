"""The built-in tool that hands the caller over to a person (`transfer_to_human`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from moonwire.call.handoff import HandoffAttempt, Handover, tell
from moonwire.call.tools.toolbox import RemoteTool
from moonwire.core.dialog.messages import ToolCall
from moonwire.ports.llm import ToolDefinition
from moonwire.spec.transfers import Handoff

DESCRIPTION: Final = (
    "Transfer the caller to a person. Say in the same answer, before you call this tool, that you will connect them."
)
_NOBODY: Final = {
    "no-answer": "Nobody answered.",
    "busy": "The person is on another call.",
    "declined": "The person cannot take the call now.",
}


def handoff_tool(
    choice: Handoff,
    attempt: HandoffAttempt,
    *,
    verb_id: str | None,
    on_taken: Callable[[Handover], None],
    note_pending: Callable[[str], object],
) -> RemoteTool:
    """Make the tool.

    Args:
        choice: what the application wants.
        attempt: carries it out.
        verb_id: of the agent verb.
        on_taken: hears that the agent's work is done; the tool never returns then.
        note_pending: leaves word for the model, as the result of this call for now, that a transfer is under way.
    """
    under_way = False

    async def run(call: ToolCall) -> Any:
        nonlocal under_way
        if under_way:
            return {"status": "A transfer is already under way."}
        under_way = True
        note_pending(call.id)
        try:
            handover = await attempt.run()
        finally:
            under_way = False
        if handover.peer or handover.hang_up or handover.redirect:
            on_taken(handover)
            await asyncio.Event().wait()
        await tell(attempt.call, choice.action_hook, handover, verb_id)
        return {"error": f"{_NOBODY.get(handover.reason, 'The transfer failed.')} The caller is still with you."}

    definition = ToolDefinition(
        choice.tool_name, choice.tool_description or DESCRIPTION, {"type": "object", "properties": {}}
    )
    return RemoteTool(definition, run, limit_s=2 * choice.timeout + 120, after_words=True)

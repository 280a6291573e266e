"""The built-in tool `hangup`: ends the call once the agent's last words have been heard."""

from __future__ import annotations

from moonwire.call.reply import Farewell, Reply
from moonwire.core.dialog.messages import ToolCall
from moonwire.ports.llm import ToolDefinition

DEFINITION = ToolDefinition(
    "hangup",
    "End the phone call. Say goodbye in the same answer, before you call this tool.",
    {
        "type": "object",
        "properties": {"reason": {"type": "string", "description": "Why the call ends, in a few words."}},
    },
)


class HangupTool:
    """Implements call.tools.toolbox.BuiltInTool; the model's reason wins over the configured one."""

    def __init__(self, reason: str | None) -> None:
        self.definition = DEFINITION
        self._reason = reason

    async def run(self, reply: Reply, call: ToolCall) -> None:
        """Let the reply be the last one; a caller who interrupts it keeps the call."""
        given = call.arguments.get("reason")
        reply.farewell = Farewell(given if isinstance(given, str) and given.strip() else self._reason or "")

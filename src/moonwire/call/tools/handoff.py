"""Hands an agent's caller over to a person: the built-in tool (`transfer_to_human`), and a command from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from moonwire.call.context import Call
from moonwire.call.parties.handoff import HandoffAttempt, Handover, tell
from moonwire.call.tools.toolbox import RemoteTool
from moonwire.core.dialog.messages import ToolCall
from moonwire.ports.llm import ToolDefinition
from moonwire.spec.components import Synthesizer
from moonwire.spec.hooks import Hook
from moonwire.spec.transfers import Handoff
from moonwire.spec.verbs import Transfer

DESCRIPTION: Final = (
    "Transfer the caller to a person. Say in the same answer, before you call this tool, that you will connect them."
)
_NOBODY: Final = {
    "no-answer": "Nobody answered.",
    "busy": "The person is on another call.",
    "declined": "The person cannot take the call now.",
}


class Handoffs:
    """One agent's ways to hand its caller over, one at a time: the model's tool, and a command from outside.

    Args:
        call: the call.
        synthesizer: of the agent.
        summarise: writes what the person is told; takes guidance, may be empty.
        on_taken: hears that the agent's work is done.
    """

    def __init__(
        self,
        call: Call,
        synthesizer: Synthesizer,
        summarise: Callable[[str], Awaitable[str]],
        on_taken: Callable[[Handover], None],
    ) -> None:
        self.under_way = False
        self._call = call
        self._synthesizer = synthesizer
        self._summarise = summarise
        self._on_taken = on_taken

    def tool(self, choice: Handoff, verb_id: str | None, note_pending: Callable[[str], object]) -> RemoteTool:
        """Make the model's tool; it never returns when somebody has taken the call.

        Args:
            choice: what the application wants.
            verb_id: of the agent verb.
            note_pending: leaves word for the model, as the result of a call for now, that a transfer is under way.
        """

        async def brief() -> str:
            if choice.brief == "none":
                return ""
            return await self._summarise("" if isinstance(choice.brief, str) else choice.brief.template)

        async def run(call: ToolCall) -> Any:
            if self.under_way:
                return {"status": "A transfer is already under way."}
            note_pending(call.id)
            attempt = HandoffAttempt(self._call, choice, choice.brief_synthesizer or self._synthesizer, brief)
            handover = await self._hand_over(attempt, choice.action_hook, verb_id)
            return {"error": f"{_NOBODY.get(handover.reason, 'The transfer failed.')} The caller is still with you."}

        definition = ToolDefinition(
            choice.tool_name, choice.tool_description or DESCRIPTION, {"type": "object", "properties": {}}
        )
        return RemoteTool(definition, run, limit_s=2 * choice.timeout + 120, after_words=True)

    async def transfer(self, verb: Transfer) -> str:
        """Hand the caller over because the application or an operator says so; the agent goes on if nobody takes it."""
        own = verb.brief

        async def brief() -> str:
            return own.text if own is not None else await self._summarise("")

        synthesizer = (own.synthesizer if own is not None else None) or self._synthesizer
        await self._hand_over(HandoffAttempt(self._call, verb, synthesizer, brief), verb.action_hook, verb.id)
        return ""

    async def _hand_over(self, attempt: HandoffAttempt, hook: Hook | None, verb_id: str | None) -> Handover:
        """Return when nobody has taken the call."""
        self.under_way = True
        try:
            handover = await attempt.run()
        except asyncio.CancelledError:
            if self._call.gone.done():
                self._on_taken(Handover("failed", "caller-abandoned", 487, hook=hook))
            raise
        finally:
            self.under_way = False
        if handover.peer or handover.hang_up or handover.redirect:
            self._on_taken(replace(handover, hook=hook))
            await asyncio.Event().wait()
        await tell(self._call, hook, handover, verb_id)
        return handover

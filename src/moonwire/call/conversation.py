"""What an agent and its model know of each other: history, tools, updates; makes the requests of each reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from moonwire.call.agent_plan import AgentPlan
from moonwire.call.agent_updates import AgentUpdates
from moonwire.call.context import Call
from moonwire.call.parties.handoff import Handover
from moonwire.call.reply import Reply
from moonwire.call.requests import Asking, ReplyRequests
from moonwire.call.tools.filler import PATIENCE_S, ToolFiller
from moonwire.call.tools.handoff import Handoffs
from moonwire.call.tools.hangup import HangupTool
from moonwire.call.tools.phrases import Phrases, brief, stock_phrase
from moonwire.call.tools.rounds import ToolRounds
from moonwire.call.tools.toolbox import RemoteTool, RunTool, Toolbox
from moonwire.core.dialog.history import History
from moonwire.core.dialog.messages import AssistantMessage, ToolCall, UserMessage
from moonwire.core.turns.commands import ReplyCause
from moonwire.errors import HookError, SpecError, ToolServerError
from moonwire.ports.llm import LanguageModel
from moonwire.ports.tool_servers import FoundTool, ToolServerConnection
from moonwire.spec import payloads
from moonwire.spec.transfers import Handoff
from moonwire.spec.verbs import Transfer

UNDER_WAY = '{"status":"The transfer is under way. Keep the caller company, briefly."}'
"""What the model reads while a person is being called."""


class Conversation:
    """One agent's; implements call.tools.rounds.ToolWorld and ports.tool_servers.ToolServerListener.

    Args:
        call: the call.
        plan: the agent's choices.
        model: answers.
        group: owns the tools' tasks.
        request_reply: asks the turn machine for a reply; True = at once.
        on_taken: hears that a person has taken the call; the agent's work is done.
    """

    def __init__(
        self,
        call: Call,
        plan: AgentPlan,
        model: LanguageModel,
        group: asyncio.TaskGroup,
        request_reply: Callable[[bool], None],
        on_taken: Callable[[Handover], None],
    ) -> None:
        self.call = call
        self.history = History(plan.verb.system_prompt)
        for seed in plan.verb.seed_messages:
            self.history.add(UserMessage(seed.text) if seed.role == "user" else AssistantMessage(seed.text))
        self.toolbox = Toolbox(self._run_for_application, plan.verb.llm.llm_options.tools)
        if plan.verb.hangup is not None:
            self.toolbox.build_in(HangupTool(plan.verb.hangup.reason))
        self.updates = AgentUpdates(self.history, self.toolbox, request_reply)
        self.asking = Asking(call, plan, model, self.history, self.toolbox)
        self._plan = plan
        self.language = plan.language
        """Which the agent speaks; it may follow the caller's."""
        self._handoffs = Handoffs(
            call, plan.synthesizer, lambda guidance: brief(self.asking, guidance), on_taken=on_taken
        )
        self._group = group
        self.filler: ToolFiller | None = None
        self.thinking_filler = self._filler_of_thoughts()
        self._servers: list[ToolServerConnection] = []
        self._lost: set[str] = set()
        self._loading: asyncio.Task[None] | None = None
        self._tools: set[asyncio.Task[str]] = set()

    def rounds(self, cause: ReplyCause, early_text: str = "") -> ToolRounds:
        """Return what makes the requests and runs the tools of a reply that begins now; tools wait for its release.

        Args:
            cause: of the reply.
            early_text: what the caller has said, when it is no turn yet.
        """
        return ToolRounds(self, ReplyRequests(self.asking, self.updates, cause, early_text))

    def start_filling(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Fill a silence until the task is cancelled or the agent is over."""
        return self._group.create_task(work)

    def start_tool(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        """Run a tool's work until it is done or the agent is over."""
        task = self._group.create_task(work)
        self._tools.add(task)
        task.add_done_callback(self._tools.discard)
        return task

    async def warm_up(self) -> None:
        """Open the way to the model early; where no greeting of its own does it, have it read the prompt, too."""
        await self.asking.model.warm_up()
        verb = self._plan.verb
        if verb.greeting is not True and not verb.mcp_servers:
            await self.asking.warm_prefix()

    def start(self) -> None:
        """Begin to look for tool servers and to load what is heard while tools run."""
        call, verb = self.call, self._plan.verb
        if verb.handoff is not None:
            self._offer_handoff(verb.handoff)
        self._servers = [call.services.tool_servers.connect(server, self) for server in verb.mcp_servers]
        if verb.speak:
            self._prepare_filler()

    def _prepare_filler(self) -> None:
        verb = self._plan.verb
        chosen = verb.tool_filler
        if chosen is None:
            if "tool_filler" not in verb.model_fields_set:
                self.filler = ToolFiller(start_s=PATIENCE_S, escalation_s=2 * PATIENCE_S, phrase=self._stock_phrase)
        elif chosen.type == "backchannel":
            phrases = Phrases(self.asking, style=chosen.style, stock=self._stock_phrase)
            self.filler = ToolFiller(
                start_s=chosen.start_delay_secs, escalation_s=chosen.escalation_secs, phrase=phrases.write
            )
        else:
            self.filler = ToolFiller(
                start_s=chosen.start_delay_secs, escalation_s=chosen.escalation_secs, phrase=self._stock_phrase
            )
            if chosen.url:
                self._loading = self._group.create_task(self._load_sound(chosen.url, self.filler))

    @property
    def is_transferring(self) -> bool:
        """Whether somebody is being called who shall take the caller over."""
        return self._handoffs.under_way

    def start_transfer(self, verb: Transfer) -> None:
        """Hand the caller over while the agent goes on talking.

        Raises:
            SpecError: another transfer is under way.
        """
        if self._handoffs.under_way:
            raise SpecError("a transfer is already under way")
        self.start_tool(self._handoffs.transfer(verb))

    def _offer_handoff(self, choice: Handoff) -> None:
        def note_pending(call_id: str) -> None:
            self.history.add_tool_result(call_id, UNDER_WAY)

        self.toolbox.build_in(self._handoffs.tool(choice, self._plan.verb.id, note_pending))

    def _filler_of_thoughts(self) -> ToolFiller | None:
        chosen = self._plan.verb.thinking_filler
        if chosen is None or not self._plan.verb.speak:
            return None
        own = chosen.text

        async def phrase(longer: bool) -> str:
            self.call.note("llm", name="thinking_filler", longer=longer)
            return own if own and not longer else await self._stock_phrase(longer)

        return ToolFiller(start_s=chosen.start_delay_secs, escalation_s=chosen.escalation_secs, phrase=phrase)

    async def _stock_phrase(self, longer: bool) -> str:
        return stock_phrase(self.language, longer=longer)

    async def _load_sound(self, url: str, filler: ToolFiller) -> None:
        try:
            filler.sound = await self.call.services.load_audio(url)
        except HookError as error:
            self.call.report(error, verb="agent", verb_id=self._plan.verb.id, alert="webhook-failure")

    def stop(self) -> None:
        """Forget the tools that still run."""
        for task in self._tools:
            task.cancel()
        for server in self._servers:
            server.close()
        if self._loading is not None:
            self._loading.cancel()

    def on_tools_found(self, server: str, tools: Sequence[FoundTool]) -> None:
        """Offer a server's tools from the next request on."""
        self.call.note("tool", name="server_found", server=server, tools=[tool.definition.name for tool in tools])
        self.toolbox.add_found(RemoteTool(tool.definition, self._guarded(server, tool)) for tool in tools)

    def on_tool_server_failed(self, server: str, error: ToolServerError) -> None:
        """Tell the operator, once for each server; the call goes on without it."""
        self.call.note("tool", name="server_failed", server=server, error=str(error))
        if server not in self._lost:
            self._lost.add(server)
            text = f"the tool server {server} is of no use: {error}"
            self.call.alert("tool-server-failure", text, "Check the server's address and credential in mcpServers.")

    def _guarded(self, server: str, tool: FoundTool) -> RunTool:
        async def run(call: ToolCall) -> str:
            try:
                return await tool.run(call.arguments)
            except ToolServerError as error:
                self.on_tool_server_failed(server, error)
                raise

        return run

    def commit(self, reply: Reply) -> None:
        """Enter what was heard of a reply that is over."""
        self.correct(reply)
        heard = reply.speech.track.heard(reply.rounds[-1].last_part if reply.rounds else 0)
        self.history.add_assistant(heard, reasoning=reply.end.reasoning if reply.end else "")

    def correct(self, reply: Reply) -> None:
        """Leave in the history what was heard before each of a reply's rounds of tools."""
        for one in reply.rounds:
            self.history.correct_tool_calls(one.call_id, reply.speech.track.heard(one.first_part, one.last_part))

    async def _run_for_application(self, call: ToolCall) -> Any:
        hook = self._plan.verb.tool_hook
        if hook is None:
            raise HookError("the application has no toolHook")
        return await self.call.session.call_tool(hook, payloads.tool_call(call.id, call.name, call.arguments))

"""Changes a running agent as its application asks: instructions, context, tools, and replies out of turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from moonwire.call.tools.toolbox import Toolbox
from moonwire.core.dialog.history import History
from moonwire.spec.commands import AgentUpdate, GenerateReply, InjectContext, UpdateInstructions, UpdateTools
from moonwire.spec.verbs.agent_llm import LlmMessage


class AgentUpdates:
    """One agent's updates; what they change holds from the next request to the model on.

    Args:
        history: the conversation.
        toolbox: the agent's tools.
        request_reply: asks the turn machine for a reply; True = at once.
    """

    def __init__(self, history: History, toolbox: Toolbox, request_reply: Callable[[bool], None]) -> None:
        self._history = history
        self._toolbox = toolbox
        self._request_reply = request_reply
        self._wishes: deque[GenerateReply] = deque()

    def apply(self, update: AgentUpdate) -> None:
        """Change the agent."""
        match update:
            case UpdateInstructions(instructions=text):
                self._history.replace_instructions(text)
            case InjectContext(messages=messages):
                for message in messages:
                    self._inject(message)
            case UpdateTools(tools=tools):
                self._toolbox.replace_application(tools)
            case GenerateReply():
                if update.interrupt:
                    self._wishes.appendleft(update)
                else:
                    self._wishes.append(update)
                self._request_reply(update.interrupt)

    def next_wish(self) -> GenerateReply:
        """Return what the reply that begins now is about; its user input enters the history."""
        wish = self._wishes.popleft() if self._wishes else GenerateReply()
        self._history.add_user(wish.user_input or "")
        return wish

    def _inject(self, message: LlmMessage) -> None:
        match message.role:
            case "user":
                self._history.add_user(message.content)
            case "assistant":
                self._history.add_assistant(message.content)
            case _:
                self._history.add_context(message.content)

"""Changes a running agent as its application asks."""

from __future__ import annotations

from moonwire.core.dialog.history import History
from moonwire.errors import SpecError
from moonwire.spec.commands import AgentUpdate, InjectContext, UpdateInstructions
from moonwire.spec.verbs.agent_llm import LlmMessage


def apply_update(history: History, update: AgentUpdate) -> None:
    """Change what the model will be told from the next request on.

    Raises:
        SpecError: an update that this server does not support.
    """
    match update:
        case UpdateInstructions(instructions=text):
            history.replace_instructions(text)
        case InjectContext(messages=messages):
            for message in messages:
                _inject(history, message)
        case _:
            raise SpecError(f"agent:update '{update.type}' is not supported by this server")


def _inject(history: History, message: LlmMessage) -> None:
    match message.role:
        case "user":
            history.add_user(message.content)
        case "assistant":
            history.add_assistant(message.content)
        case _:
            history.add_context(message.content)

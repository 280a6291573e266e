"""Decides what the language model is told about the conversation: what the caller heard, in an order vendors accept.

The call owns one history. What is stored is what happened; what a vendor insists on (a caller who speaks first, a
result for every tool call) is added when a request is made and never stored, always in the same way, so that the
beginning of every request is byte for byte the beginning of the one before and the vendor's prompt cache works.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from moonwire.core.dialog.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from moonwire.core.dialog.window import size_of

OPENING: Final = "(The call has just been answered. Begin the conversation.)"
"""Stands in for the caller where the conversation does not begin with the caller: a greeting."""

CANCELLED: Final = '{"error":"cancelled"}'
"""Result of a tool call that has none: the caller interrupted, or it is still running."""


CUT_NOTE: Final = "\n[The rest of this result was cut to fit the model's context.]"
"""Ends a tool result of which the model could not be told everything."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a history was shortened by."""

    messages: int = 0
    """Left out from the beginning."""
    cut_results: int = 0
    """Results of tools that lost their end."""

    def __bool__(self) -> bool:
        return bool(self.messages or self.cut_results)


class _ToolRound:
    """An assistant message with tool calls, and the results that have come; kept together, so nothing gets between."""

    def __init__(self, asked: AssistantMessage) -> None:
        self.asked = asked
        self.results: dict[str, str] = {}

    def messages(self) -> Iterable[Message]:
        yield self.asked
        for call in self.asked.tool_calls:
            yield ToolMessage(call.id, self.results.get(call.id, CANCELLED))


_Entry = Message | _ToolRound


def _told(entry: _Entry) -> Iterable[Message]:
    return entry.messages() if isinstance(entry, _ToolRound) else (entry,)


def _newest_notes(entries: Iterable[_Entry], most: int) -> list[_Entry]:
    """Return the application's context messages, the oldest left out where there is not enough room."""
    notes = [entry for entry in entries if isinstance(entry, SystemMessage)]
    while notes and size_of(notes) > most:
        notes.pop(0)
    return [*notes]


class History:
    """One call's conversation."""

    def __init__(self, instructions: str = "", seed: Iterable[Message] = (), *, opening: str = OPENING) -> None:
        self.instructions = instructions.strip()
        """The system prompt."""
        self._opening = opening
        self._entries: list[_Entry] = []
        for message in seed:
            self.add(message)

    def replace_instructions(self, text: str) -> None:
        """Use another system prompt from the next request on."""
        self.instructions = text.strip()

    def add(self, message: Message) -> None:
        """Add any message, for example from the application, under the rules of its kind."""
        match message:
            case SystemMessage(text=text):
                self.add_context(text)
            case UserMessage(text=text):
                self.add_user(text)
            case AssistantMessage(text=text, tool_calls=calls, reasoning=reasoning):
                self.add_tool_calls(text, calls, reasoning) if calls else self.add_assistant(text, reasoning)
            case ToolMessage(tool_call_id=tool_call_id, text=text):
                self.add_tool_result(tool_call_id, text)

    def add_context(self, text: str) -> None:
        """Tell the model something from now on, as a system message in its place in time."""
        if text.strip():
            self._entries.append(SystemMessage(text.strip()))

    def add_user(self, text: str) -> None:
        """Add what the caller said; it joins the caller's turn before it when nothing was heard in between."""
        text = text.strip()
        if not text:
            return
        if self._entries and isinstance(last := self._entries[-1], UserMessage):
            self._entries[-1] = UserMessage(f"{last.text} {text}")
        else:
            self._entries.append(UserMessage(text))

    def add_assistant(self, text: str, reasoning: str = "") -> None:
        """Add what the caller heard of the agent; nothing heard, nothing added."""
        text = text.strip()
        if not text:
            return
        if self._entries and isinstance(last := self._entries[-1], AssistantMessage):
            # Two replies in a row: an answer and a check on a silent caller. One message is safe with every vendor.
            self._entries[-1] = AssistantMessage(f"{last.text} {text}", reasoning=last.reasoning + reasoning)
        else:
            self._entries.append(AssistantMessage(text, reasoning=reasoning))

    def add_tool_calls(self, text: str, calls: Sequence[ToolCall], reasoning: str = "") -> None:
        """Add a model's request for tools, with what was spoken before it (may be empty)."""
        self._entries.append(_ToolRound(AssistantMessage(text.strip(), tuple(calls), reasoning)))

    def correct_tool_calls(self, tool_call_id: str, text: str) -> None:
        """Say what was heard of the text before a request for tools; the newest one with this call is meant."""
        for entry in reversed(self._entries):
            if isinstance(entry, _ToolRound) and any(call.id == tool_call_id for call in entry.asked.tool_calls):
                entry.asked = replace(entry.asked, text=text.strip())
                return

    def add_tool_result(self, tool_call_id: str, text: str) -> bool:
        """Put a result beside its call, also a late one; False when no such call was made."""
        rounds = [entry for entry in self._entries if isinstance(entry, _ToolRound)]
        asked = [entry for entry in rounds if any(call.id == tool_call_id for call in entry.asked.tool_calls)]
        if not asked:
            return False
        # Ids are unique in well-behaved conversations; otherwise the oldest call without a result is meant.
        open_rounds = [entry for entry in asked if tool_call_id not in entry.results]
        (open_rounds or asked[-1:])[0].results[tool_call_id] = text
        return True

    def withdraw_user(self) -> bool:
        """Take back what the caller said last, and what followed, because a vendor's moderation refuses to read it."""
        index = len(self._entries)
        while index and not isinstance(self._entries[index - 1], UserMessage):
            index -= 1
        if index:
            notes = [entry for entry in self._entries[index:] if isinstance(entry, SystemMessage)]
            self._entries[index - 1 :] = notes
        return index > 0

    def forget(self, goal: int) -> Forgotten:
        """Leave out the oldest turns, for good, until the rest has at most this size.

        The newest turn stays, and so do the application's context messages as far as they take no more than half of
        the goal. A call of a tool and its result go together. When the newest turn alone is too large, the largest
        results of its tools lose their ends.

        Args:
            goal: bytes of text, see window.size_of; system prompt and opening aside.
        """
        sizes = [size_of(_told(entry)) for entry in self._entries]
        turns = [index for index, entry in enumerate(self._entries) if index and isinstance(entry, UserMessage)]
        cut = 0
        if sum(sizes) > goal and turns:
            notes = sum(
                size for entry, size in zip(self._entries, sizes, strict=True) if isinstance(entry, SystemMessage)
            )
            room = goal - min(notes, goal // 2)
            cut = next((turn for turn in turns if sum(sizes[turn:]) <= room), turns[-1])
        before = self._entries[:cut]
        notes = _newest_notes(before, goal // 2)
        self._entries = [*notes, *self._entries[cut:]]
        left_out = sum(len(tuple(_told(entry))) for entry in before) - len(notes)
        return Forgotten(left_out, self._cut_results(goal))

    def _cut_results(self, goal: int) -> int:
        """Shorten the largest results until the goal is reached; returns how many were."""
        rounds = [entry for entry in self._entries if isinstance(entry, _ToolRound)]
        results = [(len(text.encode()), one, call_id) for one in rounds for call_id, text in one.results.items()]
        excess = sum(size_of(_told(entry)) for entry in self._entries) - goal
        cut = 0
        for size, one, call_id in sorted(results, key=lambda result: result[0], reverse=True):
            if excess <= 0 or size <= 2 * len(CUT_NOTE):
                break
            kept = max(size - excess - len(CUT_NOTE), len(CUT_NOTE))
            one.results[call_id] = one.results[call_id].encode()[:kept].decode("utf-8", "ignore") + CUT_NOTE
            excess -= size - kept - len(CUT_NOTE)
            cut += 1
        return cut

    def if_said(self, text: str) -> History:
        """Return a history of its own in which the caller has said this too: for a request that may come to nothing."""
        imagined = History(self.instructions, opening=self._opening)
        imagined._entries = list(self._entries)
        imagined.add_user(text)
        return imagined

    def messages(self, prompt: str = "") -> tuple[Message, ...]:
        """Return the messages of one request: system prompt, then a conversation that the caller begins.

        Args:
            prompt: said to the model once, as the caller's last message, and not stored: "check on the caller".

        Returns:
            No empty user or assistant message, no tool message away from its call, at least one user message.
        """
        said = [message for entry in self._entries for message in _told(entry)]
        first = next((index for index, message in enumerate(said) if not isinstance(message, SystemMessage)), len(said))
        if first == len(said) or not isinstance(said[first], UserMessage):
            said.insert(first, UserMessage(self._opening))
        if prompt.strip():
            if isinstance(last := said[-1], UserMessage):
                said[-1] = UserMessage(f"{last.text}\n{prompt.strip()}")
            else:
                said.append(UserMessage(prompt.strip()))
        head = (SystemMessage(self.instructions),) if self.instructions else ()
        return (*head, *said)

"""What the simulated model says: a script maps the conversation to an answer; the default is a receptionist."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One tool call of an answer; `raw` replaces the arguments' JSON text."""

    name: str
    arguments: Json = field(default_factory=dict[str, object])
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """One answer: text first, then tool calls."""

    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    reasoning: str = "The caller wants a short, friendly answer. I shall give one."


class Script(Protocol):
    """Decides what the model says."""

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        """Return the answer to a conversation (messages and tools as on the wire)."""
        ...


STORY = (
    "Once upon a time, the moon was lonely. Every night she looked down on the sleeping town and wished that somebody "
    "would talk to her. One evening a little girl opened her window and said good evening. The moon was so surprised "
    "that she forgot to set. They talked about the sea, about the cats on the roofs, and about the baker who gets up "
    "before everybody else. When the sun came he was very cross, because it was his turn. So the moon promised to be "
    "on time, and the girl promised to come back. And that is why, to this day, children wave at the moon."
)
GREETING = "Hello, this is Luna at the Moonlight Restaurant. How can I help you?"

_RULES: tuple[tuple[str, str], ...] = (
    (r"\bstory\b", STORY),
    (r"\b(stop|wait|hold on)\b", "Of course, I am listening. What would you like?"),
    (r"\b(open|opening|hours|close|closing)\b", "We are open from eleven in the morning to ten at night, every day."),
    (
        r"\b(book|booking|table|reserve|reservation)\b",
        "With pleasure. A table for two tomorrow evening at seven is free. Shall I book it for you?",
    ),
    (r"\b(price|cost|much|expensive)\b", "The dinner menu is thirty dollars, and the lunch menu is fifteen."),
    (r"\b(where|address|located|location|find you)\b", "We are at twelve Harbour Street, right beside the old clock."),
    (r"\b(weather|rain|sunny)\b", "It should stay dry today, so a table on the terrace would be lovely."),
    (r"\b(human|manager|someone|person|operator)\b", "I will gladly connect you. One moment, please."),
    (r"\b(bye|goodbye|thank you|thanks)\b", "Thank you for calling. Goodbye, and see you soon."),
    (r"\b(hello|hi|hey|good (morning|evening|afternoon))\b", "Hello! How can I help you today?"),
    (r"营业|几点|开门", "我们每天上午十一点到晚上十点营业。"),
    (r"预订|订位|预约", "好的，明天晚上七点还有一张两人桌，要为您预订吗？"),
    (r"再见|谢谢", "谢谢您的来电，再见！"),
    (r"你好|您好", "您好，请问有什么可以帮您？"),
)
_ECHOES = (
    "You said: {words}. Could you tell me a little more?",
    "I understand, {words}. What else would you like to know?",
    "Let me note that down: {words}. Is there anything else?",
)


class Receptionist:
    """Answers for a restaurant by keywords, quotes the caller otherwise, and calls an offered tool when one fits."""

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        """Return the answer."""
        spoken = [message for message in messages if message.get("role") != "system"]
        last: Json = spoken[-1] if spoken else {}
        if last.get("role") == "tool":
            return ScriptedAnswer(f"Here is what I found: {text_of(last)[:200]}")
        said = text_of(last)
        if call := _fitting_call(said, tools):
            return ScriptedAnswer("One moment, I will look that up.", (call,))
        if re.search(r"\b(greet|introduce yourself|begin the conversation|start the conversation)\b", said.lower()):
            return ScriptedAnswer(GREETING)
        for pattern, answer in _RULES:
            if re.search(pattern, said.lower()):
                return ScriptedAnswer(answer)
        if not any(message.get("role") == "assistant" for message in spoken) and len(said) < 12:
            return ScriptedAnswer(GREETING)
        words = " ".join(said.split()[:8]).rstrip(".!?,;:。！？，") or "nothing yet"
        return ScriptedAnswer(_ECHOES[len(spoken) // 2 % len(_ECHOES)].format(words=words))


class Lines:
    """Gives fixed answers one after the other, then those of another script."""

    def __init__(self, lines: Iterable[ScriptedAnswer | str], then: Script | None = None) -> None:
        self._lines = deque(lines)
        self._then = then or Receptionist()

    def add(self, *lines: ScriptedAnswer | str) -> None:
        """Append answers."""
        self._lines.extend(lines)

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        """Return the next line."""
        if not self._lines:
            return self._then.answer(messages, tools)
        line = self._lines.popleft()
        return ScriptedAnswer(line) if isinstance(line, str) else line


def text_of(message: Json) -> str:
    """Return a message's text, parts joined."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = cast("list[Json]", content) if isinstance(content, list) else []
    return " ".join(str(part.get("text", "")) for part in parts)


def _fitting_call(said: str, tools: Sequence[Json]) -> ScriptedCall | None:
    words = set(re.findall(r"[a-z]{4,}", said.lower()))
    for tool in tools:
        function = cast("Json", tool.get("function", {}))
        name = str(function.get("name", ""))
        if words & set(re.findall(r"[a-z]{4,}", name.lower())):
            return ScriptedCall(name, _arguments(said, cast("Json", function.get("parameters", {}))))
    return None


def _arguments(said: str, schema: Json) -> dict[str, object]:
    """Make up arguments from the caller's words: capitalised word for text, number for numbers."""
    names = re.findall(r"\b[A-Z][a-z]+\b", said)
    numbers = re.findall(r"\d+", said)
    values: dict[str, object] = {}
    for name, raw in cast("Json", schema.get("properties", {})).items():
        member = cast("Json", raw)
        if isinstance(choices := member.get("enum"), list) and choices:
            values[name] = cast("list[object]", choices)[0]
        elif member.get("type") in {"number", "integer"}:
            values[name] = int(numbers[0]) if numbers else 1
        elif member.get("type") == "boolean":
            values[name] = True
        elif member.get("type") == "string":
            values[name] = names[-1] if names else said
    return values

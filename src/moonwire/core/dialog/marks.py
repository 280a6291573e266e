"""Finds markup at the start of a piece of text that may still grow; says "wait" when what follows could matter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

LineKind = Literal["plain", "item", "table"]
"""item: a heading or list item, a sentence of its own. table: cells between bars."""


@dataclass(frozen=True, slots=True)
class Wait:
    """More text is needed."""


@dataclass(frozen=True, slots=True)
class Hide:
    """Markup: replace `length` characters, then hide everything up to and including `until`."""

    length: int
    until: str = ""
    replacement: str = ""
    tool: bool = False


_PICTURES: Final = (
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001faff\u2600-\u2775\u2794-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\u25aa-\u25fe"
    "\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f"
)
EMOJI: Final = re.compile(f"[{_PICTURES}]")
"""One character of an emoji: pictures, flags, skin tones, joiners and selectors. Source: Unicode emoji-data 16."""

JOINERS: Final = "\ufe0e\ufe0f\u200d\u20e3"
"""Parts of an emoji that are no picture by themselves."""

PLAIN: Final = re.compile(rf"[^\s*_~`\[<(（\\|{_PICTURES}]+")
"""A run in which nothing can be markup."""

_MAX_LINK: Final = 2000
_MAX_TAG: Final = 80

_HEADING: Final = re.compile(r"#{1,6}[ \t]+")
_BULLET: Final = re.compile(r"[-*+•‣▪][ \t]+")
_NUMBER: Final = re.compile(r"\d{1,3}[.)](?=[ \t])")
_QUOTE: Final = re.compile(r">[ \t]+")
_RULE: Final = re.compile(r"(?:-[ \t]*){3,}(?=\n|\Z)|(?:\*[ \t]*){3,}(?=\n|\Z)|(?:_[ \t]*){3,}(?=\n|\Z)")
_FENCE: Final = re.compile(r"(?:```+|~~~+)[\w+#.-]*[ \t]*(?=\n|\Z)")
_BAR_ROW: Final = re.compile(r"\|[ \t:|-]*-[ \t:|-]*(?=\n|\Z)")
_UNDECIDED: Final = re.compile(
    r"#{1,6}|[+•‣▪]|\d{1,3}[.)]?|>|[-*_ \t]+|``?|~~?|(?:```+|~~~+)[\w+#.-]*[ \t]*|\|[ \t:|-]*"
)
"""What the start of a line may look like while it is still open what it is."""

_DROPPED: Final = (_RULE, _FENCE, _BAR_ROW)

_HIDING_TAGS: Final = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<tool_call>": "</tool_call>",
    "</think>": "",
    "</thinking>": "",
    "</tool_call>": "",
}

_SILENCES: Final = ("(silence)", "（silence）", "（沉默）", "（静音）", "(沉默)", "(静音)")


def line_start(text: str, *, final: bool) -> tuple[LineKind, int, bool] | None:
    """Find a mark at the start of a line.

    Returns:
        (kind of line, length of the mark, whether the mark is spoken); length 0 when there is none; None: wait.
    """
    if not final and _UNDECIDED.fullmatch(text):
        return None
    for mark in _DROPPED:
        if found := mark.match(text):
            return "plain", found.end(), False
    if text[0] in " \t":
        return "plain", len(text) - len(text.lstrip(" \t")), False
    if found := _HEADING.match(text) or _BULLET.match(text):
        return "item", found.end(), False
    if found := _QUOTE.match(text):
        return "plain", found.end(), False
    if found := _NUMBER.match(text):
        return "item", found.end(), True
    return ("table" if text[0] == "|" else "plain"), 0, False


def emphasis_mark(char: str, length: int, before: str, after: str, opened: list[str]) -> bool:
    """Tell whether a run of `*`, `_`, `~` or backticks is markup, by what stands around it; keeps track of openers.

    Source: CommonMark 0.31 section 6.2, simplified: no look-ahead to the closing mark, because speech cannot wait.
    """
    if char in "`~":
        return char == "`" or length >= 2
    space_before, space_after = not before.strip(), not after.strip()
    if space_before and space_after:
        return False
    inside_word = _word_like(before, char) and _word_like(after, char)
    if char in opened and not space_before and not (char == "_" and inside_word):
        opened.remove(char)
        return True
    if not space_after and not _word_like(before, char):
        opened.append(char)
        return True
    return char == "*" and length >= 2 and not inside_word


def _word_like(neighbour: str, mark: str) -> bool:
    """`_` is part of words in any script; `*` beside a Chinese character is emphasis, beside a letter arithmetic."""
    return neighbour.isalnum() and (mark == "_" or neighbour.isascii())


def link_text(text: str, *, final: bool) -> Wait | Hide | int:
    """Find `[text](address)`; an int is the number of characters that are ordinary text."""
    close = text.find("]", 1)
    inner = text[1:close] if close > 0 else text[1:]
    if "\n" in inner or "[" in inner or len(inner) > _MAX_LINK:
        return 1
    if close < 0 or close + 1 == len(text):
        return 1 if final else Wait()
    if text[close + 1] != "(" or not inner.strip():
        return 1
    depth = 0
    address = text[close + 1 : close + _MAX_LINK]
    depth = 0
    for index, char in enumerate(address):
        if char == "\n" or (char.isspace() and not _before_title(address, index)):
            return 1
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return Hide(close + index + 2, replacement=inner)
    return 1 if final or len(address) == _MAX_LINK - 1 else Wait()


def _before_title(address: str, index: int) -> bool:
    """An address has no spaces, except around and inside a quoted title: `(https://example.com "Example")`."""
    return '"' in address[:index] or address[index + 1 : index + 2] in {'"', ""}


def hidden_start(text: str, *, final: bool) -> Wait | Hide | int:
    """Find the start of hidden text: thoughts, tool calls, a model's control tokens."""
    lowered = text[:_MAX_TAG].lower()
    for tag, end in _HIDING_TAGS.items():
        if lowered.startswith(tag):
            return Hide(len(tag), until=end, tool=tag == "<tool_call>")
        if not final and tag.startswith(lowered):
            return Wait()
    if not text.startswith("<|"):
        return 1
    close = text.find("|>", 2, _MAX_TAG)
    if "\n" in text[2 : close if close >= 0 else _MAX_TAG]:
        return 1
    if close < 0:
        return 1 if final or len(text) >= _MAX_TAG else Wait()
    name = text[2:close].lower()
    if name.startswith("tool_calls_section_begin"):
        return Hide(close + 2, until="<|tool_calls_section_end|>", tool=True)
    if name.startswith("tool_call") and name.endswith("begin"):
        return Hide(close + 2, until="<|tool_call_end|>", tool=True)
    return Hide(close + 2, tool=name.startswith("tool_call"))


def silence_end(text: str, *, final: bool) -> Wait | Hide | int:
    """Find the literal "(silence)", which models write to say nothing, also in Chinese.

    Source: jambonz release notes 11.1.10: removed from the text for the voice.
    """
    lowered = text[: max(map(len, _SILENCES))].lower()
    for silence in _SILENCES:
        if lowered.startswith(silence):
            return Hide(len(silence))
    return Wait() if not final and any(silence.startswith(lowered) for silence in _SILENCES) else 1

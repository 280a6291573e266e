"""Decides which characters of a streamed answer are spoken: takes away markup, hidden thoughts and pictures.

Markdown marks go, their text stays; thoughts and tool-call markup go entirely. Ordinary text that looks like markup
("2 * 3", "a_b", "x < y") stays. A decision is made only when nothing that may follow can change it, therefore the
output does not depend on where the stream was split. Marks: marks.py finds them, this file carries them out.
"""

from __future__ import annotations

from moonwire.core.dialog.marks import (
    EMOJI,
    JOINERS,
    PLAIN,
    Hide,
    LineKind,
    Wait,
    emphasis_mark,
    hidden_start,
    line_start,
    link_text,
    silence_end,
)

_ENDS = ".!?:;,…—-。！？：；，"
_ESCAPABLE = "\\`*_{}[]()#+-.!|>~<"


class SpokenText:
    """Cleans one reply; outside whitespace is dropped and inner whitespace becomes one space."""

    def __init__(self) -> None:
        self._rest = ""
        """Input that is not decided yet."""
        self._hidden_until = ""
        self._before = ""
        """The raw character before the rest; empty at the start of a line."""
        self._at_line_start = True
        self._line: LineKind = "plain"
        self._open: list[str] = []
        """Emphasis marks waiting for their partner on this line."""
        self._gap = ""
        """What goes before the next visible character: nothing, a space, or a table's comma."""
        self._picture = False
        """A picture was dropped in the gap."""
        self._last = ""
        self._said_on_line = False
        self.tool_markup = False
        """Tool-call markup was found in the text: the answer is not fit to be spoken to its end."""
        self.silence = False
        """The model wrote "(silence)": an answer without words is meant, and is no failure."""

    def push(self, piece: str) -> str:
        """Take more text and return what may be spoken of it; usually all, never late by more than a mark."""
        if self._last and not (self._rest or self._hidden_until or self._at_line_start or self._gap or self._picture):
            # A plain word, perhaps with the space before it, is most of what comes; the way below gives the same.
            word = piece[1:] if piece[:1] == " " else piece
            if word.isascii() and word.isalnum():
                self._before = self._last = word[-1]
                self._said_on_line = True
                return piece
        self._rest += piece
        return self._run(final=False)

    def flush(self) -> str:
        """Return what is left; the answer is over."""
        return self._run(final=True)

    def _run(self, *, final: bool) -> str:
        out: list[str] = []
        while self._rest:
            if self._hidden_until:
                moved = self._skip_hidden(final=final)
            elif self._at_line_start:
                moved = self._start_line(out, final=final)
            else:
                moved = self._step(out, final=final)
            if not moved:
                break
        return "".join(out)

    def _skip_hidden(self, *, final: bool) -> bool:
        end = self._rest.find(self._hidden_until)
        if end >= 0:
            self._rest = self._rest[end + len(self._hidden_until) :]
            self._hidden_until = ""
            return True
        keep = 0 if final else len(self._hidden_until) - 1
        self._rest = self._rest[max(0, len(self._rest) - keep) :] if keep else ""
        return False

    def _start_line(self, out: list[str], *, final: bool) -> bool:
        found = line_start(self._rest, final=final)
        if found is None:
            return False
        kind, length, kept = found
        if kind != "plain" or self._line == "plain":
            self._line = kind
        if kept:
            self._say(out, self._rest[:length])
        self._rest = self._rest[length:]
        # A quotation may hold a list: look again behind a mark, until there is none.
        self._at_line_start = length > 0 and not kept
        if length:
            self._before = " "
        return True

    def _step(self, out: list[str], *, final: bool) -> bool:
        plain = PLAIN.match(self._rest)
        if plain:
            self._say(out, plain.group())
            self._take(plain.end())
            return True
        char = self._rest[0]
        if char.isspace():
            self._space(out, char)
        elif char in "*_~`":
            return self._emphasis(out, char, final=final)
        elif char in "[<(（\\":
            return self._bracket(out, char, final=final)
        elif char == "|" and self._line == "table":
            self._gap = ", " if self._said_on_line else self._gap
            self._take(1)
        elif EMOJI.match(char):
            self._picture = self._picture or char not in JOINERS
            self._rest = self._rest[1:]
        else:
            self._say(out, char)
            self._take(1)
        return True

    def _space(self, out: list[str], char: str) -> None:
        if char == "\n":
            if self._line in {"item", "table"} and self._said_on_line and self._last not in _ENDS:
                # A heading or list item is a sentence of its own, also without a full stop.
                out.append(".")
                self._last = "."
            self._at_line_start = True
            self._said_on_line = False
            self._line = "plain"
            self._open.clear()
            self._gap = " "
        else:
            self._gap = self._gap or " "
        self._take(1)
        if char == "\n":
            self._before = ""

    def _emphasis(self, out: list[str], char: str, *, final: bool) -> bool:
        length = len(self._rest) - len(self._rest.lstrip(char))
        if length == len(self._rest) and not final:
            return False
        after = self._rest[length : length + 1]
        if not emphasis_mark(char, length, self._before, after, self._open):
            self._say(out, self._rest[:length])
        self._take(length)
        return True

    def _bracket(self, out: list[str], char: str, *, final: bool) -> bool:
        match char:
            case "[":
                found = link_text(self._rest, final=final)
            case "<":
                found = hidden_start(self._rest, final=final)
            case "(" | "（":
                found = silence_end(self._rest, final=final)
            case _:
                found = self._escape(final=final)
        match found:
            case Wait():
                return False
            case Hide(length=length, until=until, replacement=replacement, tool=tool):
                self._rest = replacement + self._rest[length:]
                self._hidden_until = until
                self.tool_markup = self.tool_markup or tool
                self.silence = self.silence or char in "(（"
            case int(length):
                self._say(out, self._rest[length - 1 : length])
                self._take(length)
        return True

    def _escape(self, *, final: bool) -> Wait | int:
        if len(self._rest) == 1:
            return 1 if final else Wait()
        return 2 if self._rest[1] in _ESCAPABLE else 1

    def _say(self, out: list[str], text: str) -> None:
        if self._picture:
            self._gap = "" if text[0] in _ENDS else self._gap or " "
        elif self._gap == ", " and self._last in _ENDS:
            self._gap = " "
        if self._gap and self._last:
            out.append(self._gap)
        self._gap = ""
        self._picture = False
        out.append(text)
        self._last = text[-1]
        self._said_on_line = True

    def _take(self, length: int) -> None:
        self._before = self._rest[length - 1]
        self._rest = self._rest[length:]

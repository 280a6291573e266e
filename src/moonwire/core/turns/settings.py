"""What an application or an operator may choose about turn taking; all durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """One agent's turn-taking choices; wire names in spec/verbs/agent.py map one to one."""

    greeting: bool = True
    """The agent speaks first."""

    barge_in: bool = True
    """The caller may interrupt."""

    min_speech_s: float = 0.5
    """Speech over a reply must last this long to count as an interruption (`minSpeechDuration`).

    With `min_words` at 0 that is all. Otherwise words decide, sooner or later than that, and duration only where no
    words come: then it must last `wordless_s` too."""

    min_words: int = 1
    """Words over a reply, back-channels aside, that make an interruption (`minWords`, ours); 0 = duration decides."""

    wordless_s: float = 1.2
    """Speech over a reply without a recognised word counts when it lasts this long: a "mm-hm" lasts 0.8 s."""

    predicted: bool = False
    """An engine tells by sound which voices interrupt (`interruptPrediction`): words that may still change do not."""

    verdict_s: float = 0.38
    """How long after a sound its words are waited for, before a held reply goes on."""

    language: str = ""
    """Language tag of the caller, for the lists of words; empty = unknown."""

    sticky: bool = False
    """Never resume a reply once speech was heard over it."""

    end_of_turn_s: float = 0.7
    """Silence after speech that ends the turn when no detector speaks earlier."""

    whole_wait_s: float = 0.8
    """Silence that ends a turn whose words are whole by themselves (whole.py), where `end_of_turn_s` is longer; 0 = no
    such rule, nor the next."""

    question_wait_s: float = 1.0
    """The same for a question: recognisers also write its mark where a longer one only pauses."""

    final_wait_s: float = 2.0
    """How long a detected end of turn waits for the words when none has arrived."""

    unfinished_wait_s: float = 1.6
    """Silence that ends a turn whose last word cannot end a sentence; 0 = words have no veto."""

    digits_wait_s: float = 2.0
    """Silence after a digit that ends the caller's turn; `#` ends it at once."""

    early: bool = False
    """An early end of turn starts a reply before it is confirmed (`earlyGeneration`)."""

    no_response_s: float = 0.0
    """Silence after the agent spoke before the caller is prompted again; 0 = never (`noResponseTimeout`)."""

    reply_start_s: float = 5.0
    """A reply that is not audible by then counts as failed."""

    tool_wait_s: float = 35.0
    """The same for a reply that waits for tools; longer than any tool may take."""

    user_turn_s: float = 30.0
    """Longest time the caller may hold the floor without a recognised word."""

"""One test per row of the transition table: a situation, one event, the exact commands and the floors after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moonwire.core.turns.commands import (
    ArmTimer,
    CancelReply,
    ClearPlayback,
    CommitAgentTurn,
    CommitUserTurn,
    DisarmTimer,
    EndAgent,
    PausePlayback,
    ReleaseReply,
    ResumePlayback,
    StartEarlyReply,
    StartReply,
    TurnCommand,
)
from moonwire.core.turns.events import (
    AgentFailed,
    CallAnswered,
    CallEnded,
    DigitPressed,
    EarlyEndOfTurn,
    EndOfTurn,
    FinalTranscript,
    InterimTranscript,
    PlaybackFinished,
    PlaybackStarted,
    ReplyFailed,
    SpeechEnded,
    SpeechStarted,
    TimerFired,
    TurnEvent,
    TurnResumed,
)
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.settings import TurnSettings

DEFAULT = TurnSettings(no_response_s=8.0, wordless_s=0.5)
PLAIN = TurnSettings(wordless_s=0.5)
ALONE = replace(PLAIN, wordless_s=1.2)
BY_DURATION = replace(DEFAULT, min_words=0)
EARLY = replace(DEFAULT, early=True)
ENGLISH = replace(DEFAULT, language="en-US")
STICKY = replace(DEFAULT, sticky=True)
DEAF = replace(DEFAULT, barge_in=False)
MUTE = replace(DEFAULT, greeting=False)

ANSWERED = CallAnswered(0.0)
AUDIBLE = PlaybackStarted(1.0, 1)
VOICE = SpeechStarted(10.0)
QUIET = SpeechEnded(11.0)

NEW: tuple[TurnEvent, ...] = ()
THINKING = (ANSWERED,)
SPEAKING = (ANSWERED, AUDIBLE)
LISTENING = (*SPEAKING, PlaybackFinished(2.0, 1))
ONSET_THINKING = (ANSWERED, VOICE)
HELD = (*SPEAKING, VOICE)
TALKING = (*LISTENING, VOICE)
TALKED = (*TALKING, FinalTranscript(10.5, "hello"))
PAUSED = (*TALKING, QUIET)
PAUSED_WORDS = (*TALKED, QUIET)
DECIDED = (*PAUSED, EndOfTurn(11.0, "krisp"))
LATE_WORDS = (*SPEAKING, FinalTranscript(10.0, "hello"))
SOUND = (*HELD, SpeechEnded(10.2))
PREFLIGHT = (*PAUSED_WORDS, EarlyEndOfTurn(11.1, "flux"))
KEYED = (*LISTENING, DigitPressed(10.0, "4"))
INTERRUPTED = (*HELD, TimerFired(10.5, "barge_in"), QUIET)
APOLOGY = (ANSWERED, ReplyFailed(1.0, 1, "quota"))
LAST_WORDS = (ANSWERED, AgentFailed(1.0, "stt-lost"))

Row = tuple[str, TurnSettings, tuple[TurnEvent, ...], TurnEvent, list[TurnCommand], str]

CALL: list[Row] = [
    ("greeting on", DEFAULT, NEW, ANSWERED, [StartReply(1, "greeting"), ArmTimer("reply_start", 5.0)],
     "silent/thinking"),
    ("greeting off", MUTE, NEW, ANSWERED, [ArmTimer("no_response", 8.0)], "silent/listening"),
    ("greeting off, no prompt", replace(PLAIN, greeting=False), NEW, ANSWERED, [], "silent/listening"),
    ("answered twice", DEFAULT, LISTENING, CallAnswered(20.0), [], "silent/listening"),
    ("speech before the answer", DEFAULT, NEW, VOICE, [], "silent/listening"),
    ("end", DEFAULT, SPEAKING, CallEnded(20.0),
     [ClearPlayback(1), CancelReply(1, "ended"), CommitAgentTurn(1, interrupted=False)], "silent/listening"),
    ("after the end", DEFAULT, (*SPEAKING, CallEnded(20.0)), VOICE, [], "silent/listening"),
    ("agent failed before the answer", DEFAULT, (AgentFailed(0.0, "stt-lost"),), ANSWERED,
     [StartReply(1, "apology"), ArmTimer("reply_start", 5.0)], "silent/thinking"),
    ("agent failed", DEFAULT, TALKING, AgentFailed(10.5, "stt-lost"),
     [DisarmTimer("user_turn"), StartReply(2, "apology"), ArmTimer("reply_start", 15.5)], "silent/thinking"),
    ("agent failed twice", DEFAULT, LAST_WORDS, AgentFailed(2.0, "other"), [], "silent/thinking"),
    ("agent failed during an apology", DEFAULT, APOLOGY, AgentFailed(2.0, "stt-lost"), [], "silent/thinking"),
    ("last words heard", DEFAULT, (*LAST_WORDS, PlaybackStarted(1.5, 2)), PlaybackFinished(2.0, 2),
     [CommitAgentTurn(2, interrupted=False), EndAgent("stt-lost")], "silent/listening"),
    ("last words fail", DEFAULT, LAST_WORDS, ReplyFailed(2.0, 2, "tts-lost"),
     [CancelReply(2, "failed"), DisarmTimer("reply_start"), EndAgent("stt-lost")], "silent/listening"),
    ("last words are not interrupted", DEFAULT, (*LAST_WORDS, PlaybackStarted(1.5, 2)), VOICE, [], "silent/speaking"),
]  # fmt: skip

VOICE_ROWS: list[Row] = [
    ("onset, silent/listening", DEFAULT, LISTENING, VOICE,
     [DisarmTimer("no_response"), ArmTimer("user_turn", 40.0)], "speaking/listening"),
    ("onset, paused/listening", DEFAULT, PAUSED, SpeechStarted(11.2),
     [DisarmTimer("end_of_turn"), ArmTimer("user_turn", 41.2)], "speaking/listening"),
    ("onset, silent/thinking", DEFAULT, THINKING, VOICE, [ArmTimer("barge_in", 10.5)], "onset/thinking"),
    ("onset, silent/speaking", DEFAULT, SPEAKING, VOICE, [PausePlayback(1), ArmTimer("barge_in", 10.5)], "onset/held"),
    ("onset, silent/speaking, words to be waited for", ALONE, SPEAKING, VOICE,
     [PausePlayback(1), ArmTimer("barge_in", 11.2)], "onset/held"),
    ("onset, paused/preflight", EARLY, PREFLIGHT, SpeechStarted(11.2),
     [CancelReply(2, "preflight_miss"), DisarmTimer("end_of_turn"), ArmTimer("user_turn", 41.2)], "speaking/listening"),
    ("onset, barge-in off", DEAF, SPEAKING, VOICE, [], "silent/speaking"),
    ("onset twice", DEFAULT, HELD, SpeechStarted(10.1), [], "onset/held"),
    ("onset while speaking", DEFAULT, TALKING, SpeechStarted(10.1), [], "speaking/listening"),
    ("onset soon after a dip", DEFAULT, (*HELD, SpeechEnded(10.3)), SpeechStarted(10.5),
     [ArmTimer("barge_in", 10.9)], "onset/held"),
    ("onset long after a dip", DEFAULT, (*HELD, SpeechEnded(10.3)), SpeechStarted(11.0),
     [ArmTimer("barge_in", 11.0)], "onset/held"),
    ("silence, onset/thinking", DEFAULT, ONSET_THINKING, SpeechEnded(10.2),
     [ArmTimer("barge_in", 10.58)], "onset/thinking"),
    ("silence, onset/held", DEFAULT, HELD, SpeechEnded(10.2), [ArmTimer("barge_in", 10.58)], "onset/held"),
    ("silence, onset/held, told twice", DEFAULT, SOUND, SpeechEnded(10.3), [], "onset/held"),
    ("silence, onset/held, sticky", STICKY, HELD, SpeechEnded(10.2),
     [ClearPlayback(1), CancelReply(1, "barge_in"), CommitAgentTurn(1, interrupted=True), DisarmTimer("barge_in"),
      ArmTimer("end_of_turn", 10.9)], "paused/listening"),
    ("silence, onset/thinking, sticky", STICKY, ONSET_THINKING, SpeechEnded(10.2),
     [ArmTimer("barge_in", 10.58)], "onset/thinking"),
    ("silence, speaking", DEFAULT, TALKING, QUIET,
     [DisarmTimer("user_turn"), ArmTimer("end_of_turn", 11.7)], "paused/listening"),
    ("silence, silent", DEFAULT, LISTENING, QUIET, [], "silent/listening"),
    ("silence, paused", DEFAULT, PAUSED, SpeechEnded(11.1), [], "paused/listening"),
]  # fmt: skip

CUT: list[TurnCommand] = [ClearPlayback(1), CancelReply(1, "barge_in"), CommitAgentTurn(1, interrupted=True)]

WORD_ROWS: list[Row] = [
    ("interim, silent/listening", DEFAULT, LISTENING, InterimTranscript(9.0, "he"),
     [ArmTimer("no_response", 17.0)], "silent/listening"),
    ("interim, silent/listening, no prompt", PLAIN, LISTENING, InterimTranscript(9.0, "he"), [], "silent/listening"),
    ("interim, silent/speaking", DEFAULT, SPEAKING, InterimTranscript(9.0, "he"), [], "silent/speaking"),
    ("interim without a word", DEFAULT, HELD, InterimTranscript(10.4, " ... "), [], "onset/held"),
    ("interim, onset/held", DEFAULT, HELD, InterimTranscript(10.3, "he"),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("user_turn", 40.3)], "speaking/listening"),
    ("interim, onset/held, at once", DEFAULT, HELD, InterimTranscript(10.1, "he"),
     [ArmTimer("barge_in", 10.2)], "onset/held"),
    ("interim, onset/held, timer is sooner", replace(BY_DURATION, min_speech_s=0.15), HELD,
     InterimTranscript(10.1, "he"),
     [], "onset/held"),
    ("interim, onset/thinking", DEFAULT, ONSET_THINKING, InterimTranscript(10.3, "he"),
     [CancelReply(1, "barge_in"), DisarmTimer("reply_start"), DisarmTimer("barge_in"), ArmTimer("user_turn", 40.3)],
     "speaking/listening"),
    ("interim, onset/thinking, barge-in off", DEAF, ONSET_THINKING, InterimTranscript(10.3, "he"), [],
     "onset/thinking"),
    ("interim, speaking", DEFAULT, TALKING, InterimTranscript(10.3, "he"), [ArmTimer("user_turn", 40.3)],
     "speaking/listening"),
    ("interim, paused by silence", DEFAULT, PAUSED, InterimTranscript(11.3, "he"), [], "paused/listening"),
    ("interim, paused by words", DEFAULT, LATE_WORDS, InterimTranscript(10.3, "he"), [ArmTimer("end_of_turn", 11.0)],
     "paused/listening"),
    ("interim, onset/held, back-channel", DEFAULT, HELD, InterimTranscript(10.3, "uh-huh"),
     [ArmTimer("barge_in", 11.0)], "onset/held"),
    ("interim, onset/held, answer", DEFAULT, HELD, InterimTranscript(10.3, "yes", asked=True),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("user_turn", 40.3)], "speaking/listening"),
    ("interim, onset/held, too few words", replace(DEFAULT, min_words=2), HELD, InterimTranscript(10.3, "he"), [],
     "onset/held"),
    ("interim, onset/held, the sound is over", DEFAULT, SOUND, InterimTranscript(10.4, "stop"),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("end_of_turn", 10.9)], "paused/listening"),
    ("interim, onset/held, a click that is over", DEFAULT, (*HELD, SpeechEnded(10.1)), InterimTranscript(10.2, "the"),
     [], "onset/held"),
    ("interim, paused/preflight, the same", EARLY, PREFLIGHT, InterimTranscript(11.2, "Hello"), [],
     "paused/preflight"),
    ("interim, paused/preflight, more", EARLY, PREFLIGHT, InterimTranscript(11.2, "hello there"),
     [CancelReply(2, "preflight_miss")], "paused/listening"),
    ("interim from afar", DEFAULT, HELD, InterimTranscript(10.3, "he", distant=True), [], "onset/held"),
    ("interim, voice never stopped", DEFAULT, (*TALKED, EndOfTurn(10.6, "stt")), InterimTranscript(11.0, "and"),
     [ArmTimer("barge_in", 11.2)], "onset/thinking"),
    ("final, silent/listening", DEFAULT, LISTENING, FinalTranscript(9.0, "hello"),
     [DisarmTimer("no_response"), ArmTimer("end_of_turn", 9.7)], "paused/listening"),
    ("final, silent/thinking", DEFAULT, THINKING, FinalTranscript(0.5, "hello"),
     [CancelReply(1, "superseded"), DisarmTimer("reply_start"), ArmTimer("end_of_turn", 1.2)], "paused/listening"),
    ("final, silent/speaking", DEFAULT, SPEAKING, FinalTranscript(9.0, "hello"),
     [*CUT, ArmTimer("end_of_turn", 9.7)], "paused/listening"),
    ("final, silent/speaking, back-channel", DEFAULT, SPEAKING, FinalTranscript(9.0, "Okay."), [], "silent/speaking"),
    ("final, silent/speaking, from afar", DEFAULT, SPEAKING, FinalTranscript(9.0, "hello", distant=True), [],
     "silent/speaking"),
    ("final, silent/speaking, too few words", replace(DEFAULT, min_words=2), SPEAKING, FinalTranscript(9.0, "hello"),
     [], "silent/speaking"),
    ("final, silent/speaking, enough words in the end", replace(DEFAULT, min_words=2),
     (*SPEAKING, FinalTranscript(8.0, "hello")), FinalTranscript(9.0, "there"), [*CUT, ArmTimer("end_of_turn", 9.7)],
     "paused/listening"),
    ("final, onset/held, back-channel, the sound is over", DEFAULT, SOUND, FinalTranscript(10.4, "Mm-hm."),
     [ResumePlayback(1), DisarmTimer("barge_in")], "silent/speaking"),
    ("final, onset/held, back-channel, the voice goes on", DEFAULT, HELD, FinalTranscript(10.4, "Mm-hm."),
     [ArmTimer("barge_in", 11.0)], "onset/held"),
    ("final, onset/held, the sound is over", DEFAULT, SOUND, FinalTranscript(10.4, "Stop."),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("end_of_turn", 10.9)], "paused/listening"),
    ("final, onset/held, back-channel, by duration", BY_DURATION, SOUND, FinalTranscript(10.4, "Mm-hm."),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("end_of_turn", 10.9)], "paused/listening"),
    ("final, silent/speaking, barge-in off", DEAF, SPEAKING, FinalTranscript(9.0, "hello"), [], "silent/speaking"),
    ("final, silent/speaking, voice never stopped", DEFAULT,
     (*TALKED, EndOfTurn(10.6, "stt"), PlaybackStarted(11.0, 2)), FinalTranscript(12.0, "and"),
     [ClearPlayback(2), CancelReply(2, "barge_in"), CommitAgentTurn(2, interrupted=True), ArmTimer("user_turn", 42.0)],
     "speaking/listening"),
    ("final, onset/held", DEFAULT, HELD, FinalTranscript(10.1, "no"),
     [*CUT, DisarmTimer("barge_in"), ArmTimer("user_turn", 40.1)], "speaking/listening"),
    ("final, onset/thinking", DEAF, ONSET_THINKING, FinalTranscript(10.1, "no"),
     [CancelReply(1, "barge_in"), DisarmTimer("reply_start"), DisarmTimer("barge_in"), ArmTimer("user_turn", 40.1)],
     "speaking/listening"),
    ("final, speaking", DEFAULT, TALKING, FinalTranscript(10.4, "hello"), [ArmTimer("user_turn", 40.4)],
     "speaking/listening"),
    ("final, paused", DEFAULT, PAUSED, FinalTranscript(11.3, "hello"), [], "paused/listening"),
    ("final, paused and decided", DEFAULT, DECIDED, FinalTranscript(11.3, " hello "),
     [DisarmTimer("end_of_turn"), CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 16.3)],
     "silent/thinking"),
    ("final without a word", DEFAULT, LISTENING, FinalTranscript(9.0, "."), [], "silent/listening"),
    ("end of turn, speaking with words", DEFAULT, TALKED, EndOfTurn(10.6, "stt"),
     [DisarmTimer("user_turn"), CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 15.6)],
     "silent/thinking"),
    ("end of turn, speaking without words", DEFAULT, TALKING, EndOfTurn(10.6, "krisp"),
     [DisarmTimer("user_turn"), ArmTimer("end_of_turn", 12.6)], "paused/listening"),
    ("end of turn, paused with words", DEFAULT, PAUSED_WORDS, EndOfTurn(11.1, "stt"),
     [DisarmTimer("end_of_turn"), CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 16.1)],
     "silent/thinking"),
    ("end of turn, paused without words", DEFAULT, PAUSED, EndOfTurn(11.2, "krisp"), [ArmTimer("end_of_turn", 13.2)],
     "paused/listening"),
    ("end of turn, the words of the newest part are missing", DEFAULT,
     (*PAUSED_WORDS, SpeechStarted(11.2), SpeechEnded(11.6)), EndOfTurn(11.8, "krisp"),
     [ArmTimer("end_of_turn", 13.8)], "paused/listening"),
    ("end of turn, a short sound after the words", DEFAULT,
     (*PAUSED_WORDS, SpeechStarted(11.2), SpeechEnded(11.3)), EndOfTurn(11.8, "krisp"),
     [DisarmTimer("end_of_turn"), CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 16.8)],
     "silent/thinking"),
    ("end of turn, told twice", DEFAULT, DECIDED, EndOfTurn(11.3, "krisp"), [], "paused/listening"),
    ("end of turn, no end of a sentence", ENGLISH, (*TALKING, FinalTranscript(10.5, "and the"), QUIET),
     EndOfTurn(11.1, "stt"), [ArmTimer("end_of_turn", 12.6)], "paused/listening"),
    ("end of turn, no end of a sentence, voice unknown", ENGLISH, (*TALKING, FinalTranscript(10.5, "and the")),
     EndOfTurn(11.1, "stt"), [DisarmTimer("user_turn"), ArmTimer("end_of_turn", 12.7)], "paused/listening"),
    ("end of turn, no veto", replace(ENGLISH, unfinished_wait_s=0.0),
     (*TALKING, FinalTranscript(10.5, "and the"), QUIET), EndOfTurn(11.1, "stt"),
     [DisarmTimer("end_of_turn"), CommitUserTurn("and the"), StartReply(2, "user"), ArmTimer("reply_start", 16.1)],
     "silent/thinking"),
    ("end of turn, foreseen", EARLY, PREFLIGHT, EndOfTurn(11.3, "flux"),
     [DisarmTimer("end_of_turn"), CommitUserTurn("hello"), ReleaseReply(2), ArmTimer("reply_start", 16.3)],
     "silent/thinking"),
    ("end of turn, keys pressed", DEFAULT, KEYED, EndOfTurn(10.1, "stt"), [], "paused/listening"),
    ("early end, off", DEFAULT, PAUSED_WORDS, EarlyEndOfTurn(11.1, "flux"), [], "paused/listening"),
    ("early end, paused with words", EARLY, PAUSED_WORDS, EarlyEndOfTurn(11.1, "flux"),
     [StartEarlyReply(2, "hello")], "paused/preflight"),
    ("early end, no words yet", EARLY, PAUSED, EarlyEndOfTurn(11.1, "flux"), [], "paused/listening"),
    ("early end, told twice", EARLY, PREFLIGHT, EarlyEndOfTurn(11.2, "flux"), [], "paused/preflight"),
    ("early end, silent", EARLY, LISTENING, EarlyEndOfTurn(11.2, "flux"), [], "silent/listening"),
    ("early end, no end of a sentence", replace(EARLY, language="en"),
     (*TALKING, FinalTranscript(10.5, "and the"), QUIET), EarlyEndOfTurn(11.1, "flux"), [], "paused/listening"),
    ("early end taken back", EARLY, PREFLIGHT, TurnResumed(11.2, "flux"), [CancelReply(2, "preflight_miss")],
     "paused/listening"),
    ("final, paused/preflight, other words", EARLY, PREFLIGHT, FinalTranscript(11.2, "there"),
     [CancelReply(2, "preflight_miss"), StartEarlyReply(3, "hello there")], "paused/preflight"),
    ("digit, silent/listening", DEFAULT, LISTENING, DigitPressed(10.0, "4"),
     [DisarmTimer("no_response"), ArmTimer("end_of_turn", 12.0)], "paused/listening"),
    ("digit, the last", DEFAULT, KEYED, DigitPressed(10.5, "#"),
     [DisarmTimer("end_of_turn"), CommitUserTurn("(keypad: 4)"), StartReply(2, "user"), ArmTimer("reply_start", 15.5)],
     "silent/thinking"),
    ("digit, silent/speaking", DEFAULT, SPEAKING, DigitPressed(10.0, "4"), [*CUT, ArmTimer("end_of_turn", 12.0)],
     "paused/listening"),
    ("digit, silent/thinking", DEFAULT, THINKING, DigitPressed(1.0, "4"),
     [CancelReply(1, "superseded"), DisarmTimer("reply_start"), ArmTimer("end_of_turn", 3.0)], "paused/listening"),
    ("digit, silent/speaking, barge-in off", DEAF, SPEAKING, DigitPressed(10.0, "4"), [], "silent/speaking"),
    ("digit, paused/preflight", EARLY, PREFLIGHT, DigitPressed(11.2, "4"),
     [CancelReply(2, "preflight_miss"), DisarmTimer("end_of_turn"), ArmTimer("end_of_turn", 13.2)], "paused/listening"),
    ("end of turn, onset", DEFAULT, HELD, EndOfTurn(10.1, "stt"), [], "onset/held"),
    ("end of turn, silent", DEFAULT, LISTENING, EndOfTurn(10.1, "stt"), [], "silent/listening"),
]  # fmt: skip

REPLY_ROWS: list[Row] = [
    ("audible, silent", DEFAULT, THINKING, AUDIBLE, [DisarmTimer("reply_start")], "silent/speaking"),
    ("audible, onset", DEFAULT, ONSET_THINKING, PlaybackStarted(10.2, 1),
     [DisarmTimer("reply_start"), PausePlayback(1)], "onset/held"),
    ("audible, onset, barge-in off", DEAF, ONSET_THINKING, PlaybackStarted(10.2, 1),
     [DisarmTimer("reply_start"), DisarmTimer("barge_in")], "silent/speaking"),
    ("audible twice", DEFAULT, SPEAKING, AUDIBLE, [], "silent/speaking"),
    ("audible, old reply", DEFAULT, THINKING, PlaybackStarted(1.0, 7), [], "silent/thinking"),
    ("heard, silent", DEFAULT, SPEAKING, PlaybackFinished(2.0, 1),
     [CommitAgentTurn(1, interrupted=False), ArmTimer("no_response", 10.0)], "silent/listening"),
    ("heard, nothing was to be said", DEFAULT, THINKING, PlaybackFinished(2.0, 1),
     [CommitAgentTurn(1, interrupted=False), DisarmTimer("reply_start"), ArmTimer("no_response", 10.0)],
     "silent/listening"),
    ("heard, held", DEFAULT, HELD, PlaybackFinished(10.1, 1),
     [CommitAgentTurn(1, interrupted=False), DisarmTimer("barge_in"), ArmTimer("user_turn", 40.1)],
     "speaking/listening"),
    ("heard, held, the sound is over", DEFAULT, SOUND, PlaybackFinished(10.3, 1),
     [CommitAgentTurn(1, interrupted=False), DisarmTimer("barge_in"), ArmTimer("no_response", 18.3)],
     "silent/listening"),
    ("heard, preflight", EARLY, PREFLIGHT, PlaybackFinished(11.2, 2), [], "paused/preflight"),
    ("audible, preflight", EARLY, PREFLIGHT, PlaybackStarted(11.2, 2), [], "paused/preflight"),
    ("failed, preflight", EARLY, PREFLIGHT, ReplyFailed(11.2, 2, "quota"), [CancelReply(2, "failed")],
     "paused/listening"),
    ("heard, words kept", DEAF, LATE_WORDS, PlaybackFinished(10.1, 1),
     [CommitAgentTurn(1, interrupted=False), ArmTimer("end_of_turn", 10.8)], "paused/listening"),
    ("heard, still talking, barge-in off", DEAF, HELD, PlaybackFinished(10.1, 1),
     [CommitAgentTurn(1, interrupted=False), ArmTimer("user_turn", 40.1)], "speaking/listening"),
    ("heard, old reply", DEFAULT, LISTENING, PlaybackFinished(3.0, 1), [], "silent/listening"),
    ("failed, thinking", DEFAULT, THINKING, ReplyFailed(1.0, 1, "quota"),
     [CancelReply(1, "failed"), DisarmTimer("reply_start"), StartReply(2, "apology"), ArmTimer("reply_start", 6.0)],
     "silent/thinking"),
    ("failed, speaking", DEFAULT, SPEAKING, ReplyFailed(2.0, 1, "quota"),
     [ClearPlayback(1), CancelReply(1, "failed"), CommitAgentTurn(1, interrupted=False), StartReply(2, "apology"),
      ArmTimer("reply_start", 7.0)], "silent/thinking"),
    ("failed, onset", DEFAULT, ONSET_THINKING, ReplyFailed(10.1, 1, "quota"),
     [CancelReply(1, "failed"), DisarmTimer("reply_start"), DisarmTimer("barge_in"), ArmTimer("user_turn", 40.1)],
     "speaking/listening"),
    ("failed, words kept", DEAF, LATE_WORDS, ReplyFailed(10.1, 1, "quota"),
     [ClearPlayback(1), CancelReply(1, "failed"), CommitAgentTurn(1, interrupted=False), ArmTimer("end_of_turn", 10.8)],
     "paused/listening"),
    ("failed, apology", DEFAULT, APOLOGY, ReplyFailed(2.0, 2, "quota"),
     [CancelReply(2, "failed"), DisarmTimer("reply_start"), ArmTimer("no_response", 10.0)], "silent/listening"),
    ("failed, apology, no prompt configured", PLAIN, APOLOGY, ReplyFailed(2.0, 2, "quota"),
     [CancelReply(2, "failed"), DisarmTimer("reply_start"), ArmTimer("no_response", 4.0)], "silent/listening"),
    ("failed, apology, onset", DEFAULT, (*APOLOGY, VOICE), ReplyFailed(10.2, 2, "quota"),
     [CancelReply(2, "failed"), DisarmTimer("reply_start"), DisarmTimer("barge_in"), ArmTimer("user_turn", 40.2)],
     "speaking/listening"),
    ("failed, third in a row", PLAIN,
     (*APOLOGY, ReplyFailed(2.0, 2, "quota"), TimerFired(4.0, "no_response")), ReplyFailed(5.0, 3, "auth"),
     [CancelReply(3, "failed"), DisarmTimer("reply_start"), StartReply(4, "apology"), ArmTimer("reply_start", 10.0)],
     "silent/thinking"),
    ("failed, old reply", DEFAULT, LISTENING, ReplyFailed(3.0, 1, "quota"), [], "silent/listening"),
]  # fmt: skip

TIMER_ROWS: list[Row] = [
    ("barge_in, held", DEFAULT, HELD, TimerFired(10.5, "barge_in"), [*CUT, ArmTimer("user_turn", 40.5)],
     "speaking/listening"),
    ("barge_in, held, the sound is over", DEFAULT, SOUND, TimerFired(10.58, "barge_in"), [ResumePlayback(1)],
     "silent/speaking"),
    ("barge_in, thinking, the sound is over", DEFAULT, (*ONSET_THINKING, SpeechEnded(10.2)),
     TimerFired(10.58, "barge_in"), [], "silent/thinking"),
    ("end_of_turn, no end of a sentence", ENGLISH, (*TALKING, FinalTranscript(10.5, "and the"), QUIET),
     TimerFired(11.7, "end_of_turn"), [ArmTimer("end_of_turn", 12.6)], "paused/listening"),
    ("end_of_turn, preflight, words never came", EARLY,
     (*TALKING, InterimTranscript(10.5, "hello"), QUIET, EarlyEndOfTurn(11.1, "flux"), EndOfTurn(11.2, "flux")),
     TimerFired(13.2, "end_of_turn"), [CancelReply(2, "preflight_miss"), ArmTimer("no_response", 21.2)],
     "silent/listening"),
    ("barge_in, thinking", DEFAULT, ONSET_THINKING, TimerFired(10.5, "barge_in"),
     [CancelReply(1, "barge_in"), DisarmTimer("reply_start"), ArmTimer("user_turn", 40.5)], "speaking/listening"),
    ("end_of_turn, words", DEFAULT, PAUSED_WORDS, TimerFired(11.7, "end_of_turn"),
     [CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 16.7)], "silent/thinking"),
    ("end_of_turn, the words of the newest part are missing", DEFAULT,
     (*PAUSED_WORDS, SpeechStarted(11.2), SpeechEnded(11.6)), TimerFired(12.3, "end_of_turn"),
     [ArmTimer("end_of_turn", 13.6)], "paused/listening"),
    ("end_of_turn, the words of the newest part never came", DEFAULT,
     (*PAUSED_WORDS, SpeechStarted(11.2), SpeechEnded(11.6), TimerFired(12.3, "end_of_turn")),
     TimerFired(13.6, "end_of_turn"),
     [CommitUserTurn("hello"), StartReply(2, "user"), ArmTimer("reply_start", 18.6)], "silent/thinking"),
    ("end_of_turn, no words yet", DEFAULT, PAUSED, TimerFired(11.7, "end_of_turn"), [ArmTimer("end_of_turn", 13.0)],
     "paused/listening"),
    ("end_of_turn, no words, long silence already", replace(DEFAULT, final_wait_s=0.5), PAUSED,
     TimerFired(11.7, "end_of_turn"), [ArmTimer("no_response", 19.7)], "silent/listening"),
    ("end_of_turn, words never came", DEFAULT, DECIDED, TimerFired(13.0, "end_of_turn"),
     [ArmTimer("no_response", 21.0)], "silent/listening"),
    ("end_of_turn, words never came, interrupted", DEFAULT, (*INTERRUPTED, TimerFired(11.7, "end_of_turn")),
     TimerFired(13.0, "end_of_turn"), [StartReply(2, "no_response"), ArmTimer("reply_start", 18.0)], "silent/thinking"),
    ("no_response", DEFAULT, LISTENING, TimerFired(10.0, "no_response"),
     [StartReply(2, "no_response"), ArmTimer("reply_start", 15.0)], "silent/thinking"),
    ("reply_start", DEFAULT, THINKING, TimerFired(5.0, "reply_start"),
     [CancelReply(1, "failed"), StartReply(2, "apology"), ArmTimer("reply_start", 10.0)], "silent/thinking"),
    ("user_turn, words", DEFAULT, TALKED, TimerFired(40.5, "user_turn"), [ArmTimer("end_of_turn", 41.2)],
     "paused/listening"),
    ("user_turn, no words", DEFAULT, TALKING, TimerFired(40.0, "user_turn"), [ArmTimer("no_response", 48.0)],
     "silent/listening"),
    ("not armed", DEFAULT, LISTENING, TimerFired(10.0, "barge_in"), [], "silent/listening"),
    ("of an earlier arming", DEFAULT, TALKED, TimerFired(40.0, "user_turn"), [ArmTimer("user_turn", 40.5)],
     "speaking/listening"),
]  # fmt: skip

ROWS = [
    pytest.param(*row[1:], id=f"{group}: {row[0]}")
    for group, rows in (
        ("call", CALL),
        ("voice", VOICE_ROWS),
        ("words", WORD_ROWS),
        ("reply", REPLY_ROWS),
        ("timer", TIMER_ROWS),
    )
    for row in rows
]


@pytest.mark.parametrize(("options", "situation", "event", "commands", "floors"), ROWS)
def test_row(
    options: TurnSettings,
    situation: tuple[TurnEvent, ...],
    event: TurnEvent,
    commands: list[TurnCommand],
    floors: str,
) -> None:
    machine = TurnMachine(options)
    for earlier in situation:
        machine.handle(earlier)
    assert machine.handle(event) == commands
    assert f"{machine.state.user}/{machine.state.agent}" == floors


def test_snapshot_tells_what_the_next_decision_depends_on() -> None:
    machine = TurnMachine(DEFAULT)
    for event in (*DECIDED, SpeechStarted(11.3), FinalTranscript(11.5, "one"), FinalTranscript(11.9, "two")):
        machine.handle(event)
    state = machine.state
    assert (state.phase, state.reply, state.cause, state.pending_text) == ("live", 0, None, "one two")
    assert (state.voice, state.decided, state.owed, state.failures, state.ending) == (True, False, None, 0, None)
    assert state.armed == {"user_turn": 41.9}


def test_a_heard_answer_ends_a_row_of_failures() -> None:
    machine = TurnMachine(PLAIN)
    for event in (*APOLOGY, PlaybackStarted(1.5, 2), PlaybackFinished(2.0, 2)):
        machine.handle(event)
    assert machine.state.failures == 1
    for event in (
        FinalTranscript(3.0, "hello"),
        EndOfTurn(3.0, "stt"),
        PlaybackStarted(4.0, 3),
        PlaybackFinished(5.0, 3),
    ):
        machine.handle(event)
    assert machine.state.failures == 0

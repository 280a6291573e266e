"""Every event and command of the turn machine survives the event log."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.turns.codec import (
    TURN_COMMAND,
    TURN_EVENT,
    TURN_SETTINGS,
    decode_command,
    decode_event,
    decode_settings,
    encode_command,
    encode_event,
    encode_settings,
)
from moonwire.core.turns.commands import CommitUserTurn, TurnCommand
from moonwire.core.turns.events import FinalTranscript, TimerFired, TurnEvent
from moonwire.core.turns.settings import TurnSettings
from moonwire.errors import ConfigError
from moonwire.observe.event_log import FileEventLogs

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def any_of(kinds: tuple[type, ...]) -> st.SearchStrategy[object]:
    return st.one_of(
        *(
            st.builds(
                kind,
                **{
                    field.name: {"at": FINITE, "due": FINITE, "text": TEXT}[field.name]
                    for field in fields(kind)
                    if field.name in ("at", "due", "text")
                },
            )
            for kind in kinds
        )
    )


@given(st.lists(any_of(get_args(TurnEvent)), max_size=5), st.lists(any_of(get_args(TurnCommand)), max_size=5))
def test_round_trip(events: list[TurnEvent], commands: list[TurnCommand]) -> None:
    for event in events:
        assert decode_event({"kind": TURN_EVENT, "at_s": event.at, **encode_event(event)}) == event
    for command in commands:
        assert decode_command({"kind": TURN_COMMAND, "at_s": 0.0, **encode_command(command)}) == command


def test_through_a_file(tmp_path: Path) -> None:
    logs = FileEventLogs(tmp_path)
    log = logs.open("c1")
    settings = TurnSettings(min_speech_s=0.3, sticky=True)
    event, command = FinalTranscript(1.25, "hello"), CommitUserTurn("hello")
    log.write(TURN_SETTINGS, 0.0, **encode_settings(settings))
    log.write(TURN_EVENT, event.at, **encode_event(event))
    log.write(TURN_COMMAND, event.at, **encode_command(command))
    first, second, third = logs.read("c1")
    assert decode_settings(first) == settings
    assert decode_event(second) == event
    assert decode_command(third) == command
    assert second == {"kind": "turn.event", "at_s": 1.25, "type": "FinalTranscript", "pii_text": "hello"}
    logs.close()


def test_settings_of_an_older_version_get_defaults() -> None:
    assert decode_settings({"kind": TURN_SETTINGS, "at_s": 0.0, "greeting": False}) == TurnSettings(greeting=False)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"at_s": 0.0, "type": "Sneezed"}, "does not know"),
        ({"at_s": 0.0}, "does not know"),
        ({"at_s": 0.0, "type": "TimerFired"}, "TimerFired cannot be read"),
        ({"at_s": 0.0, "type": "TimerFired", "timer": "lunch"}, "TimerFired cannot be read"),
    ],
)
def test_foreign_lines(line: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        decode_event(line)


def test_timer_names_stay_literal() -> None:
    assert decode_event({"at_s": 2.0, "type": "TimerFired", "timer": "barge_in"}) == TimerFired(2.0, "barge_in")

"""Agreement: when the model is asked, and what follows from its answers."""

from __future__ import annotations

from moonwire.core.turns.agreement import Agreement, AgreementSettings


def paused() -> Agreement:
    agreement = Agreement(AgreementSettings(marks_s=(0.2, 0.4)))
    agreement.voice_began()
    agreement.voice_ended(10.0)
    return agreement


def test_two_yes_end_the_turn() -> None:
    agreement = paused()
    assert not agreement.wants_answer(10.19)
    assert agreement.wants_answer(10.2)
    assert not agreement.wants_answer(10.3), "one question at a time"
    assert agreement.answered(0.9) == "probably"
    assert not agreement.wants_answer(10.38)
    assert agreement.wants_answer(10.4)
    assert agreement.answered(0.5) == "ended"
    assert not agreement.wants_answer(11.0)


def test_after_a_no_it_is_not_asked_again() -> None:
    agreement = paused()
    assert agreement.wants_answer(10.2)
    assert agreement.answered(0.05) is None
    assert not agreement.wants_answer(12.0)
    assert not agreement.gave_up(12.0), "the turn machine's timer decides"


def test_half_a_yes_is_an_early_sign_at_the_first_mark_only() -> None:
    agreement = paused()
    assert agreement.wants_answer(10.2)
    assert agreement.answered(0.4) == "probably"
    assert not agreement.wants_answer(12.0)
    agreement = paused()
    assert agreement.wants_answer(10.2)
    agreement.answered(0.9)
    assert agreement.wants_answer(10.4)
    assert agreement.answered(0.4) is None


def test_speech_starts_afresh_and_an_answer_about_before_is_worthless() -> None:
    agreement = paused()
    assert agreement.wants_answer(10.2)
    pause = agreement.pause
    agreement.voice_began()
    assert agreement.pause != pause
    assert agreement.answered(0.9) is None
    agreement.voice_ended(11.0)
    assert agreement.wants_answer(11.25)
    assert agreement.answered(0.9) == "probably"


def test_a_late_model_leaves_the_turn_to_silence() -> None:
    agreement = paused()
    assert agreement.wants_answer(10.2)
    agreement.was_late()
    assert not agreement.wants_answer(10.5)
    assert not agreement.gave_up(10.6)
    assert agreement.gave_up(10.7)
    assert not agreement.gave_up(10.8), "told once"


def test_another_schedule() -> None:
    agreement = Agreement(AgreementSettings(threshold=0.8, marks_s=(0.3,)))
    agreement.voice_ended(1.0)
    assert not agreement.wants_answer(1.2)
    assert agreement.wants_answer(1.3)
    assert agreement.answered(0.8) == "ended"


def test_forgetting() -> None:
    agreement = paused()
    agreement.forget()
    assert not agreement.wants_answer(11.0)
    agreement.was_late()
    assert not agreement.gave_up(12.0)

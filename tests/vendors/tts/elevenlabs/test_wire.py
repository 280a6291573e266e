from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.tts.elevenlabs.failures import failure_of_close, failure_of_refusal, failure_of_words
from moonwire.vendors.tts.elevenlabs.wire import Alignment, ServerMessage, WordReader, parse_message, text_message


def test_words_over_chunk_borders() -> None:
    """A word cut by a chunk is joined; a chunk may begin with a real space; times are relative to the chunk."""
    reader = WordReader()
    first = Alignment(list("Hello wor"), [i * 100 for i in range(9)], [100] * 9)
    second = Alignment(list("ld"), [0, 100], [100, 100])
    third = Alignment(list(" again"), [0, 100, 200, 300, 400, 500], [100] * 6)
    words = [*reader.read(first, 0.0), *reader.read(second, 0.9), *reader.read(third, 1.1), *reader.rest()]
    assert [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for word in words] == [
        ("Hello", 0.0, 0.5),
        ("world", 0.6, 1.1),
        ("again", 1.2, 1.7),
    ]


def test_characters_are_words_where_there_are_no_spaces() -> None:
    reader = WordReader()
    chunk = Alignment(list("好的，OK！再见"), [i * 100 for i in range(8)], [100] * 8)
    words = [*reader.read(chunk, 0.0), *reader.rest()]
    assert [(word.text, round(word.end_s, 1)) for word in words] == [
        ("好", 0.1), ("的，", 0.3), ("OK！", 0.6), ("再", 0.7), ("见", 0.8),
    ]  # fmt: skip


def test_text_ends_with_a_space() -> None:
    assert text_message("c", "Hi.") == b'{"text":"Hi. ","context_id":"c"}'
    assert text_message("c", "Hi. ") == b'{"text":"Hi. ","context_id":"c"}'


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_nothing_breaks_the_parser(raw: bytes | str) -> None:
    assert isinstance(parse_message(raw), ServerMessage | None)


def test_members_of_wrong_types_are_dropped() -> None:
    message = parse_message('{"audio":7,"contextId":[],"alignment":{"chars":"x"},"isFinal":"yes","error":null}')
    assert message is not None
    assert not message.audio
    assert not message.final
    assert message.alignment is None


def test_no_secret_in_errors() -> None:
    assert "sk_secret" not in str(failure_of_words("Invalid API key sk_secret", hide=["sk_secret"]))
    assert "sk_secret" not in str(failure_of_close(1008, "bad sk_secret", hide=["sk_secret"]))


def test_retry_or_not() -> None:
    assert failure_of_close(1008, "Maximum simultaneous contexts exceeded").retryable
    assert failure_of_close(1006, "").retryable
    assert not failure_of_close(1008, "invalid_api_key").retryable
    assert failure_of_refusal(503, "x", None).retryable
    assert not failure_of_refusal(401, "x", None).retryable

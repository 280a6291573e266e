from __future__ import annotations

import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from moonwire.vendors.tts.cartesia.wire import (
    ContextRecipe,
    ServerMessage,
    WordReader,
    WordTimestamps,
    cancel_message,
    parse_message,
)

RECIPE = ContextRecipe(
    "f786b574-daa5-4673-aa0c-cbe3e8534c02", "sonic-3", "en", extras={"generation_config": {"speed": 1.2}}
)


def test_text_message_has_the_documented_fields() -> None:
    assert json.loads(RECIPE.text_message("c-1", "Hello there. ")) == {
        "context_id": "c-1",
        "model_id": "sonic-3",
        "transcript": "Hello there. ",
        "voice": {"mode": "id", "id": "f786b574-daa5-4673-aa0c-cbe3e8534c02"},
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "language": "en",
        "continue": True,
        "max_buffer_delay_ms": 0,
        "add_timestamps": True,
        "use_normalized_timestamps": False,
        "generation_config": {"speed": 1.2},
    }


def test_end_message_repeats_all_fields_but_text_and_continue() -> None:
    text, end = json.loads(RECIPE.text_message("c-1", "Hi")), json.loads(RECIPE.end_message("c-1"))
    assert end == {**text, "transcript": "", "continue": False}


def test_cancel_message() -> None:
    assert json.loads(cancel_message("c-1")) == {"context_id": "c-1", "cancel": True}


def test_chunk_is_decoded_to_audio() -> None:
    data = base64.b64encode(b"\x01\x02\xff").decode()
    message = parse_message(
        json.dumps(
            {"type": "chunk", "context_id": "c", "status_code": 206, "done": False, "step_time": 1.5, "data": data}
        )
    )
    assert message is not None
    assert (message.type, message.context_id, message.data) == ("chunk", "c", b"\x01\x02\xff")


def test_members_of_odd_types_do_not_cost_the_message() -> None:
    message = parse_message('{"type":"chunk","context_id":"c","status_code":"206","title":7,"data":"AAH/"}')
    assert message is not None
    assert message.data == b"\x00\x01\xff"
    assert message.status_code is None
    assert message.title is None


def test_broken_audio_is_dropped_not_raised() -> None:
    message = parse_message('{"type":"chunk","context_id":"c","data":"***"}')
    assert message is not None
    assert message.data is None


def test_what_is_no_object_is_nothing() -> None:
    for raw in ("[1,2]", "null", '"x"', '{"type":', "", b"\xff\xfe"):
        assert parse_message(raw) is None


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_MEMBERS = ["type", "context_id", "data", "word_timestamps", "words", "start", "end", "status_code", "error"]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(_MEMBERS), _SCALARS | st.lists(_SCALARS, max_size=2), max_size=6) | _SCALARS)
def test_any_json_is_read_without_raising(value: object) -> None:
    assert (parse_message(json.dumps(value)) is None) == (not isinstance(value, dict))


@given(st.binary())
def test_any_bytes_are_read_without_raising(raw: bytes) -> None:
    assert isinstance(parse_message(raw), ServerMessage | None)


def test_words_are_shifted_by_the_audio_before() -> None:
    words = WordReader(2.0).read(WordTimestamps(["Hello", "there."], [0.0, 0.42], [0.38, 0.8]))
    assert [(word.text, word.start_s, word.end_s) for word in words] == [("Hello", 2.0, 2.38), ("there.", 2.42, 2.8)]


def test_tags_are_stripped_also_when_split_over_words_and_messages() -> None:
    reader = WordReader(0.0)
    first = reader.read(WordTimestamps(["Well", "<break"], [0.0, 0.2], [0.1, 0.3]))
    second = reader.read(WordTimestamps(['time="1s"/>', "then", "<spell>AB</spell>"], [0.4, 0.5, 0.6], [0.4, 0.6, 0.9]))
    assert [word.text for word in (*first, *second)] == ["Well", "then", "AB"]


def test_times_never_go_back() -> None:
    reader = WordReader(0.0)
    words = [*reader.read(WordTimestamps(["a"], [1.0], [1.2])), *reader.read(WordTimestamps(["b"], [0.5], [0.4]))]
    assert words[1].start_s == 1.0
    assert words[1].end_s == 1.0


def test_lists_of_unequal_length_are_cut_to_the_shortest() -> None:
    assert len(WordReader(0.0).read(WordTimestamps(["a", "b"], [0.0], [0.1, 0.2]))) == 1

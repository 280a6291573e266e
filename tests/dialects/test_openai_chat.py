from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.messages import ToolCall
from moonwire.dialects.openai_chat import (
    DONE,
    AnswerReader,
    UsageCounts,
    WireError,
    chat_body,
    finish_reason,
    read_error,
)
from moonwire.errors import RemoteProtocolError


def chunk(delta: object = None, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return msgspec.json.encode({"id": "c", "model": "m", "choices": [choice], **more})


def read(*events: bytes) -> tuple[str, AnswerReader]:
    reader = AnswerReader()
    return "".join(reader.read(event) for event in events), reader


def piece(index: int | None = 0, **function: object) -> dict[str, object]:
    call: dict[str, object] = {"function": function}
    if index is not None:
        call["index"] = index
    return call


def test_text_and_reasoning_are_kept_apart() -> None:
    text, reader = read(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm"}),
        chunk({"reasoning": "m."}),
        chunk({"content": "Yes", "reasoning_content": None}),
        chunk({"content": None}, "stop"),
        DONE,
    )
    assert (text, reader.reasoning, reader.model) == ("Yes", "Hmm.", "m")
    assert reader.complete
    assert not reader.has_tool_calls


def test_only_pieces_of_the_answer_count_as_progress() -> None:
    reader = AnswerReader()
    busy: list[bool] = []
    for event in (chunk({"content": ""}), chunk({"reasoning": "x"}), chunk({"content": "a"}), chunk()):
        reader.read(event)
        busy.append(reader.busy)
    assert busy == [False, False, True, False]
    reader.read(chunk({"tool_calls": [piece(name="f")]}))
    assert reader.busy


USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}


@pytest.mark.parametrize(
    "events",
    [
        [chunk({}, "stop", usage={**USAGE, "cached_tokens": 64})],
        [chunk({}, "stop", usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 64}})],
        [msgspec.json.encode({"choices": [{"delta": {}, "usage": {**USAGE, "cached_tokens": 64}}]})],
        [chunk({}, "stop", usage=None), msgspec.json.encode({"choices": [], "usage": {**USAGE, "cached_tokens": 64}})],
        [
            msgspec.json.encode({"choices": [{"delta": {}, "usage": USAGE}]}),
            msgspec.json.encode({"usage": {**USAGE, "cached_tokens": 64}}),
        ],
    ],
)
def test_usage_is_found_in_every_place(events: list[bytes]) -> None:
    _, reader = read(*events)
    assert reader.usage == UsageCounts(input=36, output=7, cached=64)


def test_reasoning_tokens_are_part_of_the_output() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 5}}
    assert read(chunk(usage=usage))[1].usage == UsageCounts(100, 7, 0, 5)


@pytest.mark.parametrize("later", [{}, {"id": None}, {"id": ""}])
def test_tool_calls_are_joined_by_index(later: dict[str, object]) -> None:
    _, reader = read(
        chunk({"tool_calls": [{"index": 1, "id": "functions.b:1", "function": {"name": "", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "functions.a:0", "function": {"name": "a", "arguments": '{"x'}}]}),
        chunk({"tool_calls": [{**piece(0, arguments='":1}'), **later}, piece(1, name="b", arguments=None)]}),
        chunk({}, "tool_calls"),
    )
    assert reader.tool_calls() == (ToolCall("functions.a:0", "a", {"x": 1}), ToolCall("functions.b:1", "b", {}))


def test_gaps_between_indices_are_no_calls() -> None:
    _, reader = read(
        chunk({"tool_calls": [piece(7, name="b", arguments="{}"), piece(3, name="a", arguments="{}")]}, "stop")
    )
    assert [call.name for call in reader.tool_calls()] == ["a", "b"]


@pytest.mark.parametrize("index", [0, None])
def test_hosts_that_number_no_calls(index: int | None) -> None:
    _, reader = read(
        chunk({"tool_calls": [{**piece(index, name="a", arguments='{"x":'), "id": "1"}]}),
        chunk({"tool_calls": [{**piece(index, arguments="1}"), "id": "1"}]}),
        chunk({"tool_calls": [{**piece(index, name="b", arguments="{}"), "id": "2"}]}),
        chunk({}, "tool_calls"),
    )
    assert reader.tool_calls() == (ToolCall("1", "a", {"x": 1}), ToolCall("2", "b", {}))


def test_an_id_stands_for_one_call() -> None:
    same = {**piece(0, name="a", arguments="{}"), "id": "x"}
    other = {**piece(2, name="b", arguments="{}"), "id": "x"}
    _, reader = read(chunk({"tool_calls": [same, {**same, "index": 1}, other]}, "tool_calls"))
    first, second = reader.tool_calls()
    assert first == ToolCall("x", "a", {})
    assert (second.name, second.id.startswith("functions.b:")) == ("b", True)


@pytest.mark.parametrize("finish", ["length", "content_filter", None])
def test_unfinished_tool_calls_are_not_given(finish: str | None) -> None:
    _, reader = read(chunk({"tool_calls": [piece(name="a", arguments="{}")]}), chunk({}, finish), DONE)
    assert reader.tool_calls() == ()
    assert reader.complete == (finish is not None)


def test_calls_without_name_are_dropped_and_missing_ids_made_up() -> None:
    calls = [piece(None, arguments={"x": "é"}, name="a"), piece(None, arguments="{}")]
    _, reader = read(chunk({"tool_calls": [*calls, {"index": 2}]}, "tool_calls"))
    assert reader.tool_calls() == (ToolCall("functions.a:0", "a", {"x": "é"}),)


@pytest.mark.parametrize("arguments", ["", "[1]", "{", "null", "7", "[" * 100_000])
def test_arguments_that_are_no_object_become_empty(arguments: str) -> None:
    _, reader = read(chunk({"tool_calls": [piece(name="a", arguments=arguments)]}, "tool_calls"))
    assert reader.tool_calls()[0].arguments == {}


def test_an_error_in_the_stream_is_kept() -> None:
    _, reader = read(b'{"error":{"message":"no","type":"server_error","code":null}}')
    assert reader.error == WireError("no", "server_error")
    _, reader = read(b'{"choices":[{"delta":{"content":"x"}}],"error":{}}')
    assert reader.error == WireError()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"choices":[{"delta":{"content":5}}]}', b"\xff"])
def test_unreadable_chunks_are_the_peers_fault(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        AnswerReader().read(data)


@given(st.binary(max_size=200))
def test_arbitrary_data_is_read_or_refused(data: bytes) -> None:
    with suppress(RemoteProtocolError):
        AnswerReader().read(data)
    error = read_error(data)
    assert error is None or isinstance(error, WireError)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"message":"a","type":"b","code":404}}', WireError("a", "b", "404")),
        (b'{"error":"url.not_found","code":5}', WireError("url.not_found")),
        (b'{"message":"a"}', WireError("a")),
        (b'{"detail":"Not Found"}', WireError()),
        (b'{"error":[]}', None),
        (b"<html>", None),
        (b"[]", None),
        (b"\xff\xfe", None),
    ],
)
def test_error_bodies_of_all_shapes(body: bytes, error: WireError | None) -> None:
    assert read_error(body) == error


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("stop", "stop"), ("tool_calls", "tool"), ("function_call", "tool"), ("length", "length"),
     ("content_filter", "filtered"), (None, "stop"), ("new", "stop")],
)  # fmt: skip
def test_finish_reasons(raw: str | None, reason: str) -> None:
    assert finish_reason(raw) == reason


def test_the_body_has_no_empty_tools() -> None:
    assert set(chat_body("m", [], [])) == {"model", "messages", "stream", "stream_options"}
    assert chat_body("m", [{"role": "user"}], [{"type": "function"}])["tools"] == [{"type": "function"}]

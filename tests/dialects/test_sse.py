from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.dialects.sse import MAX_EVENT_BYTES, SseParser
from moonwire.errors import RemoteProtocolError


def parse(*chunks: bytes) -> list[bytes]:
    parser = SseParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.finish()


def test_events_are_split_at_empty_lines() -> None:
    assert parse(b"data: a\n\ndata: b\n\n") == [b"a", b"b"]


def test_one_blank_after_the_colon_is_no_data() -> None:
    assert parse(b"data:a\n\ndata:  b\n\ndata:\n\n") == [b"a", b" b", b""]


def test_comments_and_other_fields_are_skipped() -> None:
    assert parse(b": keepalive\n\nevent: x\nid: 7\nretry: 5\ndata: a\n\n: done\n\n") == [b"a"]


def test_data_lines_of_one_event_are_joined() -> None:
    assert parse(b"data: a\ndata: b\n\n") == [b"a\nb"]


def test_a_missing_last_empty_line_is_forgiven() -> None:
    assert parse(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse(b"\xef\xbb\xbfdata: a\n\n") == [b"a"]


def test_events_are_given_as_soon_as_they_are_complete() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\n") == []
    assert parser.feed(b"\ndata: b") == [b"a"]
    assert parser.feed(b"\n\n") == [b"b"]
    assert parser.finish() == []


def test_a_carriage_return_alone_ends_a_line_without_waiting() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\r\r") == [b"a"]
    assert parser.feed(b"\ndata: b\r\n\r") == [b"b"]
    assert parser.feed(b"\n") == []


@pytest.mark.parametrize("line", [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_an_endless_event_is_refused(line: bytes) -> None:
    parser = SseParser()
    for _ in range(MAX_EVENT_BYTES // 1010):
        parser.feed(line)
    with pytest.raises(RemoteProtocolError):
        parser.feed(line * 10)


LINES = st.sampled_from(["data: {}", "data: Grüezi 🌙", ": ping", "event: e", "", "data:", "data: [DONE]", "nonsense"])


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_any_segmentation_and_line_end_reads_the_same(lines: list[str], end: str, data: st.DataObject) -> None:
    expected = parse("".join(f"{line}\n" for line in lines).encode())
    raw = "".join(line + end for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    chunks = [raw[begin:stop] for begin, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert parse(*chunks) == expected


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_arbitrary_bytes_never_raise(chunks: list[bytes]) -> None:
    assert parse(*chunks) is not None

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.sip.negotiation import LocalMedia, MediaPath, answer_offer, read_answer, write_offer
from moonwire.core.sip.sdp import parse_sdp
from moonwire.errors import RemoteProtocolError

LOCAL = LocalMedia("192.0.2.1", 4000, 7)
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


def answered(media: str, head: str = HEAD) -> tuple[MediaPath, str]:
    answer = answer_offer((head + media).encode())
    return answer.path, answer.text(LOCAL)


def test_the_answer_to_the_byte():
    path, text = answered("m=audio 5004 RTP/AVP 9 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n")
    assert path == MediaPath("192.0.2.9", 5004, 8, 96, send=True, receive=True)
    assert text == (
        "v=0\r\no=moonwire 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n"
        "a=fmtp:96 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


@pytest.mark.parametrize(
    ("offered", "ours", "send", "receive"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
@pytest.mark.parametrize("level", ["session", "media"])
def test_directions_are_mirrored(offered, ours, send, receive, level):
    line = f"a={offered}\r\n"
    head, media = (HEAD + line, "") if level == "session" else (HEAD + "a=sendrecv\r\n", line)
    path, text = answered(f"m=audio 5004 RTP/AVP 0\r\n{media}", head)
    assert (path.send, path.receive) == (send, receive)
    assert f"a={ours}\r\n" in text


def test_the_medias_own_address_wins_and_ipv6_is_one():
    path, _ = answered("m=audio 5004 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n")
    assert path.address == "2001:db8::1"
    assert "c=IN IP6 ::1\r\n" in answer_offer((HEAD + "m=audio 5004 RTP/AVP 0\r\n").encode()).text(
        LocalMedia("::1", 4000, 7)
    )


def test_the_zero_address_is_a_hold():
    path, text = answered("m=audio 5004 RTP/AVP 0\r\n", HEAD.replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0"))
    assert (path.send, path.receive) == (False, True)
    assert "a=recvonly" in text


def test_only_the_first_usable_audio_is_taken():
    _, text = answered(
        "m=audio 5000 RTP/SAVP 0\r\nm=audio 5002 RTP/AVP 0\r\nm=audio 5004 RTP/AVP 0\r\nm=text 9 udptl x\r\n"
    )
    assert [line for line in text.split("\r\n") if line.startswith("m=")] == [
        "m=audio 0 RTP/SAVP 0",
        "m=audio 4000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=text 0 udptl x",
    ]


def test_names_that_contradict_a_static_number_and_other_clock_rates_do_not_count():
    path, _ = answered(
        "m=audio 5004 RTP/AVP 0 8 97 101\r\na=rtpmap:0 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:97 telephone-event/48000\r\na=rtpmap:101 TELEPHONE-EVENT/8000\r\n"
    )
    assert (path.payload_type, path.event_type) == (8, 101)


def test_our_offer_and_its_answer():
    offer = write_offer(LOCAL)
    assert "m=audio 4000 RTP/AVP 0 8 101\r\n" in offer
    path = read_answer((HEAD + "m=audio 5004 RTP/AVP 8\r\na=sendonly\r\n").encode())
    assert path == MediaPath("192.0.2.9", 5004, 8, None, send=False, receive=True)
    assert "m=audio 4000 RTP/AVP 8 0\r\n" in write_offer(LOCAL, path)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("x=1\r\n", 400),
        ("v=0\r\nnonsense\r\n", 400),
        ("v=0\r\nm=audio 1\r\n", 400),
        (HEAD + "m=audio 70000 RTP/AVP 0\r\n", 400),
        (HEAD + "m=audio -1 RTP/AVP 0\r\n", 400),
        (HEAD + "m=audio 1 RTP/AVP 0\r\n" * 40, 400),
        (HEAD + "a=" + "x" * 20000 + "\r\n", 400),
        (HEAD, 488),
        (HEAD + "m=audio 1 RTP/AVP 18\r\n", 488),
        (HEAD + "m=audio 1 RTP/AVP 0\r\nc=IN IP4 host.example\r\n", 488),
        (HEAD + "m=audio 1 RTP/AVP 0\r\nc=IN IP4 255.255.255.255\r\n", 488),
        (HEAD + "m=audio 1 RTP/AVP 0\r\nc=ATM x y\r\n", 488),
    ],
)
def test_what_cannot_be_served_has_its_status(text, status):
    with pytest.raises(RemoteProtocolError) as caught:
        answer_offer(text.encode())
    assert caught.value.status == status


@given(st.binary(max_size=400))
def test_any_bytes_are_a_description_or_an_error(data):
    for text in (data, b"v=0\r\n" + data, HEAD.encode() + b"m=audio 1 RTP/AVP 0\r\n" + data):
        try:
            assert parse_sdp(text)
            assert answer_offer(text)
        except RemoteProtocolError:
            pass


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["audio", "video", "text"]),
            st.integers(0, 65535),
            st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl"]),
            st.lists(st.integers(0, 127), min_size=1, max_size=5),
        ),
        max_size=6,
    )
)
def test_an_answer_has_a_section_for_each_offered_and_at_most_one_port(offered):
    media = "".join(f"m={k} {p} {proto} {' '.join(map(str, fmts))}\r\n" for k, p, proto, fmts in offered)
    try:
        _, text = answered(media)
    except RemoteProtocolError:
        return
    sections = parse_sdp(text.encode()).media
    assert [(s.kind, s.protocol) for s in sections] == [(k, proto) for k, _, proto, _ in offered]
    taken = [index for index, section in enumerate(sections) if section.port]
    assert len(taken) == 1
    assert set(sections[taken[0]].payload_types) <= set(offered[taken[0]][3])

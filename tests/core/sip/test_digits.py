from __future__ import annotations

import pytest

from moonwire.core.sip.digits import read_info_digit


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("application/dtmf-relay", b"Signal=1\r\nDuration=250\r\n", ("1", 250)),
        ("application/dtmf-relay", b"signal: #\nduration: 90", ("#", 90)),
        ("application/dtmf-relay", b"Signal=10", ("*", 160)),
        ("application/dtmf-relay", b"Duration=90", None),
        ("application/dtmf-relay", b"Signal=flash", None),
        ("application/dtmf", b" a ", ("A", 160)),
        ("application/dtmf", b"", None),
        ("application/dtmf", b"\xff", None),
        ("application/dtmf", b"12", ("A", 160)),
        ("application/dtmf", b"123", None),
    ],
)
def test_digits(media_type, body, expected):
    assert read_info_digit(media_type, body) == expected

from __future__ import annotations

import pytest
from sipmessage import Headers

from moonwire.core.sip.session_timer import IntervalTooSmallError, accept_timer, agreed_timer, min_se
from moonwire.errors import RemoteProtocolError


def headers(**values: str) -> Headers:
    made = Headers()
    for name, value in values.items():
        made.set(name.replace("_", "-"), value)
    return made


@pytest.mark.parametrize(
    ("asked", "supported", "refresher", "we_refresh"),
    [
        ("1800", "timer", "uac", False),
        ("1800;refresher=uac", "timer", "uac", False),
        ("1800;refresher=uas", "timer", "uas", True),
        ("1800", "", "uas", True),
        ("1800 ; Refresher = UAS", "100rel, Timer", "uas", True),
    ],
)
def test_table_2_of_rfc_4028(asked, supported, refresher, we_refresh):
    timer = accept_timer(headers(Session_Expires=asked, Supported=supported), min_se_s=90)
    assert timer is not None
    assert (timer.refresher, timer.we_refresh, timer.header) == (refresher, we_refresh, f"1800;refresher={refresher}")
    assert (timer.refresh_after_s, timer.give_up_after_s) == (900, 1768)


def test_none_too_small_and_malformed():
    assert accept_timer(headers(), min_se_s=90) is None
    with pytest.raises(IntervalTooSmallError):
        accept_timer(headers(Session_Expires="89"), min_se_s=90)
    for text in ("x", "", "-1", "18 00", "99999999999"):
        with pytest.raises(RemoteProtocolError) as caught:
            accept_timer(headers(Session_Expires=text), min_se_s=90)
        assert caught.value.status == 400


def test_what_our_own_request_agreed():
    timer = agreed_timer(headers(Session_Expires="120;refresher=uas"))
    assert timer is not None
    assert not timer.we_refresh
    timer = agreed_timer(headers(Session_Expires="120"))
    assert timer is not None
    assert timer.we_refresh
    assert agreed_timer(headers()) is None
    assert agreed_timer(headers(Session_Expires="?")) is None
    assert (min_se(headers(Min_SE="120;x=y")), min_se(headers()), min_se(headers(Min_SE="?"))) == (120, 90, 90)

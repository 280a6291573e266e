from __future__ import annotations

import pytest

from moonwire.core.sip.dialog import Dialog, contact_uri
from moonwire.core.sip.message import Request, Response
from moonwire.errors import RemoteProtocolError

ROUTES = ["<sip:p1;lr>, <sip:p2;lr>", "<sip:p3;lr>"]


def request() -> Request:
    message = Request("INVITE", "sip:bob@x")
    for name, value in (
        ("From", "<sip:a@x>;tag=ft"),
        ("To", "<sip:bob@x>"),
        ("Call-ID", "c"),
        ("CSeq", "7 INVITE"),
        ("Contact", '"A" <sip:a@1.2.3.4:5070;transport=tcp>;expires=3'),
    ):
        message.headers.set(name, value)
    message.headers.setlist("Record-Route", list(ROUTES))
    return message


def test_the_called_side():
    dialog = Dialog.of_received_invite(request(), "lt", default_target="sip:d")
    assert dialog.key == ("c", "lt")
    assert dialog.remote_tag == "ft"
    assert dialog.route_set == ("<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>")
    assert dialog.next_hop() == "sip:p1;lr"
    assert dialog.remote_target == "sip:a@1.2.3.4:5070;transport=tcp"
    assert not dialog.accepts_cseq(7)
    assert dialog.accepts_cseq(8)
    bye = dialog.request("BYE")
    assert (bye.uri, bye.headers["CSeq"]) == ("sip:a@1.2.3.4:5070;transport=tcp", "1 BYE")
    assert (bye.headers["From"], bye.headers["To"]) == ("<sip:bob@x>;tag=lt", "<sip:a@x>;tag=ft")
    assert bye.headers.getlist("Route") == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]


def test_the_calling_side_reverses_routes_and_reuses_the_number_for_ack():
    response = Response(200, "OK")
    response.headers.set("To", "<sip:bob@x>;tag=rt")
    response.headers.set("Contact", "sip:bob@5.6.7.8;x=y")
    response.headers.setlist("Record-Route", list(ROUTES))
    dialog = Dialog.of_response(request(), response)
    assert dialog.route_set == ("<sip:p3;lr>", "<sip:p2;lr>", "<sip:p1;lr>")
    assert dialog.remote_target == "sip:bob@5.6.7.8"
    assert dialog.request("ACK", cseq=7).headers["CSeq"] == "7 ACK"
    assert dialog.request("BYE").headers["CSeq"] == "8 BYE"
    assert dialog.accepts_cseq(1)


def test_a_strict_first_route_swaps_places():
    dialog = Dialog.of_received_invite(request(), "lt", default_target="sip:d")
    dialog.route_set = ("<sip:old>", "<sip:p2;lr>")
    bye = dialog.request("BYE")
    assert bye.uri == "sip:old"
    assert bye.headers.getlist("Route") == ["<sip:p2;lr>", "<sip:a@1.2.3.4:5070;transport=tcp>"]


def test_the_target_moves_only_to_something_usable():
    dialog = Dialog.of_received_invite(request(), "lt", default_target="sip:d")
    moved = request()
    moved.headers.set("Contact", "<sip:new@h>")
    dialog.refresh_target(moved.headers)
    moved.headers.set("Contact", "<http://x>")
    dialog.refresh_target(moved.headers)
    assert dialog.remote_target == "sip:new@h"


@pytest.mark.parametrize("contact", [None, "<tel:+1>", "<>", "*"])
def test_no_usable_contact(contact):
    message = request()
    message.headers.remove("Contact")
    if contact is not None:
        message.headers.set("Contact", contact)
    with pytest.raises(RemoteProtocolError):
        contact_uri(message.headers)


def test_a_missing_contact_is_where_the_call_came_from():
    message = request()
    message.headers.remove("Contact")
    assert Dialog.of_received_invite(message, "lt", default_target="sip:d").remote_target == "sip:d"

from __future__ import annotations

import pytest

from moonwire.core.sip.digest import answer_challenge, read_challenge
from moonwire.errors import RemoteProtocolError

# The example of RFC 2617 section 3.5 and of RFC 7616 section 3.9.1.
CHALLENGE = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
SHA = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
)


def test_the_examples_of_the_rfcs():
    value = answer_challenge(
        read_challenge(CHALLENGE),
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in value
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in value
    assert "qop=auth, nc=00000001" in value
    value = answer_challenge(
        read_challenge(SHA),
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in value
    assert "algorithm=SHA-256" in value


def test_without_qop_and_with_session_keys():
    plain = read_challenge('Digest realm="r", nonce="n", stale=TRUE')
    assert plain.stale
    value = answer_challenge(plain, method="INVITE", uri="sip:x", user='a"b', password="p", cnonce="c")
    assert "qop" not in value
    assert 'username="a\\"b"' in value
    session = read_challenge('Digest realm="r", nonce="n", algorithm=MD5-sess')
    value = answer_challenge(session, method="INVITE", uri="sip:x", user="a", password="p", cnonce="c")
    assert 'cnonce="c"' in value


@pytest.mark.parametrize(
    "value",
    ["", "Basic realm=x", "Digest realm=x", 'Digest nonce="n", algorithm=ROT13', 'Digest nonce="n", qop="auth-int"'],
)
def test_challenges_we_cannot_answer(value):
    with pytest.raises(RemoteProtocolError):
        read_challenge(value)

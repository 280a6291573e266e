"""Bytes as JavaScript prints them."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonwire.apps.wire_json import snake_case, snake_keys, stringify


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [1.0, -0.0, 2.5, None, True]}, '{"a":1,"b":[1,0,2.5,null,true]}'),
        ("Ünïcödé   \u007f", '"Ünïcödé   \u007f"'),
        ('\x00\x1f\b\t\n\f\r"\\/', '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/"'),
        ("\ud800x", '"\\ud800x"'),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (1.5e300, "1.5e+300"),
        (-1.25e-9, "-1.25e-9"),
        (123456789012345680000.0, "123456789012345680000"),
        (0.000001, "0.000001"),
        (0.1 + 0.2, "0.30000000000000004"),
        (2**60, "1152921504606847000"),
        (float("nan"), "null"),
        ({"b": 1, "10": 2, "9": 3, "01": 4, "a": 5}, '{"9":3,"10":2,"b":1,"01":4,"a":5}'),
        ((), "[]"),
    ],
)
def test_stringify(value: object, text: str) -> None:
    assert stringify(value).decode() == text


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        stringify({"a": {1}})


def test_names() -> None:
    names = ["callSid", "call_sid", "X-Foo", "baseURL", "HTTPServer", "a1B2", "-"]
    assert [snake_case(name) for name in names] == [
        "call_sid", "call_sid", "x_foo", "base_url", "http_server", "a1_b2", "-",
    ]  # fmt: skip


def test_contents_of_others_stay_untouched() -> None:
    payload = {
        "callSid": 1,
        "customerData": {"aB": [{"cD": 1}]},
        "sip": {"headers": {"X-Foo": 1}},
        "env_vars": {"LLM_Model": 1},
        "deepList": ({"innerName": {"args": {"aB": 1}}},),
    }
    assert snake_keys(payload) == {
        "call_sid": 1,
        "customerData": {"aB": [{"cD": 1}]},
        "sip": {"headers": {"X-Foo": 1}},
        "env_vars": {"LLM_Model": 1},
        "deep_list": [{"inner_name": {"args": {"aB": 1}}}],
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_python_reads_back_what_was_meant(value: object) -> None:
    text = stringify(value)
    assert stringify(json.loads(text)) == text


@pytest.mark.e2e
@settings(max_examples=5, deadline=None)
@given(st.lists(JSON, min_size=50, max_size=80))
def test_node_prints_the_same_bytes(values: list[object]) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    lines = [stringify(value) for value in values]
    program = (
        "for (const line of JSON.parse(require('fs').readFileSync(0))) "
        "console.log(JSON.stringify(JSON.stringify(JSON.parse(line))))"
    )
    ours = json.dumps([line.decode() for line in lines])
    done = subprocess.run([node, "-e", program], input=ours, capture_output=True, text=True, check=True)
    printed = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert printed == [line.decode() for line in lines]

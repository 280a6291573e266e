"""Our webhook signatures, checked by jambonz's own SDKs."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from jambonz_sdk.webhook import verify_signature_middleware

from moonwire.apps.webhook import sign
from moonwire.apps.wire_json import stringify

from .sdk_process import EXAMPLE, node_sdk

__all__ = ["node_sdk"]  # fixture

pytestmark = pytest.mark.e2e

PAYLOAD = {
    "call_sid": "c1",
    "customerData": {"10": 1.0, "2": 2.50, "name": "Üñî 电话 😀\u2028", "tiny": 1e-7, "huge": 1e21, "zero": -0.0},
    "duration": 42,
}
PROGRAM = """
const { createRequire } = require('node:module');
const { WebhookResponse } = createRequire(process.argv[1] + '/')('@jambonz/sdk/webhook');
const { secret, header, body } = JSON.parse(require('node:fs').readFileSync(0));
const request = { headers: { 'jambonz-signature': header }, body: JSON.parse(body) };
WebhookResponse.verifySignature(secret)(request, {}, (error) => console.log(error ? error.message : 'verified'));
"""


def node_says(node: list[str], secret: str, header: str, body: bytes) -> str:
    question = json.dumps({"secret": secret, "header": header, "body": body.decode()})
    command = [*node, "-e", PROGRAM, str(EXAMPLE)]
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_node_sdk_verifies_our_webhooks(node_sdk: list[str]) -> None:
    body = stringify(PAYLOAD)
    header = sign("s3cret", int(time.time()), body)
    assert node_says(node_sdk, "s3cret", header, body) == "verified"
    assert "failed" in node_says(node_sdk, "other", header, body)


def test_the_python_sdk_verifies_our_webhooks() -> None:
    body = stringify(PAYLOAD)
    header = sign("s3cret", int(time.time()), body)
    assert verify_signature_middleware(body, header, "s3cret")
    with pytest.raises(ValueError, match="failed"):
        verify_signature_middleware(body, header, "other")

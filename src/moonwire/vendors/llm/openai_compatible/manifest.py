"""The form for any host that speaks OpenAI's dialect: vLLM, Ollama, SGLang, a proxy."""

from __future__ import annotations

from moonwire.vendors.chat_manifest import Manifest, base_url_field, key_field

MANIFEST = Manifest(
    "openai-compatible",
    "OpenAI-compatible (vLLM, Ollama, proxies)",
    (
        base_url_field("", "The address before /chat/completions, for example http://127.0.0.1:11434/v1"),
        key_field("Leave empty when the host wants none.", required=False),
    ),
    docs_url="https://platform.openai.com/docs/api-reference/chat",
)

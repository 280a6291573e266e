"""Hugging Face's form and models as data.

Source: Hugging Face's inference providers documentation, @jambonz/llm 0.6.3 (fields), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://router.huggingface.co/v1"

_K = 131_072

MANIFEST = Manifest(
    "huggingface",
    "Hugging Face",
    (
        key_field("Begins with hf_; needs the permission to call inference providers."),
        base_url_field(URL, "The router, or a dedicated endpoint."),
        RETIRED_MODELS,
    ),
    (
        KnownModel("meta-llama/Llama-3.3-70B-Instruct", _K, vision=False),
        KnownModel("meta-llama/Llama-3.1-8B-Instruct", _K, vision=False),
        KnownModel("Qwen/Qwen2.5-72B-Instruct", _K, vision=False),
        KnownModel("mistralai/Mistral-7B-Instruct-v0.3", 32_768, vision=False),
        KnownModel("deepseek-ai/DeepSeek-V3", _K, vision=False),
    ),
    docs_url="https://huggingface.co/docs/inference-providers",
)

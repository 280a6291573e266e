"""Azure OpenAI's form and models as data; the model is whatever the deployment holds.

Source: @jambonz/llm 0.6.3 (fields, default version), Microsoft's REST reference, read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import FormField, KnownModel, Manifest, key_field

API_VERSION = "2025-03-01-preview"

MANIFEST = Manifest(
    "azure-openai",
    "Azure OpenAI",
    (
        key_field("Key 1 or key 2 of the resource."),
        FormField("endpoint", "Endpoint", "url", True, help="https://<resource>.openai.azure.com"),
        FormField("deployment", "Deployment", "text", True, help="The deployment's name, not the model's."),
        FormField("apiVersion", "API version", default=API_VERSION),
    ),
    (KnownModel("gpt-4o", 128_000), KnownModel("gpt-4o-mini", 128_000)),
    lists_models=False,
    docs_url="https://learn.microsoft.com/azure/ai-services/openai/",
    auth_kind="azureOpenAIApiKey",
)

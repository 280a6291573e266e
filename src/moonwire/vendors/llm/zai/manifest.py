"""Z.ai's form and models as data.

Source: Z.ai's API documentation, @jambonz/llm 0.6.3 (fields, ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://api.z.ai/api/paas/v4"
CODING_URL = "https://api.z.ai/api/coding/paas/v4"

_K = 204_800

MANIFEST = Manifest(
    "zai",
    "Z.ai (GLM)",
    (
        key_field(),
        base_url_field(
            URL,
            "Keys with a balance use the general address, keys of a coding plan the other one.",
            (("General", URL), ("Coding plan", CODING_URL)),
        ),
        RETIRED_MODELS,
    ),
    (
        KnownModel("glm-4.7", _K, "switchable", vision=False),
        KnownModel("glm-5.2", _K, "switchable", vision=False),
        KnownModel("glm-5.3", 1_048_576, "always", vision=False, note="thinks before it speaks"),
    ),
    lists_models=False,
    docs_url="https://docs.z.ai",
)

"""Which models Moonshot serves on a given day, and each one's contract, for the simulator.

Source: Moonshot's models overview, pricing pages and retirement notices, read 2026-11-22; release days of 2024 and
early 2025 are approximate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

TODAY = date(2026, 11, 22)
"""The simulator's day unless another is asked for: fixed, so that a demo is the same in years to come."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model's contract."""

    id: str
    released: date
    retired: date | None
    context_tokens: int
    default_cap_tokens: int
    thinking: Literal["no", "switchable", "always"] = "no"
    effort: bool = False
    fixed_sampling: bool = True
    vision: bool = False

    def lives_on(self, day: date) -> bool:
        """Whether the model is served that day."""
        return self.released <= day and (self.retired is None or day < self.retired)


def _v1(name: str, context: int, released: date, vision: bool = False) -> ModelSpec:
    return ModelSpec(
        f"moonshot-v1-{name}", released, date(2026, 8, 31), context, 1024, fixed_sampling=False, vision=vision
    )


_K2_END = date(2026, 5, 25)
_K26_END = date(2026, 12, 31)
_K, _M = 262_144, 1_048_576

ALL_MODELS: tuple[ModelSpec, ...] = (
    _v1("8k", 8_192, date(2024, 2, 1)),
    _v1("32k", 32_768, date(2024, 2, 1)),
    _v1("128k", 131_072, date(2024, 2, 1)),
    _v1("auto", 131_072, date(2024, 10, 1)),
    _v1("8k-vision-preview", 8_192, date(2025, 1, 15), vision=True),
    _v1("32k-vision-preview", 32_768, date(2025, 1, 15), vision=True),
    _v1("128k-vision-preview", 131_072, date(2025, 1, 15), vision=True),
    ModelSpec("kimi-latest", date(2025, 2, 18), date(2026, 1, 28), 131_072, 1024, fixed_sampling=False, vision=True),
    ModelSpec("kimi-thinking-preview", date(2025, 5, 6), _K2_END, 131_072, 32_768, "always", fixed_sampling=False),
    ModelSpec("kimi-k2-0711-preview", date(2025, 7, 11), _K2_END, 131_072, 16_384, fixed_sampling=False),
    ModelSpec("kimi-k2-turbo-preview", date(2025, 8, 1), _K2_END, _K, 16_384, fixed_sampling=False),
    ModelSpec("kimi-k2-0905-preview", date(2025, 9, 5), _K2_END, _K, 16_384, fixed_sampling=False),
    ModelSpec("kimi-k2-thinking", date(2025, 11, 6), _K2_END, _K, 32_768, "always", fixed_sampling=False),
    ModelSpec("kimi-k2-thinking-turbo", date(2025, 11, 6), _K2_END, _K, 32_768, "always", fixed_sampling=False),
    ModelSpec("kimi-k2.5", date(2026, 1, 27), date(2026, 8, 31), _K, 32_768, "switchable", vision=True),
    ModelSpec("kimi-k2.6", date(2026, 4, 20), _K26_END, _K, 32_768, "switchable", vision=True),
    ModelSpec("kimi-k2.7-code", date(2026, 6, 12), _K26_END, _K, 32_768, "always", vision=True),
    ModelSpec("kimi-k2.7-code-highspeed", date(2026, 6, 12), _K26_END, _K, 32_768, "always", vision=True),
    ModelSpec("kimi-k3", date(2026, 7, 16), None, _M, 131_072, "always", effort=True, vision=True),
    ModelSpec("kimi-k3.1-pro", date(2026, 10, 24), None, _M, 131_072, "always", effort=True, vision=True),
    ModelSpec("kimi-k3.1-pro-highspeed", date(2026, 10, 24), None, _M, 131_072, "always", effort=True, vision=True),
)


def registry(day: date = TODAY) -> dict[str, ModelSpec]:
    """Return the models served on a day, by id."""
    return {model.id: model for model in ALL_MODELS if model.lives_on(day)}


def listing(models: dict[str, ModelSpec]) -> dict[str, object]:
    """Return the answer of GET /v1/models."""
    return {"object": "list", "data": [_entry(model) for model in models.values()]}


def _entry(model: ModelSpec) -> dict[str, object]:
    created = (model.released - date(1970, 1, 1)).days * 86_400
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": "moonshot",
        "context_length": model.context_tokens,
        "supports_image_in": model.vision,
        "supports_video_in": model.vision and model.fixed_sampling,
        "supports_reasoning": model.thinking != "no",
        "supports_thinking_type": {"no": "no", "switchable": "both", "always": "only"}[model.thinking],
    }

"""How the simulated OpenAI-compatible vendors differ: paths, keys, what they refuse, errors, and chunks of their own.

Source: the vendors' API references and error pages, live errors in public issue threads, read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Json = Mapping[str, object]
Failure = Literal[
    "credential", "quota", "rate-limit", "vendor-overloaded", "model-unavailable", "content-filtered",
    "vendor-unavailable",
]  # fmt: skip
Refusal = tuple[int, object]
"""HTTP status and body; a string is sent as text."""


def openai_error(message: str, type_: str = "invalid_request_error", code: object = None) -> Json:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


_OPENAI_FAILURES: Mapping[Failure, Refusal] = {
    "credential": (401, openai_error("Incorrect API key provided: sk-***0000.", code="invalid_api_key")),
    "quota": (
        429,
        openai_error(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
    ),
    "rate-limit": (
        429,
        openai_error(
            "Rate limit reached for requests. Limit: 3, Used: 3. Please try again in 20s.",
            "requests",
            "rate_limit_exceeded",
        ),
    ),
    "vendor-overloaded": (
        503,
        openai_error("The engine is currently overloaded, please try again later", "server_error"),
    ),
    "model-unavailable": (
        404,
        openai_error("The model `gone` does not exist or you do not have access to it.", code="model_not_found"),
    ),
    "content-filtered": (
        400,
        openai_error("This request was blocked by our content policy.", code="content_policy_violation"),
    ),
    "vendor-unavailable": (500, openai_error("The server had an error processing your request.", "server_error")),
}


def _takes_everything(_body: Json) -> Refusal | None:
    return None


@dataclass(frozen=True, slots=True)
class Quirks:
    """One simulated vendor; the defaults are OpenAI's plain dialect."""

    prefix: str = "/v1"
    models: tuple[str, ...] = ("model-a", "model-b")
    lists_models: bool = True
    checks_model: bool = True
    """Refuses ids that it does not have; Azure looks only at the deployment."""
    key_header: str = "Authorization"
    needs_key: bool = True
    refuses: Callable[[Json], Refusal | None] = _takes_everything
    """Looks at a body and says why it is refused."""
    thinks: Callable[[Json], bool] = lambda body: False
    """Whether the model reasons before it answers this body."""
    failures: Mapping[Failure, Refusal] = field(default_factory=dict[Failure, Refusal])
    """Its own answers to failures; OpenAI's otherwise."""
    first_chunk: Json | None = None
    """Sent before everything else."""
    last_chunk: Json | None = None
    """Sent before the end, with an annotation of the vendor's own."""
    usage: Literal["trailing", "top", "x_groq", "always"] = "trailing"
    comments: bool = False
    """Keep-alive comments while the answer is awaited."""
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-request-id": "req-{count}"})

    def failure(self, kind: Failure) -> Refusal:
        """Return the answer to a failure."""
        return self.failures.get(kind, _OPENAI_FAILURES[kind])


_REASONING = re.compile(r"(o\d|gpt-5)")


def _openai_refuses(body: Json) -> Refusal | None:
    if not _REASONING.match(str(body.get("model"))):
        return None
    if "max_tokens" in body:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return 400, openai_error(text, code="unsupported_parameter")
    if body.get("temperature") not in (None, 1):
        text = (
            "Unsupported value: 'temperature' does not support 0.6 with this model. Only the default (1) is supported."
        )
        return 400, openai_error(text, code="unsupported_value")
    return None


def _azure_refuses(body: Json) -> Refusal | None:
    if "max_tokens" in body:
        return 400, openai_error("Unsupported parameter: 'max_tokens'.", code="unsupported_parameter")
    return None


def _deepseek_refuses(body: Json) -> Refusal | None:
    if "max_completion_tokens" in body:
        return 422, openai_error("Failed to deserialize the JSON body: unknown field max_completion_tokens")
    return None


def _switched_off(body: Json) -> bool:
    return body.get("thinking") == {"type": "disabled"}


def _xai_refuses(body: Json) -> Refusal | None:
    for name in ("presence_penalty", "frequency_penalty", "stop", "reasoning_effort"):
        if name in body and not (name == "reasoning_effort" and str(body.get("model")).startswith("grok-4.3")):
            text = f"Argument not supported on this model: {name}"
            return 400, {"code": "Client specified an invalid argument", "error": text}
    return None


def _zai_refuses(body: Json) -> Refusal | None:
    for name in ("stream_options", "max_completion_tokens", "presence_penalty"):
        if name in body:
            return 400, {"error": {"code": "1214", "message": f"Invalid parameter {name}"}}
    if body.get("tool_choice") not in (None, "auto"):
        return 400, {"error": {"code": "1214", "message": "tool_choice only supports auto"}}
    return None


def _groq_refuses(body: Json) -> Refusal | None:
    for name in ("logprobs", "logit_bias", "top_logprobs"):
        if name in body:
            return 400, openai_error(f"property '{name}' is unsupported")
    return None


_FILTER = {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]}

QUIRKS: Mapping[str, Quirks] = {
    "openai": Quirks(models=("gpt-4o", "gpt-4o-mini", "gpt-5-mini"), refuses=_openai_refuses),
    "azure-openai": Quirks(
        prefix="/openai/deployments/voice",
        models=("gpt-4o",),
        lists_models=False,
        checks_model=False,
        key_header="api-key",
        refuses=_azure_refuses,
        first_chunk={"id": "", "object": "", "created": 0, "model": "", "choices": [], **_FILTER},
        last_chunk={"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 44}}]},
        failures={
            "credential": (
                401,
                {
                    "error": {
                        "code": "401",
                        "message": "Access denied due to invalid subscription key or wrong endpoint.",
                    }
                },
            ),
            "model-unavailable": (
                404,
                {
                    "error": {
                        "code": "DeploymentNotFound",
                        "message": "The API deployment for this resource does not exist.",
                    }
                },
            ),
            "content-filtered": (
                400,
                {
                    "error": {
                        "code": "content_filter",
                        "message": "The response was filtered due to the prompt triggering content management policy.",
                    }
                },
            ),
            "rate-limit": (429, {"error": {"code": "429", "message": "Rate limit. Please retry after 26 seconds."}}),
        },
        headers={"apim-request-id": "req-{count}", "x-ms-region": "Sweden Central"},
    ),
    "deepseek": Quirks(
        models=("deepseek-v4-flash", "deepseek-v4-pro"),
        refuses=_deepseek_refuses,
        thinks=lambda body: not _switched_off(body),
        comments=True,
        failures={"quota": (402, openai_error("Insufficient Balance", "unknown_error", "invalid_request_error"))},
    ),
    "groq": Quirks(
        prefix="/openai/v1",
        models=("llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b"),
        refuses=_groq_refuses,
        usage="x_groq",
        failures={
            "vendor-overloaded": (498, openai_error("Flex tier capacity exceeded", "capacity", "capacity_exceeded")),
            "model-unavailable": (
                400,
                openai_error("The model `gone` has been decommissioned.", code="model_decommissioned"),
            ),
            "rate-limit": (
                429,
                openai_error("Rate limit reached. Please try again in 7.66s.", "tokens", "rate_limit_exceeded"),
            ),
        },
    ),
    "xai": Quirks(
        models=("grok-4.20-0309-non-reasoning", "grok-4.3"),
        refuses=_xai_refuses,
        usage="always",
        failures={
            "credential": (
                400,
                {
                    "code": "Client specified an invalid argument",
                    "error": "Incorrect API key provided: xa***AI. You can obtain an API key from https://console.x.ai.",
                },
            ),
            "quota": (
                403,
                {
                    "code": "The caller does not have permission to execute the specified operation",
                    "error": "Your newly created team doesn't have any credits yet. You can purchase credits.",
                },
            ),
        },
    ),
    "zai": Quirks(
        prefix="/api/paas/v4",
        models=("glm-4.7", "glm-5.2"),
        lists_models=False,
        refuses=_zai_refuses,
        thinks=lambda body: not _switched_off(body),
        usage="top",
        failures={
            "credential": (401, {"error": {"code": "1002", "message": "Authorization Token illegal"}}),
            "quota": (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package."}}),
            "rate-limit": (429, {"error": {"code": "1303", "message": "High frequency usage of this API."}}),
            "vendor-overloaded": (429, {"error": {"code": "1305", "message": "The API is busy, try again later."}}),
            "model-unavailable": (400, {"error": {"code": "1211", "message": "Unknown Model, check the model code."}}),
            "content-filtered": (400, {"error": {"code": "1301", "message": "Potentially unsafe content detected."}}),
        },
    ),
    "baseten": Quirks(
        models=("moonshotai/Kimi-K2.6", "openai/gpt-oss-120b"),
        thinks=lambda body: body.get("chat_template_args") != {"thinking": False},
        failures={"model-unavailable": (404, {"error": "model not found"})},
    ),
    "huggingface": Quirks(
        models=("meta-llama/Llama-3.3-70B-Instruct",),
        failures={
            "credential": (401, {"error": "Invalid username or password."}),
            "quota": (402, {"error": "You have exceeded your monthly included credits for Inference Providers."}),
            "model-unavailable": (
                400,
                openai_error("The requested model 'gone' does not exist", code="model_not_found"),
            ),
        },
        headers={"x-amz-cf-id": "req-{count}", "x-inference-provider": "together"},
    ),
    "openai-compatible": Quirks(models=("llama3.2:3b",), lists_models=False, needs_key=False),
}
"""Vendor -> its quirks; a vendor without an entry is simulated in OpenAI's plain dialect."""

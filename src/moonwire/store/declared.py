"""The schema of `moonwire.yaml`: what an operator may declare.

Members have the names that REST uses. Everything in one file belongs to the default account. store/configuration.py
reads a file into these models, store/apply.py brings them into the database.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from moonwire.spec.hooks import with_split_credentials
from moonwire.store.gateways import parse_gateway


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _stripped(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _one_as_list(value: object) -> object:
    return cast("object", [value]) if isinstance(value, str | dict) else value


def _filled(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("must not be empty")
    return value


Name = Annotated[str, BeforeValidator(_text_of_number), AfterValidator(_stripped)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
Strings = Annotated[tuple[Name, ...], BeforeValidator(_one_as_list)]


class Declared(BaseModel):
    """Base of everything in the file: unknown members are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class HookSpec(Declared):
    """A hook: `"wss://host/path"`, or an object with method and Basic credentials."""

    url: Name
    method: Literal["GET", "POST", "WS"] = "POST"
    username: str | None = None
    password: Secret | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        given = {"url": value} if isinstance(value, str) else value
        return with_split_credentials(cast("dict[str, object]", given)) if isinstance(given, dict) else given

    @field_validator("url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not is_url(value, "http", "https", "ws", "wss"):
            raise ValueError("must be an absolute http, https, ws or wss URL")
        return value


class LlmChoiceSpec(Declared):
    """A model of a vendor: `"moonshot:kimi-k2.6"`, or an object; a label picks one of several services."""

    vendor: Name
    model: Name
    label: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        if isinstance(value, str):
            vendor, colon, model = value.partition(":")
            if not colon:
                raise ValueError("must be written vendor:model, for example moonshot:kimi-k2.6")
            return {"vendor": vendor, "model": model}
        return value


Fallbacks = Annotated[tuple[LlmChoiceSpec, ...], BeforeValidator(_one_as_list)]


SECRET_MEMBERS = frozenset({"api_key", "secret_access_key", "service_key", "session_token", "auth_token"})
"""Members of a service that are stored encrypted; the SecretStr members of its models."""


class ServiceSpec(Declared):
    """One vendor account. Secrets are the SecretStr members; all other vendor members are plain fields."""

    vendor: Name
    """`moonshot`, `deepgram`, `cartesia` ..."""
    label: Name | None = None
    """Tells several services of one vendor apart; applications pick one by it."""
    default: bool = False
    """The one that is used when an application names no label."""
    api_key: Secret | None = None
    """The vendor's key; left out, a stored one stays as long as the host stays."""
    base_url: Name | None = None
    """Another region, an own or on-premise endpoint; the adapter adds the vendor's path."""
    region: Name | None = None
    access_key_id: Name | None = None
    secret_access_key: Secret | None = None
    service_key: Secret | None = None
    model_id: Name | None = None

    @field_validator("base_url")
    @classmethod
    def _is_base_url(cls, value: str | None) -> str | None:
        if value is not None and not is_url(value, "http", "https", "ws", "wss"):
            raise ValueError("must be an http, https, ws or wss URL, for example https://api.moonshot.ai/v1")
        return value


class LlmServiceSpec(ServiceSpec):
    """One language-model account."""

    retired_models: Literal["substitute", "refuse"] | None = None
    """What happens when an application asks for a model the vendor has retired; default substitute."""
    fallback: Fallbacks = ()
    """Models to go on with, in order, when this service fails before anything was said: `vendor:model` or objects."""
    endpoint: Name | None = None
    deployment: Name | None = None
    api_version: Name | None = None
    project_id: Name | None = None
    location: Name | None = None
    session_token: Secret | None = None


class SpeechServiceSpec(ServiceSpec):
    """One speech account, for recognition, synthesis or both."""

    use_for_stt: bool = True
    """Whether it recognises speech."""
    use_for_tts: bool = True
    """Whether it speaks."""
    stt_model_id: Name | None = None
    voice_id: Name | None = None
    """The voice of applications that name none."""
    voice_aliases: Name | None = None
    """Names for voice ids (Cartesia): `reception=<uuid>, night=<uuid>`."""
    role_arn: Name | None = None
    options: dict[str, Any] | Name | None = None
    auth_token: Secret | None = None
    custom_stt_url: Name | None = None
    custom_tts_url: Name | None = None
    custom_tts_streaming_url: Name | None = None
    deepgram_stt_uri: Name | None = None
    deepgram_stt_use_tls: bool | None = None
    deepgram_tts_uri: Name | None = None


class ApplicationSpec(Declared):
    """One application: a hook to ask, or verbs to run."""

    name: Name
    """Phone numbers and carriers refer to it; unique."""
    call_hook: HookSpec | None = None
    """Asked for verbs when a call comes in: a ws, wss, http or https URL, or `{url, method, username, password}`."""
    call_status_hook: HookSpec | None = None
    """Told about the call's states."""
    messaging_hook: HookSpec | None = None
    app_json: list[dict[str, Any]] | None = None
    """Verbs to run instead of asking the hook: a list, or a string that holds a JSON array."""
    env_vars: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Given to the application with each call; those that look secret are never shown or exported."""
    speech_synthesis_vendor: Name | None = None
    speech_synthesis_language: Name | None = None
    speech_synthesis_voice: Name | dict[str, Any] | None = None
    speech_synthesis_label: Name | None = None
    speech_recognizer_vendor: Name | None = None
    speech_recognizer_language: Name | None = None
    speech_recognizer_label: Name | None = None
    use_for_fallback_speech: bool = False
    fallback_speech_synthesis_vendor: Name | None = None
    fallback_speech_synthesis_language: Name | None = None
    fallback_speech_synthesis_voice: Name | dict[str, Any] | None = None
    fallback_speech_synthesis_label: Name | None = None
    fallback_speech_recognizer_vendor: Name | None = None
    fallback_speech_recognizer_language: Name | None = None
    fallback_speech_recognizer_label: Name | None = None
    llm: LlmChoiceSpec | None = None
    """The model of an agent that names none: `vendor:model`, or an object with a label."""
    fallback: Fallbacks = ()
    """Models to go on with, in order, when the first one fails before anything was said."""
    agent_messages: Literal["auto", "agent", "hook"] = "auto"
    """How agent events travel: as `agent:event`, as `verb:hook` (jambonz's Python SDK), or by what answers."""
    record_all_calls: bool = False
    """Record both voices."""

    @field_validator("app_json", mode="before")
    @classmethod
    def _verbs(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value = cast("object", msgspec.json.decode(value))
            except msgspec.DecodeError:
                raise ValueError("must be a list of verbs, or a string that holds a JSON array of verbs") from None
        return cast("object", [value]) if isinstance(value, dict) else value

    @field_validator("app_json")
    @classmethod
    def _not_empty(cls, value: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        for index, verb in enumerate(value or ()):
            if not isinstance(verb.get("verb"), str):
                raise ValueError(f"[{index}] must name its verb, for example {{verb: say, text: Hello}}")
        return value

    @model_validator(mode="after")
    def _does_something(self) -> ApplicationSpec:
        if self.call_hook is None and not self.app_json:
            raise ValueError("needs a call_hook or an app_json")
        return self


class PhoneNumberSpec(Declared):
    """One called number and the application that answers it."""

    number: Name
    """The called number or SIP user; a leading plus does not matter."""
    application: Name | None = None
    """Name of the application that answers."""
    carrier: Name | None = None
    """Name of the carrier it comes from."""

    @field_validator("number")
    @classmethod
    def _without_plus(cls, value: str) -> str:
        number = value.removeprefix("+")
        if not number or any(sign.isspace() for sign in number):
            raise ValueError("must be a number without spaces, for example 16175551212")
        return number


CARRIER_SECRETS = ("token", "auth_token", "register_password", "inbound_auth_password")
CARRIER_FLAGS = ("e164_leading_plus", "requires_register")
CARRIER_PROPERTIES = (
    *CARRIER_FLAGS,
    "trunk_type",
    "register_username",
    "register_sip_realm",
    "register_from_user",
    "register_from_domain",
    "tech_prefix",
    "inbound_auth_username",
    "diversion",
    "dtmf_type",
    "outbound_sip_proxy",
)
"""Members of a carrier that are neither secret nor have a column of their own."""


class CarrierSpec(Declared):
    """One carrier: whose addresses, token or signature may bring calls."""

    name: Name
    """Unique; shown as trunk of a call."""
    description: str | None = None
    type: Literal["sip", "twilio"] = "sip"
    """twilio: media sockets with a valid X-Twilio-Signature are let in."""
    inbound: Strings = ()
    """Addresses and networks that may call."""
    outbound: Strings = ()
    """Gateways that take our calls: `host`, `host:port`, or with `;transport=tcp`; the first is used."""
    token: Secret | None = None
    """Lets a media socket in."""
    auth_token: Secret | None = None
    """Twilio's Auth Token, checks X-Twilio-Signature; type twilio only."""
    application: Name | None = None
    """Name of the application that takes its calls to numbers which nobody has."""
    is_active: bool = True
    """Whether it may bring calls."""
    trunk_type: Literal["static_ip", "auth", "reg"] | None = None
    e164_leading_plus: bool | None = None
    """Whether it wants numbers with a plus."""
    tech_prefix: Name | None = None
    """Put before the numbers it is given."""
    register_username: Name | None = None
    """Who we are when it asks for a password."""
    register_password: Secret | None = None
    register_sip_realm: Name | None = None
    register_from_user: Name | None = None
    register_from_domain: Name | None = None
    requires_register: bool | None = None
    inbound_auth_username: Name | None = None
    inbound_auth_password: Secret | None = None
    diversion: Name | None = None
    dtmf_type: Literal["rfc2833", "tones", "info"] | None = None
    outbound_sip_proxy: Name | None = None
    """Takes our calls on the way to the gateway."""

    @field_validator("inbound")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for index, value in enumerate(values):
            try:
                ip_network(value, strict=False)
            except ValueError:
                raise ValueError(
                    f"[{index}] {value!r} is no IP address or network, for example 203.0.113.0/24"
                ) from None
        return tuple(str(ip_network(value, strict=False)) for value in values)

    @field_validator("outbound")
    @classmethod
    def _gateways(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for index, value in enumerate(values):
            if parse_gateway(value) is None:
                raise ValueError(f"[{index}] {value!r} is no gateway, for example sip.carrier.example:5060")
        return values

    @model_validator(mode="after")
    def _twilio(self) -> CarrierSpec:
        if self.auth_token is not None and self.type != "twilio":
            raise ValueError("has an auth_token, which only a carrier of type twilio has")
        return self


class ApiKeySpec(Declared):
    """One bearer token for REST."""

    name: Name
    """Unique."""
    token: Secret
    """Sent by REST clients as `Authorization: Bearer ...`; only its SHA-256 is kept."""
    scope: Literal["account", "admin"] = "account"
    """admin: opens every account."""


class Configuration(Declared):
    """One whole file."""

    llm_services: tuple[LlmServiceSpec, ...] = ()
    speech_services: tuple[SpeechServiceSpec, ...] = ()
    applications: tuple[ApplicationSpec, ...] = ()
    phone_numbers: tuple[PhoneNumberSpec, ...] = ()
    carriers: tuple[CarrierSpec, ...] = ()
    api_keys: tuple[ApiKeySpec, ...] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _empty_section(cls, value: object) -> object:
        return () if value is None else value

    @model_validator(mode="after")
    def _no_repeats(self) -> Configuration:
        sections: dict[str, list[str]] = {
            "llm_services": [f"{one.vendor} {one.label or ''}".strip() for one in self.llm_services],
            "speech_services": [f"{one.vendor} {one.label or ''}".strip() for one in self.speech_services],
            "applications": [one.name for one in self.applications],
            "phone_numbers": [one.number for one in self.phone_numbers],
            "carriers": [one.name for one in self.carriers],
            "api_keys": [one.name for one in self.api_keys],
        }
        for section, keys in sections.items():
            seen: set[str] = set()
            for index, key in enumerate(keys):
                if key in seen:
                    raise ValueError(f"{section}[{index}]: {key!r} is declared twice{_label_hint(section)}")
                seen.add(key)
        return self


def _label_hint(section: str) -> str:
    return "; give each service of one vendor its own label" if section.endswith("_services") else ""


def is_url(value: str, *schemes: str) -> bool:
    """Say whether the value is an absolute URL of one of the schemes, with a host."""
    try:
        parts = urlsplit(value)
        return parts.scheme.lower() in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False

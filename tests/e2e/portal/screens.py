"""Every screen of the portal with something on it: what is seeded, and where the screens are."""

from __future__ import annotations

from tests.e2e.portal.conftest import Portal

KEY = "sk-0123456789abcdef"
AGENT = {
    "verb": "agent",
    "stt": {"vendor": "deepgram"},
    "tts": {"vendor": "cartesia"},
    "llm": {"vendor": "moonshot", "model": "kimi-k2.6", "llmOptions": {"systemPrompt": "You are a receptionist."}},
    "greeting": True,
}


async def seed(portal: Portal) -> dict[str, str]:
    """Fill the account with some of everything; returns the address of each screen by its name."""
    account = (await portal.ask("GET", "/Accounts"))[0]["account_sid"]
    own = {"account_sid": account}
    base = f"/Accounts/{account}"
    vendor = {"vendor": "moonshot", "api_key": KEY, "base_url": portal.fleet.moonshot_url}
    fallback = [{"vendor": "moonshot", "model": "kimi-k3", "label": "main"}]
    main = vendor | {"label": "main", "is_default": True, "fallback": fallback}
    llm = await portal.ask("POST", f"{base}/LlmCredentials", main)
    ears = {"vendor": "deepgram", "api_key": KEY, "base_url": portal.fleet.deepgram_url}
    speech = await portal.ask("POST", f"{base}/SpeechCredentials", ears)
    application = await portal.ask(
        "POST", "/Applications", {"name": "reception", "app_json": [AGENT], "record_all_calls": True, **own}
    )
    carrier = await portal.ask("POST", "/VoipCarriers", {"name": "trunk", **own})
    gateway = {"voip_carrier_sid": carrier["sid"], "ipv4": "203.0.113.0", "netmask": 24}
    await portal.ask("POST", "/SipGateways", gateway)
    await portal.ask("POST", "/PhoneNumbers", {"number": "+16175551212", "application_sid": application["sid"], **own})
    await portal.ask("POST", "/ApiKeys", {"name": "ci", **own})
    await portal.ask("POST", "/Users", {"name": "ann", "initial_password": "long enough", **own})
    return {
        "overview": "/",
        "calls": "/calls",
        "alerts": "/alerts",
        "applications": "/applications",
        "application": f"/applications/{application['sid']}",
        "numbers": "/numbers",
        "carriers": "/carriers",
        "carrier": f"/carriers/{carrier['sid']}",
        "llm-services": "/account/llm-services",
        "llm-service-new": "/account/llm-services/new",
        "llm-service": f"/account/llm-services/{llm['sid']}",
        "speech-services": "/account/speech-services",
        "speech-service-new": "/account/speech-services/new",
        "speech-service": f"/account/speech-services/{speech['sid']}",
        "api-keys": "/account/api-keys",
        "users": "/account/users",
        "settings": "/account/settings",
        "password": "/account/password",
        "not-found": "/nowhere",
    }

"""Answers calls from memory: which application, which credential, who may call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from moonwire.ports.directory import ApplicationRecord, VendorCredential
from moonwire.store.default_speech import NOBODY, DefaultSpeech, default_speech
from moonwire.store.networks import NetworkTable
from moonwire.store.sandbox_overlay import SandboxOverlay
from moonwire.store.snapshot import Credentials, KnownCredential, Snapshot, token_digest


class MemoryDirectory:
    """Directory and CallerGate on one snapshot at a time; `replace_snapshot` swaps it whole."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._stored = snapshot or Snapshot()
        self._overlay: SandboxOverlay | None = None
        self._snapshot = self._stored
        self._networks = self._trusted = NetworkTable(())
        self._tokens: dict[str, str] = {}
        self._default_application: ApplicationRecord | None = None
        self._speech: Mapping[str, DefaultSpeech] = {}
        self._rebuild()

    @property
    def default_account_sid(self) -> str:
        """The account that owns what the configuration file declares."""
        return self._stored.default_account_sid

    @property
    def has_vendor_keys(self) -> bool:
        """Whether the operator has configured any vendor account."""
        return bool(self._stored.llm or self._stored.speech)

    @property
    def stored(self) -> Snapshot:
        """What the database holds, without the sandbox's records."""
        return self._stored

    def replace_snapshot(self, snapshot: Snapshot) -> None:
        """Answer from a new snapshot from now on."""
        self._stored = snapshot
        self._rebuild()

    def overlay_sandbox(self, overlay: SandboxOverlay | None) -> None:
        """Add the sandbox's services, carrier and application wherever the operator has configured none."""
        self._overlay = overlay
        self._rebuild()

    def application_for_number(self, number: str) -> ApplicationRecord | None:
        """Return the active application of a called number (compared without a leading plus)."""
        sid = self._snapshot.numbers.get(number.removeprefix("+"))
        return self._default_application if sid is None else self.application(sid)

    def application_for_carrier(self, carrier: str) -> ApplicationRecord | None:
        """Return the application that a carrier's calls to unknown numbers run."""
        for one in self._snapshot.carriers:
            if one.name == carrier and one.application_sid is not None:
                return self.application(one.application_sid)
        return None

    def application(self, sid: str) -> ApplicationRecord | None:
        """Return an application by sid; who listens and speaks is filled in where it names nobody."""
        found = self._snapshot.applications.get(sid)
        default = self._default_application
        if found is None:
            return default if default is not None and default.sid == sid else None
        return self._speech.get(found.account_sid, NOBODY).fill(found)

    def bare_application(self, account_sid: str) -> ApplicationRecord:
        """Return an application of an account that has nothing but the account's defaults."""
        secret = self._snapshot.webhook_secrets.get(account_sid)
        bare = ApplicationRecord("", account_sid, "", None, webhook_secret=secret, by_operator=False)
        return self._speech.get(account_sid, NOBODY).fill(bare)

    def llm_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        """Return the account's language-model credential; without a label the default or only one."""
        return _pick(self._snapshot.llm.get((account_sid, vendor.lower()), ()), label)

    def speech_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        """Return the account's speech credential; without a label the default or only one."""
        return _pick(self._snapshot.speech.get((account_sid, vendor.lower()), ()), label)

    def carrier_for_address(self, address: str) -> str | None:
        """Return the name of the active carrier whose inbound networks hold this IP address, else None."""
        return self._networks.owner(address)

    def operator_knows(self, address: str) -> bool:
        """Whether an IP address belongs to the inbound networks of a carrier as the operator wrote them."""
        return self._trusted.owner(address) is not None

    def carrier_for_token(self, token: str) -> str | None:
        """Return the name of the active carrier that owns this media-socket token, else None."""
        return self._tokens.get(token_digest(token)) if token else None

    def twilio_auth_tokens(self) -> Mapping[str, str]:
        """Return carrier name -> Twilio auth token of active carriers of type `twilio`."""
        return {
            carrier.name: carrier.twilio_auth_token.get_secret_value()
            for carrier in self._snapshot.carriers
            if carrier.twilio_auth_token is not None
        }

    def _rebuild(self) -> None:
        stored, overlay = self._stored, self._overlay
        self._snapshot, self._default_application = stored, None
        if overlay is not None:
            account = stored.default_account_sid
            self._snapshot = replace(
                stored,
                llm=_overlaid(stored.llm, overlay.llm, account),
                speech=_overlaid(stored.speech, overlay.speech, account),
                carriers=(*stored.carriers, *overlay.carriers),
            )
            if not stored.applications:
                self._default_application = replace(overlay.application, account_sid=account)
        self._speech = default_speech(self._snapshot.speech)
        carriers = self._snapshot.carriers
        self._networks = NetworkTable((network, carrier.name) for carrier in carriers for network in carrier.networks)
        self._trusted = NetworkTable((network, carrier.name) for carrier in carriers for network in carrier.trusted)
        self._tokens = {carrier.token_sha256: carrier.name for carrier in carriers if carrier.token_sha256}


def _pick(known: Sequence[KnownCredential], label: str | None) -> VendorCredential | None:
    """Choose by label; without one the default, the unlabelled, or the only one."""
    if label:
        return next((one.credential for one in known if one.credential.label == label), None)
    for one in known:
        if one.is_default:
            return one.credential
    for one in known:
        if one.credential.label is None:
            return one.credential
    return known[0].credential if len(known) == 1 else None


def _overlaid(stored: Credentials, sandbox: Sequence[VendorCredential], account_sid: str) -> Credentials:
    """Add sandbox credentials to every account that has none of that vendor."""
    accounts = {account for account, _ in stored} | {account_sid}
    added = {
        (account, credential.vendor): (KnownCredential(credential),)
        for account in accounts
        for credential in sandbox
        if (account, credential.vendor) not in stored
    }
    return {**stored, **added}

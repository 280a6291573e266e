"""`moonwire llm test` and `llm models`: the Test and the model list of the portal, on the command line."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from pydantic import SecretStr

from moonwire.errors import ConfigError
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.settings import environment, load_settings
from moonwire.store.configuration import load_configuration
from moonwire.store.declared import LlmServiceSpec
from moonwire.store.store import Store
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm_models import models_of
from moonwire.vendors.llm_trial import LlmTester, TrialOptions
from moonwire.vendors.trial_report import Trial

_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "-"}


@dataclass(frozen=True, slots=True)
class Which:
    """Which services: all stored ones, those of a file, or one whose key is in the environment."""

    vendor: str | None = None
    label: str | None = None
    config: Path | None = None
    key_variable: str | None = None
    base_url: str | None = None


def run_test(which: Which, model: str | None, *, region_check: bool, as_json: bool) -> None:
    """Test the services and print the stages; exit 1 when one fails."""
    found = asyncio.run(_chosen(which))
    credentials = [_with_model(one, model) for one in found]
    trials = asyncio.run(try_services(credentials, TrialOptions(region_check)))
    if as_json:
        named = [{"service": name_of(one), **trial.report} for one, trial in zip(credentials, trials, strict=True)]
        typer.echo(json.dumps(named, indent=2))
    else:
        for credential, trial in zip(credentials, trials, strict=True):
            _print(credential, trial)
    if not all(trial.is_ok for trial in trials):
        raise SystemExit(1)


def run_models(which: Which, *, as_json: bool) -> None:
    """Print the models of the services."""
    credentials = asyncio.run(_chosen(which))
    lists = asyncio.run(_models(credentials))
    if as_json:
        named = [{"service": name_of(one), "models": found} for one, found in zip(credentials, lists, strict=True)]
        typer.echo(json.dumps(named, indent=2))
        return
    for credential, models in zip(credentials, lists, strict=True):
        typer.echo(name_of(credential))
        for entry in models:
            typer.echo(f"  {entry['id']:40} {_described(entry)}")


async def try_services(credentials: Sequence[VendorCredential], options: TrialOptions | None = None) -> list[Trial]:
    """Test one service after the other; the operator asks, so every address may be reached."""
    connections = VendorConnections(SystemClock())
    try:
        tester = LlmTester(connections)
        return [await tester.test(credential, options) for credential in credentials]
    finally:
        await connections.close()


async def stored_services() -> list[VendorCredential]:
    """Return all language-model services of the database."""
    store = await Store.open(load_settings())
    try:
        groups = store.directory.stored.llm.values()
        return [known.credential for group in groups for known in group]
    finally:
        await store.close()


def services_of_file(config: Path) -> list[VendorCredential]:
    """Return the language-model services that a configuration file declares.

    Raises:
        ConfigError: the file is wrong.
    """
    return [_credential(spec) for spec in load_configuration(config, environment()).llm_services]


def name_of(credential: VendorCredential) -> str:
    """Return what a service is called in messages."""
    return f"{credential.vendor} ({credential.label})" if credential.label else credential.vendor


async def _models(credentials: Sequence[VendorCredential]) -> list[list[dict[str, object]]]:
    connections = VendorConnections(SystemClock())
    try:
        return [await models_of(credential, connections) for credential in credentials]
    finally:
        await connections.close()


async def _chosen(which: Which) -> list[VendorCredential]:
    if which.key_variable is not None:
        return [_from_environment(which, which.key_variable)]
    found = services_of_file(which.config) if which.config else await stored_services()
    wanted = [
        one
        for one in found
        if which.vendor in (None, one.vendor) and (which.label is None or which.label == (one.label or ""))
    ]
    if not wanted:
        raise ConfigError(
            "There is no such language-model service; add one under llm_services in moonwire.yaml and apply it, or "
            "test a key from the environment with --key-from VARIABLE."
        )
    if which.base_url:
        raise ConfigError("--base-url goes with --key-from: a stored key is sent only to the host it was stored for.")
    return wanted


def _from_environment(which: Which, variable: str) -> VendorCredential:
    key = os.environ.get(variable)
    if not key:
        raise ConfigError(f"The environment variable {variable} is not set; put the API key into it.")
    fields = {"base_url": which.base_url} if which.base_url else {}
    return VendorCredential(which.vendor or "moonshot", which.label, None, {"api_key": SecretStr(key)}, fields)


def _credential(spec: LlmServiceSpec) -> VendorCredential:
    members = {name: value for name, value in spec if value is not None}
    return VendorCredential(
        vendor=spec.vendor,
        label=spec.label,
        secrets={name: value for name, value in members.items() if isinstance(value, SecretStr)},
        fields={
            name: value for name, value in members.items() if isinstance(value, str) and name not in {"vendor", "label"}
        },
    )


def _with_model(credential: VendorCredential, model: str | None) -> VendorCredential:
    return replace(credential, fields={**credential.fields, "model_id": model}) if model else credential


def _print(credential: VendorCredential, trial: Trial) -> None:
    typer.echo(f"{name_of(credential)}: {trial.outcome.replace('_', ' ')}")
    for stage in trial.stages:
        spent = f"{stage.duration_ms} ms" if stage.duration_ms is not None else ""
        typer.echo(f"  {_MARKS[stage.status]:5} {stage.name:6} {spent:>8}  {stage.message}")
        if stage.hint:
            typer.echo(f"{'':24}{stage.hint}")
        if stage.vendor_text:
            typer.echo(f"{'':24}The vendor said: {stage.vendor_type} {stage.vendor_text}".rstrip())
    if trial.why_not:
        typer.echo(f"  {trial.why_not}")
    if "check_other_region" in trial.report and "region_check" not in trial.report:
        typer.echo(f"{'':24}--region-check sends the key to the other region to find out.")


def _described(entry: dict[str, object]) -> str:
    status = str(entry["status"])
    if status == "retired":
        status += f" on {entry.get('retiredOn')}, successor {entry.get('successor') or 'none'}"
    return f"{status}; {entry['note']}" if entry.get("note") else status

"""The command line: thin commands over app.py; each imports what it needs only when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from moonwire.errors import MoonwireError

commands = typer.Typer(
    name="moonwire",
    help="Voice-agent server: answers calls and runs jambonz applications on your own vendor keys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

llm = typer.Typer(help="Test language-model services and list their models.", no_args_is_help=True)
commands.add_typer(llm, name="llm")

Config = Annotated[Path | None, typer.Option("--config", help="moonwire.yaml to apply at start.", dir_okay=False)]


Vendor = Annotated[str | None, typer.Option(help="Only services of this vendor.")]
Label = Annotated[str | None, typer.Option(help="Only the service with this label.")]
KeyFrom = Annotated[
    str | None, typer.Option("--key-from", help="Take the key from this environment variable; nothing is stored.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="With --key-from: where to send it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command()
def serve(config: Config = None) -> None:
    """Start the server and keep it running."""
    from moonwire.cli.serve import run_server

    run_server(config)


@commands.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="First of four ports; 0 = any free ones.")] = 9100,
    date: Annotated[str, typer.Option(help="Day whose model registry Moonshot shows (YYYY-MM-DD).")] = "",
) -> None:
    """Run the vendor simulators alone: Moonshot (two regions), Deepgram, Cartesia."""
    from moonwire.cli.serve import run_sandbox

    run_sandbox(host, port, date)


@commands.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the recording and the event log.")] = Path("demo-output"),
) -> None:
    """Place a real SIP call to the agent of the Moonshot page, offline, and show how it went."""
    from moonwire.cli.demo import run_demo

    run_demo(output)


@commands.command()
def call(
    uri: Annotated[str, typer.Argument(help="Whom to call, for example sip:16175551212@127.0.0.1:5060")],
    say: Annotated[list[str] | None, typer.Option("--say", help="Say this when the agent has finished.")] = None,
    wav: Annotated[list[Path] | None, typer.Option("--wav", help="Play this file as the caller's voice.")] = None,
    dtmf: Annotated[str, typer.Option("--dtmf", help="Press these keys.")] = "",
    record: Annotated[Path | None, typer.Option("--record", help="Write both voices into this WAV file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Be a scripted SIP caller."""
    from moonwire.cli.call import CallOptions, run_call

    run_call(CallOptions(uri, tuple(say or ()), tuple(wav or ()), dtmf, record, json))


@commands.command()
def apply(
    file: Annotated[
        Path | None, typer.Argument(help="moonwire.yaml; - or nothing: standard input.", show_default=False)
    ] = None,
) -> None:
    """Bring a configuration file into the database; running servers notice."""
    if (file is None and sys.stdin.isatty()) or str(file) == "":
        fail("Name the file to apply, for example: moonwire apply moonwire.yaml", 2)
    from moonwire.cli.configuration import run_apply

    run_apply(None if str(file) == "-" else file)


@commands.command()
def export(
    placeholders: Annotated[
        bool, typer.Option("--placeholders", help="Name each secret as a ${VARIABLE} to be set before applying.")
    ] = False,
) -> None:
    """Print the configuration as a file that `apply` takes; secrets are left out."""
    from moonwire.cli.configuration import run_export

    run_export(placeholders=placeholders)


settings_group = typer.Typer(help="Show the effective settings; rotate the master key.", rich_markup_mode=None)
commands.add_typer(settings_group, name="settings")


@settings_group.callback(invoke_without_command=True)
def settings(context: typer.Context) -> None:
    """Show the effective settings, secrets masked."""
    if context.invoked_subcommand is None:
        from moonwire.cli.configuration import run_settings

        run_settings()


@settings_group.command("rotate-key")
def rotate_key() -> None:
    """Seal all stored secrets with a new master key; stop the server first."""
    from moonwire.cli.configuration import run_rotate_key

    run_rotate_key()


@commands.command()
def check(config: Config = None) -> None:
    """Check that this machine and configuration can serve calls; the output is safe to paste."""
    from moonwire.cli.check import run_check

    run_check(config)


@commands.command()
def replay(call_sid: Annotated[str, typer.Argument(help="A call's sid.")]) -> None:
    """Feed a call's recorded turn events to the turn machine again and compare its commands."""
    from moonwire.cli.inspect import run_replay

    run_replay(call_sid)


@commands.command()
def explain(call_sid: Annotated[str, typer.Argument(help="A call's sid.")]) -> None:
    """Tell what happened in a call: transcript, delays, why it ended, what went wrong."""
    from moonwire.cli.inspect import run_explain

    run_explain(call_sid)


models = typer.Typer(help="Models that are not part of the package.", no_args_is_help=True)
commands.add_typer(models, name="models")


@models.command("fetch")
def models_fetch(
    quietly: Annotated[bool, typer.Option("--quietly", help="Never fail: a silence timer serves without it.")] = False,
) -> None:
    """Bring the open turn-detection model, with its hash checked."""
    from moonwire.cli.models import run_fetch

    run_fetch(quietly=quietly)


@models.callback()
def models_group() -> None:
    """Bring models that are not part of the package."""


@llm.command("test")
def try_llm(
    vendor: Vendor = None,
    label: Label = None,
    config: Config = None,
    key_from: KeyFrom = None,
    base_url: BaseUrl = None,
    model: Annotated[str | None, typer.Option(help="Talk to this model.")] = None,
    region_check: Annotated[
        bool, typer.Option("--region-check", help="Try a refused key at the vendor's other region.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Find out whether an agent will be able to talk, and if not, why: all stored services, or the chosen one."""
    from moonwire.cli.llm import Which, run_test

    run_test(Which(vendor, label, config, key_from, base_url), model, region_check=region_check, as_json=json)


@llm.command("models")
def list_llm_models(
    vendor: Vendor = None,
    label: Label = None,
    config: Config = None,
    key_from: KeyFrom = None,
    base_url: BaseUrl = None,
    json: AsJson = False,
) -> None:
    """List a key's models: available, retired (with date and successor), or unknown."""
    from moonwire.cli.llm import Which, run_models

    run_models(Which(vendor, label, config, key_from, base_url), as_json=json)


def fail(message: str, status: int = 1) -> NoReturn:
    """Print one sentence and exit."""
    typer.echo(message, err=True)
    raise SystemExit(status)


def main() -> None:
    """Run the command line: exit 0 fine, 1 failed, 2 wrong usage."""
    try:
        commands()
    except MoonwireError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)

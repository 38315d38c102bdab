"""The click group of all commands: loads them late, and turns every end into an exit code."""

from __future__ import annotations

import difflib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from components.secrets import scrubbed
from models.errors import ElmanError

COMMANDS = (
    *("init", "check", "run", "status", "history", "predict", "serve"),
    *("rollback", "schedule", "gc", "ui"),
)
"""In the order in which people meet them; each is the function of that name in its own module."""

INTERRUPTED = 130
PIPE_CLOSED = 1  # as click has it


class Application(click.Group):
    """All commands, by name; none is imported before it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of use."""
        del ctx  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none."""
        del ctx  # click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"pipeline.cli.{cmd_name}"), cmd_name)
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(
                click.Option(["--debug"], is_flag=True, expose_value=False, help="Show tracebacks.")
            )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but names the nearest command where there is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(
                f"no command {name!r}; {hint}commands are: {', '.join(COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Runs a command and ends the process with its exit code; see `pipeline.cli.main.main`."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            result = super().main(arguments, *rest, **extra)
            sys.stdout.flush()
        except Exception as error:  # every way to end is one of ours from here on
            sys.exit(_code(error, debug="--debug" in arguments))
        except KeyboardInterrupt:
            sys.exit(_say("interrupted", INTERRUPTED))
        sys.exit(result if isinstance(result, int) else 0)


def _code(error: Exception, *, debug: bool) -> int:
    """Says what `error` means, on stderr, and gives the exit code."""
    if isinstance(error, click.exceptions.Abort):
        return _say("interrupted", INTERRUPTED)
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        # What is still in the buffer must not fail again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    if isinstance(error, click.ClickException):
        error.show()
        return 2
    if debug:
        click.echo(scrubbed("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, ElmanError):
        return _say(str(error), error.exit_code)
    hint = "" if debug else "; --debug shows the traceback"
    said = " ".join(str(error).split())
    return _say(
        f"{type(error).__name__}: {said or 'no message'}\nNot a fault of your input that Elman "
        "knows: a bug, or a failure around it (disk, memory, network, permissions)"
        f"{hint}",
        1,
    )


def _say(text: str, code: int) -> int:
    lines = [line.rstrip() for line in scrubbed(text).splitlines() if line.strip()]
    click.echo("\n".join(["Error: " + lines[0], *lines[1:]]) if lines else "Error", err=True)
    return code

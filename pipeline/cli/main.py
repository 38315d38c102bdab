"""`elman`: the command line, from which every command is loaded when it is first asked for."""

from __future__ import annotations

import click

from pipeline.cli.application import Application
from pipeline.cli.version import version

EPILOG = "Start with: elman init DATA, then elman check CONFIG, then elman run CONFIG."


@click.group(cls=Application, epilog=EPILOG, no_args_is_help=True)
@click.version_option(version(), "--version", prog_name="elman", message="%(prog)s %(version)s")
@click.option(
    "--debug", is_flag=True, expose_value=False, help="Show tracebacks; also after any command."
)
def cli() -> None:
    """Forecasting with recurrent models, from a table of series to a served model."""


def main() -> None:
    """The entry point of the console script `elman`; ends the process with the exit code.

    0: all went well (a model that the gate refuses included). 1: a run failed, a bug, or nobody
    reads the output. 2: bad input or usage. 130: interrupted.
    """
    cli.main(prog_name="elman")


if __name__ == "__main__":
    main()

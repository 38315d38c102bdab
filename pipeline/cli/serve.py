"""`elman serve`: the pushed model over REST and gRPC, through TF Serving or without it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from models.errors import BadInputError
from pipeline.cli.quiet_tensorflow import quiet_tensorflow

if TYPE_CHECKING:
    from pipeline.config import LoadedConfig
    from serving.engine.settings import ServedModel, VersionPolicy
    from serving.request_log.settings import RequestLogSettings
    from serving.runtimes.runtime import EngineName
    from serving.server.settings import ServerSettings

_FILE = click.Path(path_type=Path)
_LABEL = re.compile(r"([^=/:\s]+)=(\d{1,18})")
_NUMBERS = re.compile(r"\d{1,18}(,\d{1,18})*")


@click.command()
@click.argument("config", type=_FILE)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "tf-serving", "embedded"]),
    help="auto: tensorflow_model_server where it is on the PATH and can do what is asked.",
)
@click.option("--rest-port", default=8501, show_default=True, type=click.IntRange(0, 65535))
@click.option("--grpc-port", default=8500, show_default=True, type=click.IntRange(0, 65535))
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--versions",
    default="latest",
    show_default=True,
    help="latest, all, or numbers: 1700000000,1700000001.",
)
@click.option("--label", "labels", multiple=True, help="NAME=VERSION; may be repeated.")
@click.option("--tls-cert", type=_FILE, help="The server's certificate and chain, PEM.")
@click.option("--tls-key", type=_FILE, help="Its private key, PEM.")
@click.option("--client-ca", type=_FILE, help="Clients must have a certificate of this CA.")
@click.option("--token-file", type=_FILE, help="Holds the bearer token that requests must bring.")
@click.option("--batching/--no-batching", default=True, show_default=True)
@click.option("--max-batch-size", type=click.IntRange(1), help="Rows that run together.")
@click.option(
    "--batch-timeout-ms", type=click.FloatRange(0), help="Wait for others at most this long."
)
@click.option("--max-queued-batches", type=click.IntRange(1), help="Then requests are refused.")
@click.option("--batching-parameters", type=_FILE, help="TF Serving's file, instead of these.")
@click.option("--access-log", help="File for a line about each request; - for stderr.")
@click.option("--request-log", type=_FILE, help="Folder for a sample of requests and answers.")
@click.option(
    "--request-log-sample", type=click.FloatRange(0, 1), help="Share of the requests kept there."
)
@click.option("--no-request-log", is_flag=True, help="Keep none, whatever the configuration says.")
@click.option("--drain-seconds", default=30.0, show_default=True, type=click.FloatRange(0))
@click.option("--ready-file", type=_FILE, help="Written once it answers: ports and versions.")
@click.option(
    "--write-config",
    type=click.Path(path_type=Path, file_okay=False),
    help="Only write TF Serving's files into this folder, and print its command line.",
)
@click.pass_context
def serve(context: click.Context, /, config: Path, **given: Any) -> int:
    """Serve the pushed model over REST and gRPC.

    New versions are taken up as they are pushed. The bearer token may also be in the environment,
    as ELMAN_SERVING_TOKEN.
    """
    from pipeline.config import load

    loaded = load(config)
    from serving.server.errors import StartError
    from serving.server.logs import start_logging

    chosen = {
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    start_logging()
    try:
        settings = settings_of(
            loaded.config.name,
            loaded.serving_directory,
            given,
            request_log(loaded, given),
            loaded.config.serving.engine,
        )
        if given["write_config"] is not None:
            write_config(settings, given["write_config"])
            return 0
        if not loaded.serving_directory.is_dir():
            warn(f"nothing was pushed yet; in another terminal: elman run {config}")
        if engine_of(given["engine"], settings, bind_given="bind" in chosen) == "tf-serving":
            from serving.tensorflow_model_server.process import serve as run
        else:
            quiet_tensorflow()
            from serving.server.run import run
        return run(settings, say=click.echo, warn=warn)
    except StartError as error:
        raise BadInputError(str(error)) from error


def engine_of(engine: str, settings: ServerSettings, *, bind_given: bool) -> str:
    """`tf-serving` or `embedded`.

    Args:
        engine: What was asked for.
        settings: What it has to do.
        bind_given: Whether a person chose the address, rather than left it at its default.

    Raises:
        BadInputError: If TF Serving was asked for, and for what it cannot do.
    """
    if engine == "embedded":
        return engine
    from serving.tensorflow_model_server.limits import BINARY, exposure, rest_in_the_open, unkept

    reasons = unkept(settings)
    if bind_given and exposure(settings) is not None:
        reasons.append(f"it listens on every address and cannot be bound to {settings.host}")
    if engine == "tf-serving":
        if reasons:
            raise BadInputError(
                f"{BINARY} cannot do what is asked: {'; '.join(reasons)}. Leave that away, or use "
                "--engine embedded"
            )
        return engine
    if shutil.which(BINARY) is None:
        return "embedded"
    if (open_rest := rest_in_the_open(settings)) is not None:
        reasons.append(open_rest)
    if reasons:
        click.echo(f"Not using {BINARY}: {'; '.join(reasons)}", err=True)
        return "embedded"
    return "tf-serving"


def write_config(settings: ServerSettings, folder: Path) -> None:
    """Writes the files of tensorflow_model_server, for where another starts it (a container).

    Args:
        settings: What it is to serve.
        folder: Where to; made if it is missing.

    Raises:
        BadInputError: If it cannot do what is asked, or the folder cannot be written to.
    """
    from serving.tensorflow_model_server.files import arguments, write_files
    from serving.tensorflow_model_server.limits import BINARY, unkept

    if reasons := unkept(settings):
        raise BadInputError(f"{BINARY} cannot do what is asked: {'; '.join(reasons)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_files(settings, folder)
    except OSError as error:
        raise BadInputError(f"cannot write into {folder}: {error.strerror or error}") from None
    click.echo(shlex.join([BINARY, *arguments(settings, folder)]))


def request_log(loaded: LoadedConfig, given: dict[str, Any]) -> RequestLogSettings | None:
    """Which requests are kept: what the options say, else what `serving.request_log` says.

    Raises:
        BadInputError: If the options contradict each other.
    """
    from components.push.config import RequestLogConfig
    from serving.request_log.settings import RequestLogSettings

    folder, sample = given["request_log"], given["request_log_sample"]
    if given["no_request_log"]:
        if folder is not None or sample is not None:
            raise BadInputError("--no-request-log contradicts the other options of the log")
        return None
    config = loaded.config.serving.request_log
    if config is None:
        if folder is None and sample is None:
            return None
        config = RequestLogConfig()
    return RequestLogSettings(
        loaded.request_log_directory if folder is None else folder.absolute(),
        sample=config.sample if sample is None else sample,
        max_bytes=max(1, round(config.max_megabytes * 2**20)),
        max_seconds=config.max_minutes * 60,
        keep=config.keep,
    )


def settings_of(
    name: str,
    base: Path,
    given: dict[str, Any],
    requests: RequestLogSettings | None = None,
    engine: EngineName = "tensorflow",
) -> ServerSettings:
    """The settings of either engine.

    Args:
        name: Of the model.
        base: Its directory.
        given: The options, by their names.
        requests: Which are kept.
        engine: What runs the signatures that it can.

    Raises:
        StartError: If they cannot be used.
        BadInputError: If they contradict each other.
    """
    from serving.server.settings import AccessLogSettings, ServerSettings
    from serving.server.tls import Tls
    from serving.server.token import read_token

    certificate, key, client_ca = given["tls_cert"], given["tls_key"], given["client_ca"]
    if (certificate is None) != (key is None):
        raise BadInputError("--tls-cert and --tls-key belong together; give both")
    if client_ca is not None and certificate is None:
        raise BadInputError("--client-ca needs --tls-cert and --tls-key; give these too")
    return ServerSettings(
        models=(_model(name, base, given["versions"], given["labels"]),),
        host=given["bind"],
        grpc_port=given["grpc_port"],
        rest_port=given["rest_port"],
        tls=None if certificate is None else Tls.from_files(certificate, key, client_ca),
        token=read_token(given["token_file"], os.environ),
        batching=_batching(given),
        access_log=AccessLogSettings(given["access_log"]),
        request_log=requests,
        engine=engine,
        drain_seconds=given["drain_seconds"],
        ready_file=given["ready_file"],
    )


def _model(name: str, base: Path, versions: str, labels: tuple[str, ...]) -> ServedModel:
    from serving.engine.settings import ServedModel

    named = {}
    for label in labels:
        match = _LABEL.fullmatch(label)
        if match is None:
            raise BadInputError(
                f"--label {label}: expected NAME=VERSION, such as stable=1700000000"
            )
        named[match[1]] = int(match[2])
    return ServedModel(name, base, _policy(versions), named)


def _policy(versions: str) -> VersionPolicy:
    from serving.engine.settings import VersionPolicy

    if versions == "latest":
        return VersionPolicy.newest()
    if versions == "all":
        return VersionPolicy.all()
    if _NUMBERS.fullmatch(versions) is None:
        raise BadInputError(f"--versions {versions}: expected latest, all, or numbers with commas")
    return VersionPolicy.only(*map(int, versions.split(",")))


def _batching(given: dict[str, Any]) -> Any:
    from serving.server.config_files import batching_settings, read_batching_parameters

    file = given["batching_parameters"]
    timeout = given["batch_timeout_ms"]
    single = {
        "max_batch_size": given["max_batch_size"],
        "batch_timeout_micros": None if timeout is None else round(timeout * 1000),
        "max_enqueued_batches": given["max_queued_batches"],
    }
    chosen = {name: value for name, value in single.items() if value is not None}
    if not given["batching"]:
        if file is not None or chosen:
            raise BadInputError("--no-batching contradicts the other batching options")
        return None
    if file is not None:
        if chosen:
            raise BadInputError("give --batching-parameters or the single options, not both")
        return read_batching_parameters(file)
    return batching_settings("the command line", **chosen)


def warn(line: str) -> None:
    """Tells a person of something, on stderr."""
    click.echo(f"Warning: {line}", err=True)

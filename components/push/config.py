"""Where models are pushed and how many versions are kept."""

from __future__ import annotations

from pydantic import Field

from models.export.engines import EngineName
from models.section import Section


class RequestLogConfig(Section):
    """A sample of the requests that the embedded server answers, as TFRecords of PredictionLog.

    Requests and answers are kept, nothing else: no headers, no tokens, no addresses.
    """

    sample: float = Field(default=0.01, ge=0, le=1, description="share of the requests kept")
    directory: str | None = Field(
        default=None, min_length=1, description="null: <workspace>/requests/<name>"
    )
    max_megabytes: float = Field(
        default=64.0, gt=0, description="a larger file is followed by another"
    )
    max_minutes: float = Field(
        default=60.0, gt=0, description="an older file is followed by another"
    )
    keep: int = Field(default=100, ge=1, description="files kept, the newest ones")


class ServingConfig(Section):
    """The TF Serving model directory `<directory>/<version>/`."""

    directory: str | None = Field(default=None, description="null: <workspace>/serving/<name>")
    keep: int = Field(default=3, ge=1, description="versions kept, the serving one included")
    streaming: bool = Field(
        default=False,
        description="demand a model that reads a series step by step; refused where it cannot",
    )
    engine: EngineName = Field(
        default="tensorflow",
        exclude_if=lambda value: value == "tensorflow",
        description="what answers: onnx runs windows by ONNX Runtime, litert single steps of "
        "streams by LiteRT, TensorFlow the rest; each needs elman's extra of its name",
    )
    request_log: RequestLogConfig | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="null: no requests are kept",
    )

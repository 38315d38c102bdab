"""Where models are pushed and how many versions are kept."""

from __future__ import annotations

from pydantic import Field

from models.section import Section


class ServingConfig(Section):
    """The TF Serving model directory `<directory>/<version>/`."""

    directory: str | None = Field(default=None, description="null: <workspace>/serving/<name>")
    keep: int = Field(default=3, ge=1, description="versions kept, the serving one included")
    streaming: bool = Field(
        default=False,
        description="demand a model that reads a series step by step; refused where it cannot",
    )

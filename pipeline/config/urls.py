"""URLs in a configuration: no secret in plain text, and a form that their reader understands."""

from __future__ import annotations

from collections.abc import Iterator

from components.secrets import expanded, redacted
from models.errors import BadInputError
from pipeline.config.problem import Problem


def url_problems(path: tuple[str, ...], url: str | None) -> Iterator[Problem]:
    """What is wrong with the `url` at `path`, `data.url` or `tracking.uri`; None is a good one."""
    if url is None:
        return
    if redacted(url) != url:
        yield Problem(
            path,
            f"received {redacted(url)!r} with a secret in plain text; configurations are "
            "committed and tracked: write ${NAME} in its place and set the environment "
            "variable NAME",
        )
        return
    try:
        text = expanded(url)
    except BadInputError as error:
        yield Problem(path, f"received {url!r}: {error}")
        return
    scheme = text.partition("://")[0] if "://" in text else ""
    if path[0] == "data" and not scheme:
        yield Problem(
            path,
            f"received {url!r}, expected an SQLAlchemy URL such as sqlite:///file.db or "
            "postgresql://user:${PASSWORD}@host/base",
        )
    if path[0] == "tracking" and scheme in ("", "file") and text != "databricks":
        yield Problem(
            path,
            f"received {url!r}, expected an MLflow server (http:// or https://) or a database "
            "(sqlite:///mlflow.db, postgresql://...); MLflow refuses plain folders; null is "
            "a sqlite file in the workspace",
        )

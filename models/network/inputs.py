"""The inputs of a forecaster: which columns, in which shapes and types. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection

from models.errors import BadInputError
from models.roles import Roles
from models.windows.spec import WindowSpec

TIME = "time"
"""The input that holds the time of the forecast origin, int64 Unix seconds [batch]."""

InputSpecs = dict[str, tuple[tuple[int, ...], str]]


def input_specs(spec: WindowSpec, roles: Roles, text: Collection[str] = ()) -> InputSpecs:
    """By input column: shape without the batch axis, and dtype.

    Args:
        spec: Lengths of the window.
        roles: Columns by role.
        text: The static covariates that are strings.

    Raises:
        BadInputError: If calendar features are used and a column is called `time`.
    """
    c = roles.covariates
    specs: InputSpecs = {}
    for name in roles.targets + c.past:
        specs[name] = ((spec.lookback,), "float32")
    for name in c.future:
        specs[name] = ((spec.lookback + spec.reach,), "float32")
    for name in c.static:
        specs[name] = ((), "string" if name in text else "float32")
    if c.calendar:
        if TIME in specs:
            raise BadInputError(
                f"the column {TIME!r} collides with the input {TIME!r} of the calendar features; "
                "rename the column, or remove covariates.calendar"
            )
        specs[TIME] = ((), "int64")
    return specs

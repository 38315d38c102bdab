"""`StreamState`: all that a streaming session knows, to be kept and taken up again anywhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.history.stream import Trace

FORMAT = 1
_STATE, _STATIC = "state.", "static."


@dataclass(frozen=True)
class StreamState:
    """The state of a session after a step. Nothing in it changes.

    Attributes:
        model: Name of the model.
        version: The version whose state it is; no other may be given it.
        digest: Of what that version says about itself.
        series: Ids.
        static: By static covariate, `[series]`: float32, or text.
        tensors: By state tensor, float32 `[series, ...]`.
        time: int64 `[series]`, Unix seconds of the last step; `models.history.stream.NEVER` before
            the first one.
        last: float32 `[series, columns]`, last observed values.
        missing: int64 `[series, columns]`, steps since then.
        ahead: float32 `[series, futures, gap + horizon]`, future covariates that are known.
    """

    model: str
    version: int
    digest: str
    series: tuple[str, ...]
    static: dict[str, npt.NDArray[Any]]
    tensors: dict[str, npt.NDArray[np.float32]]
    time: npt.NDArray[np.int64]
    last: npt.NDArray[np.float32]
    missing: npt.NDArray[np.int64]
    ahead: npt.NDArray[np.float32]

    @classmethod
    def of(
        cls,
        model: str,
        version: int,
        digest: str,
        series: Sequence[str],
        static: dict[str, npt.NDArray[Any]],
        tensors: dict[str, npt.NDArray[np.float32]],
        traces: Sequence[Trace],
    ) -> StreamState:
        """The state with a trace for each series."""
        return cls(
            model,
            version,
            digest,
            tuple(series),
            static,
            tensors,
            np.asarray([t.time for t in traces], np.int64),
            np.stack([t.last for t in traces]),
            np.stack([t.missing for t in traces]),
            np.stack([t.ahead for t in traces]),
        )

    def trace(self, row: int) -> Trace:
        """What is remembered of one series."""
        return Trace(int(self.time[row]), self.last[row], self.missing[row], self.ahead[row])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As arrays without objects, which `numpy.savez` keeps without pickle."""
        meta = {
            "format": FORMAT,
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "series": self.series,
        }
        text = json.dumps(meta).encode()
        return {
            "meta": np.frombuffer(text, np.uint8),
            "time": self.time,
            "last": self.last,
            "missing": self.missing,
            "ahead": self.ahead,
            **{_STATE + k: v for k, v in self.tensors.items()},
            **{
                _STATIC + k: v if v.dtype.kind == "f" else np.asarray(v, np.str_)
                for k, v in self.static.items()
            },
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> StreamState:
        """The state that `to_arrays` gave.

        Raises:
            BadInputError: If it is none, or of another format.
        """
        try:
            meta = json.loads(bytes(np.asarray(arrays["meta"], np.uint8)))
            if meta["format"] != FORMAT:
                raise BadInputError(
                    f"state of a streaming session in format {meta['format']}; this version of "
                    f"Elman reads {FORMAT}"
                )
            found = cls(
                model=str(meta["model"]),
                version=int(meta["version"]),
                digest=str(meta["digest"]),
                series=tuple(str(s) for s in meta["series"]),
                static={
                    k.removeprefix(_STATIC): v if v.dtype.kind == "f" else v.astype(object)
                    for k, v in arrays.items()
                    if k.startswith(_STATIC)
                },
                tensors={
                    k.removeprefix(_STATE): np.asarray(v, np.float32)
                    for k, v in arrays.items()
                    if k.startswith(_STATE)
                },
                time=np.asarray(arrays["time"], np.int64),
                last=np.asarray(arrays["last"], np.float32),
                missing=np.asarray(arrays["missing"], np.int64),
                ahead=np.asarray(arrays["ahead"], np.float32),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadInputError):
                raise
            raise _no_state(error) from None
        rows: list[npt.NDArray[Any]] = [found.time, found.last, found.missing, found.ahead]
        rows += [*found.tensors.values(), *found.static.values()]
        if any(len(array) != len(found.series) for array in rows):
            raise _no_state("arrays of different lengths")
        return found

    def to_bytes(self) -> bytes:
        """As bytes, for a file or a store."""
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **self.to_arrays())
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> StreamState:
        """The state that `to_bytes` gave; no code in it is run.

        Raises:
            BadInputError: If it is none, or of another format.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                arrays = dict(stored)
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise _no_state(error) from None
        return cls.from_arrays(arrays)


def _no_state(why: object) -> BadInputError:
    return BadInputError(f"this is no saved state of a streaming session ({why})")

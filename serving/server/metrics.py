"""`Metrics`: what the server does, under TF Serving's metric names.

Names, labels, units and buckets are those of tensorflow/serving (servables/tensorflow/util.cc,
batching/batching_session.cc) and TensorFlow (cc/saved_model/loader.cc, core/framework/metrics.cc).
Only what is known here is filled; docs/serving.md lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from serving.server.exposition import Family, Histogram, Scalar, exponential, page
from serving.status import Code

LATENCY = exponential(10, 1.8, 33)
"""Microseconds, from 10 to about 20 minutes."""
QUEUING = exponential(100, 1.2, 52)
"""Microseconds, from 100 to about a second."""
ROWS = exponential(1, 2, 15)

UNKNOWN_MODEL = "(unknown)"
"""Stands for every name that is not served: a client that makes names up must not fill memory."""

_INFERENCE = frozenset({"Predict", "Classify", "Regress", "MultiInference"})
_MICROSECONDS = 1e6


class Metrics:
    """An `Observer` that counts; `text` prints what it counted.

    Args:
        path_of: Path of a version's directory by model and version, as metrics of loading name it.
        served: Names of the models that are configured now.
        inside: Requests in work now, by protocol.
    """

    def __init__(
        self,
        path_of: Callable[[str, int], str],
        served: Callable[[], Collection[str]],
        inside: Mapping[str, int],
    ) -> None:
        self._path_of = path_of
        self._served = served
        self._inside = inside
        serving = ":tensorflow:serving:"
        self._requests = Scalar(serving + "request_count", "counter", ("model_name", "status"))
        self._latency = Histogram(
            serving + "request_latency", ("model_name", "API", "entrypoint"), LATENCY
        )
        self._runtime = Histogram(
            serving + "runtime_latency", ("model_name", "API", "runtime"), LATENCY
        )
        self._queuing = Histogram(
            serving + "batching_session:queuing_latency", ("thread_pool_name",), QUEUING
        )
        self._batch_rows = Histogram(
            serving + "batching_session:processed_batch_size", ("thread_pool_name",), ROWS
        )
        self._runs = Scalar(":tensorflow:core:graph_runs", "counter", ())
        self._run_time = Scalar(":tensorflow:core:graph_run_time_usecs", "counter", ())
        loading = ":tensorflow:cc:saved_model:"
        self._loads = Scalar(loading + "load_attempt_count", "counter", ("model_path", "status"))
        self._load_time = Scalar(loading + "load_latency", "counter", ("model_path",))
        # Not TF Serving's: it has no metric of these.
        self._in_work = Scalar(":elman:serving:requests_in_work", "gauge", ("entrypoint",))
        self._waiting = Scalar(":elman:serving:waiting_requests", "gauge", ("model_name",))
        self._state = Scalar(
            ":elman:serving:version_state", "gauge", ("model_name", "version", "state")
        )
        self._kept = Scalar(
            ":elman:serving:request_log_count", "counter", ("model_name", "outcome")
        )
        self._states: dict[tuple[str, int], str] = {}

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        """Counts a request; its time only if it went well, as TF Serving does."""
        name = model if model in self._served() else UNKNOWN_MODEL
        if method in _INFERENCE:
            self._requests.add((name, code.name))
        if code is Code.OK:
            self._latency.observe((name, _api(method, protocol), protocol.upper()), _usecs(seconds))

    def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
        """Counts a run of TensorFlow."""
        del version, rows
        # A batch can hold requests of several APIs, so none is named.
        self._runtime.observe((model, "", "TF2"), _usecs(seconds))
        self._runs.add(())
        self._run_time.add((), _usecs(seconds))

    def batch(self, *, model: str, rows: int, requests: int, waited: float) -> None:
        """Counts a batch, and how long its oldest request waited."""
        del requests
        self._queuing.observe((model,), _usecs(waited))
        self._batch_rows.observe((model,), rows)

    def queue(self, *, model: str, waiting: int) -> None:
        """Keeps how many requests wait."""
        self._waiting.set((model,), waiting)

    def version(self, *, model: str, version: int, state: str, seconds: float | None) -> None:
        """Counts a load when it ends, well or badly, and keeps the version's state."""
        before = self._states.get((model, version))
        if before is not None:
            self._state.drop((model, str(version), before))
        if state == "END":
            self._states.pop((model, version), None)
        else:
            self._states[model, version] = state
            self._state.set((model, str(version), state), 1)
        path = self._path_of(model, version)
        if state == "AVAILABLE":
            self._loads.add((path, "success"))
            if seconds is not None:
                self._load_time.add((path,), _usecs(seconds))
        elif state == "END" and before == "LOADING":
            self._loads.add((path, "fail"))

    def kept(self, model: str, outcome: str) -> None:
        """Counts a request that the request log wrote, dropped or failed to write."""
        self._kept.add((model, outcome))

    def text(self) -> str:
        """The page that Prometheus reads."""
        families: list[Family] = [
            *(self._requests, self._latency, self._runtime),
            *(self._queuing, self._batch_rows),
            *(self._runs, self._run_time, self._loads, self._load_time),
            *(self._in_work, self._waiting, self._state, self._kept),
        ]
        for protocol, requests in self._inside.items():
            self._in_work.set((protocol.upper(),), requests)
        return page(families)


def _api(method: str, protocol: str) -> str:
    # TF Serving's REST handler names the method as the URL does, and none where there is none.
    if protocol != "rest":
        return method
    return method.lower() if method in _INFERENCE else ""


def _usecs(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)

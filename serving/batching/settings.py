"""`BatchingSettings`: how requests are gathered to run together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchingSettings:
    """By the names and defaults of TF Serving's `batching_parameters_file`.

    Attributes:
        max_batch_size: Rows of a batch at most.
        batch_timeout_micros: How long a request waits for others at most.
        max_enqueued_batches: Batches that may wait before a request is refused.
        num_batch_threads: Batches that run at the same time.
        allowed_batch_sizes: Batches are padded to the next of these; empty: to none.
        pad_variable_length_inputs: Whether inputs of different lengths are padded to run together.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False

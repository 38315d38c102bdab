"""`BatchingSettings`: how requests are gathered to run together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchingSettings:
    """Names and defaults of TF Serving's BatchingParameters, and what is ours.

    Attributes:
        max_batch_size: Rows of a batch at most.
        batch_timeout_micros: How long a request waits for others at most, while there is a thread
            to run it.
        max_enqueued_batches: Full batches that may wait, for each version and signature, before
            a request is refused.
        num_batch_threads: Batches that run at the same time.
        allowed_batch_sizes: Batches are padded to the next of these, which rise and end with
            `max_batch_size`; empty: they are not.
        pad_variable_length_inputs: Whether inputs that differ in other dimensions than the first
            are padded, with their first element, to run together. Outputs keep the padding.
        enable_large_batch_splitting: Whether a request of more than `max_batch_size` rows is run in
            parts, or else refused.
        start_when_idle: Ours: whether a request starts at once when no batch is running, so that
            a lone client pays nothing for batching. TF Serving waits for `batch_timeout_micros`.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = True
    start_when_idle: bool = True

    def __post_init__(self) -> None:
        for name, least in (
            ("max_batch_size", 1),
            ("batch_timeout_micros", 0),
            ("max_enqueued_batches", 1),
            ("num_batch_threads", 1),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, got {getattr(self, name)}")
        sizes = self.allowed_batch_sizes
        rising = all(a < b for a, b in zip((0, *sizes), sizes, strict=False))
        if sizes and not (rising and sizes[-1] == self.max_batch_size):
            raise ValueError(
                "allowed_batch_sizes must rise and end with max_batch_size "
                f"({self.max_batch_size}), got {', '.join(map(str, sizes))}"
            )

    def padded(self, rows: int) -> int:
        """The size that a batch of `rows` is padded to."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)

    @property
    def most_waiting(self) -> int:
        """Rows of one version and signature that may wait."""
        return self.max_enqueued_batches * self.max_batch_size

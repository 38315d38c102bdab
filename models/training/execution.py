"""How fast a training runs on a machine: nothing here changes its numbers beyond rounding."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from models.cells.compile import Compile
from models.section import Section

AUTO_STEPS = 16
"""Batches per call into the graph: between calls nothing computes for about half a millisecond."""

Auto = Literal["auto"]


class ExecutionConfig(Section):
    """Threads, and how the work of a step is laid out; recorded with each training.

    On a CPU a recurrent step is many small operations: threads that share one of them wait for
    each other longer than they compute. So `auto` gives each operation one thread and each core a
    part of every batch. A bidirectional layer has its two directions to keep two cores busy with.
    """

    layers: Literal["auto", "keras"] = Field(
        default="auto", description="auto: cuDNN or fused kernels where they can; keras: its loops"
    )
    shards: Annotated[int, Field(ge=1)] | Auto = Field(
        default="auto",
        description="parts of a batch side by side; auto: one for each core",
    )
    compiled: Compile | Auto = Field(
        default="auto",
        description="steps as programs of XLA, one for each shape of a batch: those of a known "
        "number or always, for which sequences have some dozen programs; auto: known on a CPU",
    )
    steps_per_execution: Annotated[int, Field(ge=1)] | Auto = Field(
        default="auto", description="batches per call into the graph; auto: 16 on a CPU, else 1"
    )
    intra_op: Annotated[int, Field(ge=0)] | Auto = Field(
        default="auto", description="threads that share an operation; 0: TensorFlow's choice"
    )
    inter_op: Annotated[int, Field(ge=0)] | Auto = Field(
        default="auto", description="operations side by side; 0: TensorFlow's choice"
    )


@dataclass(frozen=True)
class Execution:
    """The settings for a training on this machine.

    Attributes:
        fused: Whether layers may use kernels instead of Keras' loops.
        shards: Parts of a batch.
        compiled: Which steps XLA compiles: none, those of a known number, or any.
        steps_per_execution: Batches per call into the graph.
        intra_op: Threads that share an operation; 0: TensorFlow's choice.
        inter_op: Operations side by side; 0: TensorFlow's choice.
    """

    fused: bool
    shards: int
    compiled: Compile
    steps_per_execution: int
    intra_op: int
    inter_op: int


def cores() -> int:
    """Cores that this process may use: TF_NUM_INTEROP_THREADS where trials share a machine."""
    mine = len(os.sched_getaffinity(0))
    told = os.environ.get("TF_NUM_INTEROP_THREADS", "")
    return min(mine, int(told)) if told.isdigit() and int(told) > 0 else mine


def execution(config: ExecutionConfig, *, gpu: bool, fusable: bool, directions: int) -> Execution:
    """What `auto` comes to.

    Args:
        config: As configured.
        gpu: Whether training runs on a GPU: its kernels need no parts, and its host threads are
            left to TensorFlow.
        fusable: Whether kernels can compute the layers: in Keras' loops threads have to share
            operations.
        directions: In which a layer reads, 1 or 2; both are computed side by side.
    """
    mine = cores()
    cut = not gpu and fusable and config.layers == "auto"

    compiled: Compile = "known" if cut else "never"

    def of(value: int | Auto, automatic: int) -> int:
        return automatic if isinstance(value, str) else value

    return Execution(
        fused=config.layers == "auto",
        shards=of(config.shards, max(1, mine // directions) if cut else 1),
        compiled=compiled if config.compiled == "auto" else config.compiled,
        steps_per_execution=of(config.steps_per_execution, 1 if gpu else AUTO_STEPS),
        intra_op=of(config.intra_op, 1 if cut else 0),
        inter_op=of(config.inter_op, mine if cut else 0),
    )

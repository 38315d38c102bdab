"""`export_sequence_model`: a SavedModel of any core, which needs no Python of ours and no GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.export.metadata import description
from models.export.saved_model import save_servable
from models.sequences.core import SequenceCore
from models.sequences.export.metadata import describe_sequences, stepper_of
from models.sequences.export.servable import SequenceServable
from models.sequences.export.warmup import sequence_requests
from models.sequences.spec import SequenceSpec


def export_sequence_model(
    core: SequenceCore,
    folder: Path,
    *,
    spec: SequenceSpec,
    classes: Sequence[str],
    vocabularies: Mapping[str, Sequence[str]],
    metadata: Mapping[str, Any],
) -> None:
    """Writes `core` as a SavedModel into `folder`, which appears only when it is complete.

    `spec`, `classes` and `vocabularies` are those of the `SequenceStore` it was fitted on. Inputs
    by the names of `models.export.names`, `time` being the longest sequence of the batch:

    - `serving_default` takes number columns float32 `[batch, time]` and symbol columns string
      `[batch, time]`, padded on the right with anything, and `length`, int32 `[batch]`, from 1 to
      `time`; or the text, string `[batch]`, alone. A text without symbols is read as one unknown
      symbol. It returns `probabilities`, float32 `[batch, classes]` for classify, else
      `[batch, time, classes]` (0 where padded); `classes`, string `[batch, classes]`, the same
      names in each row; `label`, string `[batch]` or `[batch, time]`, the most probable class
      ("" where padded); and for next_step `next_probabilities`, float32 `[batch, classes]`, of what
      follows the last symbol.
    - `serve_examples` takes `examples`, serialized tf.Example string `[batch]`, whose features
      have the names of the columns: lists of one value per step, or the text; `length` is theirs.
    - `describe` is that of every model of Elman's, see `models.export.saved_model`.
    - `sample`, for next_step: see `models.sequences.export.sampling`.
    - `stream_init` and `stream_step`, where the core has a `CoreStepper`, are those of
      `models.export.saved_model`: one step in, number columns float32 `[batch]` and symbol columns
      string `[batch]`, a text's too (one symbol of it); `probabilities`, `label` and `classes` as
      above, without a time axis, and the new state out.

    A `length` outside of 1 to `time` is an INVALID_ARGUMENT for the request. Beside the graph:
    `assets.extra/elman.json` (see `models.sequences.export.metadata.describe_sequences`) and
    `assets.extra/tf_serving_warmup_requests`.

    Args:
        core: Fitted; its graph must run on a CPU (see `models.export.portable`). The SavedModel
            holds the variables that its graph reads, and no Keras object.
        folder: Where the SavedModel goes; replaced if it exists.
        spec: Task and columns.
        classes: Names, in the order of the logits.
        vocabularies: By symbol or text column, the symbols that have ids from 2 on.
        metadata: Further keys for `elman.json`.

    Raises:
        BadInputError: If columns collide in their names, or `metadata` holds a key of ours.
        FailedRunError: If the stubs of TensorFlow Serving are not installed.
    """
    stepper, refusal = stepper_of(core, spec)
    described = describe_sequences(spec, classes, metadata, stepper=stepper, refusal=refusal)
    servable = SequenceServable(
        core, spec, classes, vocabularies, described, description(described), stepper
    )
    save_servable(servable, described, folder, sequence_requests(described))

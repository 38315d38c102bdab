"""`SequenceServable`: what is saved of a sequence model, with its signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from models.export.servable import describe_signature, traced
from models.export.streaming import MOST_ROWS, row_count
from models.sequences.core import CoreStepper, SequenceCore
from models.sequences.export.metadata import (
    CLASSES,
    LABEL,
    NEXT_PROBABILITIES,
    PROBABILITIES,
    SEED,
    STEPS,
    TEMPERATURE,
    input_tensors,
)
from models.sequences.export.reading import CoreInputs, SequenceReader
from models.sequences.export.sampling import Sampler
from models.sequences.spec import SequenceSpec

Tensor = Any


class SequenceServable(tf.Module):
    """Owns the variables and tables that the signatures capture.

    Args:
        core: The model.
        spec: Task and columns.
        classes: Names, in the order of the logits.
        vocabularies: By symbol or text column.
        described: Its metadata.
        text: What the signature `describe` answers.
        stepper: The core step by step; None if it cannot be read so.
    """

    def __init__(
        self,
        core: SequenceCore,
        spec: SequenceSpec,
        classes: Sequence[str],
        vocabularies: Mapping[str, Sequence[str]],
        described: Mapping[str, Any],
        text: str,
        stepper: CoreStepper | None,
    ) -> None:
        super().__init__(name="sequence_model")
        self._reader = SequenceReader(spec, vocabularies)
        answers = _Answers(spec, classes)
        made = {
            **_whole_signatures(core, self._reader, answers, spec),
            "describe": describe_signature(text),
        }
        if spec.task == "next_step":
            sampler = Sampler(core, stepper, classes)
            made["sample"] = _sample_signature(sampler, self._reader, spec)
        if stepper is not None:
            made |= _stream_signatures(stepper, self._reader, answers, described)
        # The core stays behind in closures: a Keras model in it would be saved with all it can do.
        found = {id(v): v for function in made.values() for v in function.graph.variables}
        first = {id(v): v for v in core.ordered_variables() if id(v) in found}
        self._variables = list((first | found).values())
        self.signatures: Callable[[], dict[str, Any]] = lambda: made


class _Answers:
    """Logits as the outputs of a signature."""

    def __init__(self, spec: SequenceSpec, classes: Sequence[str]) -> None:
        self._spec, self._classes = spec, list(classes)

    def whole(self, logits: Tensor, length: Tensor) -> dict[str, Tensor]:
        """Of whole sequences."""
        probabilities = tf.nn.softmax(logits)
        if self._spec.task == "classify":
            return self._named(probabilities)
        inside = tf.sequence_mask(length, tf.shape(logits)[1])
        out = self._named(tf.where(inside[..., None], probabilities, 0.0))
        out[LABEL] = tf.where(inside, out[LABEL], "")
        if self._spec.task == "next_step":
            out[NEXT_PROBABILITIES] = tf.gather(probabilities, length - 1, batch_dims=1)
        return out

    def step(self, logits: Tensor) -> dict[str, Tensor]:
        """After one more step."""
        return self._named(tf.nn.softmax(logits))

    def _named(self, probabilities: Tensor) -> dict[str, Tensor]:
        names = tf.constant(self._classes, tf.string)
        rows = tf.shape(probabilities)[0]
        return {
            PROBABILITIES: probabilities,
            CLASSES: tf.repeat(names[None], rows, axis=0),
            LABEL: tf.gather(names, tf.argmax(probabilities, axis=-1)),
        }


def _whole_signatures(
    core: SequenceCore, reader: SequenceReader, answers: _Answers, spec: SequenceSpec
) -> dict[str, Any]:
    def answer(read: CoreInputs) -> dict[str, Tensor]:
        return answers.whole(core(*read), read.length)

    def serving_default(**tensors: Tensor) -> dict[str, Tensor]:
        return answer(reader(tensors))

    def serve_examples(examples: Tensor) -> dict[str, Tensor]:
        return answer(reader.examples(examples))

    examples = tf.TensorSpec((None,), tf.string, name="examples")
    return {
        "serving_default": traced(serving_default, _specs(spec)),
        "serve_examples": traced(serve_examples, {"examples": examples}),
    }


def _sample_signature(sampler: Sampler, reader: SequenceReader, spec: SequenceSpec) -> Any:
    def sample(**tensors: Tensor) -> dict[str, Tensor]:
        read = reader(tensors)
        symbols = sampler(
            read.tokens[0], read.length, tensors[STEPS], tensors[TEMPERATURE], tensors[SEED]
        )
        return {"symbols": symbols}

    own = {
        name: tf.TensorSpec((None,), dtype, name=name)
        for name, dtype in ((STEPS, tf.int32), (TEMPERATURE, tf.float32), (SEED, tf.int64))
    }
    return traced(sample, {**_specs(spec), **own})


def _stream_signatures(
    stepper: CoreStepper,
    reader: SequenceReader,
    answers: _Answers,
    described: Mapping[str, Any],
) -> dict[str, Any]:
    streaming, names = described["streaming"], described["inputs"]
    types = described["input_types"]

    def stream_init(batch: Tensor) -> dict[str, Tensor]:
        state = stepper.init(row_count(batch, MOST_ROWS))
        return {name: tf.identity(state[name]) for name in streaming["state"]}

    def stream_step(**tensors: Tensor) -> dict[str, Tensor]:
        before = {name: tensors[name] for name in streaming["state"]}
        logits, after = stepper.step(*reader.step(tensors), before)
        return answers.step(logits) | {name: tf.identity(after[name]) for name in before}

    specs = {
        names[c]: tf.TensorSpec((None,), tf.as_dtype(types[c]), name=names[c])
        for c in streaming["inputs"]
    }
    specs |= {
        name: tf.TensorSpec((None, *shape), tf.float32, name=name)
        for name, shape in streaming["state"].items()
    }
    batch = tf.TensorSpec(None, tf.int32, name="batch")
    return {
        "stream_init": traced(stream_init, {"batch": batch}),
        "stream_step": traced(stream_step, specs),
    }


def _specs(spec: SequenceSpec) -> dict[str, tf.TensorSpec]:
    return {
        name: tf.TensorSpec((None, *(None for _ in shape)), tf.as_dtype(dtype), name=name)
        for name, shape, dtype in input_tensors(spec).values()
    }

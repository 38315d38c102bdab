"""Static text covariates: a learned vector for each known word, zero for an unknown one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override


def embedding_size(words: int) -> int:
    """Length of the vector of one of `words` words: the half, at most 16."""
    return max(1, min(16, (words + 1) // 2))


@keras.saving.register_keras_serializable(package="elman")
class VocabularyEmbedding(keras.Layer):
    """Looks up strings [batch] in `vocabulary` and returns vectors float32 [batch, size].

    A word that the vocabulary does not hold gives zeros, the centre of the initial vectors, not
    the untrained vector of an unknown-word token.
    """

    def __init__(self, vocabulary: Sequence[str], size: int, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.vocabulary = [str(word) for word in vocabulary]
        self.size = size
        self.seed = seed
        self.lookup = keras.layers.StringLookup(vocabulary=self.vocabulary, name="lookup")
        self.embedding = keras.layers.Embedding(
            len(self.vocabulary) + 1,
            size,
            embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=seed),
            dtype="float32",
            name="embedding",
        )
        self.supports_jit = False  # XLA has no strings.

    @override
    def build(self, input_shape: Any) -> None:
        self.embedding.build(input_shape)
        self.built = True

    @override
    def call(self, words: Any) -> Any:
        index = self.lookup(words)
        known = tf.cast(index > 0, tf.float32)[..., None]
        return self.embedding(index) * known

    @override
    def compute_output_spec(self, words: Any) -> keras.KerasTensor:
        return keras.KerasTensor((*words.shape, self.size), dtype="float32")

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "size": self.size,
            "seed": self.seed,
        }

"""Why rows of sequences cannot be used, and what people can do about it."""

from __future__ import annotations

from components.ingest import rejects

UNUSED = ""
"""The split of sequences that none of the configured values claims."""

NO_ID = "missing sequence id"
NO_STEP = "missing step"
BAD_STEP = "step is not a number"
NO_NUMBER = "missing number"
NO_SYMBOL = "missing symbol"
NO_TEXT = "empty text"
NO_LABEL = "missing label"
NO_SPLIT = "missing value of the split column"
LABELS = "label differs within the sequence"
REPEATED = "step is there twice"
SAME_ID = "id is there twice"
TWO_SPLITS = "sequence in two splits"

ADVICE = {
    rejects.MALFORMED: "check data.delimiter, data.quote and the number of fields",
    rejects.ENCODING: rejects.ADVICE[rejects.ENCODING],
    NO_ID: "every row needs the id of its sequence; data.null_values lists what is no id",
    NO_STEP: "every row needs its step; or remove data.step to take rows as they come",
    NO_NUMBER: "sequences have no gaps: fill the number, or leave the step out",
    NO_SYMBOL: "write a symbol for it, or leave the step out",
    NO_LABEL: "every row needs its label; data.null_values lists what is none",
    LABELS: "classify learns one label for each sequence; to learn one per step set task: tag",
    REPEATED: "two rows with the same sequence and step: keep one of them",
    SAME_ID: "a text is one row: give each its own id, or remove data.sequence",
    TWO_SPLITS: "a sequence is in one split as a whole; ids must differ between files too",
}

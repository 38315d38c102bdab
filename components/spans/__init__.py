"""Spans: data that arrives in dated or numbered pieces, each ingested once and joined at training.

This package needs no TFX outside `component.py` and `executor.py`; the plan of a night (which spans
there are, which are new, changed, blocked or gone) is made without TensorFlow.
"""

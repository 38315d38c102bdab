"""The pipeline's components: logic as plain Python, TFX wiring in component.py and executor.py."""

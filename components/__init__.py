"""The pipeline's components: each folder holds its logic as plain Python and its TFX wiring in component.py and executor.py."""

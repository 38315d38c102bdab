"""Recurrent models, windows, baselines and metrics: plain Python on NumPy and TensorFlow, without TFX or MLflow."""

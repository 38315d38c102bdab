"""Windows, recurrent models, baselines and metrics; no TFX and no MLflow."""

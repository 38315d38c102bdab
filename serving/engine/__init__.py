"""Models on disk, loaded and unloaded while requests run."""

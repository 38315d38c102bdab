"""Real TF Serving: its files, its command line, and a watch over its process."""

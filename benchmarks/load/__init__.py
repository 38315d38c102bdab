"""What the benchmarks of serving share: a model, a server process, and clients in a loop."""

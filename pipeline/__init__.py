"""The pipeline as a whole: configuration, graph, runner, command line."""

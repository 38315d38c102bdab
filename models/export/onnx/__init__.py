"""A forecaster written out as an ONNX graph, layer by layer."""

"""How fast are the recurrent layers, beside Keras as it comes, PyTorch and ONNX Runtime?"""

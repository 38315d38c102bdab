"""What runs single signatures of a model in TensorFlow's place."""

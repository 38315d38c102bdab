"""Sessions that send one step at a time and carry the model's state themselves."""

"""Windows of raw history: what a model reads outside training, for origins without labels."""

"""A sample of the requests that a server answers, kept as TF Serving's LoggingConfig keeps them."""

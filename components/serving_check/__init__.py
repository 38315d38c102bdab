"""A pushed model must answer in a fresh process first."""

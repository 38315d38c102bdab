"""The one configuration file."""

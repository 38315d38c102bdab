"""The embedded server's process: settings, metrics, access log, start and stop."""

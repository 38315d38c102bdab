"""The REST API of TF Serving: paths, JSON, and the ASGI application."""

"""How a client reaches a model server: REST or gRPC, with TLS, a token, retries and a deadline."""

"""gRPC: the services of TF Serving and the standard health service, on `grpc.aio`."""

"""API Gateway: HTTP APIs and REST APIs in front of functions."""

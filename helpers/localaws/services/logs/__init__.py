"""CloudWatch Logs: log events, where they lie, and what is asked of them."""

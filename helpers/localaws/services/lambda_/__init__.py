"""AWS Lambda: its API, and what becomes of an invocation before and after the data plane has it."""

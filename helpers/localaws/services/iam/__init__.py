"""IAM: who sends a request, and what its sender, a role or a service may do, as their policies say."""

"""S3: notifications, pages that a bucket invites, and what is refused."""

"""S3: notifications, and pages that a bucket invites."""

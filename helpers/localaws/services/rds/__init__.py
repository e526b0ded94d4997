"""RDS: a real PostgreSQL behind each DB instance, and a real connection pool behind each DB proxy."""

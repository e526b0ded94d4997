"""What is measured and shown: REPORT lines as tables, claims, prices, alternative texts, and pictures to explore."""

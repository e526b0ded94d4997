"""What the workshop makes in AWS: the ledger that says so, by which kinds and tags it is known, and clean()."""

"""What pages on this machine share, such as the console: who is let in (access.py), how one is served (server.py)."""

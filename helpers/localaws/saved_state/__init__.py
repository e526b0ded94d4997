"""What the embedded AWS remembers: its state in a file, saved before a client is told that something was done.

`stores.py` says what a store is, `pickles.py` how an entry becomes bytes, `state_file.py` where these lie, `saver.py`
when they are written. Nothing in here knows of MiniStack: `services/stores.py` says which stores there are, and
`services/acknowledged.py` which answers wait.
"""

# What is kept, in files of the folder: all but the log lines, and these.
STATE, LOGS = "state.sqlite", "logs.sqlite"

"""The console: pages on 127.0.0.1 with the screens of AWS's Lambda console, for the AWS that the reader chose.

Each click is an action (actions/), plain boto3, and shows the cell of a notebook that does the same (cells.py). Screens
(screens/) call actions and give what they answer to templates. access.py lets in the reader alone.
"""

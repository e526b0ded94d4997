"""Measures the embedded AWS side by side with others that run functions on one machine: `python3 -m helpers bench`.

What is measured is in scenarios.py, on what in a module for each: embedded_aws.py, plain_ministack.py,
serverless_offline.py, bare_runtime_api.py. page.py makes a table and a picture of the figures.
"""

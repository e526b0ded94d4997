"""The Python environment of the workshop, the programs of other runtimes, and wheels for a machine without a network.

environment.py uses the standard library alone, as it makes what everything else needs.
"""

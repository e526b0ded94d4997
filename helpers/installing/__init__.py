"""The Python environment of the workshop, the programs of other runtimes, and wheels for a machine without a network.

Standard library only, as it makes what everything else needs.
"""

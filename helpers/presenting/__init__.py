"""Presents notebooks to a room: plans.py reads what is presented, section by section, and in how many minutes."""

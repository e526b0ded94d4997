"""The learner's side of the class, in each kernel: standard library only, but for the box that join() shows.

The record (helpers/session/record.py) is the outbox: what is new in it is sent on, by a thread that no cell waits for.
"""

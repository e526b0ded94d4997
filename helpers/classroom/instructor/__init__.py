"""The instructor's side of the class: learners' API at one port, and at another, of this machine alone, the page.

store.py keeps what is sent; learner_api.py takes it, within limits.py; room.py folds it into the class as it is now;
page.py shows that, and predictions.py draws what was predicted; table.py is what is left at the end.
"""

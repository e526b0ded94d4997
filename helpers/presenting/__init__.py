"""Presents notebooks to a room: JupyterLab as a projector wants it, and a presenter page for a second screen.

plans.py reads what is presented, section by section, and in how many minutes. talk.py knows which section is on, and
clock.py how that keeps to the plan. app.py is the presenter page, and beside.py what stands on it. In JupyterLab,
labextensions/ shows one section at a time, and projector.py, in its server, joins it to the page.
"""

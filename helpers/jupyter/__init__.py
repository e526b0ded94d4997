"""JupyterLab as `lab` opens it: its defaults, what it may save, and what a kernel of a notebook does by itself."""

"""What the console does in AWS: each action is a function of a Workshop, and a cell.

An action names nothing but modules, names of the standard library and names of helpers that
notebooks import; it ends with what it returns, and returns nowhere else.
"""

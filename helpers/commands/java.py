"""Adds a Java to the environment, for functions in Java, and says which one they run with."""

from .. import localaws
from ..installing import environment
from . import say


def add() -> int:
    """Add it unless it is there. Raises EnvironmentProblem."""
    if environment.java_added():
        say("Java is there already.")
    else:
        say(f"Adding Java to the environment: {environment.JAVA_SIZES}.")
        environment.add_java()
    java = localaws.find_runtime("java25")
    say(f"Functions in {java.version} run with {java.command[0]}.")
    return 0

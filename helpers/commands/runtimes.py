"""Lists which program runs which runtime of AWS Lambda here, and adds or removes one."""

from .. import localaws
from ..installing.added_runtimes import add, is_added, names, remove
from . import say


def show() -> int:
    """Print a line for each runtime."""
    width = max(map(len, names()))
    for name in names():
        print(f"{name:{width}}  {describe(name)}")
    return 0


def describe(name: str) -> str:
    """What it runs on, or why it does not."""
    try:
        found = localaws.find_runtime(name)
    except localaws.MissingRuntime as missing:
        return f"{missing}."
    return found.note or f"{found.version}, {found.command[0]}{', added' if is_added(name) else ''}."


def change(action: str, name: str) -> int:
    """Add one, or remove it. Raises RuntimeNotAdded."""
    if action == "remove":
        remove(name)
        say(f"Removed what was added for {name}; now: {describe(name)}")
        return 0
    if not _lacks(name):
        say(f"{name} is there already: {describe(name)}")
        return 0
    say(f"Adding {name}, once.")
    add(name)
    say(f"{name} runs with {describe(name)}")
    return 0


def _lacks(name: str) -> bool:
    if name not in names():
        return True  # which `add` refuses
    try:
        return bool(localaws.find_runtime(name).note)
    except localaws.MissingRuntime:
        return True

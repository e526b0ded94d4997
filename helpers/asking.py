"""Asks the reader before something that cannot be taken back, and never takes silence for a yes."""


def says_yes(question: str) -> bool | None:
    """Whether the reader types "yes"; None where there is nobody to ask, as when a notebook runs without a browser."""
    try:
        answer = input(question)
    except (EOFError, OSError, NotImplementedError):  # no stdin; Jupyter has a NotImplementedError for it
        return None
    return answer.strip().lower() == "yes"

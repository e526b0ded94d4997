"""The screens of the console, one module each: what a page shows, and what its buttons do."""

from ..page import Screen
from . import (
    code,
    configuration,
    create,
    delete,
    function_list,
    inbox,
    live,
    logs,
    monitoring,
    test,
    triggers,
    versions,
)

SCREENS: tuple[Screen, ...] = (
    function_list.SCREEN,
    create.SCREEN,
    inbox.SCREEN,
    live.SCREEN,
    code.SCREEN,
    test.SCREEN,
    configuration.SCREEN,
    triggers.SCREEN,
    versions.SCREEN,
    monitoring.SCREEN,
    logs.SCREEN,
    delete.SCREEN,
)

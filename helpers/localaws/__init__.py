"""An AWS inside the Python environment. This is its door: what the rest of the workshop may use stands here.

README.md beside this file has the way of an invocation, and what is in which folder. Standard library only.
"""

from .data_plane import node_sdk, npm
from .data_plane.capacity import environments as environments_possible
from .data_plane.capacity import raise_descriptors
from .data_plane.confinement import possible as confinement_possible
from .data_plane.jvm import JAR as JAVA_RUNTIME
from .data_plane.programs import ADDED as ADDED_RUNTIMES
from .data_plane.programs import CONDAS, meant
from .data_plane.requirements import with_requirements
from .data_plane.runtimes import MissingRuntime, Runtime
from .data_plane.runtimes import find_here as find_runtime
from .page_token import page_token
from .ports import free_port, is_free
from .server_process import (
    LIFE_HEADER,
    LOG_FILE,
    OTHER_LIFE,
    STATE_FILE,
    Endpoint,
    LocalAwsError,
    access_activity,
    alive,
    has_kept,
    is_at,
    needed,
    open_url,
    running,
    start,
    stop,
)
from .slack_stand_in import CONTROL_PATH, MESSAGES_FILE, read_posts

__all__ = [
    "ADDED_RUNTIMES",
    "CONDAS",
    "CONTROL_PATH",
    "JAVA_RUNTIME",
    "LIFE_HEADER",
    "LOG_FILE",
    "MESSAGES_FILE",
    "STATE_FILE",
    "Endpoint",
    "LocalAwsError",
    "OTHER_LIFE",
    "MissingRuntime",
    "Runtime",
    "access_activity",
    "alive",
    "confinement_possible",
    "environments_possible",
    "find_runtime",
    "free_port",
    "has_kept",
    "is_at",
    "is_free",
    "meant",
    "needed",
    "node_sdk",
    "npm",
    "open_url",
    "page_token",
    "raise_descriptors",
    "read_posts",
    "running",
    "start",
    "stop",
    "with_requirements",
]

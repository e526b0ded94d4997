"""The machine of a measurement, in words: what it is and how busy it was, but not whose."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil


def described() -> str:
    """Its processors, memory, system and Python."""
    cores, memory_gb = psutil.cpu_count(), psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    return f"{_processor()}, {cores} cores; {memory_gb:.0f} GB of memory; {system}; Python {sys.version.split()[0]}."


def load(when: str) -> str:
    """The load average of the last minute, and the time; `when` is "At the beginning", say."""
    now = datetime.now(UTC)
    return f"{when}, at {now:%H:%M} UTC on {now:%Y-%m-%d}, its load average was {os.getloadavg()[0]:.1f}."


def _processor() -> str:
    """The model, where the system tells it, or the kind."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()

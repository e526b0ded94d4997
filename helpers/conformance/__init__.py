"""Holds an AWS against what AWS answers: `python3 -m helpers conformance`.

The scenarios are in tests/conformance/scenarios/, with what AWS answers and where that comes from. declared.py says
what a scenario is, world.py what it works with, answers.py how an answer is written down and compared; running.py runs
them, targets.py says on what. members.py finds members of requests that are ignored; page.py makes tables of it all.
"""

from .declared import Scenario, documented, recorded, scenario, source_of
from .world import World

__all__ = ["Scenario", "World", "documented", "recorded", "scenario", "source_of"]

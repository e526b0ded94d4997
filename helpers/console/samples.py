"""A function to begin with, for each language, and which runtimes a new function can have."""

import sys

from ..connect import Workshop
from ..facts import facts

PYTHON = """\
import json


def handler(event, context):
    print("the event:", json.dumps(event))
    return {"hello": event.get("name", "Lambda")}
"""
NODE = """\
export const handler = async (event) => {
  console.log("the event:", JSON.stringify(event));
  return { hello: event.name ?? "Lambda" };
};
"""
RUBY = """\
require "json"

def handler(event:, context:)
  puts "the event: #{JSON.generate(event)}"
  { hello: event.fetch("name", "Lambda") }
end
"""
SAMPLES = {  # by the beginning of a runtime: file, handler, text
    "python": ("app.py", "app.handler", PYTHON),
    "nodejs": ("index.mjs", "index.handler", NODE),
    "ruby": ("app.rb", "app.handler", RUBY),
}


def sample(runtime: str) -> tuple[str, str, str]:
    """File, handler and text to begin with; empty for a language that is compiled."""
    return next((found for start, found in SAMPLES.items() if runtime.startswith(start)), ("", "", ""))


def runtimes() -> list[str]:
    """AWS's runtimes, as the facts have them."""
    return sorted(name for name, each in facts().items() if each.group == "runtimes")


def first_runtime(workshop: Workshop) -> str:
    """What a new function has at first: on the embedded AWS this Python's, which is surely there."""
    mine = f"python3.{sys.version_info.minor}"
    return mine if workshop.is_embedded else "python3.13"

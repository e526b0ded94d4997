"""What is written in Ruby, Node.js or Python uses nothing newer than the oldest version that the workshop accepts.

The whole suite shows that on a machine with those versions. On others this does, for what one may reach for.
"""

import re
from pathlib import Path

import pytest

from helpers.settings import ROOT

NEWER = {
    "Ruby 3.1": (  # of Debian 12
        "decode_uri_component",
        "encode_uri_component",
        "Data.define",
        "byteindex",
        "byterindex",
        "bytesplice",
        "Regexp.timeout",
        "linear_time?",
        "Enumerator.product",
        ".overlap?",
        "set_temporary_name",
        "RFC2396_PARSER",
        "Hash.new(capacity",
    ),
    "Node.js 22": (
        "Promise.try",
        "RegExp.escape",
        "Error.isError",
        "Float16Array",
        "URLPattern",
        "Uint8Array.fromBase64",
        "Uint8Array.fromHex",
        ".toBase64(",
        ".toHex(",
        "Iterator.concat",
        "Math.sumPrecise",
        "import.meta.main",
        "await using",
        "zstdCompress",
        "process.execve",
        "module.registerHooks(",
    ),
    "Python 3.11": (
        "itertools.batched",
        "import batched",
        "typing import override",
        "copy.replace(",
        "warnings.deprecated",
        "onexc=",
        "math.sumprod",
        "sys.monitoring",
        "Path.from_uri",
        ".full_match(",
        "compression.zstd",
        "annotationlib",
        "templatelib",
    ),
}


def written() -> list[Path]:
    """Every source of ours: functions, starters, bootstraps, and Python files with functions in their texts."""
    files = [path for folder in ("helpers", "notebooks", "tests") for path in (ROOT / folder).rglob("*")]
    ours = [path for path in files if "node_modules" not in path.parts and path != Path(__file__)]
    return [path for path in ours if path.suffix in (".py", ".rb", ".mjs", ".js", ".cjs")]


@pytest.mark.parametrize("oldest", NEWER)
def test_nothing_newer_is_used(oldest):
    names = re.compile("|".join(map(re.escape, NEWER[oldest])))
    used = {str(path.relative_to(ROOT)): names.findall(path.read_text(encoding="utf-8")) for path in written()}
    assert {path: found for path, found in used.items() if found} == {}


def test_what_is_written_is_found():
    suffixes = [path.suffix for path in written()]
    assert min(suffixes.count(".rb"), suffixes.count(".mjs")) >= 8

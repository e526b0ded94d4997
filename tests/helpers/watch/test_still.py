"""The still picture: an SVG without scripts, and a sentence that counts."""

import re
from xml.etree import ElementTree

import pytest

from helpers.watch.environments import Environments
from helpers.watch.still import DENSE, draw
from helpers.watch.strings import catalogue, say, time_text, visible

AT = 1_790_000_000_000.0
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x00\ufffe\ud800" + 300 * "x"


def snapshot(number: int, **members) -> dict:
    return {
        "environment": f"/aws/lambda/hello:2026/11/30/[$LATEST]{number:032x}",
        "function": "hello",
        "version": "$LATEST",
        "memory_size": 128,
        "memory_mb": 33.7,
        "state": "idle",
        "since": AT - 1000,
        "created": AT - 61_000,
        "init_ms": 400,
        "invocations": 2,
        "invocation_times": [{"start": AT - 3000, "duration_ms": each, "status": "success"} for each in (10, 20)],
        **members,
    }


def still(*snapshots: dict):
    environments = Environments()
    environments.restart(snapshots, AT)
    return draw(environments, AT)


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def strip(svg: str) -> list[tuple[str, float]]:
    """What is on the strips: kinds and widths."""
    paths = re.findall(r'<path d="([^"]+)" fill="url\(#watch-(\w+)\)"', svg)
    return [(kind, float(width)) for path, kind in paths for width in re.findall(r"h([\d.]+)v10", path)]


def test_it_says_the_same_as_its_alternative_text():
    drawn = still(snapshot(1), snapshot(2, state="busy"))
    root = ElementTree.fromstring(drawn.svg)
    assert drawn.alt == "2 environments of hello: 1 busy, 1 idle; 0 cold starts, 0 invocations."
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text == texts(drawn.svg)[0] == drawn.alt


def test_a_tile_has_its_state_in_a_pattern_and_a_word_and_what_it_did():
    drawn = still(snapshot(1, state="busy", failed=1))
    assert 'fill="url(#watch-busy)"' in drawn.svg
    for text in ("busy", "age 1 min", "init 400 ms, 2 invocations, 1 failed", "34 of 128 MB"):
        assert text in texts(drawn.svg)


def test_one_that_began_from_a_snapshot_has_a_restore():
    drawn = still(snapshot(1, initialization_type="snap-start", init_ms=35))
    assert "restore 35 ms, 2 invocations" in texts(drawn.svg)


def test_one_that_has_ended_says_why():
    environments = Environments()
    environments.restart([snapshot(1)], AT)
    ended = {"at": AT, "kind": "environment.ended", "environment": snapshot(1)["environment"], "reason": "killed"}
    environments.told([ended])
    assert "its process was killed" in texts(draw(environments, AT).svg)
    environments.restart([snapshot(2)], AT)
    environments.told([{**ended, "environment": snapshot(2)["environment"], "reason": "of a new kind"}])
    assert "of a new kind" in texts(draw(environments, AT).svg)


def test_strips_are_to_scale():
    drawn = still(snapshot(1, invocation_times=[{"start": 0, "duration_ms": 200, "status": "error"}]))
    assert [kind for kind, _ in strip(drawn.svg)] == ["init", "failed"]
    (_, init), (_, failed) = strip(drawn.svg)
    assert init == pytest.approx(2 * failed, rel=0.02)


def test_what_grows_is_as_long_as_it_has_lasted():
    drawn = still(snapshot(1, init_ms=None, state="init", since=AT - 600, invocation_times=[]), snapshot(2))
    growing, done = (width for kind, width in strip(drawn.svg) if kind == "init")
    assert growing == pytest.approx(1.5 * done, rel=0.02)


def test_a_thousand_are_a_dense_grid_that_stays_small():
    drawn = still(*(snapshot(number) for number in range(1000)))
    assert drawn.alt.startswith("1,000 environments of hello: 1,000 idle; ")
    assert drawn.svg.count("h14v14h-14z") == 1000
    assert float(ElementTree.fromstring(drawn.svg).get("height")) < 500
    assert len(drawn.svg) < 30_000
    assert still(*(snapshot(number) for number in range(DENSE))).svg.count("age ") == DENSE


def test_many_functions_fit():
    drawn = still(*(snapshot(number, function=f"f{number}") for number in range(20)))
    assert "8 more" in texts(drawn.svg)


def test_hostile_names_are_text():
    drawn = still(snapshot(1, function=HOSTILE, version=HOSTILE), snapshot(2, reason=HOSTILE))
    root = ElementTree.fromstring(drawn.svg)  # which is well-formed
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        "svg", "title", "defs", "pattern", "rect", "path", "circle", "text"
    }  # fmt: skip
    assert "\u202e" not in drawn.svg
    assert "<script" not in drawn.svg
    assert not re.search(r"\son\w+=", drawn.svg)


def test_it_has_nothing_of_this_run_but_measurements():
    """What notebooks are saved with is compared: no id of a log stream or request, no time of day."""
    drawn = still(snapshot(0xABCDEF, state="busy", request_id="8f507cfc-0000-4697-b07a-ac58fc914c95"))
    assert "abcdef" not in drawn.svg
    assert "8f507cfc" not in drawn.svg
    assert "2026" not in drawn.svg


def test_every_sentence_can_be_said_with_one_and_with_many():
    for id, entry in catalogue().items():
        assert set(entry) == {"one", "other"} if isinstance(entry, dict) else entry, id
        places = re.findall(r"\{(\w+)\}", str(entry))
        for n in (1, 2):
            said = say(id, **{**dict.fromkeys(places, "x"), "n": n})
            assert "{" not in said, id


@pytest.mark.parametrize(
    "ms, text",
    [(0, "0 ms"), (0.94, "0.9 ms"), (12.3, "12 ms"), (999, "999 ms"), (1500, "1.5 s"), (59_000, "59 s"),
     (999.6, "1 s"), (59_499, "59 s"), (59_999, "1 min"), (61_000, "1 min"), (3_599_000, "1 h"),
     (900_000, "15 min"), (5_400_000, "1.5 h"), (-5, "0 ms")],
)  # fmt: skip
def test_times_have_the_unit_that_fits(ms, text):
    assert time_text(ms) == text


def test_what_cannot_be_seen_is_made_visible():
    assert visible("a\u202eb\x1b[0m\u200b\tc\n") == "a\\u202eb\\u001b[0m\\u200b\tc\n"
    assert visible("日本 🎉 é") == "日本 🎉 é"

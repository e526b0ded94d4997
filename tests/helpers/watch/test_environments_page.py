"""The environments in a real browser: tiles, a dense grid, keyboard, screen reader, themes, loss, hostile names."""

import time

import pytest
import watch_page
from browsers import emulate, in_both
from localaws_client import eventually
from watch_page import Page

ENTER, TAB, ESCAPE, HOME, END = "\ue007", "\ue004", "\ue00c", "\ue011", "\ue010"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
HOSTILE = "<img src=x onerror=window.hurt=1><script>window.hurt=2</script>\u202e\u200b" + 300 * "x"
WORDS = ".watch-tile .watch-word"


@pytest.fixture(scope="module")
def address():
    yield from watch_page.serve()


@pytest.fixture
def page(driver, address):
    driver.set_window_size(1024, 700)
    emulate(driver)
    shown = Page(driver, address)
    shown.tell("status", connected=True, sentence="", coarse=False, now=now())
    yield shown
    assert shown.run("return window.hurt ?? null") is None
    assert [each for each in shown.problems() if "favicon" not in each] == []


def now() -> float:
    return time.time() * 1000


def snapshot(number: int, state: str = "idle", function: str = "hello", **members) -> dict:
    return {
        "environment": f"/aws/lambda/{function}:2026/11/30/[$LATEST]{number:032x}",
        "function": function,
        "version": "$LATEST",
        "memory_size": 128,
        "initialization_type": "on-demand",
        "state": state,
        "since": now() - 1000,
        "created": now() - 59_800 + number,
        "init_ms": 400,
        "memory_mb": 33.7,
        "invocations": 2,
        "failed": 0,
        "request_id": "8f507cfc-0000-4697-b07a-ac58fc914c95" if state == "busy" else None,
        "idle_s": 300,
        "reason": "",
        "invocation_times": [{"start": 0, "duration_ms": 20, "status": "success"}],
        **members,
    }


def show(page: Page, *snapshots: dict, counts: dict | None = None) -> None:
    page.tell("environments", environments=list(snapshots), **({"counts": counts} if counts else {}))
    drawn = ".watch-tile, .watch-cursor" if snapshots else ".watch-summary:not(:empty)"
    eventually(lambda: page.all(drawn))
    eventually(lambda: not snapshots or page.text(".watch-summary")[:1].isdigit())


def event(kind: str, number: int, function: str = "hello", **members) -> dict:
    named = {key: snapshot(number, function=function)[key] for key in ("environment", "function", "version")}
    return {"at": now(), "kind": f"environment.{kind}", **named, **members}


def happens(page: Page, *events: dict) -> None:
    page.tell("activity", events=list(events))


def colors(page: Page, selector: str = ".watch-strips, .watch-dense canvas") -> list[str]:
    """The colours on the canvas, the most frequent ones first."""
    return page.run(
        """
        const canvas = document.querySelector(arguments[0]);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const counted = new Map();
        for (let place = 0; place < data.length; place += 4) {
          if (data[place + 3] < 255) continue;
          const color = `${data[place]} ${data[place + 1]} ${data[place + 2]}`;
          counted.set(color, (counted.get(color) ?? 0) + 1);
        }
        return [...counted].sort((one, other) => other[1] - one[1]).map(([color]) => color);
        """,
        selector,
    )


COUNT_FRAMES = """
window.frames_asked = 0;
const ask = window.requestAnimationFrame;
window.requestAnimationFrame = (then) => { window.frames_asked += 1; return ask(then); };
"""
BUSY = "0 114 178"  # of helpers/palette.py: BLUE


@in_both
def test_a_burst_is_seen_as_tiles(page):
    show(page)
    assert page.text(".watch-part > p:not(.watch-summary)").startswith("No execution environment yet.")
    for number in range(3):
        happens(page, event("created", number, memory_size=128, initialization_type="on-demand"))
        happens(page, event("init", number, phase="init"))
    eventually(lambda: page.all(WORDS) == ["init"] * 3)
    for number in range(3):
        happens(
            page, event("ready", number, init_ms=412.5, memory_mb=33), event("busy", number, request_id="8f507cfc-1")
        )
    eventually(lambda: page.all(WORDS) == ["busy"] * 3)
    assert page.all(".watch-tile .watch-fate") == ["request 8f507cfc"] * 3
    for number in range(3):
        happens(page, event("idle", number, duration_ms=50, status="success" if number else "error", memory_mb=34))
    eventually(lambda: page.all(WORDS) == ["idle"] * 3)
    wanted = "3 environments of hello: 3 idle; 3 cold starts, 3 invocations, 1 failed."
    eventually(lambda: page.text(".watch-summary") == wanted)
    assert page.text(".watch-group-name") == "hello, version $LATEST 3 idle"
    assert page.all(".watch-tile .watch-wide")[:2] == [
        "init 413 ms, 1 invocation, 1 failed",
        "init 413 ms, 1 invocation",
    ]


def test_a_tile_says_memory_age_and_how_long_it_is_kept(page):
    show(page, snapshot(1), snapshot(2, idle_s=None), snapshot(3, initialization_type="provisioned-concurrency"))
    assert page.all(".watch-tile .watch-age, .watch-tile .watch-word + .watch-right") == ["age 1 min"] * 3
    assert page.all(".watch-tile .watch-fate") == ["kept for 5 min", "\xa0", "kept ready"]
    assert page.all(".watch-tile .watch-fate + .watch-right") == ["34 of 128 MB"] * 3


@in_both
def test_a_state_is_a_colour_a_pattern_and_a_word(page):
    states = ["busy", "idle", "init", "waiting", "ended"]
    show(page, *(snapshot(number, state) for number, state in enumerate(states)))
    assert page.all(WORDS) == states
    patterns = page.run(
        "return [...document.querySelectorAll('.watch-tile')]"
        ".map((each) => getComputedStyle(each, '::before').backgroundImage)"
    )
    assert len(set(patterns)) == len(states)
    assert all(each.startswith('url("data:image/png') for each in patterns)
    assert page.all(".watch-legend li span:last-child")[:6] == ["busy", "idle", "init", "waiting", "ended", "failed"]


@in_both
def test_an_environment_that_is_killed_says_so_and_another_takes_its_place(page):
    show(page, snapshot(1, "busy"))
    happens(page, event("idle", 1, status="error", duration_ms=10), event("ended", 1, reason="killed"))
    eventually(lambda: page.all(".watch-tile .watch-fate") == ["its process was killed"])
    happens(page, event("created", 2, initialization_type="on-demand"), event("init", 2, phase="init"))
    eventually(lambda: page.all(WORDS) == ["ended", "init"])
    happens(page, event("created", 1, initialization_type="on-demand"))  # after a crash, the same one again
    eventually(lambda: sorted(page.all(WORDS)) == ["init", "waiting"])


def test_one_that_begins_from_a_snapshot_has_a_restore(page):
    show(page)
    happens(page, event("created", 1, initialization_type="snap-start"), event("init", 1, phase="restore"))
    happens(page, event("ready", 1, restore_ms=35))
    eventually(lambda: page.all(".watch-tile .watch-wide") == ["restore 35 ms, 0 invocations"])


def test_an_invocation_that_never_gets_beyond_init_has_failed(page):
    show(page, snapshot(2))
    first = [event("created", 1, initialization_type="on-demand"), event("init", 1, phase="init")]
    anew = [event("created", 1, initialization_type="on-demand"), event("init", 1, phase="invoke")]
    happens(page, *first, event("ended", 1, reason="failed"), *anew, event("ended", 1, reason="failed"))
    eventually(lambda: page.text(".watch-summary").endswith("1 cold start, 1 invocation, 1 failed."))


def test_strips_grow_while_something_lasts_and_stand_still_otherwise(page):
    show(page, snapshot(1, "busy", init_ms=None, invocation_times=[]))

    def drawn() -> int:
        return page.run(
            "const c = document.querySelector('.watch-strips');"
            "const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
            "return data.filter((value, place) => place % 4 === 3 && value === 255).length;"
        )

    first = eventually(drawn)
    eventually(lambda: drawn() > first)
    happens(page, event("idle", 1, duration_ms=1000))
    eventually(lambda: page.all(WORDS) == ["idle"])
    still = page.run("return new Promise((done) => setTimeout(done, 50))") or drawn()
    assert eventually(lambda: drawn() == still)


@in_both
def test_a_thousand_are_a_dense_grid(page):
    show(page, *(snapshot(number, "busy") for number in range(1000)))
    eventually(lambda: page.all(".watch-cursor"))
    assert page.all(".watch-tile") == []
    assert page.text(".watch-summary").startswith("1,000 environments of hello: 1,000 busy; ")
    assert page.run("return document.querySelectorAll('.watch *').length") < 100
    assert BUSY in colors(page)[:2]


@in_both
def test_in_a_dense_grid_only_what_has_changed_is_drawn(page):
    """At 60 frames a second there is no time for all of them."""
    show(page, *(snapshot(number, init_ms=2100) for number in range(1000)))  # far from where the scale changes
    eventually(lambda: page.all(".watch-cursor"))
    page.run(
        "window.drawn = 0; const { prototype } = window.CanvasRenderingContext2D, draw = prototype.fillRect;"
        "prototype.fillRect = function (...box) { window.drawn += 1; draw.apply(this, box); };"
    )
    happens(page, event("busy", 7, request_id="8f507cfc-1"))
    eventually(lambda: "1 busy, 999 idle" in page.text(".watch-summary"))
    assert 0 < page.run("return drawn") < 200


@in_both
def test_frames_are_asked_for_only_while_something_grows(page):
    show(page, snapshot(1))
    page.run(COUNT_FRAMES)
    happens(page, event("busy", 1, request_id="8f507cfc-1"))
    eventually(lambda: page.run("return frames_asked") > 10)
    happens(page, event("idle", 1, duration_ms=20))
    eventually(lambda: page.all(WORDS) == ["idle"])
    asked = page.run("return frames_asked")
    happens(page, event("frozen", 1))
    page.driver.execute_async_script("setTimeout(arguments[0], 1200)")
    assert page.run("return frames_asked") - asked < 8  # one a second, and one for the event


@in_both
@pytest.mark.parametrize(
    "count, name",
    [
        (7, "idle age 1 min init 400 ms, 2 invocations kept for 5 min 34 of 128 MB"),
        (90, "idle, init 400 ms, 2 invocations, 34 of 128 MB."),
    ],
)
def test_all_can_be_reached_by_keyboard(page, count, name):
    show(page, *(snapshot(number) for number in range(count)))
    eventually(lambda: page.all("button.watch-tile, .watch-cursor"))
    page.run("document.getElementById('before').focus()")
    page.press(TAB)
    said = [page.focused()]
    for key in (RIGHT, END, RIGHT, HOME, DOWN, UP, LEFT):
        page.press(key)
        said.append(page.focused())
    numbers = [int(each.split()[1]) for each in said]
    assert numbers[:5] == [1, 2, count, count, 1]
    assert numbers[5] > 1
    assert numbers[6:] == [1, 1]
    assert said[0] == f"Environment 1 of hello: {name} Enter shows its log."
    page.press(TAB)
    assert page.run("return document.activeElement.id") == "after", "the tiles are one stop of the Tab key"


@in_both
@pytest.mark.parametrize("count", [3, 90])
def test_the_log_of_one_is_shown_and_closed_by_keyboard(page, count):
    show(page, *(snapshot(number) for number in range(count)))
    eventually(lambda: page.all("button.watch-tile, .watch-cursor"))
    page.run("document.getElementById('before').focus()")
    page.press(TAB)
    page.press(RIGHT)
    page.press(ENTER)
    id = snapshot(1)["environment"]
    assert page.sent("log") == [{"type": "log", "environment": id}]
    assert page.run("return document.activeElement.ariaExpanded") == "true"
    assert page.text(".watch-log-name bdi") == "Log stream of environment 2 of hello"
    page.tell("log", environment=id, begins=True, lines=[{"at": 0, "text": "START"}])
    page.tell("log", environment=id, begins=False, lines=[{"at": 61_001, "text": "END"}])
    page.tell("log", environment="of another", begins=True, lines=[{"at": 0, "text": "not this"}])
    assert page.all(".watch-lines div") == ["00:00:00.000START", "00:01:01.001END"]
    page.press(TAB)  # to the buttons of its panel
    page.press(ESCAPE)
    assert page.sent("log")[-1] == {"type": "log", "environment": None}
    assert page.run("return document.querySelector('.watch-log').hidden")
    assert page.focused().startswith("Environment 2 of hello")


@in_both
def test_a_click_in_a_dense_grid_finds_the_one_below_it(page):
    from selenium.webdriver import ActionChains

    show(page, *(snapshot(number) for number in range(90)))
    canvas = eventually(lambda: page.driver.find_elements("css selector", ".watch-dense canvas"))[0]
    left, top = -canvas.rect["width"] / 2, -canvas.rect["height"] / 2
    ActionChains(page.driver).move_to_element_with_offset(
        canvas, int(left) + 24 * 3 + 5, int(top) + 5
    ).click().perform()
    assert page.sent("log") == [{"type": "log", "environment": snapshot(3)["environment"]}]
    assert page.text(".watch-cell-says").startswith("Environment 4 of hello: idle, ")


def test_one_can_be_ended_by_a_button_which_tells_what_came_of_it(page):
    show(page, snapshot(1, "busy"))
    page.driver.find_element("css selector", ".watch-tile").click()
    page.driver.find_element("xpath", "//button[.='End this environment']").click()
    id = snapshot(1)["environment"]
    assert page.sent("fault") == [{"type": "fault", "id": "end-environment", "of": id, "on": True}]
    page.tell("done", id="end-environment", of=id, sentence="Its process has ended.", code="")
    assert page.text(".watch-log-done") == "Its process has ended."


def test_on_aws_none_can_be_ended_and_it_says_that_it_is_coarse(page):
    page.tell("status", connected=True, sentence="It comes some seconds later.", coarse=True, now=now())
    show(page, snapshot(1))
    page.driver.find_element("css selector", ".watch-tile").click()
    assert page.run("return [...document.querySelectorAll('.watch-log button')].map((each) => each.hidden)") == [
        True,
        False,
    ]
    assert page.text(".watch-notice") == "It comes some seconds later."


@in_both
def test_states_are_spoken_in_sentences_and_not_a_thousand_of_them(page):
    page.run(
        "window.spoken = []; const live = document.querySelector('[aria-live=polite]');"
        "const watched = {childList: true, characterData: true, subtree: true};"
        "new MutationObserver(() => spoken.push(live.textContent)).observe(live, watched);"
    )
    began = time.monotonic()
    show(page)
    for ten in range(0, 500, 10):
        made = [event("created", number, initialization_type="on-demand") for number in range(ten, ten + 10)]
        happens(page, *made, *(event("init", number, phase="init") for number in range(ten, ten + 10)))
    happens(page, event("ended", 3, reason="killed"))
    wanted = "An environment of hello ended: its process was killed. 499 environments of hello: 499 in init, 1 ended; "
    spoken = eventually(lambda: (found := page.run("return spoken")) and found[-1].startswith(wanted) and found)
    assert len(spoken) <= 2 + (time.monotonic() - began) / 3, "a sentence has three seconds"
    assert page.run("return document.querySelector('[aria-live=polite]').getAttribute('role')") == "status"


def test_everything_has_a_name_and_a_role(page):
    show(page, snapshot(1), snapshot(2, function="other"))
    page.driver.find_element("css selector", ".watch-tile").click()
    assert page.all("section.watch", "ariaLabel") == ["What happens in AWS, live"]
    assert page.all(".watch-tiles", "role") == ["group", "group"]
    assert page.all(".watch-tiles", "ariaLabel") == [
        "Environments of hello, version $LATEST",
        "Environments of other, version $LATEST",
    ]
    assert page.all(".watch-lines", "role") == ["log"]
    unnamed = [
        text
        for text in page.run(
            "return [...document.querySelectorAll('.watch button')].map((b) => b.ariaLabel || b.textContent)"
        )
        if not text
    ]
    assert unnamed == []
    assert page.run(
        "return [...document.querySelectorAll('.watch canvas')].every((each) => each.ariaHidden === 'true')"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("count", [0, 5, 90])
def test_axe_finds_nothing(page, axe, count, scheme):
    emulate(page.driver, prefers_color_scheme=scheme)
    states = ["busy", "idle", "init", "waiting", "ended"]
    show(page, *(snapshot(number, states[number % 5]) for number in range(count)))
    if count:
        page.run("document.querySelector('.watch-tile, .watch-cursor').click()")
        eventually(lambda: page.run("return !document.querySelector('.watch-log').hidden"))
    of_the_page = ("landmark-one-main", "page-has-heading-one", "region", "html-has-lang")  # which only holds it
    assert axe.problems(page.driver, but=of_the_page) == []


@in_both
def test_hostile_names_and_lines_are_text(page):
    show(page, snapshot(1, function=HOSTILE, version=HOSTILE, reason=HOSTILE), snapshot(2, "ended", reason=HOSTILE))
    happens(page, event("busy", 1, HOSTILE, request_id=HOSTILE))
    page.driver.find_element("css selector", ".watch-tile").click()
    page.tell(
        "log", environment=snapshot(1, function=HOSTILE)["environment"], begins=True, lines=[{"at": 0, "text": HOSTILE}]
    )
    page.tell("done", id="end-environment", of=snapshot(1, function=HOSTILE)["environment"], sentence=HOSTILE)
    page.tell("status", connected=True, sentence=HOSTILE, coarse=False, now=now())
    eventually(lambda: "busy" in page.all(WORDS))
    assert page.run("return document.querySelectorAll('.watch img, .watch script').length") == 0
    text = page.run("return document.querySelector('.watch').textContent")
    assert "<script>window.hurt=2</script>\\u202e\\u200b" in text
    assert not {"\u202e", "\u200b"} & set(text)
    assert page.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "too wide"


def test_who_is_silent_is_missed_and_comes_back_by_itself(page):
    show(page, snapshot(1))
    looks = len(page.sent("look"))
    page.run("const ahead = Date.now() + 60000; window.Date.now = () => ahead")  # nobody has said anything for a minute
    eventually(lambda: page.text(".watch-notice").startswith("Nobody answers here: "))
    assert page.run("return document.querySelector('.watch').dataset.lost") == "true"
    eventually(lambda: page.text("[aria-live=polite]").startswith("Nobody answers here: "))
    page.tell("status", connected=True, sentence="", coarse=False, now=now())
    assert page.run("return document.querySelector('.watch-notice').hidden")
    assert page.run("return document.querySelector('.watch').dataset.lost") == "false"
    assert len(page.sent("look")) == looks + 1, "what was missed is asked for"


def test_an_aws_that_has_stopped_is_said(page):
    show(page, snapshot(1))
    page.tell("status", connected=False, sentence="The embedded AWS does not answer.", coarse=False, now=now())
    assert page.text(".watch-notice") == "The embedded AWS does not answer."
    assert page.run("return document.querySelector('.watch').dataset.lost") == "true"


@in_both
def test_it_has_the_theme_of_jupyterlab_or_of_the_system(page):
    show(page, snapshot(1, "busy"))
    theme = "return document.querySelector('.watch').dataset.theme"
    paper = "return getComputedStyle(document.querySelector('.watch')).backgroundColor"
    emulate(page.driver, prefers_color_scheme="light")
    eventually(lambda: page.run(theme) == "light")
    assert page.run(paper) == "rgb(255, 255, 255)"
    emulate(page.driver, prefers_color_scheme="dark")
    eventually(lambda: page.run(theme) == "dark")
    assert page.run(paper) == "rgb(22, 22, 22)"
    eventually(lambda: "86 180 233" in colors(page))  # SKY: drawn anew
    page.run("document.body.dataset.jpThemeLight = 'true'")
    eventually(lambda: page.run(theme) == "light")
    eventually(lambda: BUSY in colors(page))


def test_what_was_hidden_meanwhile_is_drawn_when_it_is_seen(page):
    """JupyterLab hides all while it loads another theme, and tells nobody."""
    page.run("document.getElementById('place').style.display = 'none'")
    show_hidden = [snapshot(number, "busy") for number in range(3)]
    page.tell("environments", environments=show_hidden)
    page.run("document.body.dataset.jpThemeLight = 'true'")
    page.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert page.all(".watch-tile") == []
    page.run("document.getElementById('place').style.display = ''")
    eventually(lambda: page.all(WORDS) == ["busy"] * 3)
    assert BUSY in colors(page)


@in_both
def test_without_motion_nothing_grows_from_frame_to_frame(page):
    emulate(page.driver, prefers_reduced_motion="reduce")
    show(page, snapshot(1, "busy"))
    page.run(COUNT_FRAMES)
    page.driver.execute_async_script("setTimeout(arguments[0], 1500)")
    assert page.run("return frames_asked") < 8
    assert BUSY in colors(page)


def test_when_it_is_left_nothing_stays(page):
    show(page, snapshot(1))
    page.driver.find_element("css selector", ".watch-tile").click()
    page.run("leave()")
    assert page.sent("log")[-1] == {"type": "log", "environment": None}
    assert page.run("return document.getElementById('place').childElementCount") == 0


def test_a_part_that_cannot_be_loaded_says_so(page):
    page.run(
        """
        leave();
        import("/watch.js").then(({ default: root }) => root.render({
          el: document.getElementById("place"),
          model: { get: (name) => ({ modules: { environments: "throw new Error('<b>broken</b>');\\n" }, strings:
            { "watch.broken": "It cannot be shown: {why}" } })[name], on() {}, off() {}, send() {} },
        }));
        """
    )
    eventually(lambda: page.text(".watch-part") == "It cannot be shown: <b>broken</b>")
    page.problems()  # it is said in the console, too

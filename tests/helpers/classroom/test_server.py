"""Where a class is served: at this machine alone unless told otherwise, and what is refused."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from class_support import KEY, Asker, Page
from localaws_client import eventually

from helpers import settings
from helpers.classroom.instructor import server
from helpers.classroom.instructor.server import Served
from helpers.classroom.place import ClassError, Place

LIMIT_S = 120


def test_it_is_at_this_machine_alone(served):
    assert served.place.host == "127.0.0.1" and served.place.is_for_this_machine
    assert "Only notebooks on this machine reach it." in Page(served).text()


def test_another_address_is_one_of_this_machine(open_class):
    """127.0.0.2 stands for an address in a network: every machine has one of its own."""
    with open_class(address="127.0.0.2") as served:
        assert served.place.address.startswith("127.0.0.2:")
        assert served.page.startswith("http://127.0.0.1:"), "the page is at this machine alone in any case"
        assert Asker(f"http://{served.place.address}", served.place.word).join().status_code == 201


def test_which_addresses_others_can_reach():
    assert (
        not Place("green tiger", "192.168.1.5", 1).is_for_this_machine
        and not Place("green tiger", "fe80::1%eth0", 1).is_for_this_machine
    )
    assert (
        Place("green tiger", "::1", 1).is_for_this_machine and Place("green tiger", "127.0.0.2", 1).is_for_this_machine
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": " "}, "--address ' ' is no address; give the one that this machine has in its network."),
        ({"address": "no such host"}, "--address 'no such host' is no address; give the one that this machine has"),
        (
            {"address": "192.0.2.1"},
            "This machine does not have the address 192.0.2.1; --address takes one that it has.",
        ),
        ({"address": "0.0.0.0"}, "--address 0.0.0.0 would be every network of this machine; name the address in one"),
        ({"address": "::"}, "--address :: would be every network of this machine; name the address in one of them."),
        ({"port": 80}, "--port 80 is none for a class; choose one from 1024 to 65535."),
        ({"port": 70000}, "--port 70000 is none for a class; choose one from 1024 to 65535."),
        ({"word": "abc"}, "The word of a class has 4 to 40 letters and digits, such as green tiger, and not 'abc'."),
        ({"word": "a@b.c.d"}, "The word of a class has 4 to 40 letters and digits, such as green tiger"),
    ],
)
def test_what_cannot_be_is_one_sentence(home, free_port, given, said):
    with pytest.raises(ClassError, match=f"^{re.escape(said)}"), server.serving(**{"port": free_port()} | given):
        pass
    assert not (home / "class.sqlite").exists()


def test_a_port_that_is_taken_is_one_sentence(served, home):
    with pytest.raises(ClassError, match=r"^Port \d+ is taken; is a class open already\? --port chooses another\.$"):
        server.serving(port=served.place.port).__enter__()


def test_a_word_is_made_and_kept(open_class):
    with open_class(word="") as first:
        assert re.fullmatch(r"[a-z]+ [a-z]+", first.place.word)
    with open_class(word="") as second:
        assert second.place.word == first.place.word
    with open_class(word="red lion") as third:
        assert third.place.word == "red lion"


def helpers(*arguments: str, home) -> subprocess.Popen:
    """A command of the command line, in the environment that there is: `lab` would make one."""
    code = (
        "import sys; from helpers.__main__ import _parser; o = _parser().parse_args(sys.argv[1:]); sys.exit(o.run(o))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKSHOP_")}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=settings.ROOT,
        env=kept | {"WORKSHOP_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_a_class_until_it_is_ended(tmp_path, free_port):
    port = free_port()
    process = helpers("class", "--word", "Green Tiger", "--port", str(port), "--no-browser", home=tmp_path)
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()
    assert eventually(lambda: re.search(r"http://127\.0\.0\.1:\d+/enter\?token=\S+", "".join(said)), LIMIT_S)
    asker = Asker(f"http://127.0.0.1:{port}", "green tiger")
    learner = asker.join("Ada", KEY).json()["learner"]
    again, told = helpers("class", "--no-browser", home=tmp_path).communicate(timeout=LIMIT_S)
    assert "The class page is served already" in told and again.strip() not in "".join(said)
    assert "Ada" in Page(Served(again.strip(), None, None)).text(), "another browser gets in by the new address"
    ended = helpers("class", "--end", home=tmp_path)
    file, told = ended.communicate(timeout=LIMIT_S)
    assert ended.returncode == 0 and "The class has ended." in told
    assert "Ada" in Path(file.strip()).read_text(encoding="utf-8-sig")
    assert asker.sync(learner).status_code == 410, "notebooks are told by the one that still serves"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert f'Learners join with join("Green Tiger@127.0.0.1:{port}")' in errors
    assert f"WORKSHOP_CLASS=Green-Tiger@127.0.0.1:{port}" in errors
    assert not list(tmp_path.glob("class.sqlite*"))


def test_a_class_that_is_killed_has_what_it_has_taken(tmp_path, free_port):
    port = free_port()
    asker = Asker(f"http://127.0.0.1:{port}", "green tiger")
    for round in range(2):
        process = helpers("class", "--word", "green tiger", "--port", str(port), "--no-browser", home=tmp_path)
        try:
            learner = eventually(lambda: _joined(asker), LIMIT_S)
            entry = {"kind": "solution", "at": float(round + 1), "notebook": "04", "exercise": "04.2"}
            assert asker.sync(learner, [[round, entry]]).status_code == 200
        finally:
            process.kill()
            process.communicate(timeout=LIMIT_S)
    from helpers.classroom.instructor.store import FILE, ClassStore

    store = ClassStore(tmp_path / FILE)
    assert len(store.members()) == 1 and len(list(store.entries())) == 2
    store.close()


def _joined(asker: Asker) -> str:
    import requests

    try:
        return asker.join("Ada", KEY).json()["learner"]
    except requests.ConnectionError:
        return ""


def test_without_a_class_there_is_nothing_to_end(tmp_path):
    ended = helpers("class", "--end", home=tmp_path)
    _, told = ended.communicate(timeout=LIMIT_S)
    assert ended.returncode == 1 and "ClassError: No class is open." in told
    assert not list(tmp_path.iterdir())

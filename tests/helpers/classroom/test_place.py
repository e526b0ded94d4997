"""The word of a class and its address, as a learner types them."""

import pytest

from helpers.classroom.instructor import words
from helpers.classroom.place import ClassError, Place, bare, known_word, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("green tiger", Place("green tiger", "127.0.0.1", 4580)),
        ("  Green   TIGER ", Place("Green TIGER", "127.0.0.1", 4580)),
        ("tiger@192.168.1.5", Place("tiger", "192.168.1.5", 4580)),
        ("green-tiger @ 192.168.1.5:5000", Place("green-tiger", "192.168.1.5", 5000)),
        ("tiger@class.example:80", Place("tiger", "class.example", 80)),
        ("tiger@[::1]:5000", Place("tiger", "::1", 5000)),
    ],
)
def test_what_is_typed(text, place):
    assert place_of(text) == place
    assert place_of(str(place)) == place


@pytest.mark.parametrize("text", ["tiger@a b", "tiger@1.2.3.4:", "tiger@1.2.3.4:0", "tiger@1.2.3.4:99999", "tiger@h/x"])
def test_an_address_that_is_none(text):
    with pytest.raises(ClassError, match=r"^The address .* of the class is none; write it as"):
        place_of(text)


@pytest.mark.parametrize("text", ["", "abc", "- - - -", "x" * 41, "@127.0.0.1"])
def test_a_word_that_is_none(text):
    with pytest.raises(ClassError, match=r"^The word of a class has 4 to 40 letters and digits"):
        place_of(text)


def test_capitals_spaces_and_hyphens_do_not_matter():
    assert bare("Green Tiger") == bare("green-tiger") == bare("GREENTIGER ") != bare("green tigers")
    assert bare("ｇｒｅｅｎ") == "green"


def test_a_word_that_is_made_is_two_of_the_lists_and_may_be_typed():
    made = {words.new_word() for _ in range(50)}
    assert len(made) > 40
    for each in made:
        first, second = known_word(each).split()
        assert first in words.FIRST.split() and second in words.SECOND.split()


def test_each_word_of_the_lists_is_short_and_there_once():
    for each in (words.FIRST.split(), words.SECOND.split()):
        assert len(each) == len(set(each))
        assert all(each.isascii() and each.islower() and 3 <= len(each) <= 8 for each in each)
    assert len(words.FIRST.split()) * len(words.SECOND.split()) > 25_000

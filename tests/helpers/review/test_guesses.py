"""A guess and a measurement are compared where that can be told, and left to the reader where not."""

import pytest

from helpers import lessons
from helpers.review import guesses, session
from helpers.review.guesses import Verdict

FREE = "04.a"  # how many times as long as a warm invocation does a cold one take?


@pytest.fixture
def compared(kept):
    """The verdict and the ratio of a guess and what was measured."""

    def compare(key: str, said: str, measured: str) -> tuple[Verdict, float | None]:
        kept.guess(key, said, measured)
        [guess] = guesses.guesses(session.read(), lessons.lesson(key[:2]))
        assert guess.key == key and guess.measured == measured
        return guess.verdict, guess.ratio and round(guess.ratio, 3)

    return compare


@pytest.mark.parametrize(
    "said, measured, verdict, ratio",
    [
        ("12", "12 times, by the medians", Verdict.RIGHT, 1.0),
        ("12 times, by the medians", "12 times, by the medians", Verdict.RIGHT, 1.0),
        ("10 times", "12 times, by the medians", Verdict.CLOSE, 0.833),
        ("about 8", "12 times", Verdict.OFF, 0.667),
        ("100", "12 times", Verdict.FAR, 8.333),
        ("ten", "10 of the first ten", Verdict.RIGHT, 1.0),
        ("5 to 15", "10", Verdict.RIGHT, 1.0),
        ("5-15", "30", Verdict.FAR, 0.5),
        ("2 or 3", "2", Verdict.RIGHT, 1.0),
        ("0.2 s", "200 ms", Verdict.RIGHT, 1.0),
        ("200", "0.2 s", Verdict.FAR, 1000.0),  # a number alone is of the unit that was measured
        ("1,000", "1000 calls", Verdict.RIGHT, 1.0),
        ("1,5", "1.5 times as fast", Verdict.RIGHT, 1.0),
        ("$3", "1.50 USD a month", Verdict.FAR, 2.0),
        ("0", "0 cold starts", Verdict.RIGHT, 1.0),
        ("none", "0", Verdict.RIGHT, 1.0),
        ("0", "9 cold starts", Verdict.FAR, None),
        ("1", "0 of 10", Verdict.OFF, None),
        ("50", "45%", Verdict.CLOSE, 1.111),
        ("0.5", "50%", Verdict.OPEN, None),  # a half, or half a percent
        ("10 ms", "12 times", Verdict.OPEN, None),
        ("10 MB", "12 s", Verdict.OPEN, None),
        ("many", "12", Verdict.OPEN, None),
        ("-3", "12", Verdict.OPEN, None),
        ("", "12", Verdict.NO_GUESS, None),
    ],
)
def test_numbers(compared, said, measured, verdict, ratio):
    assert compared(FREE, said, measured) == (verdict, ratio)


@pytest.mark.parametrize(
    "key, said, measured, verdict",
    [
        ("04.b", "first and third", "first and third", Verdict.RIGHT),
        ("04.b", "first", "first and third", Verdict.WRONG),
        ("05.b", "to the left", "to the left, from 0.2 to 0.4 requests per second", Verdict.RIGHT),
        ("05.b", "it stays", "to the left, from 0.2 to 0.4 requests per second", Verdict.WRONG),
        ("02.e", "they wait", "10 are refused, 20 run", Verdict.OPEN),
        ("04.b", "something else", "first and third", Verdict.OPEN),
    ],
)
def test_choices(compared, key, said, measured, verdict):
    assert compared(key, said, measured) == (verdict, None)


def test_a_status_is_no_number_of_anything(compared):
    assert compared("09.a", "200", "400") == (Verdict.WRONG, None)


@pytest.mark.parametrize("text", ["9" * 400, "1e999", "nan", "-" * 50, "1 - 2 - 3", "0 to 0", "🎲", "½"])
def test_whatever_is_typed_has_a_verdict(compared, text):
    verdict, ratio = compared(FREE, text, "12 times")
    assert verdict in (Verdict.OPEN, Verdict.FAR) and (ratio is None or ratio > 0)


def test_what_counts_is_what_was_said_before_the_first_measurement(kept):
    kept.guess(FREE, "3")
    kept.guess(FREE, "5", "12 times")
    kept.guess(FREE, "12", "11 times")
    [guess] = guesses.guesses(session.read(), lessons.lesson("04"))
    assert (guess.said, guess.measured, guess.later) == ("5", "11 times", ["12"])
    assert guess.verdict is Verdict.FAR


def test_a_guess_that_was_taken_back_is_none(kept):
    kept.guess(FREE, "3")
    kept.note("prediction", "04", key=FREE, text="")
    kept.guess(FREE, "", "12 times")
    [guess] = guesses.guesses(session.read(), lessons.lesson("04"))
    assert (guess.said, guess.verdict) == ("", Verdict.NO_GUESS)


def test_nothing_is_held_against_a_guess_where_the_measurement_has_not_shown_what_the_text_says(kept):
    kept.section("04", "A cold start and a warm one")
    kept.guess(FREE, "3", "1.1 times")
    kept.note("claim", "04", says="a cold invocation takes longer", holds=False)
    [guess] = guesses.guesses(session.read(), lessons.lesson("04"))
    assert (guess.verdict, guess.ratio) == (Verdict.DOUBTFUL, None)
    kept.guess(FREE, "", "12 times")  # measured again
    kept.note("claim", "04", says="a cold invocation takes longer", holds=True)
    kept.section("04", "Another section")
    kept.note("claim", "04", says="something else", holds=False)
    [guess] = guesses.guesses(session.read(), lessons.lesson("04"))
    assert (guess.said, guess.measured, guess.verdict) == ("3", "12 times", Verdict.FAR)


def test_guesses_that_are_older_than_the_record_are_there(kept):
    kept.progress(predictions={"04.a": "7"})
    [guess] = guesses.guesses(session.read(), lessons.lesson("04"))
    assert (guess.said, guess.verdict) == ("7", Verdict.NOT_MEASURED)


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_every_question_of_a_lesson_is_known(lesson):
    asked = guesses.questions(lesson)
    source = lesson.source.read_text(encoding="utf-8")
    assert len(asked) == sum(line.startswith("predict(") for line in source.splitlines())
    assert all(each.text and "Predict" not in each.text for each in asked.values())
    assert all(key[:2] == lesson.number for key in asked)

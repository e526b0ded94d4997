"""The predictions of a class as bars: numbers in their order, choices in the notebook's, and what was measured."""

import random

import pytest

from helpers.classroom.instructor import predictions, strings
from helpers.classroom.instructor.predictions import ANSWERS, VALUES, number_in, question_of
from helpers.classroom.instructor.room import Learner
from helpers.classroom.instructor.store import Member


def learners(told: list[str], measured: list[str] = (), key: str = "04.a") -> list[Learner]:
    made = []
    for number in range(max(len(told), len(measured))):
        learner = Learner(Member(str(number), str(number), 0, 0, None))
        learner.predictions |= {key: told[number]} if number < len(told) else {}
        learner.measured |= {key: measured[number]} if number < len(measured) else {}
        made.append(learner)
    return made


def bars(told, measured=(), key="04.a", **options):
    return [tuple(bar) for bar in predictions.of(key, learners(told, measured, key), **options).bars]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("about 40%", 40),
        ("3.5 times", 3.5),
        ("1,250 ms", 1250),
        ("1,25", 1),
        ("-3", -3),
        ("−3", -3),
        ("42 times, by the medians", 42),
        (".5", 0.5),
        ("no idea", None),
        ("", None),
        ("9" * 400, 999999999999999),
    ],
)
def test_the_first_number_of_a_text_counts(text, number):
    assert number_in(text) == number


def test_numbers_stand_in_their_order_with_what_was_measured_among_them():
    assert bars(["100", "about 5", "20 times", "5", "no idea"], ["42 times", "42 times"]) == [
        ("5", 2, False),
        ("20", 1, False),
        ("42", 0, True),
        ("100", 1, False),
        ("no number", 1, False),
    ]


def test_what_was_measured_can_be_hidden():
    shown = predictions.of("04.a", learners(["5", "20"], ["42 times"]), is_hidden=True)
    assert [bar.answer for bar in shown.bars] == ["5", "20"] and shown.measured == ""


@pytest.mark.parametrize("seed", range(20))
def test_each_prediction_is_in_one_bar(seed):
    draw = random.Random(seed)
    spread = draw.choice([1.5, 30, 1e3, 1e6, 1e12])
    told = [f"{draw.choice([1, 1, 1, -1 if seed % 3 == 0 else 1]) * draw.uniform(1, spread):.6f}" for _ in range(60)]
    told += [str(draw.randint(0, int(spread))) for _ in range(20)]
    shown = predictions.of("04.a", learners(told, ["3 times"]))
    assert sum(bar.learners for bar in shown.bars) == len(told)
    assert sum(bar.is_measured for bar in shown.bars) == 1
    assert VALUES / 4 <= len(shown.bars) <= 2 * VALUES
    assert len({bar.answer for bar in shown.bars}) == len(shown.bars)


def test_numbers_far_apart_are_in_ranges_of_round_numbers():
    told = [str(number) for number in (1, 2, 3, 4, 6, 9, 12, 15, 30, 45, 60, 80, 99, 400)]
    assert [bar[0] for bar in bars(told)] == [
        "1 to 2", "2 to 5", "5 to 10", "10 to 20", "20 to 50", "50 to 100", "100 to 200", "200 to 500",
    ]  # fmt: skip


def test_the_middle_of_what_was_measured_is_said_as_a_notebook_said_it():
    shown = predictions.of("04.a", learners(["5"], ["41 times, a", "45 times, b", "40 times, c", "x"]))
    assert (shown.measured, shown.lowest, shown.highest, shown.measured_count) == ("41 times, a", "40", "45", 4)
    same = predictions.of("04.a", learners(["5"], ["10 lines", "10 lines"]))
    assert (same.measured, same.lowest, same.highest) == ("10 lines", "", "")


def test_choices_stand_in_the_notebooks_order():
    assert bars(["all", "first", "First ", "first and third"], ["first"], "04.b") == [
        ("first", 2, True),
        ("first and second", 0, False),
        ("first and third", 1, False),
        ("all", 1, False),
    ]


def test_a_result_may_say_more_than_the_choice():
    assert [bar[2] for bar in bars(["it stays"], ["to the left, from 3 to 2 requests"], "05.b")] == [True, False, False]


def test_an_answer_of_ones_own_that_is_a_part_of_the_result_is_not_the_result():
    told = bars(["Hello", "Hello, Lambda!"], ["Hello, Lambda!"], "01.a")
    assert told == [("Hello", 1, False), ("Hello, Lambda!", 1, True)]


def test_choices_that_are_numbers_stay_choices():
    assert [bar[0] for bar in bars(["20", "1"], ["5, where it is 3.1 times p50"], "13.d")] == ["1", "5", "20", "40"]
    assert [bar[2] for bar in bars(["20", "1"], ["5, where it is 3.1 times p50"], "13.d")] == [
        False,
        True,
        False,
        False,
    ]


def test_answers_in_words_are_counted_and_the_rare_ones_together():
    told = ["Hello"] * 3 + ["hello", "hi"] + [f"word {chr(97 + number)}" for number in range(20)]
    shown = bars(told, key="01.a")
    assert shown[0] == ("Hello", 4, False)
    assert len(shown) == ANSWERS + 1 and shown[-1][0] == "other answers"
    assert sum(bar[1] for bar in shown) == len(told)


def test_a_translation_has_the_words_of_the_bars(monkeypatch):
    told = {"bars.range": "{low} bis {high}", "bars.no_number": "keine Zahl", "bars.others": "andere"}
    monkeypatch.setattr(strings.CATALOGUE, "entries", told)
    assert bars(["about", *map(str, range(1, 30))])[0][0] == "0 bis 5"
    assert bars(["about", *map(str, range(1, 30))])[-1] == ("keine Zahl", 1, False)
    assert bars([f"word {chr(97 + number)}" for number in range(20)], key="01.a")[-1][0] == "andere"


def test_nothing_predicted_and_nothing_measured_is_no_bar():
    assert predictions.of("04.a", []).bars == () and predictions.of("04.a", []).most == 1
    assert predictions.of("04.a", learners([], ["42 times"])).measured == "42 times"


@pytest.mark.parametrize("key", ["99.a", "", "04", "04.zz", "../x", "04.a\n"])
def test_a_key_that_no_notebook_has_is_no_question(key):
    assert question_of(key) == ("", ())


def test_the_question_is_the_notebooks():
    assert question_of("04.a").text == "Predict: how many times as long as a warm invocation does a cold one take?"
    assert question_of("04.b").choices == ("first", "first and second", "first and third", "all")


def test_every_prediction_of_the_workshop_has_its_question():
    from helpers import lessons
    from helpers.authoring.source import PREDICT, Source

    keys = [
        key
        for each in lessons.lessons()
        for cell in Source(each).cells
        if cell.kind == "code"
        for key in PREDICT.findall(cell.text)
    ]
    assert "01.a" in keys and "18.a" in keys
    for key in keys:
        text = question_of(key).text
        assert text and "**" not in text and "{{" not in text, key

"""The minutes are those between entries of the record; a long gap is a pause and does not count."""

from helpers.review import session, way


def the_way(kept):
    return way.sittings(session.read().entries)


def test_the_time_until_the_next_entry_is_that_of_the_section(kept):
    kept.section("04", "What a cold start is")
    kept.note("prediction", "04", 90, key="04.a", text="3")
    kept.section("04", "After a rest", after=30)
    kept.note("hint", "04", 45, exercise="04.1", number=1)
    [sitting] = the_way(kept)
    assert [(visit.heading, visit.seconds) for visit in sitting.visits] == [
        ("What a cold start is", 120),
        ("After a rest", 45),
    ]
    assert sitting.seconds == 165 and (sitting.ended - sitting.began).total_seconds() == 165


def test_a_pause_does_not_count_and_begins_another_sitting(kept):
    kept.section("04", "After a rest")
    kept.section("04", "Ten at once", after=way.PAUSE_S)
    kept.section("04", "By language", after=way.PAUSE_S + 1)
    kept.note("measured", "04", 20, key="04.a", text="3")
    one, two = the_way(kept)
    assert [visit.seconds for visit in one.visits] == [way.PAUSE_S, 0]
    assert [(visit.heading, visit.seconds) for visit in two.visits] == [("By language", 20)]


def test_who_goes_to_another_notebook_and_back_is_at_the_same_section(kept):
    kept.section("04", "After a rest")
    kept.section("09", "Begin", after=60)
    kept.note("hint", "04", 60, exercise="04.1", number=1)
    kept.section("04", "By language", after=60)
    [sitting] = the_way(kept)
    assert [(visit.notebook, visit.heading) for visit in sitting.visits] == [
        ("04", "After a rest"),
        ("09", "Begin"),
        ("04", "After a rest"),
        ("04", "By language"),
    ]
    assert dict(way.seconds_by_notebook([sitting])) == {"04": 120, "09": 60}


def test_a_clock_that_was_put_back_gives_no_negative_time(kept):
    kept.section("04", "After a rest")
    kept.section("04", "By language", after=-30)
    [sitting] = the_way(kept)
    assert all(visit.seconds >= 0 for visit in sitting.visits) and sitting.seconds == 30


def test_the_time_of_work_between_two_moments_has_no_pauses(kept):
    for after in (10, 20, 10_000, 30):
        kept.note("hint", "04", after, exercise="04.1", number=1)
    entries = session.read().entries
    assert way.seconds_between(entries, entries[0].at, entries[-1].at) == 50


def test_nothing_kept_is_no_way(kept):
    assert the_way(kept) == []

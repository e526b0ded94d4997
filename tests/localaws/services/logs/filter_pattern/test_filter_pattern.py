"""Filter patterns mean what AWS's documentation says: FilterAndPatternSyntax.html and its pages."""

import json
import time

import pytest

from helpers.localaws.services.logs.filter_pattern import InvalidPattern, compiled

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
EVENT = json.dumps(
    {
        "level": "ERROR",
        "eventName": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "n": 4,
        "half": -0.5,
        "big": 1e4,
        "ok": True,
        "gone": None,
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "detail-type": "order",
        "@type": "x",
        "account": "123456789012",
    }
)


@pytest.mark.parametrize(
    ("pattern", "fit", "others"),
    [
        ("", ["", "anything"], []),
        (" ", ["anything"], []),
        ('""', ["anything"], []),
        ('" "', ["anything"], []),
        ("ERROR", ["[ERROR] A fatal exception", "Exiting with ERRORCODE: -1"], ["error", "warning"]),
        ("ERROR Exception", ["[ERROR] Unhandled Exception", "Exception ERROR"], ["ERROR", "Exception"]),
        ("?ERROR ?WARN", ["ERROR message", "WARN message", "ERROR WARN"], ["INFO"]),
        ("ERROR -WARN", ["ERROR message"], ["ERROR WARN message", "message"]),
        ('"ERROR" - "Exiting"', ["ERROR"], ["Exiting with ERRORCODE: -1"]),
        ("-DEBUG", ["INFO"], ["DEBUG"]),
        ("?ERROR ?ARGUMENTS REQUEST", ["[INFO] REQUEST FAILED"], ["ERROR"]),
        ('"internal server error"', ["500 internal server error"], ["internal error of a server"]),
        (r'"\"level\":\"ERROR\""', ['{"level":"ERROR"}'], ["level ERROR"]),
        (r'"a\\b"', ["a\\b"], ["ab"]),
        ('?"a b" ?"c d"', ["a b", "c d"], ["a c"]),
        ("a_1", ["a_1"], ["a1"]),
        ("%AUTHORIZED%", ["[ERROR 401] UNAUTHORIZED REQUEST", "AUTHORIZED"], ["authorized"]),
        (r"%\d{1,3}\.\d{1,3}%", ["10.0"], ["10,0"]),
        ("%[Ee]rror|[Ff]ail%", ["error", "Fail"], ["ERROR"]),
        ("%^START%", ["START x"], ["x START"]),
    ],
)
def test_terms(pattern, fit, others):
    matches = compiled(pattern).matches
    assert [matches(message) for message in fit] == [True] * len(fit)
    assert [matches(message) for message in others] == [False] * len(others)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('$.eventName = "UpdateTrail"', True),
        ("$.eventName = UpdateTrail", True),
        ('$.eventName = "updateTrail"', False),
        ("$.eventName = Update*", True),
        ('$.eventName = "*Trail"', True),
        ("$.eventName = *dateTr*", True),
        ("$.eventName = Up*il", False),
        ("$.eventName = *", True),
        ("$.sourceIPAddress != 123.123.*", True),
        ("$.sourceIPAddress != 111.111.*", False),
        ('$.arrayKey[0] = "value"', True),
        ("$.objectList[1].id = 2", True),
        ("$.objectList[2].id = 2", False),
        ("$.n = 4", True),
        ("$.n = 4.0", True),
        ("$.n != 4", False),
        ("$.n > 3", True),
        ("$.n >= 4", True),
        ("$.n < 4", False),
        ("$.n <= +4e0", True),
        ("$.half < -0.4", True),
        ("$.big = 10000", True),
        ("$.account = 123456789012", True),
        ("$.eventName > 3", False),
        ("$.gone IS NULL", True),
        ("$.nowhere IS NULL", False),
        ("$.nowhere NOT EXISTS", True),
        ("$.n NOT EXISTS", False),
        ("$.ok IS TRUE", True),
        ("$.ok IS FALSE", False),
        ("$.ok = true", True),
        ("$.arrayKey = 1", False),
        ("$.arrayKey != 1", False),
        ("$.nowhere != 1", False),
        ("$.detail-type = order", True),
        ("$.['@type'] = x", True),
        ("$['@type'] = x", True),
        ("$.level = %^ERR%", True),
        ('$.arrayKey[*] = "another value"', True),
        ("$.arrayKey[*] = %val.{2}%", True),
        ("$.arrayKey[*] = no", False),
        ("$.objectList[*].id = 2", True),
        ("$.objectList[*].id > 2", False),
        (r"$.* = %111\.111\.111\.1[0-9]{1,2}%", True),
        ("$.* = nowhere", False),
        ("$.nowhere[*] NOT EXISTS", True),
        ("$.level != %^ERR%", False),
        ('($.n = 1) && ($.level = "ERROR")', False),
        ('($.n = 1 && $.level = "no") || $.ok IS TRUE', True),
        ("$.n = 4 || $.n = 5 && $.level = no", True),
        ("($.n = 4 || $.n = 5) && $.level = no", False),
    ],
)
def test_json(condition, holds):
    assert compiled(f"{{ {condition} }}").matches(EVENT + "\n") is holds
    assert not compiled(f"{{ {condition} }}").matches("no JSON")
    assert not compiled(f"{{ {condition} }}").matches('["a list"]')


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", True),
        ("[ip, user, username, timestamp, request, status_code = 200, bytes]", False),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes]", True),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]", True),
        ("[..., status_code = 4* && status_code != 403, bytes]", True),
        ("[..., status_code = 404 || status_code = 500, bytes]", True),
        ("[..., (status_code = 500 || status_code = 404) && status_code != 4*, bytes]", False),
        ("[ip, user, ..., status_code, bytes]", True),
        ("[ip, user, ...]", True),
        ("[..., a, b, c, d, e, f, g, h]", False),
        ("[ip, user]", True),
        ("[w1 = 127.0.0.1, w2]", True),
        ("[w1 = ERROR, w2]", False),
        ("[..., status = 4*]", False),
        ("[a, b, c, d, e, f, g, h]", False),
        ("[ip = %^127%, ...]", True),
        ('[ip, user, name = "frank", ...]', True),
        ('[ip, user, name != "frank", ...]', False),
        ("[..., request=*.html*, status_code=4*,]", True),
    ],
)
def test_fields_between_spaces(pattern, fits):
    assert compiled(pattern).matches(ACCESS + "\n") is fits


def test_fields_have_their_names_or_else_their_places():
    found = compiled("[..., request=*.html*, status_code=4*,]").extracted(ACCESS)
    assert found == {
        "$1": "127.0.0.1",
        "$2": "-",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a:b", "Invalid character(s) in term ':'"),
        ("(", "Invalid character(s) in term '('"),
        ("level\\x", "Invalid character(s) in term '\\'"),
        ("ERROR %x%", "Invalid character(s) in term '%'"),
        ("%something!%", "Invalid character(s) in term '!'"),
        ("%a(b)%", "Invalid character(s) in term '()'"),
        ('{ $."sc-status" = 5* }', "Invalid character(s) in term '$.\"'"),
        ('"open', "Invalid filter pattern"),
        ("{ $.n }", "Invalid filter pattern"),
        ("{ $.n > x }", "Invalid filter pattern"),
        ("{ $.n = 1", "Invalid filter pattern"),
        ("{ n = 1 }", "Invalid filter pattern"),
        ("{ $.a EXISTS }", "Invalid filter pattern"),
        ("{ $.a IS NOT NULL }", "Invalid filter pattern"),
        ("{ $.*.a.* = 1 }", "A property selector has at most one wildcard selector."),
        ("{ ($.n = 1 }", "Invalid filter pattern"),
        ("[a, b", "Invalid filter pattern"),
        ("[..., a, ...]", "Invalid filter pattern"),
        ("[a = 1 & b = 2]", "Invalid filter pattern"),
        ("%[%", "Invalid filter pattern"),
    ],
)
def test_what_is_no_pattern(pattern, message):
    with pytest.raises(InvalidPattern) as caught:
        compiled(pattern)
    assert str(caught.value) == message


def test_a_pattern_has_two_regular_expressions_at_most():
    assert compiled("{ $.a = %x% || $.b = %y% }").regexes == 2
    with pytest.raises(InvalidPattern, match="at most 2"):
        compiled("{ $.a = %x% || $.b = %y% || $.c = %z% }")


def test_what_is_more_than_the_fields_is_in_the_last_one():
    assert compiled("[w1, w2]").extracted("ERROR Failed to do it\n") == {"$w1": "ERROR", "$w2": "Failed to do it"}


def test_a_pattern_has_three_wildcard_selectors_at_most():
    three = "$.a[*] = x && $.* = y && $.b[*] = z"
    assert not compiled(f"{{ {three} }}").matches("{}")
    with pytest.raises(InvalidPattern, match="at most 3 wildcard"):
        compiled(f"{{ {three} && $.c[*] = w }}")


@pytest.mark.parametrize("pattern", ["ERROR -WARN", '{ $.level = "ERROR" && $.n > 3 }', "[..., a = 4*, b]"])
def test_many_events_cost_little_more_than_to_read_them(pattern):
    """10,000 events: at most 30 times what it takes to read them as JSON."""
    events = [EVENT] * 10_000
    matches = compiled(pattern).matches
    start = time.process_time()
    for event in events:
        json.loads(event)
    read = time.process_time() - start
    start = time.process_time()
    assert sum(map(matches, events)) in (0, 10_000)
    assert time.process_time() - start < 30 * read

"""The query language of Logs Insights does what AWS's documentation says, and refuses what is not here."""

import json
import time

import pytest

from helpers.localaws.services.logs.insights.expressions import Window
from helpers.localaws.services.logs.insights.fields import EventRow, Source
from helpers.localaws.services.logs.insights.parser import MISSING_COMMANDS, MalformedQuery
from helpers.localaws.services.logs.insights.plan import Plan

ID = "8f507cfc-1234-4697-b07a-ac58fc914c95"
T0 = 1_790_000_000_000  # 2026-09-21 14:13:20
MINUTE = 60_000
START = f"START RequestId: {ID} Version: $LATEST\n"
COLD = (
    f"REPORT RequestId: {ID}\tDuration: 14.97 ms\tBilled Duration: 118 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB"
    "\tInit Duration: 103.01 ms\t\nXRAY TraceId: 1-5e-ab\tSegmentId: 07\tSampled: true\n"
)
WARM = (
    f"REPORT RequestId: {ID}\tDuration: 4.5 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB\tMax Memory Used: 68 MB\t\n"
)
END = f"END RequestId: {ID}\n"
NODE = f'2026-11-29T10:00:00.000Z\t{ID}\tERROR\t{{"level": "ERROR", "n": 3, "user": {{"roles": ["a", "b"]}}}}\n'
PLATFORM = json.dumps(
    {"time": "x", "type": "platform.report", "record": {"requestId": ID, "metrics": {"durationMs": 2.5}}}
)
LOG = [START, NODE, END, COLD, WARM]


def source(group="/aws/lambda/f"):
    return Source("000000000000", group, "stream", lambda event: f"pointer {event[1]}")


def plan_of(query, limit=None):
    return Plan(query, Window(T0 + 3_600_000, T0, T0 + 3_599_999), limit)


def asked(query, messages=LOG, group="/aws/lambda/f", limit=None):
    """The rows of a query over events of which each is a minute after the other, as dicts without @ptr."""
    plan = plan_of(query, limit)
    events = [(T0 + at * MINUTE, at + 1, T0 + 7, message) for at, message in enumerate(messages)]
    of = source(group)
    rows = plan.run((EventRow(each, of) for each in (reversed(events) if plan.newest_first else events)), lambda: False)
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in rows]


def value(expression, messages=("x",), group="/aws/lambda/f"):
    """What an expression is for one event; None where it has no value."""
    (row,) = asked(f"fields {expression} as v", messages, group)
    return row.get("v")


def test_without_fields_there_are_the_time_and_the_message_newest_first():
    plan = plan_of("")
    of = source()
    rows = plan.run((EventRow((T0 + at, at, T0, f"{at}\n"), of) for at in (2, 1)), lambda: False)
    assert rows[0] == [
        {"field": "@timestamp", "value": "2026-09-21 14:13:20.002"},
        {"field": "@message", "value": "2\n"},
        {"field": "@ptr", "value": "pointer 2"},
    ]
    assert (plan.scanned, plan.matched) == (2, 2)


def test_fields_that_lambda_logs_have():
    cold = "@type, @requestId, @duration, @billedDuration, @initDuration, @memorySize, @maxMemoryUsed, @xrayTraceId"
    assert asked(f"fields {cold}", [COLD]) == [
        {
            "@type": "REPORT",
            "@requestId": ID,
            "@duration": "14.97",
            "@billedDuration": "118.0",
            "@initDuration": "103.01",
            "@memorySize": "1.28E8",  # as a recording of AWS has it
            "@maxMemoryUsed": "6.7E7",
            "@xrayTraceId": "1-5e-ab",
        }
    ]
    assert [row.get("@type") for row in asked("fields @type | sort @timestamp")] == [
        "START",
        None,
        "END",
        "REPORT",
        "REPORT",
    ]
    assert {row["@requestId"] for row in asked("fields @requestId")} == {ID}
    assert value("@requestId", [f"2026-11-29T10:00:00.000Z {ID} Task timed out after 3.00 seconds\n\n"]) == ID
    assert value("@requestId", [f"[INFO]\t2026-11-29T10:00:00.000Z\t{ID}\thello\n"]) == ID
    assert value("@requestId", [f"the order {ID} is here"]) is None
    assert value("@log") == "000000000000:/aws/lambda/f"
    assert value("@logStream") == "stream"
    assert value("@ingestionTime") == "2026-09-21 14:13:20.007"
    assert value("@nothing") is None


def test_fields_of_json():
    assert asked("fields level, n, user.roles.1, user, nothing", [NODE]) == [
        {"level": "ERROR", "n": "3", "user.roles.1": "b"}
    ]
    assert asked("fields @type, record.metrics.durationMs", [PLATFORM]) == [
        {"@type": "platform.report", "record.metrics.durationMs": "2.5"}
    ]
    event = json.dumps({"a.b": {"c": 1}, "@x": "at", "yes": True, "no": None, "with space": 2, "f": 1.0})
    assert asked("fields a.b.c, @@x, yes, no, `with space`, f", [event], "/my/log") == [
        {"a.b.c": "1", "@@x": "at", "yes": "1", "with space": "2", "f": "1.0"}
    ]
    assert value("level", [NODE], "/my/log") is None, "JSON within a line is found in logs of Lambda's alone"


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ('@type = "REPORT"', [COLD, WARM]),
        ("@type != 'REPORT'", [START, END]),
        ("@duration > 5", [COLD]),
        ('@duration > "5"', [COLD]),
        ("@duration >= 4.5 and @duration < 14.97", [WARM]),
        ("@message like /(?i)error/", [NODE]),
        ("@message =~ /ERROR/", [NODE]),
        ("@message like /error/i", [NODE]),
        ("@message like 'ERROR'", [NODE]),
        ('@message like "error"', []),
        ("level like /^(?i)error$/", [NODE]),
        ("@message not like /RequestId/", [NODE]),
        ("not @message like /RequestId/", [NODE]),
        ("@type in ['START', \"END\"]", [START, END]),
        ("@type IN ['START'] OR n = 3", [START, NODE]),
        ("@type not in ['REPORT']", [START, END]),
        ("n in [1, 2.5, 3]", [NODE]),
        ("ispresent(@initDuration)", [COLD]),
        ("!isPresent(@type)", [NODE]),
        ("not (@type = 'START' or ispresent(@duration)) and ispresent(@type)", [END]),
        ("@type = 'START' or @type = 'END' and 1 = 2", [START]),
        ("(@type = 'START' or @type = 'END') and 1 = 2", []),
        ("strcontains(@message, 'REPORT')", [COLD, WARM]),
        ("nothing = 1 or nothing != 1 or not (nothing = 1)", []),
        ("@timestamp > '2020-01-01'", []),
        ("toMillis(@timestamp) >= now() * 1000 - 3600000 + 4 * 60000", [WARM]),
        ("n == 3", [NODE]),
    ],
)
def test_filter(condition, fits):
    found = [row["@message"] for row in asked(f"filter {condition} | sort @timestamp")]
    assert found == fits
    assert [row["@message"] for row in asked(f"filter {condition}")] == fits[::-1]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("2 ^ 3", "8"),
        ("10 % 3", "1"),
        ("7 / 2", "3.5"),
        ("6 / 3", "2"),
        ("-3 + 1", "-2"),
        ("2 - -1", "3"),
        ("1 / 0", None),
        ("nothing + 1", None),
        ("'a' + 1", None),
        ("'2' * '3'", "6"),
        ("1e3", "1000.0"),
        ("12345678.5", "1.23456785E7"),
        ("0.0001", "1.0E-4"),
        ("abs(-2)", "2"),
        ("ceil(1.2)", "2"),
        ("floor(1.8)", "1"),
        ("round(2.5)", "3"),
        ("round(2.345, 2)", "2.35"),
        ("greatest(1, 3, 2)", "3"),
        ("least(1, 3, 2)", "1"),
        ("log(1)", "0.0"),
        ("sqrt(9)", "3.0"),
        ("sqrt(-1)", None),
        ("toNumber('12')", "12"),
        ("strlen('äb')", "2"),
        ("toupper('a')", "A"),
        ("tolower('A')", "a"),
        ("substr('xyZfooxyZ', 3)", "fooxyZ"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("replace('foo', 'o', '0')", "f00"),
        ("regexReplace('a1b22', '[0-9]+', '-')", "a-b-"),
        ("concat('a', 1, \"b\")", "a1b"),
        ("trim('  a ')", "a"),
        ("ltrim('xyZxyfooxyZ', 'xyZ')", "fooxyZ"),
        ("rtrim('xyZfooxyxyZ', 'xyZ')", "xyZfoo"),
        ("trim('xyZxyfooxyxyZ', 'xyZ')", "foo"),
        ("strcontains('abc', 'b')", "1"),
        ("strcontains('abc', 'B')", "0"),
        ("startsWith('abc', 'ab')", "1"),
        ("endsWith('abc', 'ab')", "0"),
        ("urlencode('a b/c')", "a%20b%2Fc"),
        ("base64decode(base64encode('ä'))", "ä"),
        ("isempty('')", "1"),
        ("isempty(nothing)", "1"),
        ("isblank('  ')", "1"),
        ("isblank('a')", "0"),
        ("ispresent(nothing)", "0"),
        ("coalesce(nothing, 'b', 'c')", "b"),
        ("if(1 < 2, 'yes', 'no')", "yes"),
        ("if(nothing = 2, 'yes', 'no')", "no"),
        ("case(1 = 2, 'a', 2 = 2, 'b', 'c')", "b"),
        ("case(1 = 2, 'a', 'c')", "c"),
        ("isNumeric('1.5')", "1"),
        ("messageSize('äb')", "3"),
        ("isValidIp('10.0.0.1')", "1"),
        ("isValidIpV4('::1')", "0"),
        ("isValidIpV6('::1')", "1"),
        ("isIpInSubnet('2001:db8::1', '2001:db8::/32')", "1"),
        ("isIpv4InSubnet('10.0.1.1', '10.0.0.0/24')", "0"),
        ("jsonStringify(jsonParse('{\"a\": [1, 2]}'))", '{"a":[1,2]}'),
        ("jsonParse('no')", None),
        ("toupper(jsonParse('[1]'))", None),
        ("jsonParse('[1]') = 1", "0"),
        ("jsonArraySize('[1, 2]')", "2"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("bin(5m)", "2026-09-21 14:10:00.000"),
        ("bin(300s)", "2026-09-21 14:13:00.000"),  # AWS takes 60 for more than 60 seconds
        ("bin(1d)", "2026-09-21 00:00:00.000"),
        ("bin(1w)", "2026-09-21 00:00:00.000"),  # a Monday
        ("bin(1mo)", "2026-09-01 00:00:00.000"),
        ("bin(1q)", "2026-07-01 00:00:00.000"),
        ("bin(2hrs)", "2026-09-21 14:00:00.000"),
        ("datefloor(@timestamp, 1h)", "2026-09-21 14:00:00.000"),
        ("dateceil(@timestamp, 1h)", "2026-09-21 15:00:00.000"),
        ("dateceil(datefloor(@timestamp, 1h), 1h)", "2026-09-21 14:00:00.000"),
        ("toMillis(@timestamp)", f"{T0}"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("now()", f"{T0 // 1000 + 3600}"),
        ("queryTimeRange()", "3599999"),
    ],
)
def test_expressions(expression, result):
    assert value(expression) == result


def test_structures():
    query = 'fields jsonParse(\'{"users": [{}, {"the.id": 7}]}\') as j | fields j.users[1].`the.id` as id'
    assert asked(query, ["x"])[0]["id"] == "7"
    assert asked(f"{query} | stats count(*) by j.users.1.`the.id` as id2", ["x"]) == [{"id2": "7", "count(*)": "1"}]


def test_parse():
    line = "2026 [INFO] user=bob, method:GET, latency := 12\n"
    query = 'parse @message "user=*, method:*, latency := *" as @user, @method, @latency'
    assert asked(f"{query} | display @user, @method, @latency", [line, "other"]) == [
        {},
        {"@user": "bob", "@method": "GET", "@latency": "12"},
    ]
    assert asked(f"{query} | stats avg(@latency) by @method, @user", [line]) == [
        {"@method": "GET", "@user": "bob", "avg(@latency)": "12"}
    ]
    assert asked('parse @message "* [*] *" as a, b, c | display a, b, c', [line]) == [
        {"a": "2026", "b": "INFO", "c": "user=bob, method:GET, latency := 12"}
    ]
    named = r"parse @message /method:(?<method>\w+).*:= (?<latency>\d+)/ | filter latency > 11"
    assert asked(f"{named} | display latency * 2 as twice, method", [line]) == [{"twice": "24", "method": "GET"}]
    assert asked(r"parse @message /:= (\d+)/ as l | display l", [line]) == [{"l": "12"}]
    assert asked("fields @log | parse @message 'user=*,' as u", [line]) == [
        {"@log": "000000000000:/aws/lambda/f", "u": "bob"}
    ]


def test_stats_of_the_samples_in_the_documentation():
    query = """filter @type = "REPORT"
        | stats max(@memorySize / 1000 / 1000) as provisonedMemoryMB,
            min(@maxMemoryUsed / 1000 / 1000) as smallestMemoryRequestMB,
            avg(@maxMemoryUsed / 1024 / 1024) as avgMemoryUsedMB,
            max(@maxMemoryUsed / 1000 / 1000) as maxMemoryUsedMB,
            provisonedMemoryMB - maxMemoryUsedMB as overProvisionedMB"""
    assert asked(query) == [
        {
            "provisonedMemoryMB": "128",
            "smallestMemoryRequestMB": "67",
            "avgMemoryUsedMB": "64.373",
            "maxMemoryUsedMB": "68",
            "overProvisionedMB": "60",
        }
    ]
    query = 'filter @type = "REPORT" | fields @requestId, @billedDuration | sort by @billedDuration desc'
    assert [row["@billedDuration"] for row in asked(query)] == ["118.0", "5.0"]
    query = 'filter @type = "REPORT" | stats avg(@duration), max(@duration), min(@duration) by bin(5m)'
    assert asked(query) == [
        {"bin(5m)": "2026-09-21 14:15:00.000", "avg(@duration)": "9.735", "max(@duration)": "14.97"}
        | {"min(@duration)": "4.5"}
    ]


def test_stats():
    numbers = [json.dumps({"n": n, "k": "ab"[n % 2], "t": f"{n}"}) for n in range(1, 11)]

    def one(what):
        ((found,),) = (row.values() for row in asked(f"stats {what} as x", numbers, "/my/log"))
        return found

    assert one("count()") == one("count(*)") == one("count(n)") == "10"
    assert one("count(nothing + 1) + 1") == "1"
    assert one("sum(n)") == one("sum(t)") == "55"
    assert one("avg(n)") == "5.5"
    assert (one("min(n)"), one("max(n)"), one("pct(n, 90)"), one("pct(n, 50)")) == ("1", "10", "9", "5")
    assert one("stddev(n)") == "2.8723"
    assert one("count_distinct(k)") == "2"
    assert (one("earliest(n)"), one("latest(n)")) == ("1", "10")
    assert (one("sortsFirst(k)"), one("sortsLast(k)")) == ("a", "b")
    assert one("latest(@timestamp)") == f"{T0 + 9 * MINUTE}"  # AWS gives milliseconds
    assert one("fromMillis(max(@timestamp))") == "2026-09-21 14:22:20.000"
    assert one("sum(n) / count(*) * 1.0") == "5.5"
    assert one("sum(n) / 3000000") == "1.8333333333333333E-5"
    assert asked("stats count(*) as c by k | sort k", numbers, "/my/log") == [
        {"k": "a", "c": "5"},
        {"k": "b", "c": "5"},
    ]
    assert asked("stats sum(nothing)", numbers, "/my/log") == [{}]
    assert asked("filter 1 = 2 | stats count(*)", numbers) == []
    query = "stats count(*) as c by bin(5m) as t, k | filter c > 1 | stats sum(c) as s, max(t) by k | sort s desc, k"
    assert asked(query, numbers, "/my/log") == [
        {"k": "a", "s": "4", "max(t)": f"{T0 // 300_000 * 300_000 + 600_000}"},
        {"k": "b", "s": "3", "max(t)": f"{T0 // 300_000 * 300_000 + 300_000}"},
    ]
    assert asked("stats count(*) by nothing", numbers) == [{"count(*)": "10"}]
    assert asked("stats count(*) by k | sort `count(*)` | limit 1", numbers, "/my/log") == [{"k": "b", "count(*)": "5"}]


def test_sort_is_natural():
    values = ["10", "9", "b2", "b10", "a", "-1"]
    messages = [json.dumps({"v": each}) for each in values] + ["{}"]

    def found(order):
        return [row.get("v") for row in asked(f"fields v | sort v {order}", messages)]

    assert found("asc") == found("") == [None, "a", "b2", "b10", "-1", "9", "10"]
    assert found("desc") == ["10", "9", "-1", "b10", "b2", "a", None]
    pairs = [json.dumps({"a": a, "b": b}) for a, b in ((1, 1), (2, 1), (1, 2))]
    assert [(row["a"], row["b"]) for row in asked("fields a, b | sort a desc, b asc", pairs)] == [
        ("2", "1"),
        ("1", "1"),
        ("1", "2"),
    ]


def test_limit():
    many = [f"{number}" for number in range(10_100)]
    assert [row["@message"] for row in asked("limit 2", many)] == ["10099", "10098"]
    assert [row["@message"] for row in asked("sort @timestamp asc | limit 2", many)] == ["0", "1"]
    assert len(asked("", many)) == 10_000
    assert len(asked("", many, limit=10_050)) == 10_050
    assert len(asked("limit 100", many, limit=7)) == 7
    assert len(asked("stats count(*) by @message | limit 3", many)) == 3
    plan = plan_of("limit any 3")
    assert len(plan.run((EventRow((T0, n, T0, "x"), source()) for n in range(100)), lambda: False)) == 3
    assert plan.scanned < 100


def test_dedup_keeps_the_first_and_all_that_lack_a_value():
    messages = [json.dumps({"s": s}) for s in "aab"] + ["{}", "{}"]
    assert [row.get("s") for row in asked("fields s | sort @timestamp | dedup s", messages)] == ["a", "b", None, None]
    assert len(asked("fields s | dedup s | limit 3", messages)) == 3


def test_the_last_display_counts():
    assert asked("fields @type, @log | display @type | display @duration", [COLD]) == [{"@duration": "14.97"}]


def test_comments_and_pipes():
    assert asked("# a comment\n| fields @type # of the line\n# filter 1 = 2\n| limit 1", [COLD]) == [
        {"@type": "REPORT"}
    ]
    assert asked("fields '# no comment' as a | filter @message like /#|REPORT/", [COLD]) == [{"a": "# no comment"}]
    assert len(asked("# nothing else", [COLD])) == 1


@pytest.mark.parametrize(
    ("query", "wrong", "message"),
    [
        ("stats count(*) by bin(5m) | sort bin(5m)", "(", "unexpected symbol found ( at line 1 and position 36"),
        ("fields a b", "b", "unexpected symbol found b at line 1 and position 9"),
        ("fields a\n| filter b ==", "", "unexpected symbol found <EOF> at line 2 and position 13"),
        ("fields", "", "unexpected symbol found <EOF>"),
        ("nonsense", "nonsense", "unexpected symbol found nonsense"),
        ("filter a like b", "b", "unexpected symbol found b"),
        ("filter a = 'open", "'", "unexpected symbol found '"),
        ("fields a | ", "", "unexpected symbol found <EOF>"),
        ("filter x in (SOURCE '/a')", "(", "unexpected symbol found ("),
        ("filter @timestamp > ago(30m)", "ago", "There is no function ago."),
        ("fields abs()", "abs()", "abs takes 1 arguments, not 0."),
        ("fields abs(5m)", "5m", "abs does not take 5m."),
        ("fields bin(1)", "1", "bin takes a period"),
        ("fields bin(5x)", "5x", "bin takes a period"),
        ("fields count(*)", "count(*)", "count is a function of stats."),
        ("stats sum(avg(a))", "avg(a)", "avg stands within another function that aggregates."),
        ("stats a", "a", "The field a stands in stats outside"),
        ("stats pct(a, 101)", "101", "The percentile of pct is a number from 0 to 100."),
        ("filter a like /(/", "/(/", "Invalid regular expression"),
        ("parse @message '* *' as a", "'* *'", "parse finds 2 fields here, and names 1."),
        ("parse @message /x/", "/x/", "The regular expression of parse has no named group"),
        ("parse @message '*' as a | parse @message '*' as a", "a", "Ephemeral field already defined: a"),
        ("limit 0", "0", "limit takes a number from 1 to 100000."),
        ("dedup a | sort a", "sort", "unexpected symbol found sort"),
        ("stats rate(a, 1m)", "rate", "The embedded AWS does not have the function rate of Logs Insights."),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(query, wrong, message):
    with pytest.raises(MalformedQuery) as caught:
        plan_of(query)
    assert str(caught.value).startswith(message)
    assert query[caught.value.start : caught.value.end] == wrong


@pytest.mark.parametrize("command", MISSING_COMMANDS)
def test_commands_that_are_not_here_are_named(command):
    with pytest.raises(MalformedQuery) as caught:
        plan_of(f"fields @message\n| {command} @message")
    assert str(caught.value) == f"The embedded AWS does not have the command {command} of Logs Insights."
    assert (caught.value.start, caught.value.end) == (18, 18 + len(command))


def test_eleven_stats_are_too_many():
    assert plan_of("stats count(*) as c" + " | stats sum(c) as c" * 9)
    with pytest.raises(MalformedQuery, match="at most 10"):
        plan_of("stats count(*) as c" + " | stats sum(c) as c" * 10)


@pytest.mark.parametrize(
    "query",
    [
        "filter @type = 'REPORT' | stats avg(@duration), pct(@duration, 99) by bin(5m)",
        "filter level = 'ERROR' | fields @timestamp, n | sort n desc | limit 10",
        "fields @timestamp, @message | filter @message like /(?i)error/",
        "parse @message '* * *' as a, b, c | stats count(*) by a",
    ],
)
def test_ten_thousand_lines_cost_little_more_than_to_read_them(query):
    """At most 60 times what it takes to read as many lines of JSON."""
    messages = LOG * 2000
    start = time.process_time()
    for _ in messages:
        json.loads(PLATFORM)
    read = time.process_time() - start
    start = time.process_time()
    assert asked(query, messages)
    assert time.process_time() - start < 60 * read

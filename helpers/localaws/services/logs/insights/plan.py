"""Running a query: what its commands do with the rows, one after the other.

The commands up to the first one that needs all rows at once (stats, sort, dedup, limit) see each event as it is read,
so that only what they leave is in memory.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .aggregates import Aggregate
from .expressions import Compiler, Expression, Wanted, Window, compiled_regex, named, unquoted
from .fields import EventRow, Row
from .parser import MalformedQuery, parsed, span
from .regexes import glob
from .values import Timestamp, Value, order, shown, shown_by_stats, text, truth

if TYPE_CHECKING:
    from lark import Token, Tree

MOST_ROWS = 100_000  # that `limit` may name
DEFAULT_ROWS = 10_000
MOST_STATS = 10
DEFAULT_FIELDS = ("@timestamp", "@message")
POINTER = "@ptr"

Each = Callable[[Row], bool]  # changes a row, and says whether it stays
All = Callable[[Iterable[Row]], list[Row]]
Named = list[tuple[str, Expression]]


class Plan:
    """A query that is compiled, to be run once. MalformedQuery is raised where it cannot be.

    `limit` is the one of StartQuery; `scanned` and `matched` count events while it runs.
    """

    def __init__(self, query: str, window: Window, limit: int | None = None) -> None:
        self._query, self._window, self._limit = query, window, limit or DEFAULT_ROWS
        self._each: list[Each] = []
        self._all: list[All] = []
        self._first: int | None = None  # so many rows that no other command sees before `limit`
        self._any = self._limited = False
        self._shown: list[str] = []  # the names of the fields that are shown
        self._chosen = self._displayed = False
        self._ephemeral: set[str] = set()
        self._stats = 0
        self.scanned = self.matched = 0
        previous = ""
        for command in _commands(query):
            if previous == "dedup" and command.data != "limit":
                word = command.children[0]
                raise MalformedQuery.at(word, f"unexpected symbol found {word}: after dedup may only be limit.")
            getattr(self, f"_do_{command.data}")(command)
            previous = str(command.data)

    @property
    def newest_first(self) -> bool:
        """In which order it wants the events: that of the results, where nothing else is said."""
        return not self._stats

    def run(self, rows: Iterable[EventRow], cancelled: Callable[[], bool]) -> list[list[dict[str, str]]]:
        """The results, as GetQueryResults has them. Once it is `cancelled` it stops, with what there is."""
        kept: list[Row] | Iterable[Row] = self._passing(rows, cancelled)
        if not self._all:
            kept = self._taken(kept, self._limit if self._first is None else min(self._first, self._limit))
        for command in self._all:
            kept = command(kept)
        most = self._limit if not self._limited else min(self._limit, MOST_ROWS)
        return [self._cells(row) for row in list(kept)[:most]]

    def _passing(self, rows: Iterable[EventRow], cancelled: Callable[[], bool]) -> Iterable[Row]:
        """Those that the first commands leave."""
        commands = self._each
        for row in rows:
            if cancelled():
                return
            self.scanned += 1
            if all(command(row) for command in commands):
                self.matched += 1
                yield row

    def _taken(self, rows: Iterable[Row], most: int) -> list[Row]:
        """The first few; the others are counted, too, except by `limit any`."""
        kept: list[Row] = []
        for row in rows:
            if len(kept) < most:
                kept.append(row)
            if self._any and len(kept) == most:
                break
        return kept

    def _cells(self, row: Row) -> list[dict[str, str]]:
        names = self._shown if self._chosen or self._stats else [*DEFAULT_FIELDS, *self._shown]
        show = shown_by_stats if self._stats else shown
        cells = [
            {"field": name, "value": show(value)} for name in dict.fromkeys(names) if (value := row[name]) is not None
        ]
        if isinstance(row, EventRow) and POINTER not in names:
            cells.append({"field": POINTER, "value": row[POINTER]})
        return cells

    def _add(self, command: Each) -> None:
        if self._all or self._first is not None:
            self._add_all(lambda rows: [row for row in rows if command(row)])
        else:
            self._each.append(command)

    def _add_all(self, command: All) -> None:
        if self._first is not None:  # what `limit` was, is a command before others now
            most, self._first = self._first, None
            self._all.append(lambda rows: self._taken(rows, most))
        self._all.append(command)

    def _show(self, names: list[str]) -> None:
        if not self._displayed:
            self._shown += names

    def _compiler(self, **options: Any) -> Compiler:
        return Compiler(self._window, self._query, **options)

    # The commands

    def _do_fields(self, command: "Tree[Token]") -> None:
        names = self._computed(command)
        self._show(names)
        self._chosen = True

    def _do_display(self, command: "Tree[Token]") -> None:
        """Only these are shown; of several such commands the last one counts."""
        self._shown = self._computed(command)
        self._chosen = self._displayed = True

    def _computed(self, command: "Tree[Token]") -> list[str]:
        """The names that a command gives, once it is added what computes those that are no fields yet."""
        names: list[str] = []
        computed: Named = []
        for each in command.children[1:]:
            name, expression, is_field = self._named(each, self._compiler())
            names.append(name)
            if not is_field:
                computed.append((name, expression))

        def compute(row: Row) -> bool:
            for name, expression in computed:
                row[name] = expression(row)
            return True

        if computed:
            self._add(compute)
        return names

    def _named(self, node: "Tree[Token] | Token", compiler: Compiler) -> tuple[str, Expression, bool]:
        """The name of an expression, what computes it, and whether it is a field as it is."""
        assert not isinstance(node, str)
        content = node.children[0]
        assert not isinstance(content, str)
        expression = compiler.compiled(content)
        if len(node.children) > 1:
            alias = node.children[-1]
            return self._new(alias), expression, False
        if content.data == "field":
            return _name(content.children[0]), expression, True
        return self._query[slice(*span(content))], expression, False

    def _new(self, token: "Tree[Token] | Token") -> str:
        """The name of an ephemeral field, which a query gives once, as on AWS."""
        name = _name(token)
        if name in self._ephemeral:
            raise MalformedQuery.at(token, f"Ephemeral field already defined: {name}")
        self._ephemeral.add(name)
        return name

    def _do_filter(self, command: "Tree[Token]") -> None:
        condition = command.children[-1]
        assert not isinstance(condition, str)
        holds = self._compiler().compiled(condition)
        self._add(lambda row: truth(holds(row)) is True)

    def _do_parse(self, command: "Tree[Token]") -> None:
        """Fields out of a text, by a pattern with asterisks or by the groups of a regular expression."""
        _, field, pattern, *more = command.children
        assert isinstance(pattern, str)
        aliases = [self._new(token) for token in more[-1].children] if more and not isinstance(more[-1], str) else []
        regex = glob(unquoted(pattern)) if pattern.type == "STRING" else compiled_regex(pattern)
        groups = {number: name for name, number in regex.groupindex.items()}
        if not aliases:
            if not groups:
                raise MalformedQuery.at(pattern, "The regular expression of parse has no named group, and no alias.")
            for name in groups.values():
                if name in self._ephemeral:
                    raise MalformedQuery.at(pattern, f"Ephemeral field already defined: {name}")
            self._ephemeral |= set(groups.values())
            numbers, names = list(groups), list(groups.values())
        elif len(aliases) == regex.groups:
            numbers, names = list(range(1, regex.groups + 1)), aliases
        else:
            raise MalformedQuery.at(pattern, f"parse finds {regex.groups} fields here, and names {len(aliases)}.")
        source, search = _name(field), regex.search

        def parse(row: Row) -> bool:
            found = text(row[source])
            match = search(found) if found is not None else None
            for number, name in zip(numbers, names, strict=True):
                row[name] = match[number] if match else None
            return True

        self._add(parse)
        self._show(names)

    def _do_sort(self, command: "Tree[Token]") -> None:
        keys: list[tuple[str, bool]] = []
        for each in command.children:
            if not isinstance(each, str):
                field, *direction = each.children
                keys.append((_name(field), bool(direction) and str(direction[0]).lower() == "desc"))

        def ordered(rows: Iterable[Row]) -> list[Row]:
            result = list(rows)
            for name, descending in reversed(keys):
                result.sort(key=lambda row: order(row[name]), reverse=descending)  # noqa: B023
            return result

        self._add_all(ordered)

    def _do_limit(self, command: "Tree[Token]") -> None:
        count = command.children[-1]
        assert isinstance(count, str)
        if not count.isdigit() or not 1 <= int(count) <= MOST_ROWS:
            raise MalformedQuery.at(count, f"limit takes a number from 1 to {MOST_ROWS}.")
        most = int(count)
        self._any = len(command.children) == 3
        if self._all or self._first is not None:
            self._add_all(lambda rows: list(rows)[:most])
        else:
            self._first = most

    def _do_dedup(self, command: "Tree[Token]") -> None:
        """The first row of each combination of values; all where one of the values is missing."""
        names = [_name(each) for each in command.children[1:]]

        def distinct(rows: Iterable[Row]) -> list[Row]:
            seen: set[tuple[str, ...]] = set()
            result: list[Row] = []
            for row in rows:
                values = [row[name] for name in names]
                key = tuple(shown(value) for value in values if value is not None)
                if len(key) < len(values) or key not in seen:
                    seen.add(key)
                    result.append(row)
            return result

        self._add_all(distinct)

    def _do_stats(self, command: "Tree[Token]") -> None:
        """One row for each group. Of the fields only those that it makes are there afterwards."""
        self._stats += 1
        if self._stats > MOST_STATS:
            raise MalformedQuery.at(command.children[0], f"A query has at most {MOST_STATS} commands stats.")
        _, wanted, *grouped = (each for each in command.children if not _is_word(each, "BY"))
        assert not isinstance(wanted, str)
        self._ephemeral = set()  # of all fields before, none is there any more
        compiler = self._compiler()
        groups: Named = []
        for node in grouped[0].children if grouped and not isinstance(grouped[0], str) else []:
            name, expression, _ = self._named(node, compiler)
            groups.append((name, expression))
        compiler = self._compiler(in_stats=True, known={name for name, _ in groups})
        results: Named = []
        for node in wanted.children:
            name, expression, _ = self._named(node, compiler)
            compiler.known.add(name)
            results.append((name, expression))
        self._shown = [name for name, _ in groups + results]
        self._displayed = False
        self._add_all(lambda rows: collected(rows, groups, compiler.aggregates, results))


def collected(rows: Iterable[Row], groups: Named, wanted: list[Wanted], results: Named) -> list[Row]:
    """A row for each group of rows, in the order in which the groups were met."""
    found: dict[tuple[str | None, ...], tuple[list[Value], list[Aggregate]]] = {}
    for row in rows:
        by = [expression(row) for _, expression in groups]
        key = tuple(None if value is None else shown(value) for value in by)
        group = found.get(key)
        if group is None:
            group = found[key] = by, [each.make() for each in wanted]
        at = row["@timestamp"]
        at = at if isinstance(at, Timestamp) else 0
        for each, aggregate in zip(wanted, group[1], strict=True):
            aggregate.add(each.value(row), at)
    return [_result(by, aggregates, groups, wanted, results) for by, aggregates in found.values()]


def _result(by: list[Value], aggregates: list[Aggregate], groups: Named, wanted: list[Wanted], results: Named) -> Row:
    row = Row({name: value for (name, _), value in zip(groups, by, strict=True)})
    row |= {each.name: aggregate.result() for each, aggregate in zip(wanted, aggregates, strict=True)}
    for name, expression in results:
        row[name] = expression(row)
    return row


def _commands(query: str) -> "list[Tree[Token]]":
    """The commands of a query; none in one that is empty, or a comment."""
    lines = (line for line in query.splitlines() if not line.lstrip().startswith("#"))
    if not any(line.strip() for line in lines):
        return []
    return [each for each in parsed(query).children if not isinstance(each, str)]


def _is_word(node: "Tree[Token] | Token", kind: str) -> bool:
    return isinstance(node, str) and node.type == kind


def _name(token: "Tree[Token] | Token") -> str:
    assert isinstance(token, str)
    return named(token)

"""Faults: what can be broken in a system at the press of a button, and how it is undone.

Each does its work through boto3, through the inbox, or, where AWS has no call for it, through the embedded AWS alone.
What lasts is undone when the reader leaves: when the picture is closed, a cell is interrupted, or the kernel ends; and
where a kernel was killed, when the next picture is looked at.
"""

import atexit
import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from IPython import get_ipython

from .. import localaws, settings
from ..arguments import name_of_function
from ..connect import Workshop
from ..errors import WorkshopError
from ..inbox import open_inbox
from ..resources.types import code
from .discovery import WEBHOOK, Node, System
from .environments import Environment
from .faults_left import Broken
from .strings import say

SLOW_S = 5  # by which an init is slower: well below the limit of 10 s
POSTS = 100_000  # that fail, which is until it is undone


@dataclass(frozen=True)
class Undo:
    """How something is undone, and the cell that does the same; "" where there is none."""

    run: Callable[[], object]
    code: str = ""


class FaultError(WorkshopError):
    """It cannot be done; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Kind:
    """One way to break something. `fits` says what it can be done to; `begin` does it."""

    id: str
    fits: Callable[[Node, System], bool]
    begin: Callable[["Faults", str], Any]  # (…, id of the node); returns what has to be known to undo it
    undo: Callable[["Faults", str, Any], Undo] | None = None  # (…, what begin() has returned)
    code: Callable[[Node], str] = lambda _: ""  # the cell that does the same; "" where AWS has no call for it
    lasting: bool = False  # whether it lasts until it is undone
    embedded_only: bool = False


class Faults:
    """What is broken at present.

    `environments` gives the execution environments that are there; `undone` is called when all was undone by itself.
    """

    def __init__(
        self,
        workshop: Workshop,
        environments: Callable[[], Iterable[Environment]],
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        self.workshop, self.environments, self._undone = workshop, environments, undone
        self._undos: dict[tuple[str, str], Undo] = {}
        self._broken = Broken(workshop.ledger.place)
        self._lock = threading.RLock()

    def offered(self, system: System) -> list[dict[str, Any]]:
        """What can be done to which node, as the page is told; on AWS without what the embedded AWS alone can do."""
        kinds = [kind for kind in KINDS if self.workshop.is_embedded or not kind.embedded_only]
        return [
            self._told(kind, node, system) for node in system.nodes for kind in kinds if kind.fits(node, system)
        ] + [self._told(kind, Node("", "environment", ""), system) for kind in kinds if kind.id == END]

    def undo_left(self) -> None:
        """Undo what pictures whose process was killed have left."""
        for id, of, before in self._broken.left():
            kind = BY_ID.get(id)
            if kind and kind.undo:
                with contextlib.suppress(WorkshopError, ClientError, BotoCoreError):
                    kind.undo(self, of, before).run()

    def do(self, id: str, of: str, on: bool, system: System) -> dict[str, Any]:
        """Break something, or undo it where `on` is false; the answer for the page, with a sentence in any case."""
        kind = BY_ID.get(id)
        node = system.node(of) or Node(of, "environment", "")
        answer = {"type": "done", "id": id, "of": of, "on": False, "code": ""}
        of_environment = id == END and system.node(of) is None
        fits = kind is not None and (of_environment or kind.fits(node, system))
        if kind is None or not fits or (kind.embedded_only and not self.workshop.is_embedded):
            return answer | {"refused": True, "sentence": say("system.fault.unknown")}
        shown = kind.code(node) if on else ""
        try:
            with self._lock:
                if on:
                    self._begin(kind, of)
                else:
                    shown = self._undo((id, of))
        except (WorkshopError, ClientError, BotoCoreError) as error:
            return answer | {"refused": True, "on": (id, of) in self._undos, "sentence": _sentence(error)}
        sentence = say(f"system.fault.{id}.{'done' if on else 'undone'}", name=node.name)
        return answer | {"on": kind.lasting and on, "sentence": sentence, "code": shown}

    def close(self) -> None:
        """Undo all that lasts; what is gone by now, such as a function, needs none of it."""
        with self._lock:
            for key in [*self._undos]:
                with contextlib.suppress(WorkshopError, ClientError, BotoCoreError):
                    self._undo(key)
            self._undos.clear()
        atexit.unregister(self.close)
        if shell := get_ipython():
            with contextlib.suppress(ValueError):  # it was not registered
                shell.events.unregister("post_run_cell", self._after_cell)

    def _begin(self, kind: Kind, of: str) -> None:
        if kind.lasting and (kind.id, of) in self._undos:
            return
        before = kind.begin(self, of)
        if kind.undo is None:
            return
        if not self._undos:
            atexit.register(self.close)
            if shell := get_ipython():
                shell.events.register("post_run_cell", self._after_cell)
        self._undos[kind.id, of] = kind.undo(self, of, before)
        if kind.lasting:
            self._broken.note((kind.id, of), before)

    def _undo(self, key: tuple[str, str]) -> str:
        """Undo it, if it is done; return the cell that does the same."""
        undo = self._undos.get(key)
        if undo is None:
            return ""
        undo.run()
        self._undos.pop(key)
        self._broken.forget(key)
        return undo.code

    def _after_cell(self, result: Any) -> None:
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            self.close()
            self._undone()

    def _told(self, kind: Kind, node: Node, system: System) -> dict[str, Any]:
        return {
            "id": kind.id,
            "of": node.id,
            "label": say(f"system.fault.{kind.id}.label"),
            "undo_label": say(f"system.fault.{kind.id}.undo") if kind.lasting else "",
            "sentence": say(f"system.fault.{kind.id}.sentence"),
            "code": kind.code(node),
            "undo": self._undos[kind.id, node.id].code if (kind.id, node.id) in self._undos else "",
            "embedded_only": kind.embedded_only,
            "lasting": kind.lasting,
            "on": kind.lasting and (kind.id, node.id) in self._undos,
        }

    def post(self, fault: str, **asked: object) -> None:
        """Ask the embedded AWS for what it alone can do."""
        endpoint = localaws.running(settings.home())
        if endpoint is None or endpoint.url != self.workshop.endpoint:
            raise FaultError(say("system.fault.stopped"))
        headers = {
            "Authorization": f"Bearer {localaws.page_token(endpoint.secret_access_key, 60)}",
            "Content-Type": "application/json",
        }
        address = f"{endpoint.url}/_localaws/faults/{fault}"
        request = urllib.request.Request(address, json.dumps(asked).encode(), headers, method="POST")
        try:
            localaws.open_url(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            raise FaultError(json.load(error)["message"]) from None
        except OSError:
            raise FaultError(say("system.fault.stopped")) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, ClientError):  # its code alone: the message may hold an ARN and so the account id
        return say("system.fault.refused", code=code(error), operation=error.operation_name)
    return str(error) if isinstance(error, WorkshopError) else say("system.fault.unreached", kind=type(error).__name__)


def _hold(faults: Faults, of: str) -> int | None:
    client, name = faults.workshop.client("lambda"), name_of_function(of)
    before: int | None = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    if before == 0:  # by somebody else, who will want it so
        raise FaultError(say("system.fault.at_zero", name=name))
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return before


def _let_go(faults: Faults, of: str, before: int | None) -> Undo:
    client, name = faults.workshop.client("lambda"), name_of_function(of)
    if before is None:
        return Undo(
            lambda: client.delete_function_concurrency(FunctionName=name),
            f'workshop.client("lambda").delete_function_concurrency(FunctionName={json.dumps(name)})',
        )
    return Undo(
        lambda: client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before),
        _concurrency_code(name, before),
    )


def _end_environment(faults: Faults, of: str) -> None:
    """End this environment; of a function, one that is in mid-call, or else any."""
    environments = [each for each in faults.environments() if each.is_there]
    if of.startswith("arn:"):
        its = [each for each in environments if each.function == name_of_function(of) and each.state != "waiting"]
        if not its:
            raise FaultError(say("system.fault.no_environment", name=name_of_function(of)))
        chosen = min(its, key=lambda each: (each.state != "busy", each.since)).environment
    else:
        chosen = of
    faults.post("end-environment", environment=chosen)


def _slow_init(faults: Faults, of: str) -> None:
    faults.post("slow-init", function=name_of_function(of), seconds=SLOW_S, times=1)


def _as_fast_as_ever(faults: Faults, of: str, _: None) -> Undo:
    return Undo(partial(faults.post, "slow-init", function=name_of_function(of), seconds=0, times=0))


def _deliver_twice(faults: Faults, of: str) -> None:
    faults.post("deliver-twice", queue=of, times=1)


def _deliver_once(faults: Faults, of: str, _: None) -> Undo:
    return Undo(partial(faults.post, "deliver-twice", queue=of, times=0))


def _fail_webhook(faults: Faults, of: str) -> None:
    open_inbox(faults.workshop).fail_next(POSTS)


def _let_answer(faults: Faults, of: str, _: None) -> Undo:
    return Undo(lambda: open_inbox(faults.workshop).fail_next(0), "open_inbox(workshop).fail_next(0)")


def _redrive(faults: Faults, of: str) -> str:
    handle: str = faults.workshop.client("sqs").start_message_move_task(SourceArn=of)["TaskHandle"]
    return handle


def _stop_redrive(faults: Faults, of: str, handle: str) -> Undo:
    return Undo(lambda: faults.workshop.client("sqs").cancel_message_move_task(TaskHandle=handle))


def _is_dead_letter_queue(node: Node, system: System) -> bool:
    """Of a queue: what Lambda has sent to one cannot be moved back."""
    sources = [system.node(edge.source) for edge in system.edges if edge.target == node.id and edge.kind == DEAD]
    return any(source and source.kind == "queue" for source in sources)


def _concurrency_code(name: str, number: int) -> str:
    return (
        'workshop.client("lambda").put_function_concurrency(\n'
        f"    FunctionName={json.dumps(name)}, ReservedConcurrentExecutions={number}\n)"
    )


def _redrive_code(node: Node) -> str:
    return (
        'sqs = workshop.client("sqs")\n'
        f'url = sqs.get_queue_url(QueueName={json.dumps(node.name)})["QueueUrl"]\n'
        'answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])\n'
        'sqs.start_message_move_task(SourceArn=answer["Attributes"]["QueueArn"])'
    )


END, DEAD = "end-environment", "dead-letter"
KINDS = (
    Kind(END, lambda node, _: node.kind == "function", _end_environment, embedded_only=True),
    Kind(
        "hold",
        lambda node, _: node.kind == "function",
        _hold,
        _let_go,
        lambda node: _concurrency_code(node.name, 0),
        lasting=True,
    ),
    Kind("slow-init", lambda node, _: node.kind == "function", _slow_init, _as_fast_as_ever, embedded_only=True),
    Kind("deliver-twice", lambda node, _: node.kind == "queue", _deliver_twice, _deliver_once, embedded_only=True),
    Kind("redrive", _is_dead_letter_queue, _redrive, _stop_redrive, _redrive_code),
    Kind(
        "fail-webhook",
        lambda node, _: node.id == WEBHOOK and node.name == "inbox",
        _fail_webhook,
        _let_answer,
        lambda _: f"open_inbox(workshop).fail_next({POSTS})",
        lasting=True,
        embedded_only=True,
    ),
)
BY_ID = {kind.id: kind for kind in KINDS}

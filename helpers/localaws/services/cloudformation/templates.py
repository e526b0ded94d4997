"""Templates as CloudFormation reads them: what is wrong with one is said before there is a stack, and nothing stays.

MiniStack takes most of what is wrong, and fails later, or not at all. What is said is in template_errors.py.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

import yaml
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers

from ..contract import Contract
from ..shapes import Answer, Record
from ..xml_text import legal
from .template_errors import FORMAT_ERROR, UNSUPPORTED, first, is_endless

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudformation, "_stack_events"): None,
    (cloudformation, "_stacks"): None,
    (engine, "CfnLoader"): None,
    (engine, "_parse_template"): ("template_body",),
    (engine, "_validate_template_limits"): ("template",),
    (engine, "validate_template_support"): ("template", "conditions", "params"),
    (handlers, "_ACTION_HANDLERS"): None,
    (handlers, "_error"): ("code", "message", "status"),
    (handlers, "_p"): ("params", "key", "default"),
    (handlers, "_parse_template"): ("template_body",),
    (handlers, "_resolve_template"): ("params",),
    (handlers, "_uses_macro"): ("template",),
}

ACTIONS = ("CreateStack", "UpdateStack", "CreateChangeSet", "ValidateTemplate", "GetTemplateSummary")
# Functions that have a short form in YAML, and that MiniStack knows in their long form alone.
SHORT_FORMS = ["Transform", "ToJsonString", "Length", "Contains", "EachMemberEquals", "EachMemberIn", "RefAll"]
SHORT_FORMS += ["ValueOf", "ValueOfAll"]

log = logging.getLogger("localaws.cloudformation")


class Loader(engine.CfnLoader):  # type: ignore[misc]
    """YAML whose keys are text, as written, as CloudFormation reads it: 200 and on are names like any other."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_function(self, node: yaml.Node) -> Record:
        """A function in its short form."""
        construct: dict[type, Callable[..., Any]] = {
            yaml.SequenceNode: self.construct_sequence,
            yaml.MappingNode: self.construct_mapping,
        }
        make = construct.get(type(node))
        return {f"Fn::{node.tag[1:]}": make(node, deep=True) if make else self.construct_scalar(node)}


def install() -> None:
    """Let MiniStack get templates that are some. Call once, before it serves."""
    limits, actions = engine._validate_template_limits, handlers._ACTION_HANDLERS
    for name in SHORT_FORMS:
        Loader.add_constructor(f"!{name}", Loader.construct_function)

    def check(template: Record) -> None:
        """What transforms have made of one."""
        if not handlers._uses_macro(template) and (said := first(template)):
            raise ValueError(legal(said))
        limits(template)

    def nested(template_body: str) -> Record:
        """That of a stack within a stack."""
        template = read(template_body)
        engine.validate_template_support(template, dict.fromkeys(template.get("Conditions", {}), False))
        return template

    engine.CfnLoader = Loader
    engine._validate_template_limits = check
    engine._parse_template = nested
    for action in ACTIONS:
        actions[action] = _checked(actions[action])


def read(body: str) -> Record:
    """A template from its text; ValueError with CloudFormation's sentence where it is none."""
    try:
        template: Record = handlers._parse_template(body)
    except json.JSONDecodeError as error:
        raise ValueError(f"{FORMAT_ERROR}JSON not well-formed. (line {error.lineno}, column {error.colno})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{FORMAT_ERROR}YAML not well-formed.{where}") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # a character that YAML has not, no mapping, or no end
        raise ValueError(UNSUPPORTED) from None
    if is_endless(template):
        raise ValueError(UNSUPPORTED)
    return template


def _checked(handle: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    """An operation that takes a template. Where it fails, what was there before is as before."""

    def checked(params: Record) -> Answer:
        if refused := _wrong_template(params):
            return refused
        stacks, events, name = cloudformation._stacks, cloudformation._stack_events, handlers._p(params, "StackName")
        before = stacks.get(name)
        told = events.get(before["StackId"]) if before else None
        try:
            answer = handle(params)
        except Exception:  # MiniStack does not expect what it has read
            log.exception("a template")
            answer = _refused(UNSUPPORTED)
        if answer[0] >= 400 and before and name not in stacks:
            stacks[name], events[before["StackId"]] = before, told
        elif answer[0] >= 400 and not before and name in stacks:
            events.pop(stacks.pop(name)["StackId"], None)
        return answer

    return checked


def _wrong_template(params: Record) -> Answer | None:
    """CloudFormation's refusal of the template that a request has, if it has one."""
    body, error = handlers._resolve_template(params)
    if error or not body:
        return None
    try:
        template = read(body)
        said = None if handlers._uses_macro(template) else first(template)
    except ValueError as wrong:
        said = str(wrong)
    return _refused(said) if said else None


def _refused(said: str) -> Answer:
    answer: Answer = handlers._error("ValidationError", legal(said))
    return answer

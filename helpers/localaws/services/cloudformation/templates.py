"""Refuses templates of CloudFormation that are none, before there is a stack.

In the words that CloudFormation's users report: https://repost.aws/knowledge-center/cloudformation-template-validation,
https://github.com/aws-cloudformation/cfn-lint/issues/1085. MiniStack takes most of them, and fails later or not at all.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from ministack.services.cloudformation import changesets, engine, handlers

from ..contract import Contract
from ..shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (changesets, "_parse_template"): ("template_body",),
    (engine, "_validate_template_limits"): ("template",),
    (handlers, "_parse_template"): ("template_body",),
}

FORMAT_ERROR = "Template format error: "
VERSION = "2010-09-09"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"}
SECTIONS |= {"Transform", "Resources", "Outputs", "Hooks"}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html
ATTRIBUTES = {"Type", "Properties", "Condition", "DependsOn", "Metadata", "CreationPolicy", "DeletionPolicy"}
ATTRIBUTES |= {"UpdatePolicy", "UpdateReplacePolicy"}
NAMED = {"Parameters": "Parameter", "Resources": "Resource", "Outputs": "Output"}  # sections, and one of each
NAME = re.compile(r"[A-Za-z0-9]+")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
PARAMETER_TYPE = re.compile(r"String|Number|List<Number>|CommaDelimitedList|(?:List<)?AWS::[A-Za-z0-9:<>]+")
PSEUDO = "AWS::"  # what parameters begin with that are always there
IN_TEXT = re.compile(r"\$\{([^!}][^}]*)\}")  # of Fn::Sub


def install() -> None:
    """Let MiniStack get templates that are some. Call once, before it serves."""
    checked = engine._validate_template_limits
    parse = handlers._parse_template

    def parsed(template_body: str) -> Record:
        template = _well_formed(template_body, parse)
        if "Transform" not in template and (said := malformed(template)):
            raise ValueError(said)  # who calls puts FORMAT_ERROR before it
        return template

    def check(template: Record) -> None:
        """What transforms have made of it, too."""
        if "Transform" not in template:
            if said := malformed(template):
                raise ValueError(FORMAT_ERROR + said)
            if said := unknown(template):
                raise ValueError(said)
        checked(template)

    handlers._parse_template = changesets._parse_template = parsed
    engine._validate_template_limits = check


def malformed(template: Record) -> str | None:
    """What CloudFormation says first of what is wrong with the sections of a template, without FORMAT_ERROR."""
    return next(_malformed(template), None)


def unknown(template: Record) -> str | None:
    """The same of sections and attributes of resources that there are none of."""
    if strange := [str(section) for section in template if section not in SECTIONS]:
        return f"Invalid template property or properties [{', '.join(strange)}]"
    strange = [str(each) for resource in template["Resources"].values() for each in resource if each not in ATTRIBUTES]
    return f"Invalid template resource property '{strange[0]}'" if strange else None


def _well_formed(body: str, parse: Callable[[str], Record]) -> Record:
    try:
        return parse(body)
    except json.JSONDecodeError as error:
        raise ValueError(f"JSON not well-formed. (line {error.lineno}, column {error.colno})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"YAML not well-formed.{where}") from None
    except ValueError:  # no mapping
        raise ValueError("unsupported structure.") from None


def _malformed(template: Record) -> Iterator[str]:
    version = template.get("AWSTemplateFormatVersion", VERSION)
    if str(version) != VERSION:  # YAML makes a date of it
        yield "unsupported value for AWSTemplateFormatVersion."
    yield from (f"[{place}] 'null' values are not allowed in templates" for place in _nulls(template))
    if not template.get("Resources"):
        yield "At least one Resources member must be defined."
    for section, singular in NAMED.items():
        members = template.get(section, {})
        if not isinstance(members, dict):
            yield f"Every {section} member must be an object."
            return
        for name in members:
            if not NAME.fullmatch(str(name)):
                yield f"{singular} name {name} is non alphanumeric."
    yield from _wrong_parameters(template.get("Parameters", {}))
    yield from _wrong_resources(template["Resources"])
    for output in template.get("Outputs", {}).values():
        if not isinstance(output, dict) or "Value" not in output:
            yield "Every Outputs member must contain a Value object"
    described = [template, *template.get("Parameters", {}).values(), *template.get("Outputs", {}).values()]
    if not all(isinstance(each.get("Description", ""), str) for each in described):
        yield "Every Description member must be a string."
    for section in ("Resources", "Outputs"):
        yield from _unresolved(template, section)


def _wrong_parameters(parameters: Record) -> Iterator[str]:
    for each in parameters.values():
        if not isinstance(each, dict) or "Type" not in each:
            yield "Every Parameters object must contain a Type member."
        elif not PARAMETER_TYPE.fullmatch(str(each["Type"])):
            yield f"Unrecognized parameter type: {each['Type']}"


def _wrong_resources(resources: Record) -> Iterator[str]:
    for name, each in resources.items():
        if not isinstance(each, dict):
            yield f"[/Resources/{name}] resource definition is malformed"
        elif "Type" not in each:
            yield f"[/Resources/{name}] Every Resources object must contain a Type member."
        elif not isinstance(each["Type"], str) or not isinstance(each.get("Properties", {}), dict):
            yield f"[/Resources/{name}] resource definition is malformed"


def _unresolved(template: Record, section: str) -> Iterator[str]:
    """Names that a section refers to and that nothing has."""
    known, conditions = {*template["Resources"], *template.get("Parameters", {})}, template.get("Conditions", {})
    missing: dict[str, None] = {}  # a set in the order of the template
    for member in template.get(section, {}).values():
        for name in _names(member):
            if name not in known and not name.startswith(PSEUDO):
                missing[name] = None
        for name in _conditions(member):
            if name not in conditions:
                yield f"Unresolved condition dependency {name} in the {section} block of the template"
    if missing:
        yield f"Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template"


def _names(member: Record) -> Iterator[str]:
    """What a member of a section refers to: parameters and resources."""
    after = member.get("DependsOn", [])
    yield from (str(name) for name in ([after] if isinstance(after, str) else after))
    for function, argument in _functions(member):
        match function, argument:
            case "Ref", str():
                yield argument
            case "Fn::GetAtt", str() | [str(), *_]:
                yield (argument if isinstance(argument, str) else argument[0]).partition(".")[0]
            case "Fn::Sub", str() | [str(), *_]:
                text, *own = [argument] if isinstance(argument, str) else argument
                found = (name.partition(".")[0].strip() for name in IN_TEXT.findall(text))
                yield from (name for name in found if not own or name not in own[0])


def _conditions(member: Record) -> Iterator[str]:
    if isinstance(name := member.get("Condition"), str):
        yield name
    for function, argument in _functions(member):
        if function == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield argument[0]


def _functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every object of one member in a value, as an intrinsic function is: its name and its argument."""
    if isinstance(value, dict):
        if len(value) == 1:
            yield from value.items()
        for each in value.values():
            yield from _functions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _functions(each)


def _nulls(value: Any, place: str = "") -> Iterator[str]:
    """Where in a value there is nothing at all."""
    if value is None:
        yield place
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _nulls(each, f"{place}/{key}")

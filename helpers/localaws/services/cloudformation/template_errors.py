"""What CloudFormation says is wrong with a template, before there is a stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-guide.html, in the words that CloudFormation's
users report: https://repost.aws/knowledge-center/cloudformation-template-validation,
https://github.com/aws-cloudformation/cfn-lint/issues/1085, https://github.com/aws-cloudformation/cfn-lint/issues/1630.
"""

import graphlib
import re
from collections.abc import Iterator
from typing import Any

from ..shapes import Record

FORMAT_ERROR = "Template format error: "
UNSUPPORTED = "Template format error: unsupported structure."
VERSION = "2010-09-09"
MOST_VALUES = 1_000_000  # a template has 1 MB at most
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"}
SECTIONS |= {"Transform", "Resources", "Outputs", "Hooks"}
NAMED = {"Parameters": "Parameter", "Resources": "Resource", "Outputs": "Output"}  # sections, and one of each
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html
ATTRIBUTES = {"Type", "Properties", "Condition", "DependsOn", "Metadata", "CreationPolicy", "DeletionPolicy"}
ATTRIBUTES |= {"UpdatePolicy", "UpdateReplacePolicy"}
CUSTOM = re.compile(r"Custom::.*|AWS::CloudFormation::CustomResource")  # which have one attribute more
NAME = re.compile(r"[A-Za-z0-9]+")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
PARAMETER_TYPE = re.compile(r"String|Number|CommaDelimitedList|List<.+>|AWS::.+")
PSEUDO = "AWS::"  # what parameters begin with that are always there
IN_TEXT = re.compile(r"\$\{([^!}][^}]*)\}")  # of Fn::Sub
IN_TEXT_NAME = re.compile(r"\s*[A-Za-z0-9_.:]+\s*")
BAD_NAME_IN_TEXT = (
    "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, "
    "and colons"
)
BAD_SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
    "first argument, and an optional second argument to specify a mapping of values to replace in the string"
)
# The functions that a condition may be, with how many arguments each has, and what is said where it has others.
BOOLEAN = {
    "Fn::Equals": (range(2, 3), "Template error: every Fn::Equals object requires a list of 2 string parameters."),
    "Fn::Not": (range(1, 2), "Template error: every Fn::Not object requires one boolean parameter."),
    "Fn::And": (
        range(2, 11),
        "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
    ),
    "Fn::Or": (
        range(2, 11),
        "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
    ),
}
NO_CONDITION = f"{FORMAT_ERROR}Conditions can only be boolean operations on parameters and other conditions"


def is_endless(template: Record) -> bool:
    """Whether YAML's aliases have put it into itself, or more into it than a text can say."""
    left: list[Any] = [template]
    for _ in range(MOST_VALUES):
        if not left:
            return False
        value = left.pop()
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return True


def first(template: Record) -> str | None:
    """What is said of a template whose transforms have been applied; None of one that is well."""
    return next(_errors(template), None)


def _errors(template: Record) -> Iterator[str]:
    """All of it; what comes later relies on that there is nothing before."""
    yield from _of_sections(template)
    yield from _of_resources(template["Resources"])
    yield from _of_names(template)
    yield from _of_parameters(template.get("Parameters", {}))
    yield from _of_mappings(template.get("Mappings", {}))
    yield from _of_outputs(template.get("Outputs", {}))
    yield from _of_descriptions(template)
    yield from _of_texts(template)
    yield from _of_conditions(template)
    for section in ("Resources", "Outputs"):
        yield from _of_references(template, section)
    yield from _of_circles(template["Resources"])
    yield from _of_strangers(template)


def _of_sections(template: Record) -> Iterator[str]:
    if str(template.get("AWSTemplateFormatVersion", VERSION)) != VERSION:
        yield f"{FORMAT_ERROR}unsupported value for AWSTemplateFormatVersion."
    yield from (f"[{place}] 'null' values are not allowed in templates" for place in _nulls(template))
    if not template.get("Resources"):
        yield f"{FORMAT_ERROR}At least one Resources member must be defined."
    for section in (*NAMED, "Mappings", "Conditions"):
        if not isinstance(template.get(section, {}), dict):
            yield f"{FORMAT_ERROR}Every {section} member must be an object."


def _of_resources(resources: Record) -> Iterator[str]:
    for name, each in resources.items():
        place = f"{FORMAT_ERROR}[/Resources/{name}]"
        if not isinstance(each, dict) or not isinstance(each.get("Properties", {}), dict):
            yield f"{place} resource definition is malformed"
        elif "Type" not in each:
            yield f"{place} Every Resources object must contain a Type member."
        elif not isinstance(each["Type"], str):
            yield f"{place} Every Type member must be a string."
        elif not isinstance(each.get("Condition", ""), str):
            yield f"{FORMAT_ERROR}Every Condition member must be a string."
        elif not all(isinstance(one, str) for one in _as_list(each.get("DependsOn", []))):
            yield f"{FORMAT_ERROR}DependsOn must be a string or list of strings."


def _of_names(template: Record) -> Iterator[str]:
    for section, singular in NAMED.items():
        for name in template.get(section, {}):
            if not NAME.fullmatch(name):
                yield f"{FORMAT_ERROR}{singular} name {name} is non alphanumeric."


def _of_parameters(parameters: Record) -> Iterator[str]:
    for each in parameters.values():
        if not isinstance(each, dict) or "Type" not in each:
            yield f"{FORMAT_ERROR}Every Parameters object must contain a Type member."
        elif not PARAMETER_TYPE.fullmatch(str(each["Type"])):
            yield f"{FORMAT_ERROR}Unrecognized parameter type: {each['Type']}"
        elif not isinstance(each.get("AllowedValues", []), list):
            yield f"{FORMAT_ERROR}Every AllowedValues member must be a list."


def _of_mappings(mappings: Record) -> Iterator[str]:
    maps = [each for each in mappings.values() if isinstance(each, dict)]
    if len(maps) < len(mappings) or not all(isinstance(each, dict) for one in maps for each in one.values()):
        yield f"{FORMAT_ERROR}Every Mappings member must be an object."


def _of_outputs(outputs: Record) -> Iterator[str]:
    for each in outputs.values():
        if not isinstance(each, dict) or "Value" not in each:
            yield f"{FORMAT_ERROR}Every Outputs member must contain a Value object"
        elif not isinstance(each.get("Condition", ""), str):
            yield f"{FORMAT_ERROR}Every Condition member must be a string."


def _of_descriptions(template: Record) -> Iterator[str]:
    described = [template, *template.get("Parameters", {}).values(), *template.get("Outputs", {}).values()]
    if not all(isinstance(each.get("Description", ""), str) for each in described):
        yield f"{FORMAT_ERROR}Every Description member must be a string."


def _of_texts(template: Record) -> Iterator[str]:
    """Of Fn::Sub, wherever it stands."""
    for section in ("Conditions", "Resources", "Outputs"):
        for function, argument in _functions(template.get(section, {})):
            if function != "Fn::Sub":
                continue
            match argument:
                case str() as text:
                    pass
                case [str() as text, dict()]:
                    pass
                case _:
                    yield BAD_SUB
                    continue
            if not all(map(IN_TEXT_NAME.fullmatch, IN_TEXT.findall(text))):
                yield BAD_NAME_IN_TEXT


def _of_conditions(template: Record) -> Iterator[str]:
    conditions, parameters = template.get("Conditions", {}), template.get("Parameters", {})
    for each in conditions.values():
        yield from _of_condition(each, conditions)
    missing = [name for each in conditions.values() for name in _names(each) if not _is_there(name, parameters)]
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        where = "Cannot reference resources in the Conditions block of the template"
        yield f"{FORMAT_ERROR}Unresolved dependencies [{names}]. {where}"
    for section in ("Resources", "Outputs"):
        for each in template.get(section, {}).values():
            for name in _conditions(each):
                if name not in conditions:
                    yield _no_condition(name, section)


def _of_condition(condition: Any, conditions: Record) -> Iterator[str]:
    match condition:
        case {"Condition": str() as name} if len(condition) == 1:
            if name not in conditions:
                yield _no_condition(name, "Conditions")
        case dict() if len(condition) == 1 and (function := next(iter(condition))) in BOOLEAN:
            number, said = BOOLEAN[function]
            arguments = condition[function]
            if not isinstance(arguments, list) or len(arguments) not in number:
                yield said
            elif function != "Fn::Equals":
                for each in arguments:
                    yield from _of_condition(each, conditions)
        case _:
            yield NO_CONDITION


def _no_condition(name: str, section: str) -> str:
    return f"{FORMAT_ERROR}Unresolved condition dependency {name} in the {section} block of the template"


def _of_references(template: Record, section: str) -> Iterator[str]:
    """Of names that a section refers to and that nothing has."""
    known = {*template["Resources"], *template.get("Parameters", {})}
    found = (name for each in template.get(section, {}).values() for name in _names(each))
    if missing := dict.fromkeys(name for name in found if not _is_there(name, known)):
        yield (
            f"{FORMAT_ERROR}Unresolved resource dependencies [{', '.join(missing)}] "
            f"in the {section} block of the template"
        )


def _of_circles(resources: Record) -> Iterator[str]:
    after = {name: {other for other in _names(each) if other in resources} for name, each in resources.items()}
    try:
        graphlib.TopologicalSorter(after).prepare()
    except graphlib.CycleError as error:
        yield f"Circular dependency between resources: [{', '.join(dict.fromkeys(error.args[1]))}]"


def _of_strangers(template: Record) -> Iterator[str]:
    """Of sections and attributes that there are none of."""
    if strange := [section for section in template if section not in SECTIONS]:
        yield f"Invalid template property or properties [{', '.join(strange)}]"
    for resource in template["Resources"].values():
        known = ATTRIBUTES | {"Version"} if CUSTOM.fullmatch(resource["Type"]) else ATTRIBUTES
        yield from (f"Invalid template resource property '{each}'" for each in resource if each not in known)


def _is_there(name: str, known: Any) -> bool:
    return name in known or name.startswith(PSEUDO)


def _names(member: Record) -> Iterator[str]:
    """What a member of a section refers to: parameters and resources."""
    yield from _as_list(member.get("DependsOn", []))
    for function, argument in _functions(member):
        match function, argument:
            case "Ref", str():
                yield argument
            case "Fn::GetAtt", str() | [str(), *_]:
                yield (argument if isinstance(argument, str) else argument[0]).partition(".")[0]
            case "Fn::Sub", str() | [str(), dict()]:
                text, *own = [argument] if isinstance(argument, str) else argument
                for name in map(str.strip, IN_TEXT.findall(text)):
                    if not own or name not in own[0]:
                        yield name.partition(".")[0]


def _conditions(member: Record) -> Iterator[str]:
    if "Condition" in member:
        yield member["Condition"]
    for function, argument in _functions(member):
        if function == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield argument[0]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every object of one member in a value, as an intrinsic function is: its name and its argument."""
    for _, each in _inside(value):
        if isinstance(each, dict) and len(each) == 1:
            yield from each.items()


def _nulls(template: Record) -> Iterator[str]:
    """Where in a template there is nothing at all. CloudFormation calls what is in properties so that it is in Type."""
    for place, each in _inside(template):
        if each is None:
            yield re.sub(r"^(/Resources/[^/]+)/Properties/", r"\1/Type/", place)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """A value and all that is in it, with its place. What stands there several times, by YAML's aliases, comes once."""
    left, seen = [("", value)], set[int]()
    while left:
        place, each = left.pop()
        yield place, each
        if not isinstance(each, dict | list) or id(each) in seen:
            continue
        seen.add(id(each))
        inner = each.items() if isinstance(each, dict) else enumerate(each)
        left += reversed([(f"{place}/{key}", one) for key, one in inner])

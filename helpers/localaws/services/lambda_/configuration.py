"""The configuration of a function as AWS tells it: with what AWS adds, and without what is empty or not asked for.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html, and the answers that localstack recorded
in November 2025 (TestLambdaFunction, TestLambdaVersions, TestLoggingConfig).
"""

from hashlib import sha256
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import function_not_found

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_function"): ("name", "qualifier"),
    (lambda_svc, "_get_function_config"): ("name", "qualifier"),
    (lambda_svc, "_list_functions"): ("query_params",),
    (lambda_svc, "_list_versions"): ("name", "query_params"),
    (lambda_svc, "_presigned_code_url"): ("func_name",),
    (lambda_svc, "_update_config"): ("name", "data"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

LATEST = "$LATEST"
# Members that AWS leaves out where they are empty; its Description is there in any case.
UNLESS_EMPTY = (
    "DeadLetterConfig",
    "KMSKeyArn",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "Layers",
    "StateReason",
    "StateReasonCode",
    "VpcConfig",
)
# Members that lists do not have
NOT_IN_LISTS = (
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
    "State",
    "StateReason",
    "StateReasonCode",
)
MOST_ITEMS = 50  # of a page, where the request does not say


def install() -> None:
    """Let MiniStack list versions, and keep log settings as AWS does. Call once, before it serves."""
    get, get_configuration = lambda_svc._get_function, lambda_svc._get_function_config
    create, update = lambda_svc._create_function, lambda_svc._update_config

    def get_function(name: str, qualifier: str | None = None) -> Answer:
        answer: Answer = _missing(name, qualifier, get(name, qualifier))
        return answer

    def get_function_configuration(name: str, qualifier: str | None = None) -> Answer:
        answer: Answer = _missing(name, qualifier, get_configuration(name, qualifier))
        return answer

    def create_function(data: Record) -> Answer:
        if "LoggingConfig" in data:
            data["LoggingConfig"] = _logging(data["FunctionName"], {}, data["LoggingConfig"])
        answer: Answer = create(data)
        return answer

    def update_configuration(name: str, data: Record) -> Answer:
        func = lambda_svc._functions.get(name)
        if func and "LoggingConfig" in data:
            data["LoggingConfig"] = _logging(name, func["config"].get("LoggingConfig") or {}, data["LoggingConfig"])
        answer: Answer = update(name, data)
        return answer

    lambda_svc._get_function = get_function
    lambda_svc._get_function_config = get_function_configuration
    lambda_svc._create_function = create_function
    lambda_svc._update_config = update_configuration
    lambda_svc._list_functions = _list_functions
    lambda_svc._list_versions = _list_versions


def told(members: Record, config: Record) -> Record:
    """A configuration as GetFunctionConfiguration and whatever changes it answer."""
    known = {name: value for name, value in config.items() if value or name not in UNLESS_EMPTY}
    if not (known.get("VpcConfig") or {}).get("SubnetIds"):
        known.pop("VpcConfig", None)
    if not (known.get("DeadLetterConfig") or {}).get("TargetArn"):
        known.pop("DeadLetterConfig", None)
    if known.get("State") == "Pending":
        for name in ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
            known.pop(name, None)
    return {**known, "RuntimeVersionConfig": {"RuntimeVersionArn": _runtime_version(known)}}


def told_qualified(members: Record, config: Record) -> Record:
    """The same, under the ARN by which the request named it."""
    return _named(told(members, config), members)


def told_function(members: Record, answer: Record) -> Record:
    """What GetFunction answers: without tags where there are none."""
    known = {name: value for name, value in answer.items() if value or name != "Tags"}
    config = told_qualified(members, answer["Configuration"])
    if config["Version"] != LATEST:  # whose code may be another by now
        place = lambda_svc._presigned_code_url(f"{config['FunctionName']}:{config['Version']}")
        known["Code"] = {**known["Code"], "Location": place}
    return {**known, "Configuration": config}


def _named(config: Record, members: Record) -> Record:
    qualifier = members.get("Qualifier")
    if not qualifier:
        return config
    return {**config, "FunctionArn": f"{lambda_svc._func_arn(config['FunctionName'])}:{qualifier}"}


def _runtime_version(config: Record) -> str:
    """The ARN of the runtime's version. AWS publishes no rule for its 64 hex digits; ours say which runtime it is."""
    region, digest = config["FunctionArn"].split(":")[3], sha256(config["Runtime"].encode()).hexdigest()
    return f"arn:aws:lambda:{region}::runtime:{digest}"


def _missing(name: str, qualifier: str | None, answer: Answer) -> Answer:
    """AWS's words for a version or alias that is not there, with its function or without it."""
    if answer[0] != 404 or not qualifier:
        return answer
    return function_not_found(name, qualifier)


def _logging(name: str, present: Record, given: Record) -> Record:
    """Log settings, those of which nothing is said as they are: levels belong to JSON alone."""
    settings = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **present, **given}
    if settings["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **settings}
    return {key: value for key, value in settings.items() if not key.endswith("LogLevel")}


def _list_functions(query_params: Record) -> Answer:
    """ListFunctions: $LATEST of each function, or with FunctionVersion=ALL its versions as well."""
    names = sorted(lambda_svc._functions.keys())
    if _first(query_params, "FunctionVersion") == "ALL":
        found = [config for name in names for config in _all_versions(name)]
    else:
        found = [_in_a_list(lambda_svc._functions[name]["config"]) for name in names]
    return _page("Functions", found, query_params)


def _list_versions(name: str, query_params: Record) -> Answer:
    if name not in lambda_svc._functions:
        return function_not_found(name)
    return _page("Versions", _all_versions(name), query_params)


def _all_versions(name: str) -> list[Record]:
    func = lambda_svc._functions[name]
    latest = {**func["config"], "FunctionArn": f"{func['config']['FunctionArn']}:{LATEST}"}
    numbered = [func["versions"][number]["config"] for number in sorted(func["versions"], key=int)]
    return [_in_a_list(config) for config in (latest, *numbered)]


def _in_a_list(config: Record) -> Record:
    return {name: value for name, value in told({}, config).items() if name not in NOT_IN_LISTS}


def _page(member: str, found: list[Record], query_params: Record) -> Answer:
    """Those after the marker, which is the ARN of the last one of the page before."""
    marker, most = _first(query_params, "Marker"), int(_first(query_params, "MaxItems") or MOST_ITEMS)
    left = [each for each in found if not marker or _place(each["FunctionArn"]) > _place(marker)]
    page = left[:most]
    answered: dict[str, Any] = {member: page}
    if most < len(left):
        answered["NextMarker"] = page[-1]["FunctionArn"]
    answer: Answer = responses.json_response(answered, 200)
    return answer


def _place(arn: str) -> tuple[str, int]:
    """Where a version stands in lists: by its function's name, $LATEST first and then by number."""
    name, qualifier = (*arn.split(":")[6:8], LATEST, LATEST)[:2]  # a marker may be no ARN
    return name, int(qualifier) if qualifier.isdecimal() else 0


def _first(query_params: Record, name: str) -> str:
    values = query_params.get(name) or [""]
    return str(values[0])

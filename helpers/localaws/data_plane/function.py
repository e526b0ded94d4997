"""What the data plane knows of one version of a function, in the words of its configuration."""

from dataclasses import dataclass, field
from typing import Any

from ...facts import fact

DEFAULT_IDLE_SECONDS = 300.0
IDLE_TAG = "localaws:idle-seconds"  # AWS offers no such setting; there one waits

TIMEOUT_S, MEMORY_MB, TMP_MB = fact("timeout_default"), fact("memory_default"), fact("tmp")  # where nothing is said

# A change to any of these makes new execution environments; State, LastUpdateStatus and the like do not.
ENVIRONMENT_FIELDS = (
    "Version",
    "CodeSha256",
    "LastModified",
    "Runtime",
    "Handler",
    "Timeout",
    "MemorySize",
    "EphemeralStorage",
    "Environment",
    "Layers",
    "LoggingConfig",
    "Role",
    "TracingConfig",
)


@dataclass(frozen=True)
class Function:
    """One version of a function: configuration, code and layers (zip files as bytes)."""

    name: str
    version: str
    arn: str
    account: str
    region: str
    runtime: str
    handler: str
    timeout_s: int
    memory_mb: int
    variables: dict[str, str]
    log_group: str
    log_format: str  # "Text" or "JSON"
    log_levels: dict[str, str]
    code: bytes = field(repr=False)
    role: str = ""  # its ARN
    layers: tuple[bytes, ...] = field(repr=False, default=())
    tmp_mb: int = TMP_MB
    snapstart: bool = False
    tenant_isolation: bool = False
    tenant_id: str = ""  # whom its environments serve, where they are for one tenant alone
    idle_s: float = DEFAULT_IDLE_SECONDS
    fingerprint: str = ""  # that of another configuration, or other code, differs

    @classmethod
    def from_configuration(
        cls, config: dict[str, Any], code: bytes, layers: tuple[bytes, ...], tags: dict[str, str]
    ) -> "Function":
        """From what GetFunctionConfiguration answers; `FunctionArn` may carry the qualifier of the call."""
        arn = unqualified(config["FunctionArn"])
        region, account = arn.split(":")[3:5]
        logging = config.get("LoggingConfig") or {}
        relevant = [arn, *map(config.get, ENVIRONMENT_FIELDS)]
        return cls(
            name=config["FunctionName"],
            version=config.get("Version", "$LATEST"),
            arn=arn,
            account=account,
            region=region,
            runtime=config.get("Runtime", ""),
            handler=config.get("Handler", ""),
            timeout_s=config.get("Timeout", TIMEOUT_S),
            memory_mb=config.get("MemorySize", MEMORY_MB),
            variables=(config.get("Environment") or {}).get("Variables") or {},
            log_group=logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}",
            log_format=logging.get("LogFormat", "Text"),
            log_levels={key: logging[key] for key in ("ApplicationLogLevel", "SystemLogLevel") if logging.get(key)},
            code=code,
            role=config.get("Role", ""),
            layers=layers,
            tmp_mb=(config.get("EphemeralStorage") or {}).get("Size", TMP_MB),
            snapstart=(config.get("SnapStart") or {}).get("OptimizationStatus") == "On",
            tenant_isolation=bool(config.get("TenancyConfig")),
            idle_s=_idle_seconds(tags),
            fingerprint=repr(relevant),
        )


def unqualified(arn: str) -> str:
    """The ARN of a function without the version or alias that a call has named."""
    return ":".join(arn.split(":")[:7])


def _idle_seconds(tags: dict[str, str]) -> float:
    """The idle time that a tag asks for, or the usual one where the tag is missing or no number."""
    try:
        return float(tags.get(IDLE_TAG, DEFAULT_IDLE_SECONDS))
    except ValueError:
        return DEFAULT_IDLE_SECONDS

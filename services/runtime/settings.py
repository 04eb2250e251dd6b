"""The environment as one frozen value. Every wrong variable is reported, not only the first.

Variables are named MILEPOST_<FIELD>; a TOML file may give the same fields in lower case, and the
environment wins. What a command does not use may be missing; its user asks with `require_…`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from services.kernel.card import mask_card_numbers
from services.kernel.errors import InvalidInput, Problem
from services.runtime.coercions import (
    DatabaseUrl,
    Folder,
    LowerCase,
    ReadableFile,
    Servers,
    Text,
    UpperCase,
    Whole,
    contradictions,
)
from services.runtime.outage import is_loopback

PREFIX = "MILEPOST_"
Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
_SECRET = re.compile(r"PASSWORD(?!_FILE)|SECRET|TOKEN(?!_KEY_FILE)|DATABASE_URL$|_KEY$")
# An orchestrator describes its own services to each container in variables of these forms.
_FOREIGN = re.compile(r"_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP)\w*)$")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How to reach Kafka. The printed form shows no password."""

    bootstrap_servers: tuple[str, ...]
    security_protocol: Protocol
    sasl_mechanism: Mechanism
    sasl_username: str | None
    sasl_password: SecretStr | None
    ssl_cafile: Path | None
    ssl_certfile: Path | None
    ssl_keyfile: Path | None


class Settings(BaseModel):
    """Everything that the environment decides. Field `x_y` is the variable MILEPOST_X_Y."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka_bootstrap_servers: Servers = ()
    kafka_security_protocol: Annotated[Protocol | None, UpperCase] = None
    kafka_sasl_mechanism: Annotated[Mechanism, UpperCase] = "SCRAM-SHA-512"
    kafka_sasl_username: Text | None = None
    kafka_sasl_password_file: ReadableFile | None = None
    kafka_ssl_cafile: ReadableFile | None = None
    kafka_ssl_certfile: ReadableFile | None = None
    kafka_ssl_keyfile: ReadableFile | None = None
    kafka_libs: Folder | None = None
    database_url: DatabaseUrl | None = None
    database_url_file: ReadableFile | None = None
    role: Annotated[
        Literal["app", "author", "approver", "operator", "auditor", "partner"], LowerCase
    ] = "app"
    """The database role that a person's commands take; the login must be a member of it."""
    stack: Annotated[Literal["local", "containers"], LowerCase] = "local"
    token_key_file: ReadableFile | None = None
    quarantine_key_file: ReadableFile | None = None
    quarantine_identity_file: ReadableFile | None = None
    payout_key_file: ReadableFile | None = None
    payout_identity_file: ReadableFile | None = None
    files_dir: Folder | None = None
    contracts_dir: Folder | None = None
    feeds_file: ReadableFile | None = None
    deliveries_file: ReadableFile | None = None
    """Where partners receive files; who is not in it has the folder `sent/`."""
    answer_days: Annotated[Whole, Field(ge=1, le=366)] = 5
    """Days after which a partner that has not answered a batch is worth a look."""
    metrics_host: Text = "127.0.0.1"
    metrics_port: Annotated[Whole, Field(le=65535)] | None = None
    """No port, no HTTP; 0 lets the system choose."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = "info"
    batch_records_max: Annotated[Whole, Field(ge=1, le=100_000)] = 8_000
    batch_wait_ms_max: Annotated[Whole, Field(ge=0, le=10_000)] = 100
    fetch_partition_bytes_max: Annotated[Whole, Field(ge=1_048_576)] = 4_194_304
    """At least `max.message.bytes` of every topic that is consumed."""
    kafka_session_ms: Annotated[Whole, Field(ge=1_000, le=300_000)] = 10_000
    """How long a consumer may be silent before the group gives its partitions to others."""
    watchdog_seconds: Annotated[Whole, Field(ge=5)] = 60
    fail_at: Annotated[Whole, Field(ge=1)] | None = None
    """For tests: the failpoint at which the process ends."""

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach Kafka; raises InvalidInput when no server is named."""
        servers = self._required("kafka_bootstrap_servers", "a broker as host:port")
        password = self.kafka_sasl_password_file
        return KafkaSettings(
            bootstrap_servers=servers,
            security_protocol=self.kafka_security_protocol or self._protocol(),
            sasl_mechanism=self.kafka_sasl_mechanism,
            sasl_username=self.kafka_sasl_username,
            sasl_password=SecretStr(_secret(password)) if password else None,
            ssl_cafile=self.kafka_ssl_cafile,
            ssl_certfile=self.kafka_ssl_certfile,
            ssl_keyfile=self.kafka_ssl_keyfile,
        )

    def require_database(self) -> str:
        """The database's URL, password included; raises InvalidInput when there is none."""
        if self.database_url_file is not None:
            return _secret(self.database_url_file)
        url: SecretStr = self._required("database_url", "postgresql://user@host:port/database")
        return url.get_secret_value()

    def require_token_key(self) -> Path:
        """The file that card numbers are tokenised with."""
        return self._required_path("token_key_file", "the token.key of `milepost keys create`")

    def require_quarantine_key(self) -> Path:
        """The public key that rejected bytes are sealed to."""
        hint = "the quarantine.pub of `milepost keys create`"
        return self._required_path("quarantine_key_file", hint)

    def require_quarantine_identity(self) -> Path:
        """The private key that opens what was sealed."""
        hint = "the quarantine.key of `milepost keys create`"
        return self._required_path("quarantine_identity_file", hint)

    def require_payout_key(self) -> Path:
        """The public key that the payout table is sealed to."""
        return self._required_path("payout_key_file", "an age public key for the payout table")

    def require_files_dir(self) -> Path:
        """The folder of the partners' files."""
        return self._required_path("files_dir", "a folder for the partners' files")

    def require_contracts_dir(self) -> Path:
        """The folder of the contracts."""
        return self._required_path("contracts_dir", "the folder of your contracts")

    def require_feeds_file(self) -> Path:
        """The YAML file that names the feeds."""
        return self._required_path("feeds_file", "the YAML file that names your feeds")

    def _protocol(self) -> Protocol:
        """The safe one, unless every broker is on this machine."""
        if self.kafka_sasl_username is not None:
            return "SASL_SSL"
        local = all(is_loopback(_host(server)) for server in self.kafka_bootstrap_servers)
        return "PLAINTEXT" if local and self.kafka_ssl_cafile is None else "SSL"

    def _required_path(self, field: str, hint: str) -> Path:
        path: Path = self._required(field, hint)
        return path

    def _required(self, field: str, hint: str) -> Any:
        value = getattr(self, field)
        if not value:
            raise InvalidInput([Problem(f"is not set; set it to {hint}", field=_variable(field))])
        return value


def load_settings(environment: Mapping[str, str], config_file: Path | None = None) -> Settings:
    """Reads MILEPOST_… of the environment and, below it, a TOML file.

    Raises InvalidInput with a problem for each variable that is wrong or unknown, and for each
    pair that contradicts; values of secrets are not shown.
    """
    given, problems = _from_file(config_file) if config_file else ({}, [])
    sources = dict.fromkeys(given, str(config_file))
    for variable, text in sorted(environment.items()):
        field = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and not (
            field not in Settings.model_fields and _FOREIGN.search(variable)
        ):
            given[field] = text
            sources.pop(field, None)
    settings = None
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            field = str(detail["loc"][0])
            problems.append(_problem(field, _why(detail, field), given, sources))
    for field, why in contradictions(given):
        problems.append(_problem(field, why, given, sources))
    if settings is None or problems:
        raise InvalidInput(problems)
    return settings


def _from_file(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str), []
    except OSError as error:
        return {}, [Problem(f"cannot be read: {error.strerror}", file=str(path))]
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [Problem(f"is not TOML: {error}", file=str(path))]


def _problem(
    field: str, why: str, given: Mapping[str, object], sources: Mapping[str, str]
) -> Problem:
    variable = _variable(field)
    shown = mask_card_numbers(str(given.get(field, "")))
    if _SECRET.search(variable):
        shown = "(hidden)"
    in_file = sources.get(field)
    return Problem(why, file=in_file, field=field if in_file else variable, value=shown)


def _why(detail: Any, field: str) -> str:
    match detail["type"]:
        case "extra_forbidden":
            close = difflib.get_close_matches(field, Settings.model_fields, n=1)
            hint = f"; did you mean {_variable(close[0])}?" if close else ""
            return f"is not a setting of milepost{hint}"
        case "literal_error":
            return f"must be {detail['ctx']['expected']}"
        case "greater_than_equal":
            return f"must be at least {detail['ctx']['ge']}"
        case "less_than_equal":
            return f"must be at most {detail['ctx']['le']}"
        case _:
            return str(detail["msg"]).removeprefix("Value error, ")


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _host(server: str) -> str:
    return server.rpartition(":")[0].strip("[]")


def _secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip("\r\n")

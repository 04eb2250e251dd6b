"""The environment becomes settings, or a list of everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput
from services.runtime.settings import Settings, load_settings

BROKER = {"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}


def problems_of(environment: dict[str, str], config: Path | None = None) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        load_settings(environment, config)
    return {problem.field or "": str(problem) for problem in caught.value.problems}


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


def test_every_wrong_variable_is_named_at_once_with_its_value_and_why() -> None:
    found = problems_of(
        {
            "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "broker",
            "MILEPOST_DATABASE_URL": "mysql://milepost:hunter2@db/milepost",
            "MILEPOST_METRICS_PORT": "70000",
            "MILEPOST_LOG_LEVEL": "loud",
            "MILEPOST_FEEDS_FILE": "/nowhere/feeds.yaml",
            "MILEPOST_STACK": "",
            "MILEPOST_BATCH_RECORDS_MAX": "1e3",
        }
    )
    assert found == {
        "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "MILEPOST_KAFKA_BOOTSTRAP_SERVERS: 'broker': must be "
        "host:port, or several with commas; 'broker' is not",
        "MILEPOST_DATABASE_URL": "MILEPOST_DATABASE_URL: '(hidden)': must look like "
        "postgresql://user:password@host:port/database",
        "MILEPOST_METRICS_PORT": "MILEPOST_METRICS_PORT: '70000': must be at most 65535",
        "MILEPOST_LOG_LEVEL": "MILEPOST_LOG_LEVEL: 'loud': must be 'debug', 'info', 'warning' "
        "or 'error'",
        "MILEPOST_FEEDS_FILE": "MILEPOST_FEEDS_FILE: '/nowhere/feeds.yaml': does not exist",
        "MILEPOST_STACK": "MILEPOST_STACK: '': is empty: give it a value or remove it",
        "MILEPOST_BATCH_RECORDS_MAX": "MILEPOST_BATCH_RECORDS_MAX: '1e3': must be a whole "
        "number, written in digits only",
    }


@pytest.mark.parametrize("text", ["1.0", " 1", "+1", "-1", "1_000", "0x10", "١", "", "true"])
def test_a_number_is_digits_and_nothing_else(text: str) -> None:
    assert "MILEPOST_METRICS_PORT" in problems_of({"MILEPOST_METRICS_PORT": text})


def test_a_misspelt_variable_is_refused_with_the_name_that_was_meant() -> None:
    found = problems_of({"MILEPOST_KAFKA_BOOTSTRAP_SERVER": "127.0.0.1:9092"})
    assert found["MILEPOST_KAFKA_BOOTSTRAP_SERVER"].endswith(
        "is not a setting of milepost; did you mean MILEPOST_KAFKA_BOOTSTRAP_SERVERS?"
    )


def test_a_secret_in_a_misspelt_variable_is_not_shown() -> None:
    found = problems_of({"MILEPOST_KAFKA_SASL_PASSWORD": "hunter2"})
    assert "hunter2" not in "".join(found.values())


def test_variables_that_an_orchestrator_adds_are_passed_over() -> None:
    load_settings(
        {
            "MILEPOST_INGEST_SERVICE_HOST": "10.0.0.7",
            "MILEPOST_INGEST_SERVICE_PORT_METRICS": "9100",
            "MILEPOST_INGEST_PORT_9100_TCP_ADDR": "10.0.0.7",
            "OTHER": "",
        }
    )


def test_contradictions_are_reported_beside_wrong_values(secret_file: Path) -> None:
    found = problems_of(
        {
            "MILEPOST_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "MILEPOST_KAFKA_SASL_USERNAME": "milepost",
            "MILEPOST_KAFKA_SSL_CERTFILE": str(secret_file),
            "MILEPOST_DATABASE_URL": "postgresql://db/milepost",
            "MILEPOST_DATABASE_URL_FILE": str(secret_file),
            "MILEPOST_METRICS_PORT": "http",
        }
    )
    assert set(found) == {
        "MILEPOST_KAFKA_SECURITY_PROTOCOL",
        "MILEPOST_KAFKA_SASL_USERNAME",
        "MILEPOST_KAFKA_SSL_CERTFILE",
        "MILEPOST_DATABASE_URL_FILE",
        "MILEPOST_METRICS_PORT",
    }


def test_a_password_is_never_sent_in_clear(secret_file: Path) -> None:
    found = problems_of(
        {
            "MILEPOST_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "MILEPOST_KAFKA_SASL_MECHANISM": "PLAIN",
            "MILEPOST_KAFKA_SASL_USERNAME": "milepost",
            "MILEPOST_KAFKA_SASL_PASSWORD_FILE": str(secret_file),
        }
    )
    assert "in clear" in found["MILEPOST_KAFKA_SASL_MECHANISM"]


def test_credentials_mean_tls_and_scram(secret_file: Path) -> None:
    kafka = load_settings(
        {
            **BROKER,
            "MILEPOST_KAFKA_SASL_USERNAME": "milepost",
            "MILEPOST_KAFKA_SASL_PASSWORD_FILE": str(secret_file),
        }
    ).kafka
    assert (kafka.security_protocol, kafka.sasl_mechanism) == ("SASL_SSL", "SCRAM-SHA-512")
    assert kafka.sasl_password is not None
    assert kafka.sasl_password.get_secret_value() == "correct horse"


@pytest.mark.parametrize(
    ("servers", "protocol"),
    [
        ("127.0.0.1:9092", "PLAINTEXT"),
        ("localhost:9092,[::1]:9093", "PLAINTEXT"),
        ("kafka.bank.example:9092", "SSL"),
        ("localhost:9092,10.1.2.3:9092", "SSL"),
    ],
)
def test_only_a_broker_on_this_machine_is_spoken_to_in_clear(servers: str, protocol: str) -> None:
    settings = load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": servers})
    assert settings.kafka.security_protocol == protocol


def test_what_is_said_about_the_protocol_holds() -> None:
    environment = {
        "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "kafka.bank.example:9092",
        "MILEPOST_KAFKA_SECURITY_PROTOCOL": "plaintext",
    }
    assert load_settings(environment).kafka.security_protocol == "PLAINTEXT"


def test_no_secret_is_in_any_printed_form(secret_file: Path) -> None:
    settings = load_settings(
        {
            **BROKER,
            "MILEPOST_KAFKA_SASL_USERNAME": "milepost",
            "MILEPOST_KAFKA_SASL_PASSWORD_FILE": str(secret_file),
            "MILEPOST_DATABASE_URL": "postgresql://milepost:hunter2@db/milepost",
        }
    )
    printed = f"{settings} {settings!r} {settings.kafka} {settings.model_dump_json()}"
    assert "hunter2" not in printed
    assert "correct horse" not in printed
    assert settings.require_database() == "postgresql://milepost:hunter2@db/milepost"


def test_what_is_missing_is_asked_for_by_its_user() -> None:
    settings = load_settings({})
    for require in (
        settings.require_database,
        settings.require_token_key,
        settings.require_quarantine_key,
        settings.require_quarantine_identity,
        settings.require_files_dir,
        settings.require_contracts_dir,
        settings.require_feeds_file,
        lambda: settings.kafka,
    ):
        with pytest.raises(InvalidInput, match=r"MILEPOST_[A-Z_]+: is not set; set it to "):
            require()


def test_the_url_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://milepost:hunter2@db/milepost\n")
    settings = load_settings({"MILEPOST_DATABASE_URL_FILE": str(path)})
    assert settings.require_database() == "postgresql://milepost:hunter2@db/milepost"


def test_the_environment_wins_over_the_file_and_the_file_names_its_own_problems(
    tmp_path: Path,
) -> None:
    config = tmp_path / "milepost.toml"
    config.write_text('log_level = "debug"\nbatch_records_max = 500\nwatchdog_seconds = 10\n')
    settings = load_settings({"MILEPOST_BATCH_RECORDS_MAX": "700"}, config)
    given = (settings.log_level, settings.batch_records_max, settings.watchdog_seconds)
    assert given == ("debug", 700, 10)

    config.write_text("batch_records_max = 1.5\nwatch_seconds = true\n")
    found = problems_of({"MILEPOST_METRICS_PORT": "x"}, config)
    assert set(found) == {"batch_records_max", "watch_seconds", "MILEPOST_METRICS_PORT"}
    assert found["batch_records_max"].startswith(f"{config}: batch_records_max: '1.5'")


def test_a_file_that_is_no_toml_is_a_problem(tmp_path: Path) -> None:
    config = tmp_path / "milepost.toml"
    config.write_text("log_level: debug\n")
    assert "is not TOML" in problems_of({}, config)[""]
    assert "cannot be read" in problems_of({}, tmp_path / "missing.toml")[""]


def test_settings_cannot_be_changed() -> None:
    settings = load_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.log_level = "debug"


def test_every_setting_has_a_safe_default() -> None:
    assert load_settings({}) == Settings()

"""The JSON Schema that editors complete from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.accrual.contracts.schema import contract_schema

SCHEMAS = Path(__file__).parents[4] / "schemas" / "contracts"
EXAMPLES = sorted((SCHEMAS / "examples").glob("*.yaml"))
BROKEN = sorted((SCHEMAS / "broken").glob("*.yaml"))
BEYOND_A_SCHEMA = {"cash.yaml"}
"""Nothing of these is wrong but what no schema can say."""
NOT_ONE_DOCUMENT = {"documents.yaml", "keys.yaml", "not-yaml.yaml"}
"""An editor's own YAML reader refuses these."""


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 core, as an editor reads it: whole numbers, decimals, true and false, no dates."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  replaced, as PyYAML does


for tag, pattern in (
    ("tag:yaml.org,2002:bool", "true|false"),
    ("tag:yaml.org,2002:null", "null|~|"),
    ("tag:yaml.org,2002:int", "[-+]?[0-9]+"),
    ("tag:yaml.org,2002:float", r"[-+]?[0-9]+\.[0-9]*"),
):
    EditorLoader.add_implicit_resolver(tag, re.compile(f"(?:{pattern})$"), None)


def as_an_editor_reads(path: Path) -> object:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=EditorLoader)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / "contract.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_on_disk_is_the_generated_one() -> None:
    generated = json.dumps(contract_schema(), indent=2, ensure_ascii=False) + "\n"
    stored = (SCHEMAS / "contract.schema.json").read_text(encoding="utf-8")
    assert stored == generated, "milepost contract schema > schemas/contracts/contract.schema.json"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_accepts_every_example(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    assert [error.message for error in validator.iter_errors(as_an_editor_reads(path))] == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_schema_refuses_what_is_broken_in_form(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    try:
        content = as_an_editor_reads(path)
    except yaml.YAMLError:
        assert path.name in NOT_ONE_DOCUMENT
        return
    assert validator.is_valid(content) == (path.name in BEYOND_A_SCHEMA)


def test_every_key_is_described() -> None:
    schema = contract_schema()
    parts = {**schema["$defs"], "Contract": schema}

    def described(part: dict[str, Any]) -> bool:
        named = part.get("$ref", "").rpartition("/")[2]
        return bool(part.get("description") or (named and described(parts[named])))

    bare = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, found in part.get("properties", {}).items()
        if not described(found)
    ]
    assert bare == []


def test_every_key_has_an_example_that_the_schema_takes() -> None:
    schema = contract_schema()
    for name, part in {**schema["$defs"], "Contract": schema}.items():
        for key, found in part.get("properties", {}).items():
            if "$ref" in found:
                continue  # the keys in it have theirs
            assert found.get("examples"), f"{name}.{key}"
            check = jsonschema.Draft202012Validator({**found, "$defs": schema["$defs"]})
            wrong = [given for given in found["examples"] if not check.is_valid(given)]
            assert wrong == [], f"{name}.{key}"


def test_no_object_takes_an_unknown_key() -> None:
    """Every mapping says so itself, spelt as JSON Schema spells it."""
    schema = contract_schema()
    open_ones = [
        name
        for name, part in {**schema["$defs"], "Contract": schema}.items()
        if part.get("type") == "object" and part.get("additionalProperties") is not False
    ]
    assert open_ones == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("term", "until"), "2026-12-31"),
        (("rules", 0, "cap", "limit"), "-50"),
        (("rules", 0, "cap", "limit"), 0),
        (("rules", 0, "priority"), 1.5),
        (("funding", 0, "remainder"), False),
        (("settlement", "file", "offer_codes", "ba se"), "B001"),
        (("amount", "eligible"), "net"),
    ],
)
def test_the_schema_refuses_a_planted_mistake(
    validator: jsonschema.Draft202012Validator, path: tuple[str | int, ...], value: object
) -> None:
    content: Any = as_an_editor_reads(SCHEMAS / "examples" / "sky-visa.yaml")
    part = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not validator.is_valid(content)

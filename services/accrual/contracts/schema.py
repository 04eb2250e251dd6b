"""The JSON Schema of a contract file, for editors. Generated from the model, never written."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.accrual.contracts.model import Contract


class _Schema(GenerateJsonSchema):
    """A key that may be left out is not a key that may be null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def contract_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one contract version."""
    schema = Contract.model_json_schema(by_alias=True, schema_generator=_Schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "contract.schema.json",
        **schema,
    }

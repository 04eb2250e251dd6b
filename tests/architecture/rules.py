"""The house's rules as small checks. Each takes source text and gives what is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
PURE_ROOMS = (
    "kernel",
    "ingest/feeds",
    "accrual/contracts",
    "accrual/members",
    "accrual/lifecycle",
    "accrual/engine",
    "accrual/ledger",
    "settlement/batches",
    "settlement/files",
    "settlement/billing",
    "settlement/reconcile",
)
FORBIDDEN_NAMES = {"common", "shared", "utils", "helpers", "core", "models", "types"}
SETTLEMENT_READS = {
    "payable_transfer", "line_source", "partner_membership", "feed_record", "accounting_posting",
}  # fmt: skip
SETTLEMENT_OWNS = re.compile(
    r"settlement_\w+|acknowledgement|file_delivery\w*|period_close\w*|audit\w*"
    r"|reconciliation_run|discrepancy\w*"
)
SETTLEMENT_APPENDS = {"card_event", "transfer", "balance", "stream", "stream_position"}
"""What a seal posts goes through these; they are written, or locked, and nothing is read."""
_CALLS = {"open", "print", "float", "eval", "exec"}


def python_files(*rooms: str) -> Iterator[Path]:
    """The source files of rooms, or of the whole house."""
    for room in rooms or ("",):
        yield from sorted((SERVICES / room).rglob("*.py"))


def impurities(source: str) -> list[str]:
    """Floats, bare divisions and I/O builtins: they need no import, so no import rule sees them."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float()):
                found.append(f"line {node.lineno}: a float")
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                found.append(f"line {node.lineno}: a bare division")
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                found.append(f"line {node.lineno}: {name}()")
            case ast.Name(id="float"):
                found.append(f"line {node.lineno}: the type float")
    return found


def oversizes(source: str) -> list[str]:
    """Files and functions that have grown past what can be read at once."""
    found: list[str] = []
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        found.append(f"{lines} lines")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(f"line {node.lineno}: {node.name} has {length} lines")
    return found


def asserts(source: str) -> list[str]:
    """`assert` vanishes under -O: raise instead."""
    return [
        f"line {node.lineno}: assert"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
    ]


def host_checks_off(source: str) -> list[str]:
    """Turning off the check of who answers is banned everywhere."""
    banned = (
        re.compile(r"known_hosts\s*=\s*None"),
        re.compile(r"check_hostname\s*=\s*False"),
        re.compile(r"CERT_NONE"),
    )
    return [
        f"line {number}: {pattern.pattern}"
        for number, line in enumerate(source.splitlines(), start=1)
        for pattern in banned
        if pattern.search(line)
    ]


def relations(sql: str) -> set[str]:
    """Tables and views that a text of SQL reads: the names after FROM and JOIN."""
    text = re.sub(r"--[^\n]*", "", sql)
    text = re.sub(r"\bDISTINCT\s+FROM\b|\bextract\s*\(\s*\w+\s+FROM\b", "=", text, flags=re.I)
    names = re.findall(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?([a-z_][a-z_0-9.]*)", text, re.IGNORECASE)
    local = set(re.findall(r"\b([a-z_]+)\s+(?:\([^)]*\)\s+)?AS\s+(?:MATERIALIZED\s+)?\(", text))
    functions = {"unnest", "generate_series", "jsonb_each", "jsonb_array_elements", "lateral",
                 "json_each", "jsonb_each_text", "jsonb_to_recordset"}  # fmt: skip
    return {name.lower() for name in names} - {name.lower() for name in local} - functions


def foreign_reads(sql: str) -> set[str]:
    """What settlement's SQL reads beside its own tables and the views that are meant for it."""
    return {
        name
        for name in relations(sql)
        if name not in SETTLEMENT_READS
        and not SETTLEMENT_OWNS.fullmatch(name)
        and name not in SETTLEMENT_APPENDS
    }


def spelled_hosts(text: str) -> list[str]:
    """Names of package registries: a lock or a script names versions and hashes, never a host."""
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "repo1" + ".maven", "maven" + ".org",
             "npmjs" + ".org", "crates" + ".io")  # fmt: skip
    return [host for host in hosts if host in text]

"""The demo's own folder: keys, contracts, members, files and logs, and the variables that lead to
them. The stack keeps its data beside them.

    contracts/  feeds.yaml  *.csv           what was read, to be looked at and changed
    files/<partner>/outgoing/               what a partner loads
    files/<partner>/sent/  incoming/        what went out, and what came back
    exports/  logs/  keys/                  every event and transfer, what each service said
    env                                     the variables, for a shell
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from services.kernel.errors import InvalidInput, Problem
from services.local.folder import LOCK
from services.local.generator.plan import Plan
from services.local.stack import DATABASE_FILE_VARIABLE
from services.runtime.sealing import IDENTITY, PUBLIC_KEY, TOKEN_KEY, create_keys

MARKER = "demo.json"
FEEDS = "feeds.yaml"
MEMBERS, LATE_MEMBERS = "members.csv", "members-late.csv"
REPAIRED_MEMBERS = "members-repaired.csv"
PAYOUTS, REPAIRED_PAYOUTS = "payouts.csv", "payouts-repaired.csv"
ACTIVATIONS, LATE_ACTIVATIONS = "activations.csv", "activations-late.csv"
_SCHEMA_IN_THE_HOUSE = "../../../../schemas/contracts/contract.schema.json"
_SCHEMA = "contract.schema.json"


@dataclass(frozen=True, slots=True)
class Premises:
    """Where one demo lives."""

    folder: Path

    @property
    def contracts(self) -> Path:
        """The contracts as files."""
        return self.folder / "contracts"

    @property
    def files(self) -> Path:
        """The partners' files."""
        return self.folder / "files"

    @property
    def exports(self) -> Path:
        """What was recorded, as files."""
        return self.folder / "exports"

    @property
    def logs(self) -> Path:
        """What each service said."""
        return self.folder / "logs"

    def environment(self, stack: Mapping[str, str]) -> dict[str, str]:
        """The variables of milepost that lead to this demo and its servers."""
        keys = self.folder / "keys"
        return {
            **stack,
            "MILEPOST_TOKEN_KEY_FILE": str(keys / TOKEN_KEY),
            "MILEPOST_QUARANTINE_KEY_FILE": str(keys / PUBLIC_KEY),
            "MILEPOST_QUARANTINE_IDENTITY_FILE": str(keys / IDENTITY),
            "MILEPOST_PAYOUT_KEY_FILE": str(keys / "payout" / PUBLIC_KEY),
            "MILEPOST_PAYOUT_IDENTITY_FILE": str(keys / "payout" / IDENTITY),
            "MILEPOST_FILES_DIR": str(self.files),
            "MILEPOST_CONTRACTS_DIR": str(self.contracts),
            "MILEPOST_FEEDS_FILE": str(self.folder / FEEDS),
        }

    def make_keys(self) -> None:
        """Every key that `environment` names; what is there already stays."""
        for folder in (self.folder / "keys", self.folder / "keys" / "payout"):
            if not folder.exists():
                create_keys(folder)

    def marker(self) -> dict[str, Any] | None:
        """What an earlier demo in this folder left behind, None if there was none."""
        path = self.folder / MARKER
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise InvalidInput([Problem(f"cannot be read: {error}", file=str(path))]) from error
        return found

    def is_free(self) -> bool:
        """Whether nothing is there that a demo could overwrite."""
        try:
            return all(found.name == LOCK for found in self.folder.iterdir())
        except FileNotFoundError:
            return True
        except OSError as error:
            why = error.strerror or str(error)
            raise InvalidInput([Problem(why, file=str(self.folder))]) from error

    def mark(self, **state: Any) -> None:
        """Leave word of how far the demo has come."""
        text = json.dumps(state, indent=2) + "\n"
        (self.folder / MARKER).write_text(text, encoding="utf-8")

    def furnish(self, plan: Plan) -> None:
        """Make the folders and keys, and put the contracts, feeds and members there."""
        for folder in (self.contracts, self.files, self.exports, self.logs):
            folder.mkdir(exist_ok=True)
        self.make_keys()
        data = resources.files("services.local") / "demo_data"
        for found in (data / "contracts").iterdir():
            text = found.read_text(encoding="utf-8").replace(_SCHEMA_IN_THE_HOUSE, _SCHEMA)
            (self.contracts / found.name).write_text(text, encoding="utf-8")
        schema = resources.files("schemas") / "contracts" / _SCHEMA
        (self.contracts / _SCHEMA).write_bytes(schema.read_bytes())
        (self.folder / FEEDS).write_bytes((data / FEEDS).read_bytes())
        for name, text in (
            (MEMBERS, plan.members),
            (LATE_MEMBERS, plan.late_members),
            (REPAIRED_MEMBERS, plan.repaired_members),
            (PAYOUTS, plan.payouts),
            (ACTIVATIONS, plan.activations),
            (LATE_ACTIVATIONS, plan.late_activations),
        ):
            (self.folder / name).write_text(text, encoding="utf-8")

    def write_environment(self, environment: Mapping[str, str]) -> Path:
        """A file that a shell can source; it holds the database's password."""
        path = self.folder / "env"
        path.touch(mode=0o600)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What children and settings see: the demo's variables above those of this process."""
    others = {name: value for name, value in os.environ.items() if name != DATABASE_FILE_VARIABLE}
    return {**others, **environment}

"""The error tree. What a consumer does with an error is its family.

    MilepostError
    ├── Rejected            this record can never be processed: seal it, record it, go on
    ├── Retryable           the world is not ready: pause, back off, try the same batch again
    │   └── Unreachable     a service does not answer (commands exit 3)
    ├── InvariantViolated   the books would be wrong: stop (exit 4)
    └── InvalidInput        a person gave us something wrong: list every problem (exit 2)

No message of any of these carries a card number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class MilepostError(Exception):
    """Something went wrong in milepost."""


class Rejected(MilepostError):
    """A record that can never become an event. `reason` is one of interfaces.md's rejections."""

    def __init__(self, reason: str, field: str | None = None, message: str = "") -> None:
        self.reason = reason
        self.field = field
        self.message = message or reason
        super().__init__(f"{reason}: {field}: {message}" if field else f"{reason}: {message}")


class Retryable(MilepostError):
    """Not possible now; the same work may be tried again without harm."""


class Unreachable(Retryable):
    """A service does not answer. The text says which, where, and what to do about it."""

    def __init__(self, what: str, where: str, hint: str) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(f"{what} cannot be reached at {where}. {hint}")


class InvariantViolated(MilepostError):
    """The books would be wrong if this went on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a person gave us.

    `line` and `column` are 1-based, None where the source has no lines. `value` is the text as
    given, never a card number.
    """

    why: str
    file: str | None = None
    line: int | None = None
    field: str | None = None
    value: str | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        parts = [place, self.field or "", f"{self.value!r}" if self.value is not None else ""]
        return ": ".join([part for part in parts if part] + [self.why])


class InvalidInput(MilepostError):
    """What was given cannot be used; every problem is listed, not only the first."""

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem(problems)]
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

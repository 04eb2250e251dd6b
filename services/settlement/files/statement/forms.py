"""The forms that a statement can have, by the ending of its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.statement import delimited, printed, workbook
from services.settlement.files.statement.document import Statement

FORMS: Mapping[str, Callable[[Statement], bytes]] = {
    "csv": delimited.write,
    printed.ENDING: printed.write,
    workbook.ENDING: workbook.write,
}


def write(statement: Statement, form: str) -> bytes:
    """The statement's bytes, the same whenever they are made. InvalidInput if they do not fit."""
    if form not in FORMS:
        why = f"must be one of {', '.join(FORMS)}"
        raise InvalidInput([Problem(why, field="--format", value=form)])
    try:
        content = FORMS[form](statement)
    except DoesNotFit as error:
        raise InvalidInput([Problem(str(error), field="--format", value=form)]) from error
    if form == "csv":
        checked = delimited.read(content, statement.name)
        checked.demand_sound(statement.name)
        sums = {of.unit: of.credits - of.debits for of in statement.sections}
        if dict(checked.totals) != sums:
            raise InvariantViolated(f"{statement.name} does not read back as written")
    return content

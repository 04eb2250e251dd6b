"""Dates as partners write them. A year of two digits is one of 2000 to 2099."""

from __future__ import annotations

import re
from datetime import date, timedelta

FORMS = {
    "YYYYMMDD": r"(?P<Y>\d{4})(?P<M>\d\d)(?P<D>\d\d)",
    "YYYY-MM-DD": r"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)",
    "YYYY/MM/DD": r"(?P<Y>\d{4})/(?P<M>\d\d)/(?P<D>\d\d)",
    "YYMMDD": r"(?P<Y>\d\d)(?P<M>\d\d)(?P<D>\d\d)",
    "DDMMYYYY": r"(?P<D>\d\d)(?P<M>\d\d)(?P<Y>\d{4})",
    "DD/MM/YYYY": r"(?P<D>\d\d)/(?P<M>\d\d)/(?P<Y>\d{4})",
    "MM/DD/YYYY": r"(?P<M>\d\d)/(?P<D>\d\d)/(?P<Y>\d{4})",
    "YYYYDDD": r"(?P<Y>\d{4})(?P<N>\d{3})",
    "YYDDD": r"(?P<Y>\d\d)(?P<N>\d{3})",
}
"""Form → what matches it; DDD counts the days of the year from 001."""
_FORMATS = {
    "YYYYMMDD": "%Y%m%d", "YYYY-MM-DD": "%Y-%m-%d", "YYYY/MM/DD": "%Y/%m/%d", "YYMMDD": "%y%m%d",
    "DDMMYYYY": "%d%m%Y", "DD/MM/YYYY": "%d/%m/%Y", "MM/DD/YYYY": "%m/%d/%Y", "YYYYDDD": "%Y%j",
    "YYDDD": "%y%j",
}  # fmt: skip


def written(day: date, form: str) -> str:
    """The day in a form; ValueError if its year has no place there."""
    if "YYYY" not in form and not 2000 <= day.year <= 2099:
        raise ValueError(f"{day} has no year of two digits")
    return day.strftime(_FORMATS[form]).rjust(len(form), "0")


def read(text: str, form: str) -> date:
    """The day in a text; ValueError if there is none."""
    found = re.fullmatch(FORMS[form], text, re.ASCII)
    if found is None:
        raise ValueError(f"is no date {form}")
    parts = {name: int(value) for name, value in found.groupdict().items()}
    year = parts["Y"] if "YYYY" in form else 2000 + parts["Y"]
    try:
        if "N" not in parts:
            return date(year, parts["M"], parts["D"])
        day = date(year, 1, 1) + timedelta(days=parts["N"] - 1)
    except (ValueError, OverflowError):
        raise ValueError("is no date") from None
    if day.year != year:
        raise ValueError("is no date")
    return day

"""What can be wrong, in words, and who must act."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Check(StrEnum):
    """What is laid beside what."""

    FEEDS = "feeds"
    """The compare feed beside the books feed."""
    LEDGER = "ledger"
    """Due transfers beside the lines of batches."""
    FILES = "files"
    """Lines beside the files, read back from their bytes."""
    ANSWERS = "answers"
    """Lines that were sent beside the partner's answers."""
    CONTROL = "control"
    """The control sheet beside the accounts of the ledger."""


class Owner(StrEnum):
    """The side that must act."""

    ISSUER = "issuer"
    NETWORK = "network"
    PARTNER = "partner"
    US = "milepost"


class Code(StrEnum):
    """What does not tie."""

    MISSING_IN_BOOKS = "MISSING_IN_BOOKS"
    MISSING_IN_COMPARE = "MISSING_IN_COMPARE"
    DOUBLED_IN_BOOKS = "DOUBLED_IN_BOOKS"
    DOUBLED_IN_COMPARE = "DOUBLED_IN_COMPARE"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    MISSING_LINE = "MISSING_LINE"
    DOUBLED_LINE = "DOUBLED_LINE"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    MISSING_IN_LEDGER = "MISSING_IN_LEDGER"
    WRONG_PARTNER = "WRONG_PARTNER"
    WRONG_MEMBER = "WRONG_MEMBER"
    WRONG_UNIT = "WRONG_UNIT"
    MISSING_FILE = "MISSING_FILE"
    CHANGED_FILE = "CHANGED_FILE"
    NOT_ANSWERED = "NOT_ANSWERED"
    ANSWERED_TWICE = "ANSWERED_TWICE"
    ANSWERED_NOT_SENT = "ANSWERED_NOT_SENT"
    LEDGER_DIFFERS = "LEDGER_DIFFERS"


class Meaning(NamedTuple):
    """A code in words, and its owner."""

    words: str
    owner: Owner


MEANING: Mapping[Code, Meaning] = {
    Code.MISSING_IN_BOOKS: Meaning(
        "the compare feed has a transaction that the books feed has not", Owner.ISSUER),
    Code.MISSING_IN_COMPARE: Meaning(
        "the books feed has a transaction that the compare feed has not", Owner.NETWORK),
    Code.DOUBLED_IN_BOOKS: Meaning(
        "the books feed has a transaction more often than the compare feed", Owner.ISSUER),
    Code.DOUBLED_IN_COMPARE: Meaning(
        "the compare feed has a transaction more often than the books feed", Owner.NETWORK),
    Code.AMOUNT_DIFFERS: Meaning("both sides have it, with other amounts", Owner.US),
    Code.CURRENCY_DIFFERS: Meaning("both sides have it, in other currencies", Owner.ISSUER),
    Code.MISSING_LINE: Meaning("what is due stands in no line, or a line in no file", Owner.US),
    Code.DOUBLED_LINE: Meaning("a line stands more than once", Owner.US),
    Code.UNKNOWN_LINE: Meaning("a file has a line that its batch has not", Owner.US),
    Code.MISSING_IN_LEDGER: Meaning("a line stands for nothing in the ledger", Owner.US),
    Code.WRONG_PARTNER: Meaning("it belongs to another partner", Owner.US),
    Code.WRONG_MEMBER: Meaning("a file names another member than the line", Owner.US),
    Code.WRONG_UNIT: Meaning("both sides have it, in other units", Owner.US),
    Code.MISSING_FILE: Meaning("a file of a batch is not where it should lie", Owner.US),
    Code.CHANGED_FILE: Meaning("a file is not the one that was sealed", Owner.US),
    Code.NOT_ANSWERED: Meaning("the partner has not answered a line in time", Owner.PARTNER),
    Code.ANSWERED_TWICE: Meaning("the partner has answered a line twice", Owner.PARTNER),
    Code.ANSWERED_NOT_SENT: Meaning(
        "the partner has answered a line that no file of ours has", Owner.PARTNER),
    Code.LEDGER_DIFFERS: Meaning("the control sheet is not what the accounts hold", Owner.US),
}  # fmt: skip


def owner_of(check: Check, code: Code) -> Owner:
    """Who must act: an amount that differs between the feeds is the issuer's to explain."""
    if check is Check.FEEDS and code is Code.AMOUNT_DIFFERS:
        return Owner.ISSUER
    return MEANING[code].owner

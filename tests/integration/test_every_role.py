"""Every command, typed in every role: it works, or it is refused in words that say who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.cli import people
from services.cli.__main__ import COMMANDS
from services.local.stack import Stack
from tests.support import servers
from tests.support.commands import FOR, FOUND, UNTRIED, name_of, typed
from tests.support.house import ROLES, House

DOCUMENT = Path(__file__).parents[2] / "docs" / "roles.md"


@pytest.fixture(scope="module")
def house(
    stack: Stack, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """One for all: a command that moves something comes after those that need it unmoved."""
    url = servers.create_database(stack.database_url, template=servers.name_of(_template))
    servers.delete_topics(stack.kafka_bootstrap)
    with House(url, tmp_path_factory.mktemp("house"), stack.kafka_bootstrap) as house:
        assert house.own(["topics", "create"]).exit_code == 0
        yield house
    servers.drop_database(url, stack.database_url)


@pytest.mark.parametrize("line", FOR)
def test_a_command_works_for_whom_it_is_and_is_refused_for_everybody_else(
    house: House, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, name, may = typed(house, line), name_of(line), FOR[line]
    others = [role for role in ROLES if role not in may]
    before = house.rows() if others else {}
    for role in others:
        refused = house.run(role, words)
        assert refused.exit_code == 2, (role, refused.output, refused.exception)
        assert f"MILEPOST_ROLE: '{role}': permission denied: `{name}` is for " in refused.stderr
        assert all(other in refused.stderr for other in may)
        assert refused.stdout == ""
        with monkeypatch.context() as patch:
            patch.setattr(people, "MAY", {})
            refused = house.run(role, words)
        # The database refuses it by itself, too, and nothing has moved.
        assert refused.exit_code in (1, 2), (role, refused.output, refused.exception)
        assert "permission denied" in refused.stderr, (role, refused.output)
        assert isinstance(refused.exception, SystemExit), refused.exception
        assert refused.stdout == ""
    assert not others or house.rows() == before
    for role in may:
        done = house.run(role, words)
        assert done.exit_code == FOUND.get(name, 0), (role, done.output, done.exception)
        assert done.stdout or done.stderr


def test_no_command_is_left_out(house: House) -> None:
    every = set(COMMANDS)
    assert every - UNTRIED == {name_of(line) for line in FOR}
    assert set(people.MAY) <= every


def test_a_partner_is_told_that_it_sees_its_own_rows_only(house: House) -> None:
    own = house.run("partner", ["batch", "list"])
    assert "sky-air-000001" in own.stdout
    assert "nothing is shown but what is of the login's own partner" in own.stderr


def test_an_author_is_told_what_the_list_leaves_out(house: House) -> None:
    told = house.run("author", ["review", "list"])
    assert "what banks ask about accounts is not shown" in told.stderr


def test_a_partner_s_login_of_no_partner_is_refused_and_not_shown_an_empty_list(
    house: House,
) -> None:
    told = house.run("nobody", ["batch", "list"], role="partner")
    assert told.exit_code == 2
    assert "the login is of no partner" in told.stderr


def test_the_document_has_the_table_of_the_commands() -> None:
    assert _table(people.MAY) in DOCUMENT.read_text("utf-8")


def _table(may: Mapping[str, tuple[str, ...]]) -> str:
    rows = [f"| command | {' | '.join(ROLES)} |", "|---" * 6 + "|"]
    for name in sorted({name_of(line) for line in FOR} | UNTRIED):
        cells = ["yes" if role in may.get(name, ROLES) else "" for role in ROLES]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"

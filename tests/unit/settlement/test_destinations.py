"""The deliveries file: what may stand in it, and that every problem is told with its line."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from services.kernel.errors import InvalidInput
from services.settlement.exchange.destinations import Delivery, parse_deliveries

WHOLE = """\
deliveries:
  - partner: sky-air
    to:
      sftp: {host: files.sky-air.example, user: first-bank, key_file: keys/sftp,
             host_keys_file: keys/sky-air.hosts, folder: /incoming}
    seal: {pgp: {recipient_file: keys/sky-air.asc, signer_file: keys/our.asc}}
  - partner: first-bank
    to: {folder: {path: /mnt/first-bank}}
  - partner: second-bank
    to: {bucket: {bucket: milepost, region: eu-north-1, prefix: in}}
    seal: {age: {recipients_file: keys/second-bank.txt}}
"""


def parse(text: str, *, there: bool = True) -> dict[str, Delivery]:
    return dict(
        parse_deliveries(
            text, file="deliveries.yaml", folder=PurePath("/etc/milepost"), is_there=lambda _: there
        )
    )


def problems(text: str, *, there: bool = True) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        parse(text, there=there)
    return [str(problem) for problem in refused.value.problems]


def test_each_partner_has_its_place_and_its_envelope() -> None:
    found = parse(WHOLE)
    assert list(found) == ["sky-air", "first-bank", "second-bank"]
    sftp = found["sky-air"].to.sftp
    assert sftp is not None
    assert (sftp.host, sftp.port) == ("files.sky-air.example", 22)
    assert sftp.host_keys_file == "/etc/milepost/keys/sky-air.hosts"
    assert found["first-bank"].seal is None


def test_every_file_that_is_not_there_is_told_with_its_line() -> None:
    assert problems(WHOLE, there=False) == [
        f"deliveries.yaml:{line}: deliveries[{nth}].{field}: '/etc/milepost/keys/{name}': "
        "is no file that can be read"
        for line, nth, field, name in (
            (4, 0, "to.sftp.key_file", "sftp"),
            (5, 0, "to.sftp.host_keys_file", "sky-air.hosts"),
            (6, 0, "seal.pgp.recipient_file", "sky-air.asc"),
            (6, 0, "seal.pgp.signer_file", "our.asc"),
            (11, 2, "seal.age.recipients_file", "second-bank.txt"),
        )
    ]


def test_every_problem_of_the_shape_is_told_at_once() -> None:
    assert problems(
        """\
deliveries:
  - partner: Sky Air
    to: {sftp: {host: a, port: "0", user: u, key_file: k, folder: /in, password: secret}}
  - partner: first-bank
    to: {}
  - partner: first-bank
    partner: second-bank
    to: {folder: {path: /a}, bucket: {bucket: b, region: r}}
    seal: {}
"""
    ) == [
        "deliveries.yaml:2: deliveries[0].partner: 'Sky Air': String should match pattern "
        "'^[a-z0-9][a-z0-9-]{0,62}$'",
        "deliveries.yaml:3: deliveries[0].to.sftp.port: '0': Input should be greater than or "
        "equal to 1",
        "deliveries.yaml:3: deliveries[0].to.sftp.host_keys_file: is missing",
        "deliveries.yaml:3: deliveries[0].to.sftp.password: is not a key here",
        "deliveries.yaml:5: deliveries[1].to: must hold exactly one of sftp, bucket, folder",
        "deliveries.yaml:7: deliveries[2].partner: comes twice",
        "deliveries.yaml:8: deliveries[2].to: must hold exactly one of sftp, bucket, folder",
        "deliveries.yaml:9: deliveries[2].seal: must hold exactly one of pgp, age",
    ]


def test_one_partner_named_twice_is_refused() -> None:
    one = "  - {partner: first-bank, to: {folder: {path: /a}}}\n"
    assert problems("deliveries:\n" + one + one) == [
        "deliveries.yaml:3: deliveries[1].partner: is named twice"
    ]


@pytest.mark.parametrize("text", ["", "deliveries: []", "- a", "deliveries: {"])
def test_what_is_no_deliveries_file_is_refused(text: str) -> None:
    assert problems(text)

"""The deliveries file: where each partner receives files, and how they are sealed for the way.

    deliveries:
      - partner: sky-air
        to:
          sftp: {host: files.sky-air.example, user: first-bank, key_file: keys/sftp,
                 host_keys_file: keys/sky-air.hosts, folder: /incoming}
        seal: {pgp: {recipient_file: keys/sky-air.asc, signer_file: keys/our.asc}}
      - partner: first-bank
        to: {folder: {path: /mnt/first-bank}}

Every problem of the file is told at once, with its line. Paths are relative to the file. Pure:
whether a named file is there is asked by a function that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.kernel.errors import InvalidInput, Problem

Path = tuple[str | int, ...]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Part(BaseModel):
    """A mapping of the deliveries file. Keys that are not known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sftp(Part):
    """A server that speaks SFTP. Its host key is pinned: another one is refused."""

    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Text
    key_file: Text
    host_keys_file: Text
    folder: Text


class Bucket(Part):
    """A bucket of an object store that speaks S3. Without key files the machine's role counts."""

    bucket: Text
    prefix: str = ""
    region: Text
    endpoint: Text | None = None
    key_id_file: Text | None = None
    secret_key_file: Text | None = None

    @model_validator(mode="after")
    def _both_keys(self) -> Bucket:
        if (self.key_id_file is None) != (self.secret_key_file is None):
            raise ValueError("key_id_file and secret_key_file come together")
        return self


class Folder(Part):
    """A folder of this machine, or one that is mounted here."""

    path: Text


class Where(Part):
    """Exactly one kind of place."""

    sftp: Sftp | None = None
    bucket: Bucket | None = None
    folder: Folder | None = None

    @model_validator(mode="after")
    def _one(self) -> Where:
        if sum(place is not None for place in (self.sftp, self.bucket, self.folder)) != 1:
            raise ValueError("must hold exactly one of sftp, bucket, folder")
        return self


class Pgp(Part):
    """OpenPGP: to the partner's key, signed with ours."""

    recipient_file: Text
    signer_file: Text


class Age(Part):
    """age: to the partner's public keys, one a line. age signs nothing."""

    recipients_file: Text


class Seal(Part):
    """Exactly one kind of envelope."""

    pgp: Pgp | None = None
    age: Age | None = None

    @model_validator(mode="after")
    def _one(self) -> Seal:
        if (self.pgp is None) == (self.age is None):
            raise ValueError("must hold exactly one of pgp, age")
        return self


class Delivery(Part):
    """Where one partner receives files. Without `seal` they go as they are."""

    partner: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    to: Where
    seal: Seal | None = None


class Deliveries(Part):
    """The whole file."""

    deliveries: tuple[Delivery, ...]

    @field_validator("deliveries", mode="before")
    @classmethod
    def _some(cls, given: Any) -> Any:
        if given == []:
            raise ValueError("must name at least one partner")
        return given


def parse_deliveries(
    text: str, *, file: str, folder: PurePath, is_there: Callable[[PurePath], bool]
) -> Mapping[str, Delivery]:
    """The deliveries by partner, with paths resolved against `folder`.

    Raises InvalidInput with every problem: shape, unknown keys, a partner named twice, files that
    are not there.
    """
    try:
        root = yaml.compose(text, Loader=yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = None if mark is None else mark.line + 1
        raise InvalidInput([Problem(f"is not YAML: {error.problem}", file, line)]) from None
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    content = _content(root, (), lines, problems, file)
    found: tuple[Delivery, ...] = ()
    try:
        found = Deliveries.model_validate(content).deliveries
    except ValidationError as error:
        problems += [_problem(detail, lines, file) for detail in error.errors(include_url=False)]
    by_partner: dict[str, Delivery] = {}
    for index, one in enumerate(found):
        if one.partner in by_partner:
            path: Path = ("deliveries", index, "partner")
            problems.append(Problem("is named twice", file, lines.get(path), _dotted(path)))
        by_partner[one.partner] = _resolved(one, index, folder, is_there, lines, problems, file)
    if problems:
        raise InvalidInput(sorted(problems, key=lambda problem: problem.line or 0))
    return by_partner


def _content(
    node: yaml.Node | None, at: Path, lines: dict[Path, int], problems: list[Problem], file: str
) -> Any:
    """Plain texts, lists and mappings; where each stands is noted in `lines`."""
    if node is None:
        return None
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [
            _content(item, (*at, index), lines, problems, file)
            for index, item in enumerate(node.value)
        ]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    content: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in content:
            line = key.start_mark.line + 1
            problems.append(Problem("comes twice", file, line, _dotted((*at, name))))
        content[name] = _content(value, (*at, name), lines, problems, file)
    return content


def _resolved(
    one: Delivery,
    index: int,
    folder: PurePath,
    is_there: Callable[[PurePath], bool],
    lines: dict[Path, int],
    problems: list[Problem],
    file: str,
) -> Delivery:
    """The delivery with every `*_file` as a whole path; each must be there."""

    def walk(value: Any, at: Path) -> Any:
        if not isinstance(value, dict):
            return value
        for name, inner in value.items():
            path = (*at, name)
            if name.endswith("_file") and inner is not None:
                whole = folder / inner
                value[name] = str(whole)
                if not is_there(whole):
                    why = "is no file that can be read"
                    problems.append(Problem(why, file, lines.get(path), _dotted(path), str(whole)))
            else:
                walk(inner, path)
        return value

    return Delivery.model_validate(walk(one.model_dump(), ("deliveries", index)))


def _problem(detail: Any, lines: Mapping[Path, int], file: str) -> Problem:
    path: Path = tuple(detail["loc"])
    at = path
    while at and at not in lines:
        at = at[:-1]
    why = {
        "extra_forbidden": "is not a key here",
        "missing": "is missing",
    }.get(detail["type"], str(detail["msg"]).removeprefix("Value error, "))
    # What stands under a key that does not belong here may be a password.
    tell = isinstance(detail["input"], str) and detail["type"] != "extra_forbidden"
    value = detail["input"] if tell else None
    return Problem(why, file, lines.get(at), _dotted(path), value)


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text

"""XML from strangers: a small tree with line numbers, and no way to make us expand or fetch.

A document type, and with it every entity of its own, is refused before it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

DEPTH_MAX = 40
TEXT_MAX = 10_000
"""Characters of one element; no text of a payment message is longer."""


@dataclass(slots=True)
class Node:
    """An element: its name without namespace, attributes, stripped text, and where it starts."""

    name: str
    line: int
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, path: str) -> Iterator[Node]:
        """The elements at a path such as `PmtInf/CdtTrfTxInf`."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def one(self, path: str) -> Node | None:
        """The first element at a path; None if there is none."""
        return next(self.all(path), None)

    def said(self, path: str) -> str:
        """The text of the first element at a path; empty if there is none."""
        found = self.one(path)
        return found.text if found is not None else ""


class BadXml(ValueError):
    """What is wrong with a document, and in which line."""

    def __init__(self, why: str, line: int) -> None:
        self.why = why
        self.line = line
        super().__init__(f"line {line}: {why}")


def parse(content: bytes) -> Node:
    """The document's root. BadXml says why it is refused."""
    parser = expat.ParserCreate(encoding="UTF-8", namespace_separator="\n")
    root = Node("", 1)
    open_nodes = [root]

    def refuse(why: str) -> None:
        raise BadXml(why, parser.CurrentLineNumber)

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_nodes) > DEPTH_MAX:
            refuse(f"elements stand more than {DEPTH_MAX} deep in each other")
        namespace, _, local = name.rpartition("\n")
        node = Node(local, parser.CurrentLineNumber, namespace, attributes)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_: str) -> None:
        node = open_nodes.pop()
        node.text = node.text.strip()

    def text(piece: str) -> None:
        node = open_nodes[-1]
        if len(node.text) + len(piece) > TEXT_MAX:
            refuse(f"{node.name} has more than {TEXT_MAX} characters")
        node.text += piece

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = lambda *_: refuse("has a document type: it is not read")
    parser.ProcessingInstructionHandler = lambda *_: refuse("has a processing instruction")
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise BadXml(expat.errors.messages[error.code], error.lineno) from error
    return root.children[0]

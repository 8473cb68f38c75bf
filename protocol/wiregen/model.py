# SPDX-License-Identifier: MIT
"""What a description says, as plain objects. Filled by reader.py, completed by checker.py."""

from dataclasses import dataclass, field
from typing import Optional

INT_SIZES = {'u8': 1, 'u16': 2, 'u32': 4, 'u64': 8, 'i8': 1, 'i16': 2, 'i32': 4, 'i64': 8}


class WireError(Exception):
    """A mistake in a description: shown as path:line: text."""

    def __init__(self, path, line, text):
        super().__init__(f'{path}:{line}: {text}')
        self.path, self.line, self.text = path, line, text


@dataclass
class Value:
    name: str
    value: int
    line: int
    prose: str = ''


@dataclass
class Enum:
    """`enum` (one of its values) or `flags` (a set of its bits)."""
    name: str
    kind: str
    width: str
    line: int
    values: list = field(default_factory=list)
    prose: str = ''
    source: str = ''  # name of the file that declares it
    stem: str = ''    # what its values are called by; the name itself unless told otherwise

    @property
    def prefix(self):
        return 'SM_' + (self.stem or self.name).upper() + '_'


@dataclass
class Const:
    name: str
    value: int
    line: int
    prose: str = ''


@dataclass
class Field:
    name: str
    line: int
    type: str                      # integer, enum or struct name, or 'bytes'
    enum: Optional[str] = None     # the value table of an integer
    pointer: bool = False
    argument: Optional[tuple] = None   # expression handed to a struct with a parameter
    array: Optional[object] = None     # None, 'rest' or an expression
    attributes: set = field(default_factory=set)
    prose: str = ''
    # Set by the checker:
    integer: Optional[str] = None      # wire integer, if it is one
    struct: Optional[object] = None
    counts: Optional[object] = None    # the array field whose length this field is
    length: Optional[object] = None    # the field that is the length of this array

    @property
    def is_bytes(self):
        return self.type == 'bytes'

    @property
    def is_array(self):
        return self.array is not None and not self.is_bytes

    @property
    def fixed_count(self):
        if self.array is not None and self.array != 'rest' and self.array[0] == 'int':
            return self.array[1]
        return None


@dataclass
class When:
    condition: tuple
    line: int
    then: list = field(default_factory=list)
    otherwise: list = field(default_factory=list)


@dataclass
class Check:
    """A rule a body must keep: `check` breaks the protocol, `limit` asks for too much."""
    condition: tuple
    kind: str
    line: int
    reason: str = ''

    @property
    def prose(self):
        return self.reason

    @prose.setter
    def prose(self, text):
        self.reason = text


@dataclass
class Struct:
    name: str
    line: int
    items: list = field(default_factory=list)
    prose: str = ''
    header: str = ''                 # hand-written header that declares it, if any
    parameter: Optional[str] = None
    public: bool = False             # gets parse and build functions of its own
    source: str = ''


@dataclass
class Message(Struct):
    id: int = 0
    direction: str = 'server'        # 'server', 'client' or 'message'
    limit: Optional[int] = None      # largest body we take
    pad: int = 0                     # zero bytes a builder appends
    needs: str = ''                  # capability without which it is not sent
    channel: str = ''


@dataclass
class File:
    path: str
    kind: str = ''                   # 'types', 'channel' or 'protocol'
    name: str = ''
    number: Optional[int] = None
    line: int = 0
    prose: str = ''
    uses: list = field(default_factory=list)
    context: Optional[str] = None    # name of the flags a caller has to supply
    consts: list = field(default_factory=list)
    enums: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    order: list = field(default_factory=list)  # declarations as they stand in the file
    tables: dict = field(default_factory=dict)  # every value table the file can name


def fields_of(items):
    """All fields of a struct, those in conditional blocks included."""
    for item in items:
        if isinstance(item, Field):
            yield item
        elif isinstance(item, When):
            yield from fields_of(item.then)
            yield from fields_of(item.otherwise)


def walk(items):
    """All items, depth first."""
    for item in items:
        yield item
        if isinstance(item, When):
            yield from walk(item.then)
            yield from walk(item.otherwise)

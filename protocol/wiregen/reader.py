# SPDX-License-Identifier: MIT
"""Reads a .wire file into a model.File. protocol/README.md explains the language."""

import copy
import re

from . import expr
from .model import Check, Const, Enum, Field, File, Message, Struct, Value, When, WireError

INDENT = 4
NAME = r'[a-z][a-z0-9_]*'
FIELD = re.compile(
    rf'(?P<name>{NAME})\s+(?P<ptr>ptr\s+)?(?P<type>{NAME})(?::(?P<enum>{NAME}))?'
    r'(?:\((?P<arg>.*)\))?(?:\[(?P<array>.*)\])?(?P<attrs>(?:\s+[a-z]+)*)')
ATTRIBUTES = {'required', 'nul', 'known'}


def read_file(path, shown_path=None):
    with open(path, encoding='utf-8') as stream:
        return read_text(stream.read(), shown_path or path)


def read_text(text, path):
    return _Reader(path).read(text)


class _Reader:
    def __init__(self, path):
        self.path = path
        self.file = File(path)
        self.line = 0
        self.last = None     # the item prose lines belong to
        self.stack = []      # open blocks: (indent of their items, list or declaration)

    def fail(self, text):
        raise WireError(self.path, self.line, text)

    def read(self, text):
        for number, raw in enumerate(text.split('\n'), 1):
            self.line = number
            line = raw.rstrip()
            if not line.strip() or line.lstrip().startswith('#'):
                continue
            if '\t' in line:
                self.fail('tab: indent with four spaces')
            body = line.lstrip(' ')
            if body.startswith('|'):
                self.prose(body[1:].strip())
                continue
            indent = len(line) - len(body)
            if indent % INDENT:
                self.fail(f'indented by {indent}, not a multiple of {INDENT}')
            body, _, prose = self.split_prose(body)
            if indent == 0:
                self.declaration(body)
            else:
                self.item(indent, body)
            if prose:
                self.prose(prose)
        if not self.file.kind:
            self.line = 1
            self.fail("no 'types', 'channel' or 'protocol' line")
        self.part_twins()
        return self.file

    def part_twins(self):
        """Gives both messages of a 'both' line items of their own."""
        owners = set()
        for message in self.file.messages:
            if id(message.items) in owners:
                message.items = copy.deepcopy(message.items)
            owners.add(id(message.items))

    @staticmethod
    def split_prose(body):
        head, bar, prose = body.partition(' |')
        return head.rstrip(), bar, prose.strip()

    def prose(self, text):
        if self.last is None:
            self.fail('prose before anything it could describe')
        self.last.prose = (self.last.prose + '\n' + text).strip('\n') if self.last.prose else text

    def number(self, text):
        if not re.fullmatch(r'0x[0-9a-fA-F]+|\d+', text):
            self.fail(f"expected a number, found '{text}'")
        return int(text, 0)

    def expression(self, text):
        try:
            return expr.parse(text)
        except expr.ExprError as error:
            self.fail(str(error))

    # Declarations

    def declaration(self, body):
        words = body.split()
        keyword = words[0]
        reader = getattr(self, 'declare_' + keyword, None)
        if not reader:
            self.fail(f"unknown declaration '{keyword}'")
        if not self.file.kind and keyword not in ('types', 'channel', 'protocol'):
            self.fail("the first line must be 'types', 'channel' or 'protocol'")
        self.stack = []
        reader(words[1:], body)

    def title(self, kind, words, count):
        if self.file.kind:
            self.fail(f"a second '{kind}' line")
        if len(words) not in count:
            self.fail(f"'{kind}' takes a name" + (' and a number' if 2 in count else ''))
        self.file.kind, self.file.name, self.file.line = kind, words[0], self.line
        if len(words) > 1:
            self.file.number = self.number(words[1])
        self.last = self.file

    def declare_types(self, words, _body):
        self.title('types', words, (1,))

    def declare_channel(self, words, _body):
        self.title('channel', words, (1, 2))

    def declare_protocol(self, words, _body):
        self.title('protocol', words, (1,))

    def declare_use(self, words, _body):
        if len(words) != 1:
            self.fail("'use' takes the name of one file")
        self.file.uses.append((words[0], self.line))
        self.last = None

    def declare_context(self, words, _body):
        if len(words) != 1:
            self.fail("'context' takes the name of one flags table")
        self.file.context = words[0]
        self.last = None

    def declare_const(self, words, _body):
        if len(words) != 2 or not re.fullmatch(r'[A-Z][A-Z0-9_]*', words[0]):
            self.fail("'const' takes a NAME and a value")
        self.add(self.file.consts, Const(words[0], self.number(words[1]), self.line))

    def declare_enum(self, words, _body, kind='enum'):
        if len(words) not in (2, 4) or words[2:3] not in ([], ['as']):
            self.fail(f"'{kind}' takes a name, an integer type and perhaps 'as STEM'")
        table = Enum(words[0], kind, words[1], self.line, source=self.file.name,
                     stem=words[3] if len(words) == 4 else '')
        self.add(self.file.enums, table)
        self.stack = [(INDENT, table)]

    def declare_flags(self, words, body):
        self.declare_enum(words, body, 'flags')

    def declare_struct(self, words, body):
        match = re.fullmatch(rf'struct ({NAME})(?:\(({NAME})\))?(?: in ([\w/.]+))?( public)?',
                             body)
        if not match:
            self.fail("expected 'struct NAME', 'struct NAME(parameter)', 'struct NAME in HEADER' "
                      "or 'struct NAME public'")
        name, parameter, header, public = match.groups()
        struct = Struct(name, self.line, header=header or '', parameter=parameter,
                        public=bool(public), source=self.file.name)
        self.add(self.file.structs, struct)
        self.stack = [(INDENT, struct.items)]

    def message(self, words, direction):
        if len(words) < 2:
            self.fail('a message takes an id and a name')
        message = Message(words[1], self.line, id=self.number(words[0]), direction=direction,
                          channel=self.file.name, source=self.file.name)
        if not re.fullmatch(NAME, message.name):
            self.fail(f"'{message.name}' is no name for a message")
        rest = words[2:]
        while rest:
            if rest[0] == 'limit' and len(rest) > 1:
                message.limit = self.number(rest[1])
            elif rest[0] == 'pad' and len(rest) > 1:
                message.pad = self.number(rest[1])
            elif rest[0] == 'needs' and len(rest) > 1:
                message.needs = rest[1]
            else:
                self.fail(f"unknown or incomplete '{rest[0]}' behind a message")
            rest = rest[2:]
        return message

    def declare_server(self, words, _body):
        self.add_messages([self.message(words, 'server')])

    def declare_client(self, words, _body):
        self.add_messages([self.message(words, 'client')])

    def declare_both(self, words, _body):
        self.add_messages([self.message(words, 'server'), self.message(words, 'client')])

    def declare_message(self, words, _body):
        self.add_messages([self.message(words, 'message')])

    def add_messages(self, messages):
        if messages[0].direction == 'message' and self.file.kind != 'protocol':
            self.fail("'message' belongs in a 'protocol' file; a channel has server and client")
        if messages[0].direction != 'message' and self.file.kind != 'channel':
            self.fail('only a channel has server and client messages')
        for message in messages:
            self.add(self.file.messages, message)
            message.items = messages[0].items
        self.last = _Together(messages)
        self.stack = [(INDENT, messages[0].items)]

    def add(self, where, declaration):
        where.append(declaration)
        self.file.order.append(declaration)
        self.last = declaration

    # Items of a declaration

    def item(self, indent, body):
        while self.stack and self.stack[-1][0] > indent:
            self.stack.pop()
        if not self.stack or self.stack[-1][0] != indent:
            self.fail('indented deeper than what it belongs to')
        holder = self.stack[-1][1]
        if isinstance(holder, Enum):
            self.value(holder, body)
            return
        word, _, rest = body.partition(' ')
        if word == 'when':
            block = When(self.expression(rest), self.line)
            holder.append(block)
            self.stack.append((indent + INDENT, block.then))
            self.last = None
        elif word == 'else' and not rest:
            if not holder or not isinstance(holder[-1], When) or holder[-1].otherwise:
                self.fail("'else' without a 'when' before it")
            self.stack.append((indent + INDENT, holder[-1].otherwise))
            self.last = None
        elif word in ('check', 'limit'):
            self.last = Check(self.expression(rest), word, self.line)
            holder.append(self.last)
        else:
            self.last = self.field(body)
            holder.append(self.last)

    def value(self, table, body):
        words = body.split()
        if len(words) != 2 or not re.fullmatch(r'[A-Z0-9_]+', words[1]):
            self.fail(f"a value of '{table.name}' is a number and a NAME")
        value = Value(words[1], self.number(words[0]), self.line)
        table.values.append(value)
        self.last = value

    def field(self, body):
        match = FIELD.fullmatch(body)
        if not match:
            self.fail(f"cannot read the field '{body}'")
        result = Field(match['name'], self.line, match['type'], enum=match['enum'],
                       pointer=bool(match['ptr']))
        if match['arg'] is not None:
            result.argument = self.expression(match['arg'])
        if match['array'] is not None:
            text = match['array'].strip()
            result.array = 'rest' if text == '*' else self.expression(text)
        for attribute in match['attrs'].split():
            if attribute not in ATTRIBUTES:
                self.fail(f"unknown attribute '{attribute}'")
            result.attributes.add(attribute)
        return result


class _Together:
    """Lets prose below a 'both' line reach both messages."""

    def __init__(self, items):
        object.__setattr__(self, 'items', items)

    @property
    def prose(self):
        return self.items[0].prose

    @prose.setter
    def prose(self, text):
        for item in self.items:
            item.prose = text

# SPDX-License-Identifier: MIT
"""Resolves names and refuses descriptions that make no sense, each with its line."""

from . import expr
from .model import INT_SIZES, Check, Enum, Message, Struct, When, WireError, fields_of, walk

DEFAULT_LIMIT = 1024  # bytes: room for a small message and for fields it may get one day


class Scope:
    """What a file can name: its own declarations and those of the files it uses."""

    def __init__(self):
        self.enums, self.structs, self.consts = {}, {}, {}


def check_files(files):
    """Checks files in the order they are given; a file can use only those before it."""
    scopes = {}
    for file in files:
        if file.name in scopes:
            raise WireError(file.path, file.line, f"a second file is called '{file.name}'")
        scopes[file.name] = _Checker(file, scopes, files).check()
    return files


class _Checker:
    def __init__(self, file, scopes, files):
        self.file, self.scopes, self.files = file, scopes, files
        self.scope = Scope()

    def fail(self, line, text):
        raise WireError(self.file.path, line, text)

    def check(self):
        for name, line in self.file.uses:
            if name not in self.scopes:
                self.fail(line, f"'{name}' is no file read before this one")
            self.scope.enums.update(self.scopes[name].enums)
            self.scope.structs.update(self.scopes[name].structs)
            self.scope.consts.update(self.scopes[name].consts)
        ids = {}
        for item in [self.file, *self.file.order]:
            if not item.prose:
                self.fail(item.line, f"'{item.name}' has no prose: say what it is for")
        for item in self.file.order:
            if isinstance(item, Enum):
                self.enum(item)
            elif isinstance(item, Message):
                self.message(item, ids)
            elif isinstance(item, Struct):
                self.declare(self.scope.structs, item, 'struct')
                self.struct(item)
            elif item.name in self.scope.consts:
                self.fail(item.line, f"a second constant '{item.name}'")
            else:
                self.scope.consts[item.name] = item
        if self.file.context:
            table = self.scope.enums.get(self.file.context)
            if not table or table.kind != 'flags':
                self.fail(self.file.line, f"context '{self.file.context}' is no flags table")
        self.file.tables = self.scope.enums
        return self.scope

    def declare(self, where, item, kind):
        if item.name in where:
            self.fail(item.line, f"a second {kind} '{item.name}'")
        if kind != 'struct':  # a struct is known only to what comes behind it: no recursion
            where[item.name] = item

    def enum(self, table):
        self.declare(self.scope.enums, table, 'table')
        size = INT_SIZES.get(table.width)
        if not size or table.width.startswith('i'):
            self.fail(table.line, f"'{table.width}' is no unsigned integer type")
        names, values = set(), set()
        for value in table.values:
            if value.name in names:
                self.fail(value.line, f"a second value '{value.name}' in '{table.name}'")
            if value.value in values:
                self.fail(value.line, f"a second name for {value.value} in '{table.name}'")
            if value.value >= 1 << (8 * size):
                self.fail(value.line, f'{value.value} does not fit into {table.width}')
            if table.kind == 'flags' and (value.value == 0 or value.value & (value.value - 1)):
                self.fail(value.line, f'{value.value} is not one bit')
            names.add(value.name)
            values.add(value.value)
        if not table.values:
            self.fail(table.line, f"'{table.name}' has no values")

    def message(self, message, ids):
        key = (message.direction, message.id)
        if key in ids:
            self.fail(message.line, f'id {message.id} is taken by {ids[key]}')
        if any(way == message.direction and name == message.name
               for (way, _), name in ids.items()):
            self.fail(message.line, f"a second message '{message.name}'")
        if message.id > 0xffff:
            self.fail(message.line, f'id {message.id} does not fit into u16')
        ids[key] = message.name
        if message.needs:
            table = self.scope.enums.get(self.file.name + '_cap')
            if not table:
                self.fail(message.line, f"there is no table '{self.file.name}_cap'")
            self.value(table, message.needs, message.line)
        self.struct(message)
        if message.limit is None:
            if not is_bounded(message):
                self.fail(message.line, f"'{message.name}' varies in size and needs a limit")
            message.limit = DEFAULT_LIMIT

    def struct(self, struct):
        names = set()
        for field in fields_of(struct.items):
            if field.name in names:
                self.fail(field.line, f"a second field '{field.name}'")
            names.add(field.name)
        self.items(struct, struct.items, {})
        self.rest_is_last(struct.items)
        if not isinstance(struct, Message):
            self.scope.structs[struct.name] = struct

    def rest_is_last(self, items):
        """Bytes to the end of the body leave nothing for a field behind them."""
        fields = list(fields_of(items))
        for field in fields[:-1]:
            if field.array == 'rest' or (field.struct and not field.pointer
                                         and takes_rest(field.struct)):
                self.fail(field.line, f"'{field.name}' takes all that is left; "
                                      'no field can follow it')

    def items(self, struct, items, seen):
        for item in items:
            if isinstance(item, When):
                item.condition = self.resolve(item.condition, item.line, struct, seen)
                then, otherwise = dict(seen), dict(seen)
                self.items(struct, item.then, then)
                self.items(struct, item.otherwise, otherwise)
                seen.update(then)
                seen.update(otherwise)
                if not item.then:
                    self.fail(item.line, "nothing below 'when'")
            elif isinstance(item, Check):
                if not item.reason:
                    self.fail(item.line, f"'{item.kind}' needs a reason behind '|'")
                item.condition = self.resolve(item.condition, item.line, struct, seen)
            else:
                self.field(struct, item, seen)
                seen[item.name] = item

    def field(self, struct, field, seen):
        self.field_type(field)
        if field.argument is not None:
            if not field.struct or not field.struct.parameter:
                self.fail(field.line, f"'{field.type}' takes no argument")
            field.argument = self.resolve(field.argument, field.line, struct, seen)
        elif field.struct and field.struct.parameter:
            self.fail(field.line, f"'{field.type}' needs an argument")
        if field.fixed_count is not None and (not field.integer or field.pointer):
            self.fail(field.line, 'only integers come in arrays of a fixed size')
        if field.is_bytes and field.array is None:
            self.fail(field.line, "'bytes' needs a size in brackets")
        if field.array is not None and field.array != 'rest':
            field.array = self.resolve(field.array, field.line, struct, seen)
            self.link_length(field, seen)
        self.attributes(field)

    def field_type(self, field):
        if field.type in INT_SIZES:
            field.integer = field.type
            if field.enum and field.enum not in self.scope.enums:
                self.fail(field.line, f"unknown table '{field.enum}'")
        elif field.type in self.scope.enums:
            field.enum, field.integer = field.type, self.scope.enums[field.type].width
        elif field.type in self.scope.structs:
            field.struct = self.scope.structs[field.type]
        elif not field.is_bytes:
            self.fail(field.line, f"unknown type '{field.type}'")
        if field.enum and not field.integer:
            self.fail(field.line, f"'{field.type}' cannot have a table")

    def link_length(self, field, seen):
        """`x T[num_x]` and `x bytes[size]`: the length field is implied by the array."""
        if field.array[0] != 'name' or len(field.array[1]) != 1:
            if field.is_array and field.array[0] != 'int':
                self.fail(field.line, f"the count of '{field.name}' must be a field or a number")
            return
        length = seen.get(field.array[1][0])
        if not length or not length.integer:
            return
        if length.integer.startswith('i'):
            self.fail(field.line, f"'{length.name}' is signed and cannot be a length")
        field.length = length
        if length.counts is None:
            length.counts = field
            if field.is_array and length.name != 'num_' + field.name:
                self.fail(length.line, f"the count of '{field.name}' must be called "
                                       f"'num_{field.name}'")
        elif field.is_bytes or length.counts.is_bytes:
            self.fail(field.line, f"'{length.name}' is already the size of "
                                  f"'{length.counts.name}'")

    def attributes(self, field):
        if 'required' in field.attributes and not field.pointer:
            self.fail(field.line, "'required' is for pointers")
        if 'nul' in field.attributes and not field.is_bytes:
            self.fail(field.line, "'nul' is for bytes")
        if 'known' in field.attributes and not field.enum:
            self.fail(field.line, "'known' needs a table of values")
        if field.pointer and (field.integer or field.array == 'rest') and not field.length:
            self.fail(field.line, 'a pointer leads to a struct or to a counted array')

    # Expressions

    def resolve(self, tree, line, struct, seen):
        """Checks names and replaces value names by ('value', table, name)."""
        kind = tree[0]
        if kind in ('name', 'size', 'present'):
            self.path(tree, line, struct, seen)
            return tree
        if kind == 'int':
            return tree
        if kind == 'const' and tree[1] in self.scope.consts:
            return ('named', self.scope.consts[tree[1]])
        if kind == 'const':
            self.fail(line, f"'{tree[1]}' has no field to tell its table")
        if kind == 'not':
            return ('not', self.resolve(tree[1], line, struct, seen))
        if kind == 'if':
            return ('if',) + tuple(self.resolve(part, line, struct, seen) for part in tree[1:])
        if kind in ('has', 'in'):
            table = self.table_of(tree[1], line, struct, seen)
            left = self.resolve(tree[1], line, struct, seen)
            if kind == 'has':
                return ('has', left, self.value(table, tree[2], line))
            return ('in', left, [self.value(table, name, line) for name in tree[2]])
        _, op, left, right = tree
        if op in ('==', '!=') and right[0] == 'const' and right[1] not in self.scope.consts:
            table = self.table_of(left, line, struct, seen)
            return ('bin', op, self.resolve(left, line, struct, seen),
                    self.value(table, right[1], line))
        return ('bin', op, self.resolve(left, line, struct, seen),
                self.resolve(right, line, struct, seen))

    def value(self, table, name, line):
        for value in table.values:
            if value.name == name:
                return ('value', table, value)
        self.fail(line, f"'{name}' is no value of '{table.name}'")

    def path(self, tree, line, struct, seen):
        """The field a path leads to; None for a parameter or the context."""
        path = tree[1]
        if path == ['context'] and self.file.context:
            return None
        if struct.parameter and path == [struct.parameter]:
            return None
        field = seen.get(path[0])
        if not field:
            self.fail(line, f"no field '{path[0]}' before this line")
        for name in path[1:]:
            inner = {f.name: f for f in fields_of(field.struct.items)} if field.struct else {}
            if name not in inner:
                self.fail(line, f"'{field.name}' has no field '{name}'")
            field = inner[name]
        if tree[0] == 'size' and not field.is_bytes:
            self.fail(line, f"size() is for bytes, '{field.name}' is none")
        if tree[0] == 'present' and not field.pointer:
            self.fail(line, f"present() is for pointers, '{field.name}' is none")
        if tree[0] == 'name' and not field.integer:
            self.fail(line, f"'{field.name}' is no number")
        return field

    def table_of(self, tree, line, struct, seen):
        if tree == ('name', ['context']) and self.file.context:
            return self.scope.enums[self.file.context]
        field = self.path(tree, line, struct, seen) if tree[0] == 'name' else None
        if not field or not field.enum:
            self.fail(line, 'only a field with a table of values can be compared with a name')
        return self.scope.enums[field.enum]


def takes_rest(struct):
    return any(field.array == 'rest' or
               (field.struct and not field.pointer and takes_rest(field.struct))
               for field in fields_of(struct.items))


def is_bounded(struct):
    """True if the wire size has an upper bound that fits the default limit."""
    for field in fields_of(struct.items):
        if field.pointer:
            return False
        if field.array is not None and field.fixed_count is None:
            return False
        if field.struct and not is_bounded(field.struct):
            return False
    return True


def min_size(struct):
    """The fewest bytes a struct occupies, pointer targets not counted."""
    return sum(_min_item(item) for item in struct.items)


def _min_item(item):
    if isinstance(item, Check):
        return 0
    if isinstance(item, When):
        return min(sum(map(_min_item, item.then)), sum(map(_min_item, item.otherwise)))
    if item.pointer:
        return 4
    return element_size(item) * ((item.fixed_count or 0) if item.array is not None else 1)


def element_size(field):
    if field.is_bytes:
        return 1
    return INT_SIZES[field.integer] if field.integer else min_size(field.struct)


def is_plain(struct):
    """True if reading it cannot fail other than by running out of bytes."""
    for item in walk(struct.items):
        if isinstance(item, Check):
            return False
        if isinstance(item, When):
            if ['context'] in expr.names(item.condition):
                return False
            continue
        if item.pointer or item.attributes or item.struct and not is_plain(item.struct):
            return False
        if item.is_array and item.fixed_count is None:
            return False
    return True


def pointer_count(struct):
    """The most pointers that can be followed from a struct."""
    total = 0
    for field in fields_of(struct.items):
        if field.pointer:
            total += 1
        if field.struct:
            total += pointer_count(field.struct)
    return total

# SPDX-License-Identifier: MIT
"""Makes valid message bodies, without the help of the C code they are to test.

Each sample knows where its counts and pointers stand, so that tests can break them on purpose.
"""

import zlib
from dataclasses import dataclass, field

from .checker import takes_rest
from .model import INT_SIZES, Check, When, fields_of


class Reject(Exception):
    """The values at hand break a rule of the description; others have to be tried."""


class Random:
    """A generator of our own (xorshift), so samples stay the same with every Python."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 88172645463325252) % 2 ** 64 or 1

    def next(self):
        x = self.state
        x ^= x << 13 & 2 ** 64 - 1
        x ^= x >> 7
        x ^= x << 17 & 2 ** 64 - 1
        self.state = x
        return x

    def below(self, limit):
        return (self.next() >> 11) % limit


@dataclass
class Sample:
    message: object
    body: bytes
    counts: list = field(default_factory=list)    # (offset, bytes) of counts and sizes
    pointers: list = field(default_factory=list)  # (offset, is required)
    context: int = 0
    takes_rest: bool = False


# Where random numbers would hardly ever be valid: (struct, field) → function of random and the
# values read so far (for a bitmap, those of its image).
HINTS = {
    ('image', 'width'): lambda r, _: 1 + r.below(9),
    ('image', 'height'): lambda r, _: 1 + r.below(4),
    ('image', 'data_size'): lambda r, _: r.below(24),
    ('image', 'jpeg_size'): lambda r, _: r.below(3),
    ('image', 'glz_data_size'): lambda r, _: r.below(4096),
    ('bitmap', 'x'): lambda r, parent: parent['width'],
    ('bitmap', 'y'): lambda r, parent: parent['height'],
    ('bitmap', 'stride'): lambda r, parent: 4 * parent['width'] + r.below(3),
    ('raster_glyph', 'width'): lambda r, _: r.below(12),
    ('raster_glyph', 'height'): lambda r, _: r.below(5),
    ('cursor', 'width'): lambda r, _: r.below(5),
    ('cursor', 'height'): lambda r, _: r.below(4),
    ('mode', 'bits'): lambda r, _: 16 + 16 * r.below(2),
    ('mode', 'x_res'): lambda r, _: 1 + r.below(4000),
    ('mode', 'y_res'): lambda r, _: 1 + r.below(4000),
    ('stream_create', 'id'): lambda r, _: r.below(64),
    ('surface_create', 'surface_id'): lambda r, _: r.below(3),
    ('surface_create', 'width'): lambda r, _: 1 + r.below(4000),
    ('surface_create', 'height'): lambda r, _: 1 + r.below(4000),
    ('draw_composite', 'flags'): lambda r, _: r.below(1 << 25) & ~0x24f0,
    ('compressed_data', 'uncompressed_size'): lambda r, _: r.below(1 << 20),
    ('agent_header', 'protocol'): lambda r, _: 1,
    ('migration_device', 'version'): lambda r, _: 1,
    ('string', 'flags'): lambda r, _: 1 << r.below(3) | r.below(2) << 3,
}


for _name, _magic in (('main', b'MNMD'), ('display', b'DCMD'), ('inputs', b'ICMD'),
                      ('smartcard', b'SCMD'), ('spicevmc', b'SVMD')):
    HINTS[_name, 'magic'] = lambda r, _, magic=int.from_bytes(_magic, 'little'): magic
    HINTS[_name, 'version'] = lambda r, _: 1


class Evaluator:
    """Expressions over a dictionary of field values."""

    def __init__(self, values, context=0, parameter=None, argument=None):
        self.values, self.context = values, context
        self.parameter, self.argument = parameter, argument

    def path(self, path):
        if path == ['context'] and 'context' not in self.values:
            return self.context
        if self.parameter and path == [self.parameter]:
            return self.argument
        value = self.values
        for name in path:
            value = value[name]
        return value

    def __call__(self, tree):
        kind = tree[0]
        if kind == 'int':
            return tree[1]
        if kind == 'value':
            return tree[2].value
        if kind == 'named':
            return tree[1].value
        if kind == 'name':
            return self.path(tree[1])
        if kind == 'size':
            return len(self.path(tree[1]))
        if kind == 'present':
            return self.path(tree[1]) is not None
        if kind == 'not':
            return not self(tree[1])
        if kind == 'has':
            return bool(self(tree[1]) & tree[2][2].value)
        if kind == 'in':
            return self(tree[1]) in [value.value for _, _, value in tree[2]]
        if kind == 'if':
            return self(tree[2]) if self(tree[1]) else self(tree[3])
        return self.binary(tree)

    def binary(self, tree):
        _, op, left, right = tree
        if op == 'and':
            return self(left) and self(right)
        if op == 'or':
            return self(left) or self(right)
        a, b = self(left), self(right)
        return {'==': a == b, '!=': a != b, '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b,
                '&': a & b, '>>': a >> b, '+': a + b, '-': a - b, '*': a * b,
                '/': a // b if b else 0, '%': a % b if b else 0}[op]


class Maker:
    """Random valid values for structs, as dictionaries."""

    def __init__(self, file, seed, context):
        self.file, self.random, self.context = file, Random(seed), context
        self.turn = seed

    def make(self, struct, parent=None, argument=None):
        values = {}
        evaluate = Evaluator(values, self.context, struct.parameter, argument)
        self.items(struct, struct.items, values, evaluate, parent)
        return values

    def items(self, struct, items, values, evaluate, parent):
        for item in items:
            if isinstance(item, When):
                chosen = item.then if evaluate(item.condition) else item.otherwise
                self.items(struct, chosen, values, evaluate, parent)
            elif isinstance(item, Check):
                if not evaluate(item.condition):
                    raise Reject(item.reason)
            else:
                values[item.name] = self.field(struct, item, values, evaluate, parent)

    def field(self, struct, field, values, evaluate, parent):
        hint = HINTS.get((struct.name, field.name))
        if hint:
            return hint(self.random, parent if struct.name == 'bitmap' else values)
        if field.counts is not None:
            return self.count(field)
        if field.is_bytes:
            return self.bytes(field, evaluate)
        if field.is_array:
            count = (field.fixed_count if field.fixed_count is not None else
                     self.random.below(4) if field.array == 'rest' else evaluate(field.array))
            return [self.element(field, values, evaluate) for _ in range(count)]
        if field.pointer and 'required' not in field.attributes and self.random.below(3) == 0:
            return None
        return self.element(field, values, evaluate)

    def count(self, field):
        least = 1 if 'required' in field.counts.attributes else 0
        if field.counts.is_bytes and 'nul' in field.counts.attributes:
            return least + self.random.below(12)
        return least + self.random.below(4)

    def bytes(self, field, evaluate):
        if field.array == 'rest':
            size = self.random.below(160)
        else:
            size = evaluate(field.array)
            if size > 4096:
                raise Reject('too large for a sample')
        data = bytearray(self.random.below(256) for _ in range(size))
        if 'nul' in field.attributes and size:
            data[-1] = 0
        return bytes(data)

    def element(self, field, values, evaluate):
        if field.struct:
            argument = evaluate(field.argument) if field.argument else None
            return self.make(field.struct, values, argument)
        return self.integer(field)

    def integer(self, field):
        bits = 8 * INT_SIZES[field.integer]
        table = self.file.tables.get(field.enum) if field.enum else None
        if table and table.kind == 'enum':
            self.turn += 1
            return table.values[self.turn % len(table.values)].value
        if table:
            known = sum(value.value for value in table.values)
            return self.random.next() & known & 2 ** bits - 1
        value = self.random.below(6) if self.random.below(2) else self.random.next() % 2 ** bits
        if field.integer[0] == 'i':
            value = (value + 2 ** (bits - 1)) % 2 ** bits - 2 ** (bits - 1)
        return value


class Encoder:
    """Puts values on the wire in the order the reference does: targets behind the fixed part."""

    def __init__(self, context):
        self.out, self.queue = bytearray(), []
        self.counts, self.pointers, self.context = [], [], context

    def encode(self, struct, values):
        self.struct(struct, values)
        while self.queue:
            at, write = self.queue.pop(0)
            self.out[at:at + 4] = len(self.out).to_bytes(4, 'little')
            write()
        return bytes(self.out)

    def struct(self, struct, values, argument=None):
        evaluate = Evaluator(values, self.context, struct.parameter, argument)
        self.items(struct.items, values, evaluate)

    def items(self, items, values, evaluate):
        for item in items:
            if isinstance(item, When):
                self.items(item.then if evaluate(item.condition) else item.otherwise, values,
                           evaluate)
            elif not isinstance(item, Check):
                self.field(item, values, evaluate)

    def field(self, field, values, evaluate):
        value = values[field.name]
        if field.pointer:
            self.pointers.append((len(self.out), 'required' in field.attributes))
            at = len(self.out)
            self.out += bytes(4)
            if value is not None and not (field.array is not None and len(value) == 0):
                self.queue.append((at, lambda: self.value(field, value, evaluate)))
            return
        if field.counts is not None:
            self.counts.append((len(self.out), INT_SIZES[field.integer]))
        self.value(field, value, evaluate)

    def value(self, field, value, evaluate):
        if field.is_bytes:
            self.out += value
        elif field.is_array:
            for element in value:
                self.element(field, element, evaluate)
        else:
            self.element(field, value, evaluate)

    def element(self, field, value, evaluate):
        if field.struct:
            argument = evaluate(field.argument) if field.argument else None
            self.struct(field.struct, value, argument)
        else:
            self.out += (value % 2 ** (8 * INT_SIZES[field.integer])).to_bytes(
                INT_SIZES[field.integer], 'little')


def seed_of(message, number):
    text = f'{message.channel} {message.direction} {message.name}'
    return zlib.crc32(text.encode()) + number


def sample(file, message, number):
    """Sample `number` of a message; the same every time."""
    contexts = 1
    if file.context:
        contexts = 1 + sum(value.value for value in file.tables[file.context].values)
    context = number % contexts
    for attempt in range(10000):
        maker = Maker(file, seed_of(message, number) + 7919 * attempt, context)
        maker.turn = number + attempt
        try:
            values = maker.make(message)
        except Reject:
            continue
        encoder = Encoder(context)
        body = encoder.encode(message, values) + bytes(message.pad)
        return Sample(message, body, encoder.counts, encoder.pointers, context,
                      takes_rest(message))
    raise RuntimeError(f'no valid {message.channel} {message.name} found in 10000 attempts')


def sample_count(message):
    """More samples where there is more to vary."""
    fields = list(fields_of(message.items))
    if not fields:
        return 1
    if any(item.struct and any(f.pointer for f in fields_of(item.struct.items)) or item.pointer
           for item in fields):
        return 40
    if any(isinstance(item, When) for item in message.items) or any(
            f.struct or f.array is not None for f in fields):
        return 12
    return 3


def samples(file):
    """All samples of the messages a file declares itself."""
    return [sample(file, message, number) for message in file.messages
            for number in range(sample_count(message))]

# SPDX-License-Identifier: MIT
"""Makes seeds and dictionaries for the fuzz targets of the messages.

An input is u16 type, u8 context and the body (fuzz/core-wire/round.h).
"""

from . import samples
from .emit_header import all_messages
from .emit_tests import all_rounds, round_name
from .model import INT_SIZES, fields_of

SEEDS_PER_MESSAGE = 2


def target_name(file, direction):
    return round_name(file, direction).replace('_', '-')


def seeds(files):
    """{target: {seed name: bytes}}; a channel without messages of its own gets those of base."""
    found = {}
    for file, direction in all_rounds(files):
        target = found.setdefault(target_name(file, direction), {})
        own = [m for m in file.messages if m.direction == direction]
        for message in own or all_messages(file, files, direction):
            for number in range(min(SEEDS_PER_MESSAGE, samples.sample_count(message))):
                item = samples.sample(file, message, number)
                target[f'{message.name}-{number + 1}'] = (
                    message.id.to_bytes(2, 'little') + bytes([item.context]) + item.body)
    return found


def dictionaries(files):
    """{target: text}: ids of messages, and the values of their tables as they stand on the wire."""
    found = {}
    for file, direction in all_rounds(files):
        lines = ['# SPDX-License-Identifier: MIT', '# Made from protocol/.']
        tokens = {}
        messages = all_messages(file, files, direction)
        for message in messages:
            tokens.setdefault(message.id.to_bytes(2, 'little'), message.name)
        for message in messages:
            for field in walk_fields(message):
                if not field.enum or file.tables[field.enum].kind != 'enum':
                    continue
                for value in file.tables[field.enum].values:
                    data = value.value.to_bytes(INT_SIZES[field.integer], 'little')
                    tokens.setdefault(data, f'{field.enum} {value.name}')
        for data, name in tokens.items():
            text = ''.join(f'\\x{byte:02x}' for byte in data)
            lines += [f'# {name}', f'"{text}"']
        found[target_name(file, direction)] = '\n'.join(lines) + '\n'
    return found


def walk_fields(struct):
    for field in fields_of(struct.items):
        yield field
        if field.struct:
            yield from walk_fields(field.struct)

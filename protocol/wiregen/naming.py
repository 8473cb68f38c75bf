# SPDX-License-Identifier: MIT
"""What things are called in C."""

from .model import INT_SIZES, Message


def message_stem(message):
    """`msg_display_draw_copy`; base messages have no channel part, the agent's no `msg`."""
    if message.direction == 'message':
        return f'{message.channel}_{message.name}'
    start = 'msg' if message.direction == 'server' else 'msgc'
    if message.channel == 'base':
        return f'{start}_{message.name}'
    return f'{start}_{message.channel}_{message.name}'


def stem(struct):
    return message_stem(struct) if isinstance(struct, Message) else struct.name


def struct_type(struct):
    return 'struct sm_' + stem(struct)


def message_constant(message):
    return 'SM_' + message_stem(message).upper()


def value_constant(table, value):
    return table.prefix + value.name


def is_shared(struct):
    """True if several generated files call its functions."""
    return struct.source in ('types', 'base')


def function(verb, struct):
    """The name of the function that gets, parses, follows or puts `struct`."""
    if is_shared(struct):
        return f'sm_wire_{verb}_{stem(struct)}'
    if isinstance(struct, Message) and struct.direction != 'message':
        start = 'msg' if struct.direction == 'server' else 'msgc'
        return f'{verb}_{start}_{struct.name}'
    return f'{verb}_{struct.name}'


def c_integer(wire_type):
    return ('uint' if wire_type[0] == 'u' else 'int') + f'{8 * INT_SIZES[wire_type]}_t'

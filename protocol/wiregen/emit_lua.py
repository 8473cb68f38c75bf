# SPDX-License-Identifier: MIT
"""Writes the Wireshark dissector: tables from the description, put into dissector.lua."""

import os

from .checker import min_size
from .emit_header import all_messages
from .model import Check, When

MARK = '--@TABLES@\n'
# The connection types a spicevmc description serves, beside its own number.
ALIASES = {'spicevmc': {9: 'usbredir', 10: 'port', 11: 'webdav'}}
LEVEL = {'or': 1, 'and': 2, '==': 3, '~=': 3, '<': 3, '<=': 3, '>': 3, '>=': 3, '+': 5, '-': 5,
         '*': 6, '/': 6, '%': 6}


def dissector(files):
    with open(os.path.join(os.path.dirname(__file__), 'dissector.lua'), encoding='utf-8') as stream:
        template = stream.read()
    lines = []
    for file in files.values():
        for table in file.enums:
            lines += value_table(table)
    for file in files.values():
        for struct in file.structs:
            lines += [f'structs.{struct.name} = {{', *items(struct.items, struct, 1), '}']
    for file in files.values():
        if file.kind == 'channel' and file.number is not None:
            lines += channel(file, files)
        elif file.kind == 'protocol':
            for message in file.messages:
                lines += [f'agent[{message.id}] = {{name = "{message.name}", items = {{',
                          *items(message.items, message, 1), '}}']
    head, tail = template.split(MARK)
    return head + '\n'.join(lines) + '\n' + tail


def value_table(table):
    lines = [f'tables.{table.name} = {{kind = "{table.kind}", names = {{']
    for value in table.values:
        if table.kind == 'enum':
            lines.append(f'    [{value.value}] = "{value.name}",')
        else:
            lines.append(f'    {{0x{value.value:x}, "{value.name}"}},')
    return lines + ['}}']


def channel(file, files):
    lines = []
    numbers = ALIASES.get(file.name, {file.number: file.name})
    local = f'channel_{file.name}'
    lines.append(f'local {local} = {{server = {{}}, client = {{}}}}')
    for way in ('server', 'client'):
        for message in all_messages(file, files, way):
            lines.append(f'{local}.{way}[{message.id}] = {{name = "{message.name}", '
                         f'channel = "{message.channel}",')
            lines += [f'    min_size = {min_size(message)}, items = {{', *items(message.items, message, 1), '}}']
    for number, name in numbers.items():
        lines.append(f'channels[{number}] = {{name = "{name}", server = {local}.server, '
                     f'client = {local}.client}}')
    return lines


def items(found, struct, depth):
    indent = '    ' * depth
    lines = []
    for item in found:
        if isinstance(item, When):
            lines.append(f'{indent}{{when = {function(item.condition, struct)}, items = {{')
            lines += items(item.then, struct, depth + 1)
            if item.otherwise:
                lines.append(f'{indent}}}, otherwise = {{')
                lines += items(item.otherwise, struct, depth + 1)
            lines.append(f'{indent}}}}},')
        elif isinstance(item, Check):
            reason = ' '.join(item.reason.split())
            lines.append(f'{indent}{{rule = {function(item.condition, struct)},')
            lines.append(f'{indent}    reason = "{reason}"}},')
        else:
            lines.append(f'{indent}{{{", ".join(field(item, struct))}}},')
    return lines


def field(item, struct):
    parts = [f'name = "{item.name}"']
    if item.struct:
        parts.append(f'struct = "{item.struct.name}"')
    else:
        kind = item.integer
        if item.is_bytes or item.fixed_count is not None and kind == 'u8':
            kind = 'bytes'
        parts.append(f'kind = "{kind}"')
    if item.enum:
        parts.append(f'values = "{item.enum}"')
    if item.pointer:
        parts.append('pointer = true')
    if item.argument is not None:
        parts.append(f'argument = {function(item.argument, struct)}')
    if item.array == 'rest':
        parts.append('count = "rest"')
    elif item.fixed_count is not None:
        parts.append(f'count = {item.fixed_count}')
    elif item.array is not None:
        parts.append(f'count = {function(item.array, struct)}')
    return parts


def function(tree, struct):
    """An expression as a function of the values read so far, the context and the parameter."""
    return f'function(v, context, parameter) return {expression(tree, struct)} end'


def expression(tree, struct, outer=0):
    kind = tree[0]
    if kind == 'int':
        return str(tree[1])
    if kind == 'value':
        return str(tree[2].value)
    if kind == 'named':
        return str(tree[1].value)
    if kind == 'name':
        return path(tree[1], struct)
    if kind == 'size':
        return path(tree[1], struct) + '.size'
    if kind == 'present':
        return wrap(f'{path(tree[1], struct)} ~= nil', 3, outer)
    if kind == 'not':
        return f'not {expression(tree[1], struct, 7)}'
    if kind == 'has':
        return f'has({expression(tree[1], struct)}, {tree[2][2].value})'
    if kind == 'in':
        values = ', '.join(str(value.value) for _, _, value in tree[2])
        return f'one_of({expression(tree[1], struct)}, {values})'
    if kind == 'if':  # both branches are numbers, so this is safe
        return wrap(f'{expression(tree[1], struct, 3)} and {expression(tree[2], struct, 3)} or '
                    f'{expression(tree[3], struct, 2)}', 1, outer)
    return binary(tree, struct, outer)


def binary(tree, struct, outer):
    _, op, left, right = tree
    if op == '&':
        return f'mask({expression(left, struct)}, {expression(right, struct)})'
    if op == '>>':
        return f'shift({expression(left, struct)}, {expression(right, struct)})'
    if op == '/':
        return f'math.floor({expression(left, struct, 6)} / {expression(right, struct, 7)})'
    op = '~=' if op == '!=' else op
    level = LEVEL[op]
    return wrap(f'{expression(left, struct, level)} {op} {expression(right, struct, level + 1)}',
                level, outer)


def path(names, struct):
    if names == ['context'] and not any(
            getattr(item, 'name', None) == 'context' for item in struct.items):
        return 'context'
    if struct.parameter and names == [struct.parameter]:
        return 'parameter'
    return 'v.' + '.'.join(names)


def wrap(text, level, outer):
    return f'({text})' if level < outer else text

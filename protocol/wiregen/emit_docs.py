# SPDX-License-Identifier: MIT
"""Writes a reference page per file, in Markdown."""

from .model import INT_SIZES, Check, When

NOTICE = '<!-- Made from protocol/{}.wire by protocol/generate.py docs; change that. -->'
WAYS = {'server': 'Server to client', 'client': 'Client to server', 'message': 'Messages'}
LEVEL = {'or': 1, 'and': 2, '&': 5, '>>': 6, '+': 7, '-': 7, '*': 8, '/': 8, '%': 8}


def page(file, files):
    lines = [NOTICE.format(file.name), f'# {title(file)}', '']
    lines += paragraph(file.prose)
    if file.kind != 'types':
        lines += ['How to read the tables: [README](README.md).', '']
    if file.consts:
        lines += ['## Constants', '', '| name | value | meaning |', '|---|---|---|']
        lines += [f'| {item.name} | {number(item.value)} | {cell(item.prose)} |'
                  for item in file.consts]
        lines.append('')
    for way in ('server', 'client', 'message'):
        lines += messages(file, files, way)
    if file.structs:
        lines += ['## Structures', '']
        for item in file.structs:
            lines += structure(item, files)
    if file.enums:
        lines += ['## Values', '']
        for table in file.enums:
            lines += values(table)
    return '\n'.join(lines).rstrip() + '\n'


def title(file):
    if file.kind == 'types':
        return 'Shared types'
    if file.kind == 'channel' and file.number is not None:
        return f'The {file.name} channel (type {file.number})'
    return f'The {file.name} {"messages" if file.kind == "channel" else "protocol"}'


def paragraph(text):
    return [*text.split('\n'), ''] if text else []


def cell(text):
    return ' '.join(text.split()).replace('|', '\\|')


def number(value):
    return hex(value) if value > 0xffffff else str(value)


def messages(file, files, way):
    found = [m for m in file.messages if m.direction == way]
    if not found:
        return []
    lines = [f'## {WAYS[way]}', '']
    for message in found:
        lines += [f'### {message.id} {message.name.upper()}', '']
        lines += paragraph(message.prose)
        if message.needs:
            lines += [f'Needs the capability {message.needs} of '
                      f'[{file.name}_cap](#{file.name}_cap).', '']
        lines += fields(message, files)
        lines += [f'Largest body we take: {message.limit} bytes.'] if message.items else [
            'No body.']
        if message.pad:
            lines[-1] += (f' A builder appends {message.pad} zero byte'
                          f'{"s" if message.pad > 1 else ""} that no field accounts for.')
        lines.append('')
    return lines


def structure(item, files):
    head = f'### {item.name}'
    lines = [head, '']
    lines += paragraph(item.prose)
    if item.parameter:
        lines += [f'Its layout depends on `{item.parameter}`, which its user tells.', '']
    return lines + fields(item, files)


def fields(item, files):
    rows, rules = [], []
    collect(item.items, [], rows, rules, item, files)
    lines = []
    if rows:
        lines += ['| field | type | present | meaning |', '|---|---|---|---|', *rows, '']
    if rules:
        lines += [*rules, '']
    return lines


def collect(items, conditions, rows, rules, struct, files):
    for item in items:
        if isinstance(item, When):
            text = expression(item.condition)
            collect(item.then, conditions + [text], rows, rules, struct, files)
            collect(item.otherwise, conditions + [f'not ({text})'], rows, rules, struct, files)
        elif isinstance(item, Check):
            when = f'if {" and ".join(conditions)}: ' if conditions else ''
            kind = 'Must hold' if item.kind == 'check' else 'Limit'
            rules.append(f'* {kind}: {when}`{expression(item.condition)}` '
                         f'(else "{cell(item.reason)}")')
        else:
            present = ' and '.join(f'`{text}`' for text in conditions)
            rows.append(f'| {item.name} | {type_text(item, struct, files)} | {present} | '
                        f'{cell(meaning(item))} |')


def meaning(item):
    notes = [item.prose] if item.prose else []
    if 'required' in item.attributes:
        notes.append('never absent')
    elif item.pointer:
        notes.append('0: absent')
    if 'nul' in item.attributes:
        notes.append('ends in NUL')
    if 'known' in item.attributes:
        notes.append('other values are refused')
    return '; '.join(notes)


def type_text(item, struct, files):
    text = reference(item, struct, files)
    if item.argument is not None:
        text += f'({expression(item.argument)})'
    if item.array == 'rest':
        text += '[to the end]'
    elif item.array is not None:
        text += f'[{expression(item.array)}]'
    return ('pointer to ' if item.pointer else '') + text


def reference(item, struct, files):
    if item.struct:
        return link(item.struct.name, item.struct.source, struct.source)
    if item.enum:
        table = files[struct.source].tables[item.enum]
        return f'{item.integer} {link(table.name, table.source, struct.source)}'
    return item.type


def link(name, source, here):
    page_name = '' if source == here else source + '.md'
    return f'[{name}]({page_name}#{name})'


def values(table):
    kind = 'one of' if table.kind == 'enum' else 'a set of bits'
    lines = [f'### {table.name}', '']
    lines += paragraph(table.prose)
    lines += [f'{table.width}, {kind}:', '', '| value | name | meaning |', '|---:|---|---|']
    digits = 2 * INT_SIZES[table.width]
    for value in table.values:
        text = str(value.value) if table.kind == 'enum' else f'0x{value.value:0{min(digits, 8)}x}'
        lines.append(f'| {text} | {value.name} | {cell(value.prose)} |')
    return lines + ['']


def expression(tree, outer=0):
    """An expression as it stands in the description."""
    kind = tree[0]
    if kind == 'int':
        return number(tree[1])
    if kind == 'value':
        return tree[2].name
    if kind == 'named':
        return tree[1].name
    if kind == 'name':
        return '.'.join(tree[1])
    if kind in ('size', 'present'):
        return f'{kind}({".".join(tree[1])})'
    if kind == 'not':
        return f'not {expression(tree[1], 3)}'
    if kind == 'has':
        return wrap(f'{expression(tree[1], 5)} has {tree[2][2].name}', 3, outer)
    if kind == 'in':
        names = ', '.join(value.name for _, _, value in tree[2])
        return wrap(f'{expression(tree[1], 5)} in ({names})', 3, outer)
    if kind == 'if':
        return wrap(f'{expression(tree[1], 1)} ? {expression(tree[2], 1)} : '
                    f'{expression(tree[3])}', 0, outer)
    _, op, left, right = tree
    level = LEVEL.get(op, 3)
    return wrap(f'{expression(left, level)} {op} {expression(right, level + 1)}', level, outer)


def wrap(text, level, outer):
    return f'({text})' if level < outer else text

# SPDX-License-Identifier: MIT
"""Writes the C header of a file: constants, structs and the functions that handle messages."""

import textwrap

from . import naming
from .ctext import WIDTH, Writer, broken_call, trailing
from .model import Const, Enum, Message, Struct, fields_of

NOTICE = '/* Made from protocol/{}.wire; change that. */'


def header(file, files):
    out = Writer()
    guard = f'SM_CORE_WIRE_{file.name.upper()}_H'
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line(NOTICE.format(file.name))
    text = ' '.join(file.prose.split())
    if len(text) + 6 <= WIDTH:
        out.line(f'/* {text} */')
    else:
        out.line('/*')
        for line in textwrap.wrap(text, WIDTH - 3):
            out.line(f' * {line}')
        out.line(' */')
    out.line(f'#ifndef {guard}')
    out.line(f'#define {guard}')
    out.line()
    out.line('#include <stdint.h>')
    out.line()
    for name in sorted(includes(file)):
        out.line(f'#include "{name}"')
    for item in file.order:
        if isinstance(item, Const):
            constant(out, item)
        elif isinstance(item, Enum):
            enum(out, item)
    for direction in directions(file):
        message_ids(out, file, direction)
    for item in file.order:
        if isinstance(item, Struct) and not item.header and item.items:
            struct(out, item)
            if item.public:
                public_functions(out, item)
    for direction in directions(file):
        union(out, file, files, direction)
        functions(out, file, direction)
    out.line()
    out.line('#endif')
    return out.text()


def includes(file):
    names = {'sumac/bytes.h'}
    for used, _ in file.uses:
        names.add(f'core/wire/{used}.h')
    for item in file.structs:
        if item.header:
            names.add(item.header)
    if file.messages or any(item.public for item in file.structs):
        names |= {'core/base/arena.h', 'core/base/writer.h', 'sumac/status.h'}
    return names


def directions(file):
    """The directions a file has functions for."""
    if file.kind == 'channel':
        return ['server', 'client']
    return ['message'] if file.kind == 'protocol' else []


def all_messages(file, files, direction):
    """The messages of a channel, those of the base channel included, in order of their ids."""
    found = [m for m in file.messages if m.direction == direction]
    for used, _ in file.uses:
        other = files[used]
        found += [m for m in other.messages if m.direction == direction]
    return sorted(found, key=lambda m: m.id)


def union_name(file, direction):
    return f'sm_{file.name}_msg' + ('c' if direction == 'client' else '')


def type_integer(file):
    return 'uint32_t' if file.kind == 'protocol' else 'uint16_t'


def constant(out, item):
    out.line()
    if item.prose:
        out.comment(item.prose)
    if item.value > 0x7fffffff:
        out.line(f'#define SM_{item.name} 0x{item.value:x}u')
    else:
        out.line(f'enum {{ SM_{item.name} = {item.value} }};')


def enum(out, table):
    out.line()
    if table.prose:
        out.comment(table.prose)
    out.line(f'enum sm_{table.name} {{')
    digits = max(len(f'{v.value:x}') for v in table.values)
    lines = []
    for value in table.values:
        number = f'0x{value.value:0{digits}x}' if table.kind == 'flags' else str(value.value)
        lines.append((f'    {naming.value_constant(table, value)} = {number},', value.prose))
    for line in trailing(lines):
        out.line(line)
    out.line('};')


def message_ids(out, file, direction):
    messages = [m for m in file.messages if m.direction == direction]
    if not messages:
        return
    out.line()
    out.comment({'server': 'Messages from server to client.',
                 'client': 'Messages from client to server.',
                 'message': 'Message types.'}[direction])
    suffix = {'server': 'msg', 'client': 'msgc', 'message': 'msg'}[direction]
    out.line(f'enum sm_{file.name}_{suffix}_type {{')
    for message in messages:
        out.line(f'    {naming.message_constant(message)} = {message.id},')
    out.line('};')


def struct(out, item):
    out.line()
    prose = item.prose
    if isinstance(item, Message):
        way = {'server': 'Server to client', 'client': 'Client to server', 'message': 'Message'}
        needs = f' Needs {item.needs}.' if item.needs else ''
        prose = f'{way[item.direction]}, {item.id}. {prose}{needs}'.strip()
    if prose:
        out.comment(prose)
    out.line(f'{naming.struct_type(item)} {{')
    for line in trailing(members(item)):
        out.line(line)
    out.line('};')


def members(item):
    lines = []
    for field in fields_of(item.items):
        if field.is_array and field.array == 'rest':
            lines.append((f'    uint32_t num_{field.name};', ''))
        if not is_implied(field):
            lines.append(('    ' + member(field), note(field)))
    return lines


def is_implied(field):
    """The size of a run of bytes stands in its struct sm_bytes."""
    return field.counts is not None and field.counts.is_bytes


def note(field):
    text = field.prose
    if 'required' in field.attributes and not field.is_bytes:
        text = 'never NULL' + ('; ' + text if text else '')
    return text


def member(field):
    if field.is_bytes:
        return f'struct sm_bytes {field.name};'
    base = naming.struct_type(field.struct) if field.struct else naming.c_integer(field.integer)
    if field.fixed_count is not None:
        return f'{base} {field.name}[{field.fixed_count}];'
    if field.array is not None:
        return f'const {base} *{field.name};'
    if field.pointer:
        return f'const {base} *{field.name};'
    if field.counts is not None and field.integer != 'u64':
        base = 'uint32_t'
    return f'{base} {field.name};'


def union(out, file, files, direction):
    name = union_name(file, direction)
    messages = all_messages(file, files, direction)
    out.line()
    out.comment({'server': 'Any message from server to client.',
                 'client': 'Any message from client to server.',
                 'message': 'Any message.'}[direction])
    out.line(f'struct {name} {{')
    out.line(f'    {type_integer(file)} type;')
    if any(m.items for m in messages):
        out.line('    union {')
        for message in messages:
            if message.items:
                out.line(f'        {naming.struct_type(message)} {message.name};')
        out.line('    };')
    out.line('};')


def prototypes(file, direction):
    """{name: (head, arguments)} of the public functions."""
    name = union_name(file, direction)
    number = type_integer(file)
    context = ['uint32_t context'] if file.context else []
    return {
        'parse': (f'enum sm_status {name}_parse', [
            f'struct {name} *out', f'{number} type', 'struct sm_bytes body', *context,
            'struct sm_arena *arena', 'const char **reason']),
        'build': (f'enum sm_status {name}_build', [
            'struct sm_writer *w', f'const struct {name} *msg', *context]),
        'name': (f'const char *{name}_name', [f'{number} type']),
        'max_size': (f'uint32_t {name}_max_size', [f'{number} type']),
    }


def functions(out, file, direction):
    name = union_name(file, direction)
    found = prototypes(file, direction)
    out.line()
    out.line('/**')
    out.line(' * Parses the body of a message, the data header not included. Bytes behind the last '
             'field are')
    out.line(' * ignored.')
    out.line(' *')
    out.line(' * @param out     untouched on failure; its arrays and pointers live in `arena`, its '
             'bytes in `body`')
    if file.context:
        out.line(f' * @param context bits of enum sm_{file.context}')
    out.line(' * @param reason  NULL, or receives a static text on failure that names message and '
             'field')
    out.line(' * @return SM_OK; SM_ERR_PROTOCOL, also for an unknown type; SM_ERR_LIMIT if a '
             'count, a size or')
    out.line(' *         `arena` is exceeded; SM_ERR_NOMEM')
    out.line(' */')
    declare(out, 'SM_NODISCARD ', *found['parse'])
    out.line()
    out.line('/**')
    out.line(' * Appends the body of `msg` to `w`: fixed part first, then the targets of its '
             'pointers.')
    out.line(' *')
    out.line(' * @return SM_OK; SM_ERR_STATE if a parser would refuse the message, SM_ERR_LIMIT if '
             'a count does')
    out.line(' *         not fit the wire (both leave `w` as it was), or the status of `w`')
    out.line(' */')
    declare(out, 'SM_NODISCARD ', *found['build'])
    out.line()
    out.comment('The name of a message as in the protocol, in lower case; "unknown" for others.')
    declare(out, '', *found['name'])
    out.line()
    out.comment('The largest body we take, in bytes; 0 for an unknown type.')
    declare(out, '', *found['max_size'])


def public_functions(out, item):
    out.line()
    out.comment('Parses it from the start of `bytes`; on failure `out` is untouched and `reason`, '
                'unless NULL, says why. SM_AGAIN: it needs more bytes.')
    declare(out, 'SM_NODISCARD ', *public_prototypes(item)['parse'])
    out.line()
    out.comment(f'Appends it to `w`. Errors are those of sm_{item.source}_msg_build().')
    declare(out, 'SM_NODISCARD ', *public_prototypes(item)['build'])


def public_prototypes(item):
    kind = naming.struct_type(item)
    name = kind.split()[1]
    return {
        'parse': (f'enum sm_status {name}_parse',
                  [f'{kind} *out', 'struct sm_bytes bytes', 'const char **reason']),
        'build': (f'enum sm_status {name}_build', ['struct sm_writer *w', f'const {kind} *in']),
    }


def declare(out, attribute, head, arguments):
    for line in broken_call(attribute + head + '(', arguments, ');'):
        out.line(line)

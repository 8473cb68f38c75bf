# SPDX-License-Identifier: MIT
"""Writes the public functions of a channel and direction, which choose by the message's type."""

from . import naming
from .checker import is_plain
from .ctext import broken_call
from .emit_header import all_messages, prototypes, union_name


def dispatch(out, file, files, direction):
    messages = all_messages(file, files, direction)
    name = union_name(file, direction)
    found = prototypes(file, direction)
    parse_any(out, file, name, direction, messages)
    parse(out, file, name, direction, found['parse'])
    build_any(out, name, direction, messages)
    build(out, file, name, direction, messages, found['build'])
    names(out, found['name'], messages)
    sizes(out, found['max_size'], messages)


def early_end(message):
    return f'return sm_wire_end(p, r, "{message.name}: body ends early");'


def suffix(direction):
    return {'server': 'msg', 'client': 'msgc', 'message': 'msg'}[direction]


def parse_any(out, file, name, direction, messages):
    out.line()
    for line in broken_call(f'static enum sm_status parse_any_{suffix(direction)}(', [
            'struct sm_wire_parser *p', 'struct sm_reader *r', f'struct {name} *msg'], ')'):
        out.line(line)
    out.line('{')
    out.line('    switch (msg->type) {')
    for message in messages:
        if not message.items:
            out.line(f'    case {naming.message_constant(message)}:')
    if any(not m.items for m in messages):
        out.line('        return SM_OK; /* no body */')
    for message in messages:
        if not message.items:
            continue
        out.line(f'    case {naming.message_constant(message)}:')
        if is_plain(message):
            out.line(f'        {naming.function("get", message)}(r, &msg->{message.name});')
            out.line('        ' + early_end(message))
        else:
            out.call(f'        return {naming.function("parse", message)}',
                     ['p', 'r', f'&msg->{message.name}'])
    out.line('    default:')
    out.line('        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "unknown message");')
    out.line('    }')
    out.line('}')


def parse(out, file, name, direction, prototype):
    out.line()
    for line in broken_call(prototype[0] + '(', prototype[1], ')'):
        out.line(line)
    out.line('{')
    context = ', .context = context' if file.context else ''
    out.line(f'    struct sm_wire_parser p = {{.body = body, .arena = arena{context}}};')
    out.line('    struct sm_reader r = sm_reader(body);')
    out.line(f'    struct {name} msg = {{.type = type}};')
    out.line(f'    enum sm_status status = parse_any_{suffix(direction)}(&p, &r, &msg);')
    out.line('    if (status != SM_OK) {')
    out.line('        if (reason)')
    out.line('            *reason = p.reason;')
    out.line('        return status;')
    out.line('    }')
    out.line('    *out = msg;')
    out.line('    return SM_OK;')
    out.line('}')


def build_any(out, name, direction, messages):
    out.line()
    for line in broken_call(f'static void put_any_{suffix(direction)}(', [
            'struct sm_wire_builder *b', f'const struct {name} *msg'], ')'):
        out.line(line)
    out.line('{')
    out.line('    switch (msg->type) {')
    for message in messages:
        if not message.items:
            out.line(f'    case {naming.message_constant(message)}:')
    if any(not m.items for m in messages):
        out.line('        break; /* no body */')
    for message in messages:
        if message.items:
            out.line(f'    case {naming.message_constant(message)}:')
            out.line(f'        {naming.function("put", message)}(b, &msg->{message.name});')
            out.line('        break;')
    out.line('    default:')
    out.line('        sm_wire_reject(b, SM_ERR_STATE);')
    out.line('    }')
    out.line('}')


def build(out, file, name, direction, messages, prototype):
    out.line()
    for line in broken_call(prototype[0] + '(', prototype[1], ')'):
        out.line(line)
    out.line('{')
    out.line('    struct sm_wire_builder b = sm_wire_builder(w);')
    if file.context:
        out.line('    b.context = context;')
    out.line(f'    put_any_{suffix(direction)}(&b, msg);')
    padded = [m for m in messages if m.pad]
    if padded:
        tests = ' : '.join(f'msg->type == {naming.message_constant(m)} ? {m.pad}' for m in padded)
        out.line(f'    return sm_wire_builder_finish(&b, {tests} : 0);')
    else:
        out.line('    return sm_wire_builder_finish(&b, 0);')
    out.line('}')


def names(out, prototype, messages):
    out.line()
    out.line(f'{prototype[0]}({prototype[1][0]})')
    out.line('{')
    out.line('    switch (type) {')
    for message in messages:
        out.line(f'    case {naming.message_constant(message)}:')
        out.line(f'        return "{message.name}";')
    out.line('    default:')
    out.line('        return "unknown";')
    out.line('    }')
    out.line('}')


def sizes(out, prototype, messages):
    out.line()
    out.line(f'{prototype[0]}({prototype[1][0]})')
    out.line('{')
    out.line('    switch (type) {')
    by_limit = {}
    for message in messages:
        by_limit.setdefault(message.limit, []).append(message)
    for limit, group in sorted(by_limit.items()):
        for message in group:
            out.line(f'    case {naming.message_constant(message)}:')
        out.line(f'        return {limit};')
    out.line('    default:')
    out.line('        return 0;')
    out.line('    }')
    out.line('}')

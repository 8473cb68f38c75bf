# SPDX-License-Identifier: MIT
"""Writes the C source of a file: parse and build functions."""

from . import naming
from .cexpr import CExpr
from .checker import element_size, is_plain, min_size
from .ctext import Writer, broken_call
from .emit_build import BuildFunction, target_functions
from .emit_dispatch import dispatch, early_end
from .emit_header import NOTICE, directions, public_prototypes
from .model import INT_SIZES, Check, Message, Struct, When, fields_of, walk


def get_call(wire_type, reader='r'):
    name = {1: 'sm_get_u8', 2: 'sm_get_le16', 4: 'sm_get_le32', 8: 'sm_get_le64'}
    call = f'{name[INT_SIZES[wire_type]]}({reader})'
    return f'({naming.c_integer(wire_type)}){call}' if wire_type[0] == 'i' else call


def pointed_structs(files):
    """Names of the structs some pointer leads to."""
    return {field.struct.name for file in files.values()
            for struct in file.structs + file.messages
            for field in fields_of(struct.items) if field.pointer and field.struct}


def source(file, files):
    out = Writer()
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line(NOTICE.format(file.name))
    out.line(f'#include "core/wire/{file.name}.h"')
    out.line()
    for name in ('coder', 'parts'):
        out.line(f'#include "core/wire/{name}.h"')
    pointed = pointed_structs(files)
    for item in file.order:
        if isinstance(item, Struct) and item.items:
            ParseFunction(out, item, file).write()
            if item.name in pointed and not isinstance(item, Message):
                follow_function(out, item)
            BuildFunction(out, item, file).write()
            target_functions(out, item, pointed)
            if item.public:
                public_functions(out, item)
    for direction in directions(file):
        dispatch(out, file, files, direction)
    return out.text()


def linkage(struct):
    return '' if naming.is_shared(struct) else 'static '


def parse_head(struct):
    """(head, arguments) of the function that reads a struct."""
    arguments = ['struct sm_reader *r', f'{naming.struct_type(struct)} *out']
    if struct.parameter:
        arguments.append(f'uint32_t {struct.parameter}')
    if is_plain(struct):
        return f'{linkage(struct)}void {naming.function("get", struct)}', arguments
    arguments.insert(0, 'struct sm_wire_parser *p')
    return f'{linkage(struct)}enum sm_status {naming.function("parse", struct)}', arguments


def follow_head(struct):
    return f'{linkage(struct)}enum sm_status {naming.function("follow", struct)}', [
        'struct sm_wire_parser *p', 'uint32_t offset', f'const {naming.struct_type(struct)} **out']


class ParseFunction:
    """One struct or message: reads its fields in wire order into *out."""

    def __init__(self, out, struct, file):
        self.out, self.struct, self.file = out, struct, file
        self.plain = is_plain(struct)
        self.label = struct.name
        lengths = [f for f in fields_of(struct.items) if f.counts is not None
                   and f.counts.is_bytes]
        self.hoisted = [f for f in lengths if not self.together(struct.items, f)]
        self.expr = CExpr(struct, 'out->', locals_=[f.name for f in lengths])

    @staticmethod
    def together(items, length):
        """True if a length and the array it counts stand in the same block."""
        for item in walk(items):
            if isinstance(item, When):
                for block in (item.then, item.otherwise):
                    if length in block and length.counts in block:
                        return True
        return length in items and length.counts in items

    def write(self):
        out = self.out
        out.line()
        head, arguments = parse_head(self.struct)
        for line in broken_call(head + '(', arguments, ')'):
            out.line(line)
        out.line('{')
        out.depth = 1
        for field in self.hoisted:
            out.line(f'{naming.c_integer(field.integer)} {field.name} = 0;')
        if not self.plain and any(self.needs_status(f) for f in fields_of(self.struct.items)):
            out.line('enum sm_status status;')
        is_message = isinstance(self.struct, Message)
        self.items(self.struct.items)
        if not self.plain:
            out.line(early_end(self.struct) if is_message else 'return SM_OK;')
        out.depth = 0
        out.line('}')

    @staticmethod
    def needs_status(field):
        return bool(field.pointer and field.struct or
                    field.struct and not is_plain(field.struct))

    def items(self, items):
        for item in items:
            if isinstance(item, When):
                self.when(item)
            elif isinstance(item, Check):
                self.check(item)
            else:
                self.field(item)

    def when(self, item):
        self.out.block(self.expr.text(item.condition), lambda: self.items(item.then),
                       (lambda: self.items(item.otherwise)) if item.otherwise else None)

    def check(self, item):
        condition = self.expr.refusal(item.condition)
        status = 'SM_ERR_PROTOCOL' if item.kind == 'check' else 'SM_ERR_LIMIT'
        for guard in self.expr.pointer_guards(item.condition):
            if ' || ' in condition:
                condition = f'({condition})'
            condition = f'{guard} && {condition}'
        self.refuse_if(condition, ' '.join(item.reason.split()), status)

    def refuse_if(self, condition, reason, status='SM_ERR_PROTOCOL'):
        self.out.condition('if', condition, False)
        self.out.depth += 1
        self.out.call('return sm_wire_refuse', ['p', status, f'"{self.label}: {reason}"'])
        self.out.depth -= 1

    def passes(self, call_head, arguments):
        """A call whose failure ends the function."""
        self.out.call(f'status = {call_head}', arguments)
        self.out.line('if (status != SM_OK)')
        self.out.line('    return status;')

    def field(self, field):
        if field.pointer:
            self.pointer(field)
        elif field.is_bytes:
            self.bytes(field)
        elif field.is_array:
            self.array(field)
        elif field.struct:
            self.nested(field.struct, f'&out->{field.name}', field.argument)
        else:
            self.number(field)

    def number(self, field):
        if field.counts is not None and field.counts.is_bytes:
            declared = '' if field in self.hoisted else naming.c_integer(field.integer) + ' '
            self.out.line(f'{declared}{field.name} = {get_call(field.integer)};')
            return
        self.out.line(f'out->{field.name} = {get_call(field.integer)};')
        if 'known' in field.attributes:
            table = self.table(field)
            tests = ' && '.join(f'out->{field.name} != {naming.value_constant(table, value)}'
                                for value in table.values)
            self.refuse_if(tests, f'unknown {field.name}')

    def table(self, field):
        return self.file.tables[field.enum]

    def nested(self, struct, target, argument, reader='r'):
        arguments = [reader, target]
        if struct.parameter:
            arguments.append(self.expr.text(argument))
        if is_plain(struct):
            self.out.call(naming.function('get', struct), arguments)
            return
        arguments.insert(0, 'p')
        self.passes(naming.function('parse', struct), arguments)

    def bytes(self, field):
        if field.array == 'rest':
            self.out.line(f'out->{field.name} = sm_get_rest(r);')
        else:
            self.out.call(f'out->{field.name} = sm_wire_get_bytes',
                          ['r', self.expr.text(field.array)])
        if 'nul' in field.attributes:
            self.refuse_if(f'!sm_wire_ends_in_nul(out->{field.name})',
                           f'{field.name} is not NUL-terminated')

    def array(self, field):
        if field.fixed_count is not None and element_size(field) == 1:
            self.out.line(f'sm_wire_get_octets(r, out->{field.name}, sizeof(out->{field.name}));')
            return
        if field.fixed_count is not None:
            self.out.line(f'for (uint32_t i = 0; i < {field.fixed_count}; i++)')
            self.out.line(f'    out->{field.name}[i] = {get_call(field.integer)};')
            return
        size = element_size(field)
        if field.array == 'rest':
            self.out.line(f'out->num_{field.name} = (uint32_t)(sm_left(r) / {size});')
            count = f'out->num_{field.name}'
        else:
            count = self.expr.text(field.array)
            left = 'sm_left(r)' if size == 1 else f'sm_left(r) / {size}'
            self.refuse_if(f'{count} > {left}',
                           f'{field.name} are more than the body holds')
        self.elements(field, count, 'r')

    def elements(self, field, count, reader):
        """Makes room for `count` elements and reads them from `reader`."""
        kind = (naming.struct_type(field.struct) if field.struct else
                naming.c_integer(field.integer))
        name = field.name
        out = self.out
        out.call(f'{kind} *{name} = sm_arena_alloc', ['p->arena', count, f'sizeof(*{name})'])
        out.line(f'if (!{name})')
        out.line('    return sm_wire_no_room(p);')
        loop = f'for (uint32_t i = 0; i < {count}; i++)'
        if field.struct and not is_plain(field.struct):
            out.line(loop + ' {')
            out.depth += 1
            self.nested(field.struct, f'&{name}[i]', field.argument, reader)
            out.depth -= 1
            out.line('}')
        else:
            out.line(loop)
            out.depth += 1
            if field.struct:
                self.nested(field.struct, f'&{name}[i]', field.argument, reader)
            else:
                out.line(f'{name}[i] = {get_call(field.integer, reader)};')
            out.depth -= 1
        out.line(f'out->{name} = {name};')

    def pointer(self, field):
        if field.struct:
            self.passes(naming.function('follow', field.struct),
                        ['p', 'sm_get_le32(r)', f'&out->{field.name}'])
            if 'required' in field.attributes:
                self.refuse_if(f'!out->{field.name}', f'{field.name} is missing')
        else:
            self.counted_pointer(field)

    def counted_pointer(self, field):
        """A pointer to `count` bytes or numbers; the count stands before it."""
        out, name = self.out, field.name
        count = self.expr.text(field.array)
        out.line(f'uint32_t {name}_at = sm_get_le32(r);')
        if 'required' in field.attributes:
            self.refuse_if(f'{name}_at == 0 || {count} == 0', f'{name} is missing')
        else:
            out.line(f'if ({count} > 0) {{')
            out.depth += 1
        out.line(f'struct sm_reader {name}_r = sm_wire_at(p, {name}_at);')
        at_zero = '' if 'required' in field.attributes else f'{name}_at == 0 || '
        if field.is_bytes:
            self.refuse_if(f'{at_zero}{count} > sm_left(&{name}_r)',
                           f'{name} is not inside the body')
            out.line(f'out->{name} = sm_get_bytes(&{name}_r, {count});')
            if 'nul' in field.attributes:
                self.refuse_if(f'!sm_wire_ends_in_nul(out->{name})',
                               f'{name} is not NUL-terminated')
        else:
            self.refuse_if(f'{at_zero}{count} > sm_left(&{name}_r) / '
                           f'{element_size(field)}', f'{name} is not inside the body')
            self.elements(field, count, f'&{name}_r')
        if 'required' not in field.attributes:
            out.depth -= 1
            out.line('}')


def follow_function(out, struct):
    """Reads a struct behind a pointer; an offset of 0 gives NULL."""
    kind = naming.struct_type(struct)
    out.line()
    head, arguments = follow_head(struct)
    for line in broken_call(head + '(', arguments, ')'):
        out.line(line)
    out.line('{')
    out.depth = 1
    out.line('*out = NULL;')
    out.line('if (offset == 0)')
    out.line('    return SM_OK;')
    out.line('struct sm_reader r = sm_wire_at(p, offset);')
    out.line(f'if (sm_left(&r) < {min_size(struct)})')
    out.call('    return sm_wire_refuse', ['p', 'SM_ERR_PROTOCOL',
                                           f'"{struct.name}: not inside the body"'])
    out.line()
    out.line(f'{kind} *target = sm_arena_alloc(p->arena, 1, sizeof(*target));')
    out.line('if (!target)')
    out.line('    return sm_wire_no_room(p);')
    if is_plain(struct):
        out.line(f'{naming.function("get", struct)}(&r, target);')
    else:
        out.call(f'enum sm_status status = {naming.function("parse", struct)}',
                 ['p', '&r', 'target'])
        out.line('if (status != SM_OK)')
        out.line('    return status;')
    out.line('if (r.failed)')
    out.call('    return sm_wire_refuse', ['p', 'SM_ERR_PROTOCOL',
                                           f'"{struct.name}: ends behind the body"'])
    out.line('*out = target;')
    out.line('return SM_OK;')
    out.depth = 0
    out.line('}')


def public_functions(out, item):
    found = public_prototypes(item)
    kind = naming.struct_type(item)
    out.line()
    for line in broken_call(found['parse'][0] + '(', found['parse'][1], ')'):
        out.line(line)
    out.line('{')
    out.depth = 1
    out.line('struct sm_reader r = sm_reader(bytes);')
    out.line(f'{kind} item = {{0}};')
    if is_plain(item):
        out.line(f'{naming.function("get", item)}(&r, &item);')
    else:
        out.line('struct sm_wire_parser p = {.body = bytes};')
        out.line(f'enum sm_status status = {naming.function("parse", item)}(&p, &r, &item);')
        out.line('if (!r.failed && status != SM_OK) {')
        out.line('    if (reason)')
        out.line('        *reason = p.reason;')
        out.line('    return status;')
        out.line('}')
    out.line('if (r.failed) {')
    out.line('    if (reason)')
    out.line(f'        *reason = "{item.name}: ends early";')
    out.line('    return SM_AGAIN;')
    out.line('}')
    out.line('*out = item;')
    out.line('return SM_OK;')
    out.depth = 0
    out.line('}')
    out.line()
    for line in broken_call(found['build'][0] + '(', found['build'][1], ')'):
        out.line(line)
    out.line('{')
    out.depth = 1
    out.line('struct sm_wire_builder b = sm_wire_builder(w);')
    out.line(f'{naming.function("put", item)}(&b, in);')
    out.line('return sm_wire_builder_finish(&b, 0);')
    out.depth = 0
    out.line('}')


def parts_header(files):
    """Declares the functions that types and base share with the channels."""
    out = Writer()
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line('/* Made from protocol/: the functions generated sources call in each other. */')
    out.line('#ifndef SM_CORE_WIRE_PARTS_H')
    out.line('#define SM_CORE_WIRE_PARTS_H')
    out.line()
    for name in ('base', 'coder', 'types'):
        if name == 'coder' or name in files:
            out.line(f'#include "core/wire/{name}.h"')
    pointed = pointed_structs(files)
    for file in files.values():
        if file.name not in ('types', 'base'):
            continue
        out.line()
        for item in file.structs + file.messages:
            if not item.items:
                continue
            heads = [parse_head(item)]
            if item.name in pointed and not isinstance(item, Message):
                heads.append(follow_head(item))
            heads.append(BuildFunction.head(item))
            for head, arguments in heads:
                for line in broken_call(head + '(', arguments, ');'):
                    out.line(line)
            if item.name in pointed and not isinstance(item, Message):
                out.line(f'sm_wire_put_target {naming.function("put", item)}_target;')
    out.line()
    out.line('#endif')
    return out.text()

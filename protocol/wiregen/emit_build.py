# SPDX-License-Identifier: MIT
"""Writes the C functions that put structs and messages on the wire."""

from . import naming
from .cexpr import CExpr
from .ctext import broken_call
from .model import INT_SIZES, Check, Message, When


def put_call(wire_type, value):
    name = {1: 'sm_put_u8', 2: 'sm_put_le16', 4: 'sm_put_le32', 8: 'sm_put_le64'}
    size = INT_SIZES[wire_type]
    if wire_type[0] == 'i':
        value = f'(uint{8 * size}_t){value}'
    return f'{name[size]}(b->w, {value});'


class BuildFunction:
    """One struct or message: puts its fields in wire order; pointer targets are queued."""

    def __init__(self, out, struct, file):
        self.out, self.struct, self.file = out, struct, file
        self.expr = CExpr(struct, 'in->', context='b->context')

    @staticmethod
    def head(struct):
        linkage = '' if naming.is_shared(struct) else 'static '
        arguments = ['struct sm_wire_builder *b', f'const {naming.struct_type(struct)} *in']
        if struct.parameter:
            arguments.append(f'uint32_t {struct.parameter}')
        return f'{linkage}void {naming.function("put", struct)}', arguments

    def write(self):
        out = self.out
        out.line()
        head, arguments = self.head(self.struct)
        for line in broken_call(head + '(', arguments, ')'):
            out.line(line)
        out.line('{')
        out.depth = 1
        self.items(self.struct.items)
        out.depth = 0
        out.line('}')

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
        for guard in self.expr.pointer_guards(item.condition, required_too=True):
            if ' || ' in condition:
                condition = f'({condition})'
            condition = f'{guard} && {condition}'
        self.reject_if(condition, 'SM_ERR_STATE' if item.kind == 'check' else 'SM_ERR_LIMIT')

    def reject_if(self, condition, status='SM_ERR_STATE'):
        self.out.condition('if', condition, False)
        self.out.line(f'    sm_wire_reject(b, {status});')

    def field(self, field):
        value = f'in->{field.name}'
        if field.pointer:
            self.pointer(field, value)
        elif field.is_bytes:
            self.bytes(field, value)
        elif field.is_array:
            self.array(field, value)
        elif field.struct:
            self.nested(field, '&' + value)
        elif field.counts is not None:
            width = INT_SIZES[field.integer]
            array = f'in->{field.counts.name}'
            if field.counts.is_bytes:
                self.out.line(f'sm_wire_put_length(b, {array}.size, {width});')
            else:
                self.out.line(f'sm_wire_put_count(b, {value}, {array}, {width});')
        else:
            self.out.line(put_call(field.integer, value))
            if 'known' in field.attributes:
                table = self.file.tables[field.enum]
                self.reject_if(' && '.join(f'{value} != {naming.value_constant(table, v)}'
                                           for v in table.values))

    def nested(self, field, value):
        arguments = ['b', value]
        if field.struct.parameter:
            arguments.append(self.expr.text(field.argument))
        self.out.call(naming.function('put', field.struct), arguments)

    def bytes(self, field, value):
        if field.array != 'rest' and field.length is None:
            self.reject_if(f'{value}.size != {self.expr.text(field.array)}')
        self.nul(field, value)
        self.out.line(f'sm_put_bytes(b->w, {value});')

    def nul(self, field, value):
        if 'nul' in field.attributes:
            condition = f'!sm_wire_ends_in_nul({value})'
            if field.pointer and 'required' not in field.attributes:
                condition = f'{value}.size > 0 && {condition}'
            self.reject_if(condition)

    def array(self, field, value):
        if field.fixed_count is not None and field.integer != 'u8':
            self.out.line(f'for (uint32_t i = 0; i < {field.fixed_count}; i++)')
            self.out.line('    ' + put_call(field.integer, f'{value}[i]'))
            return
        if field.fixed_count is not None:
            self.out.line(f'sm_put_bytes(b->w, (struct sm_bytes){{.data = {value}, '
                          f'.size = sizeof({value})}});')
            return
        count = (f'in->num_{field.name}' if field.array == 'rest' else
                 self.expr.text(field.array))
        if field.array == 'rest' or field.length.counts is not field:
            self.reject_if(f'{count} > 0 && !{value}')
        self.out.line(f'for (uint32_t i = 0; i < {count} && b->status == SM_OK; i++)')
        self.out.depth += 1
        if field.struct:
            self.nested(field, f'&{value}[i]')
        else:
            self.out.line(put_call(field.integer, f'{value}[i]'))
        self.out.depth -= 1

    def pointer(self, field, value):
        if field.struct:
            if 'required' in field.attributes:
                self.reject_if(f'!{value}')
            self.out.call('sm_wire_put_pointer',
                          ['b', naming.function('put', field.struct) + '_target', value, '1'])
            return
        if field.is_bytes:
            if 'required' in field.attributes and 'nul' not in field.attributes:
                self.reject_if(f'{value}.size == 0')
            self.nul(field, value)
            self.out.call('sm_wire_put_pointer',
                          ['b', 'sm_wire_put_bytes_target', '&' + value, f'{value}.size > 0'])
            return
        self.out.call('sm_wire_put_pointer',
                      ['b', 'sm_wire_put_le32_target', value, self.expr.text(field.array)])


def target_functions(out, struct, pointed):
    """The function the queue of pointer targets calls."""
    if struct.name not in pointed or isinstance(struct, Message):
        return
    linkage = '' if naming.is_shared(struct) else 'static '
    name = naming.function('put', struct)
    out.line()
    for line in broken_call(f'{linkage}void {name}_target(', [
            'struct sm_wire_builder *b', 'const void *target', 'uint32_t count'], ')'):
        out.line(line)
    out.line('{')
    out.line('    (void)count;')
    out.line(f'    {name}(b, target);')
    out.line('}')

# SPDX-License-Identifier: MIT
"""Expressions in C. Arithmetic is done in 64 bits, so hostile numbers cannot wrap."""

from . import naming
from .model import fields_of

OPPOSITE = {'==': '!=', '!=': '==', '<': '>=', '>=': '<', '>': '<=', '<=': '>'}
# As in C, higher binds tighter.
LEVEL = {'?': 1, 'or': 2, 'and': 3, '==': 6, '!=': 6, '<': 7, '>': 7, '<=': 7, '>=': 7,
         '&': 5, '>>': 8, '+': 9, '-': 9, '*': 10, '/': 10, '%': 10}
SYMBOL = {'or': '||', 'and': '&&'}
LEAF = 20


class CExpr:
    """Writes expressions for one function: where its struct is and which lengths are locals."""

    def __init__(self, struct, base, context='p->context', locals_=()):
        self.struct, self.base, self.context, self.locals = struct, base, context, set(locals_)
        self.fields = {f.name: f for f in fields_of(struct.items)}

    def text(self, tree):
        return self.emit(tree)[0]

    def refusal(self, tree):
        """The condition under which `tree` does not hold."""
        return self.text(negate(tree))

    def pointer_guards(self, tree, required_too=False):
        """Conditions that make every path through an optional pointer safe."""
        from .expr import names
        guards = []
        for path in names(tree):
            field = self.fields.get(path[0])
            if (field and field.pointer and len(path) > 1
                    and (required_too or 'required' not in field.attributes)):
                guards.append(self.base + path[0])
        return guards

    def path(self, path):
        if path == ['context']:
            return self.context
        if self.struct.parameter and path == [self.struct.parameter]:
            return path[0]
        field = self.fields[path[0]]
        if field.counts is not None and field.counts.is_bytes and len(path) == 1:
            if path[0] in self.locals:
                return path[0]
            return f'{self.base}{field.counts.name}.size'
        text = self.base + path[0]
        for name in path[1:]:
            text += ('->' if field.pointer else '.') + name
            field = {f.name: f for f in fields_of(field.struct.items)}[name]
        return text

    def operand(self, tree, level, right=False):
        text, own = self.emit(tree)
        if own < level or (right and own == level):
            return f'({text})'
        if own in (2, 3) and own != level:  # keep && inside || readable for the compiler, too
            return f'({text})'
        return text

    def wide(self, tree):
        """An operand of an arithmetic operation, at least 64 bits wide."""
        if tree[0] == 'int' or (tree[0] == 'bin' and tree[1] in '+-*/%'):
            return self.emit(tree)
        text, level = self.emit(tree)
        if tree[0] == 'if':
            text = f'({text})'
        return (f'(uint64_t){text}' if level == LEAF or tree[0] == 'if' else
                f'(uint64_t)({text})'), 15

    def emit(self, tree):
        kind = tree[0]
        if kind == 'int':
            return integer(tree[1]), LEAF
        if kind == 'named':
            return f'SM_{tree[1].name}', LEAF
        if kind == 'value':
            return naming.value_constant(tree[1], tree[2]), LEAF
        if kind == 'name':
            return self.path(tree[1]), LEAF
        if kind == 'size':
            return f'{self.path(tree[1])}.size', LEAF
        if kind == 'present':
            return self.path(tree[1]), LEAF
        if kind == 'not':
            opposite = negate(tree[1])
            if opposite != tree:
                return self.emit(opposite)
            text, level = self.emit(tree[1])
            return (f'!{text}' if level == LEAF else f'!({text})'), LEAF
        if kind == 'has':
            left = self.operand(tree[1], 5)
            return f'{left} & {naming.value_constant(tree[2][1], tree[2][2])}', 5
        if kind == 'in':
            return self.alternatives(tree, '==', '||')
        if kind == 'notin':
            return self.alternatives(tree, '!=', '&&')
        if kind == 'absent':
            return f'!{self.path(tree[1])}', LEAF
        if kind == 'if':
            return (f'{self.operand(tree[1], 2)} ? {self.operand(tree[2], 2)} : '
                    f'{self.operand(tree[3], 1)}'), 1
        return self.binary(tree)

    def alternatives(self, tree, op, join):
        left = self.operand(tree[1], 6)
        parts = [f'{left} {op} {naming.value_constant(table, value)}'
                 for _, table, value in tree[2]]
        level = LEVEL['or' if op == '==' else 'and'] if len(parts) > 1 else LEVEL[op]
        return f' {join} '.join(parts), level

    def binary(self, tree):
        _, op, left, right = tree
        level = LEVEL[op]
        if op in ('+', '-', '*', '/', '%'):
            left_text, own = self.wide(left)
            if own < level:
                left_text = f'({left_text})'
            right_text = self.operand(right, level, right=True)
            if left[0] == 'int' and right[0] != 'int':
                right_text = self.wide(right)[0]
            return f'{left_text} {op} {right_text}', level
        if op in ('or', 'and'):
            return (f'{self.logical(left, level)} {SYMBOL[op]} '
                    f'{self.logical(right, level)}'), level
        if op == '&':
            return f'{self.operand(left, 9)} & {self.operand(right, 9)}', level
        return f'{self.operand(left, level + 1)} {op} {self.operand(right, level + 1)}', level

    def logical(self, tree, level):
        text, own = self.emit(tree)
        if own < level or own == 5 or (own in (2, 3) and own != level):
            return f'({text})'
        return text


def integer(value):
    if value > 0x7fffffff:
        return f'0x{value:x}u'
    return hex(value) if value > 0xffffff else str(value)


def negate(tree):
    kind = tree[0]
    if kind == 'not':
        return tree[1]
    if kind == 'in':
        return ('notin', tree[1], tree[2])
    if kind == 'notin':
        return ('in', tree[1], tree[2])
    if kind == 'present':
        return ('absent', tree[1])
    if kind == 'absent':
        return ('present', tree[1])
    if kind == 'bin' and tree[1] == '>' and tree[3] == ('int', 0):
        return ('bin', '==', tree[2], tree[3])  # nothing is negative here
    if kind == 'bin' and tree[1] in OPPOSITE:
        return ('bin', OPPOSITE[tree[1]], tree[2], tree[3])
    if kind == 'bin' and tree[1] in ('and', 'or'):
        return ('bin', 'or' if tree[1] == 'and' else 'and', negate(tree[2]), negate(tree[3]))
    return ('not', tree)

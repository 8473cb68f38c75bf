# SPDX-License-Identifier: MIT
"""The small expression language of conditions, sizes and checks.

An expression is a tuple tree:

    ('int', 7)  ('name', ['bitmap', 'x'])  ('const', 'CACHE_ME')  ('size', ['data'])
    ('present', ['palette'])  ('not', e)  ('bin', '*', a, b)  ('has', a, 'FLAG')
    ('in', a, ['A', 'B'])  ('if', condition, yes, no)

The checker replaces 'const' by ('value', table, value) or ('named', constant).
"""

import re

TOKEN = re.compile(r'\s*(?:(0x[0-9a-fA-F]+\b|\d+\b)|([A-Za-z_]\w*|\d+[A-Z_]\w*)|'
                   r'(==|!=|<=|>=|>>|[<>&+\-*/%()?:,.]))')
VALUE_NAME = r'[A-Z0-9_]*[A-Z_][A-Z0-9_]*'

BINARY_LEVELS = [
    ['or'],
    ['and'],
    ['==', '!=', '<=', '>=', '<', '>', 'has', 'in'],
    ['&'],
    ['>>'],
    ['+', '-'],
    ['*', '/', '%'],
]


class ExprError(Exception):
    pass


def tokenize(text):
    tokens, pos = [], 0
    text = text.strip()
    while pos < len(text):
        match = TOKEN.match(text, pos)
        if not match:
            raise ExprError(f"unexpected '{text[pos:].strip()[0]}' in expression")
        tokens.append(match.group(1) or match.group(2) or match.group(3))
        pos = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens):
        self.tokens, self.pos = tokens, 0

    def peek(self):
        return self.tokens[self.pos] if self.pos < len(self.tokens) else None

    def next(self):
        token = self.peek()
        if token is None:
            raise ExprError('expression ends early')
        self.pos += 1
        return token

    def expect(self, token):
        found = self.next()
        if found != token:
            raise ExprError(f"expected '{token}' in expression, found '{found}'")

    def constant(self):
        token = self.next()
        if not re.fullmatch(VALUE_NAME, token):
            raise ExprError(f"expected the name of a value, found '{token}'")
        return token

    def ternary(self):
        condition = self.binary(0)
        if self.peek() != '?':
            return condition
        self.next()
        yes = self.ternary()
        self.expect(':')
        return ('if', condition, yes, self.ternary())

    def binary(self, level):
        if level == len(BINARY_LEVELS):
            return self.unary()
        if level == 2 and self.peek() == 'not':
            self.next()
            return ('not', self.binary(level))
        left = self.binary(level + 1)
        while self.peek() in BINARY_LEVELS[level]:
            op = self.next()
            if op == 'has':
                left = ('has', left, self.constant())
            elif op == 'in':
                left = ('in', left, self.constants())
            else:
                left = ('bin', op, left, self.binary(level + 1))
        return left

    def constants(self):
        self.expect('(')
        values = [self.constant()]
        while self.peek() == ',':
            self.next()
            values.append(self.constant())
        self.expect(')')
        return values

    def path(self):
        path = [self.next()]
        while self.peek() == '.':
            self.next()
            path.append(self.next())
        return path

    def unary(self):
        token = self.peek()
        if token == '(':
            self.next()
            inner = self.ternary()
            self.expect(')')
            return inner
        if token in ('size', 'present') and self.tokens[self.pos + 1:self.pos + 2] == ['(']:
            self.next()
            self.expect('(')
            path = self.path()
            self.expect(')')
            return (token, path)
        if token is not None and re.fullmatch(VALUE_NAME, token):
            return ('const', self.next())
        if token is not None and re.match(r'\d', token):
            return ('int', int(self.next(), 0))
        if token is not None and re.match(r'[a-z_]', token):
            return ('name', self.path())
        raise ExprError('expression ends early' if token is None else
                        f"unexpected '{token}' in expression")


def parse(text):
    parser = _Parser(tokenize(text))
    tree = parser.ternary()
    if parser.peek() is not None:
        raise ExprError(f"unexpected '{parser.peek()}' in expression")
    return tree


def names(tree):
    """The field paths an expression mentions."""
    kind = tree[0]
    if kind in ('name', 'size', 'present'):
        return [tree[1]]
    if kind in ('not', 'has', 'in'):
        return names(tree[1])
    if kind == 'bin':
        return names(tree[2]) + names(tree[3])
    if kind == 'if':
        return names(tree[1]) + names(tree[2]) + names(tree[3])
    return []

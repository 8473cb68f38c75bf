# SPDX-License-Identifier: MIT
"""Lays out C text as .clang-format does, near enough to be read with pleasure."""

import textwrap

WIDTH = 100


class Writer:
    """Collects indented lines."""

    def __init__(self):
        self.lines, self.depth = [], 0

    def line(self, text=''):
        self.lines.append(('    ' * self.depth + text).rstrip())

    def call(self, head, arguments, tail=');'):
        """`head(` arguments `tail`, broken behind a comma and aligned if too long."""
        for text in broken_call('    ' * self.depth + head + '(', arguments, tail):
            self.lines.append(text)

    def condition(self, keyword, text, opens):
        """`if (text)` or `while (text)`; a long condition breaks behind its operators."""
        start = '    ' * self.depth + keyword + ' ('
        end = ') {' if opens else ')'
        for text in broken_condition(start, text, end):
            self.lines.append(text)

    def block(self, condition, then, otherwise=None):
        """An `if` whose branches are written by functions; one short line needs no braces."""
        branches = [self.taken(then)] + ([self.taken(otherwise)] if otherwise else [])
        braces = any(len(lines) > 1 for lines in branches)
        self.condition('if', condition, braces)
        self.lines += branches[0]
        if otherwise:
            self.line('} else {' if braces else 'else')
            self.lines += branches[1]
        if braces:
            self.line('}')

    def taken(self, write):
        """The lines `write` adds, one level deeper, taken out again."""
        start = len(self.lines)
        self.depth += 1
        write()
        self.depth -= 1
        lines = self.lines[start:]
        del self.lines[start:]
        return lines

    def comment(self, text):
        for line in comment(text, WIDTH - 4 * self.depth):
            self.line(line)

    def text(self):
        return '\n'.join(self.lines) + '\n'


def broken_call(start, arguments, tail):
    whole = start + ', '.join(arguments) + tail
    if len(whole) <= WIDTH:
        return [whole]
    pieces = [argument + ',' for argument in arguments[:-1]] + [arguments[-1] + tail]
    if max(len(start) + len(piece) for piece in pieces) > WIDTH:
        lead = len(start) - len(start.lstrip())
        if lead + 4 + max(len(piece) for piece in pieces) <= WIDTH:
            return [start] + fill(' ' * (lead + 4), ' ' * (lead + 4), pieces)
        pieces = [word for piece in pieces for word in clauses(piece)]
    return fill(start, ' ' * len(start), pieces)


def broken_condition(start, text, end):
    if len(start + text + end) <= WIDTH:
        return [start + text + end]
    pieces = clauses(text + end)
    if max(len(piece) for piece in pieces) + len(start) > WIDTH:
        pieces = (text + end).split(' ')
    return fill(start, ' ' * len(start), pieces)


def clauses(text):
    """The pieces of an expression that stay together: up to an operator a line may end with."""
    pieces, current = [], ''
    for word in text.split(' '):
        current += (' ' if current else '') + word
        if word in ('&&', '||', '?', ':'):
            pieces.append(current)
            current = ''
    return pieces + [current]


def fill(start, indent, pieces):
    lines, current, is_fresh = [], start, True
    for piece in pieces:
        if not is_fresh and len(current) + 1 + len(piece) > WIDTH:
            lines.append(current)
            current, is_fresh = indent, True
        current += piece if is_fresh else ' ' + piece
        is_fresh = False
    return lines + [current]


def comment(text, width=WIDTH):
    """A doc comment."""
    text = ' '.join(text.split())
    if len(text) + 8 <= width:
        return [f'/** {text} */']
    lines = textwrap.wrap(text, width - 3)
    return ['/**'] + [' * ' + line for line in lines] + [' */']


def trailing(lines, width=WIDTH):
    """[(code, comment)] with the comments of neighbouring lines aligned; long ones go above."""
    out, group = [], []

    def flush():
        column = max((len(code) for code, _ in group), default=0)
        out.extend(f'{code.ljust(column)} /* {note} */' for code, note in group)
        group.clear()

    for code, note in lines:
        note = ' '.join(note.split())
        column = max([len(code)] + [len(c) for c, _ in group])
        if note and column + len(note) + 7 <= width:
            group.append((code, note))
            continue
        flush()
        if note and len(code) + len(note) + 7 <= width:
            group.append((code, note))
            continue
        if note:
            indent = code[:len(code) - len(code.lstrip())]
            wrapped = textwrap.wrap(note, width - len(indent) - 6)
            if len(wrapped) == 1:
                out.append(f'{indent}/* {note} */')
            else:
                out.append(f'{indent}/*')
                out.extend(f'{indent} * {line}' for line in wrapped)
                out.append(f'{indent} */')
        out.append(code)
    flush()
    return out

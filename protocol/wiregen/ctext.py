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

    def comment(self, text):
        for line in comment(text, WIDTH - 4 * self.depth):
            self.line(line)

    def text(self):
        return '\n'.join(self.lines) + '\n'


def broken_call(start, arguments, tail):
    whole = start + ', '.join(arguments) + tail
    if len(whole) <= WIDTH:
        return [whole]
    lines, current = [], start
    indent = ' ' * len(start)
    for number, argument in enumerate(arguments):
        piece = argument + (tail if number == len(arguments) - 1 else ',')
        if current.strip() and not current.endswith('(') and len(current) + 1 + len(piece) > WIDTH:
            lines.append(current)
            current = indent + piece
        elif current.endswith('(') or current == indent:
            current += piece
        else:
            current += ' ' + piece
    lines.append(current)
    return lines


def broken_condition(start, text, end):
    if len(start + text + end) <= WIDTH:
        return [start + text + end]
    words, lines, current = text.split(' '), [], start
    indent = ' ' * len(start)
    for number, word in enumerate(words):
        piece = word + (end if number == len(words) - 1 else '')
        joined = current + ('' if current.endswith('(') or not current.strip() else ' ') + piece
        if len(joined) > WIDTH and current.strip():
            lines.append(current)
            current = indent + piece
        else:
            current = joined
    lines.append(current)
    return lines


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

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shared library's face: exported symbols with their versions, and the layouts of its headers.

What is expected lies beside this file. With the reference's library and headers at hand the same
questions are put to them, so that the expectations themselves are proven.
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def exported_symbols(library):
    """Lines "VERSION name" for every dynamic symbol that the library defines."""
    text = subprocess.run(['readelf', '--wide', '--dyn-syms', library], check=True,
                          capture_output=True, text=True).stdout
    symbols = set()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].rstrip(':').isdigit():
            continue
        section, name = fields[6], fields[7]
        if section == 'UND' or fields[4] == 'LOCAL':
            continue
        name, _, version = name.partition('@')
        default = version.startswith('@')
        version = version.lstrip('@')
        if section == 'ABS':
            version = name  # the node's own symbol
        elif not default:
            version += ' (not the default)'
        symbols.add(f'{version} {name}')
    return symbols


def version_tree(library):
    """Lines "node parent" of the version definitions."""
    text = subprocess.run(['readelf', '--wide', '--version-info', library], check=True,
                          capture_output=True, text=True).stdout
    text = text[text.index('Version definition section'):]
    text = text[:text.index('Version needs section')]
    tree, node = set(), None
    for line in text.splitlines():
        if match := re.search(r'Name: (\S+)', line):
            node = match.group(1)
        if match := re.search(r'Parent \d+: (\S+)', line):
            tree.add(f'{node} {match.group(1)}')
    return tree


def soname(library):
    text = subprocess.run(['readelf', '--wide', '--dynamic', library], check=True,
                          capture_output=True, text=True).stdout
    return re.search(r'Library soname: \[(.*?)\]', text).group(1)


def difference(name, actual, expected):
    lines = [f'# {name}: lacks {line}' for line in sorted(expected - actual)]
    return lines + [f'# {name}: has besides {line}' for line in sorted(actual - expected)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--library', required=True)
    parser.add_argument('--extension', action='store_true', help='our own functions are there as well')
    parser.add_argument('--probe', required=True, help='compiled with the headers in question')
    args = parser.parse_args()

    symbols = set((HERE / 'symbols.txt').read_text().splitlines())
    extension = set((HERE / 'extension.txt').read_text().splitlines()) if args.extension else set()
    nodes = [line.split()[1] for line in sorted_nodes(symbols)]
    tree = {f'{child} {parent}' for parent, child in zip(nodes, nodes[1:])}
    if extension:
        tree.add(f'SUMAC_1 {nodes[-1]}')
    layout = set((HERE / 'layout.txt').read_text().splitlines())
    printed = subprocess.run([args.probe], check=True, capture_output=True, text=True).stdout

    functions = sum(not line.split()[1].startswith('SPICE_SERVER_') for line in symbols)
    checks = [
        ('97 functions are expected', [] if functions == 97 else [f'# {functions}']),
        ('the soname', [] if soname(args.library) == 'libspice-server.so.1' else ['# differs']),
        ('symbols and their versions',
         difference('symbols', exported_symbols(args.library), symbols | extension)),
        ('each version inherits from the one before',
         difference('versions', version_tree(args.library), tree)),
        ('sizes, offsets and values', difference('layout', set(printed.splitlines()), layout)),
    ]
    print(f'1..{len(checks)}')
    for number, (name, problems) in enumerate(checks, 1):
        print(f'{"not ok" if problems else "ok"} {number} - {name}')
        print('\n'.join(problems), end='\n' if problems else '')
    return any(problems for _, problems in checks)


def sorted_nodes(symbols):
    """The version nodes' own lines, oldest first."""
    own = [line for line in symbols if line.split()[0] == line.split()[1]]
    return sorted(own, key=lambda line: [int(n) for n in re.findall(r'\d+', line.split()[1])])


if __name__ == '__main__':
    sys.exit(main())

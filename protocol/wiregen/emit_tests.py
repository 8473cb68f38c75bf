# SPDX-License-Identifier: MIT
"""Writes what the tests and fuzz targets of the messages stand on: one round trip function per
channel and direction, and valid samples of every message."""

from . import samples
from .ctext import Writer, broken_call
from .emit_header import directions, type_integer, union_name


def round_name(file, direction):
    return f'{file.name}_{direction}' if direction != 'message' else file.name


def all_rounds(files):
    """(file, direction) of everything that has a parse and a build function."""
    return [(file, direction) for file in files.values() for direction in directions(file)]


def rounds_header(files):
    out = Writer()
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line('/* Made from protocol/: a round trip through every pair of parse and build. */')
    out.line('#ifndef SM_TESTS_CORE_WIRE_ROUNDS_H')
    out.line('#define SM_TESTS_CORE_WIRE_ROUNDS_H')
    out.line()
    out.line('#include "tests/core/wire/round.h"')
    out.line()
    for file, direction in all_rounds(files):
        out.line(f'extern const struct sm_wire_round sm_wire_round_{round_name(file, direction)};')
    out.line()
    out.line('/** All of them; NULL at the end. */')
    out.line('extern const struct sm_wire_round *const sm_wire_rounds[];')
    out.line()
    out.line('#endif')
    return out.text()


def rounds_source(files):
    out = Writer()
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line('/* Made from protocol/. */')
    out.line('#include "wire_rounds.h"')
    out.line()
    out.line('#include <string.h>')
    out.line()
    for file in files.values():
        if directions(file):
            out.line(f'#include "core/wire/{file.name}.h"')
    for file, direction in all_rounds(files):
        round_function(out, file, direction)
    out.line()
    out.line('const struct sm_wire_round *const sm_wire_rounds[] = {')
    for file, direction in all_rounds(files):
        out.line(f'    &sm_wire_round_{round_name(file, direction)},')
    out.line('    NULL,')
    out.line('};')
    return out.text()


def round_function(out, file, direction):
    name, union = round_name(file, direction), union_name(file, direction)
    number = type_integer(file)
    context = 'context, ' if file.context else ''
    out.line()
    for line in broken_call(f'static enum sm_status round_{name}(', [
            'uint32_t type', 'uint32_t context', 'struct sm_bytes body', 'struct sm_arena *arena',
            'struct sm_writer *w', 'struct sm_wire_result *result'], ')'):
        out.line(line)
    out.line('{')
    out.line(f'    struct {union} msg;')
    out.line('    memset(&msg, SM_WIRE_UNTOUCHED, sizeof(msg));')
    if not file.context:
        out.line('    (void)context;')
    out.call(f'    result->parse = {union}_parse',
             ['&msg', f'({number})type', 'body', *(['context'] if file.context else []), 'arena',
              '&result->reason'])
    out.line('    result->is_untouched = sm_wire_is_untouched(&msg, sizeof(msg));')
    out.line('    if (result->parse != SM_OK)')
    out.line('        return result->parse;')
    out.line(f'    return {union}_build(w, &msg{", context" if context else ""});')
    out.line('}')
    out.line()
    out.line(f'static const char *name_{name}(uint32_t type)')
    out.line('{')
    out.line(f'    return {union}_name(({number})type);')
    out.line('}')
    out.line()
    out.line(f'static uint32_t max_size_{name}(uint32_t type)')
    out.line('{')
    out.line(f'    return {union}_max_size(({number})type);')
    out.line('}')
    out.line()
    out.line(f'const struct sm_wire_round sm_wire_round_{name} = {{')
    out.line(f'    .name = "{name.replace("_", " ")}",')
    out.line(f'    .round = round_{name},')
    out.line(f'    .message_name = name_{name},')
    out.line(f'    .max_size = max_size_{name},')
    out.line('};')


def samples_source(files):
    out = Writer()
    out.line('/* SPDX-License-Identifier: MIT */')
    out.line('/* Made from protocol/: valid bodies of every message, encoded by the generator. */')
    out.line('#include "wire_rounds.h"')
    entries = []
    number = 0
    for file, direction in all_rounds(files):
        for item in samples.samples(file):
            if item.message.direction != direction:
                continue
            number += 1
            sample_data(out, number, item)
            entries.append(entry(number, item, round_name(file, direction)))
    out.line()
    out.line('const struct sm_wire_sample sm_wire_samples[] = {')
    for text in entries:
        out.line(text)
    out.line('};')
    out.line()
    out.line('const size_t sm_wire_samples_count = sizeof(sm_wire_samples) / '
             'sizeof(sm_wire_samples[0]);')
    return out.text()


def sample_data(out, number, item):
    out.line()
    body = item.body or b'\0'
    out.line(f'static const uint8_t body_{number}[] = {{')
    for start in range(0, len(body), 16):
        out.line('    ' + ' '.join(f'0x{byte:02x},' for byte in body[start:start + 16]))
    out.line('};')
    for kind, places in (('counts', item.counts), ('pointers', item.pointers)):
        if places:
            text = ', '.join(f'{{{at}, {int(value)}}}' for at, value in places)
            out.line(f'static const struct sm_wire_place {kind}_{number}[] = {{{text}}};')


def entry(number, item, name):
    message = item.message
    places = ''.join(
        f', .{kind} = {kind}_{number}, .num_{kind} = {len(places)}'
        for kind, places in (('counts', item.counts), ('pointers', item.pointers)) if places)
    return (f'    {{.round = &sm_wire_round_{name}, .name = "{message.name}", '
            f'.type = {message.id}, .context = {item.context},\n'
            f'     .body = {{body_{number}, {len(item.body)}}}, '
            f'.takes_rest = {str(item.takes_rest).lower()}, .pad = {message.pad}{places}}},')

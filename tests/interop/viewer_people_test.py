#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer under Xvfb: who is let in, as whom, and what there is one of among several people."""

from desk import Desk, find
from peers import SUMAC, Machine, Stage, configure_sasl
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
desk = Desk(stage)


def viewer(*arguments):
    return desk.viewer('--auto-resize=never', *arguments)


@tap.test('asks for user and password where the server wants SASL, and remembers the user but not the password')
def _():
    machine = Machine(stage, agent=False, spice={'sasl': 'on'}, env={'SASL_CONF_PATH': configure_sasl(stage, 'bob', 'right one')})
    machine.wait_screen()
    plain, desk.env = desk.env, {**desk.env, 'XDG_CONFIG_HOME': stage.path('config')}
    program = viewer(machine.uri)
    wait_for(lambda: "a user's name" in program.log, 20, 'the question')
    machine.insist(lambda: desk.answer('bob', 'wrong'), lambda: 'did not accept the user' in program.log, 'the refusal')
    # The name is still there.
    machine.insist(lambda: desk.answer('right one'), lambda: find(desk.look(), machine.screendump()), 'the screen in the window', 15)
    program.stop()
    with open(stage.path('config/sumac/machines'), encoding='utf-8') as file:
        remembered = file.read()
    check('user=bob' in remembered and 'right' not in remembered, remembered)
    program = viewer(machine.uri)
    wait_for(lambda: 'wants a password' in program.log, 20, 'the question for the password alone')
    machine.insist(lambda: desk.answer('right one'), lambda: find(desk.look(), machine.screendump()),
                   'the screen, entered by password alone', 15)
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    desk.env = plain
    machine.stop()


@tap.test('who only looks shares a folder to be read only')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    for options, words in (['--view-only'], 'is shared, to be read only'), ([], 'is shared'):
        program = viewer(*options, f'--spice-shared-dir={stage.folder}', machine.uri)
        desk.wait_shown(machine, 'the screen in the window')
        lines = [line for line in program.log.splitlines() if ' is shared' in line]
        check(len(lines) == 1 and lines[0].endswith(words), f'{options}: {program.log}')
        program.stop()
    machine.stop()


@tap.test('hands over what there is one of, and asks for it, all by keys')
def _():
    machine = Machine(stage, env={'SUMAC_CLIENTS': '4'})
    machine.wait_screen()

    def people(*words):
        return stage.start('people', [SUMAC, 'people', machine.uri, *words, '--timeout', '120s'])

    def sessions():
        return {channel['connection-id'] for channel in machine.qmp('query-spice').get('channels') or []}
    program = viewer(machine.uri)
    desk.wait_shown(machine, 'the screen in the window')
    before = desk.wait_still()
    asking = people('--ask')
    wait_for(lambda: len(sessions()) == 2, 30, 'somebody who asks')
    wait_for(lambda: before.differences(desk.look()), 30, 'word that somebody asks')
    desk.choose('p', 'h')
    check_equal(asking.wait(60), 0, f'exit code of who asked: {asking.log}')
    check(program.is_running, program.log)
    program.stop()
    wait_for(lambda: not sessions(), 20, 'an empty room')
    giving = people('--give', 'asking')
    wait_for(lambda: len(sessions()) == 1, 20, 'somebody who has it all')
    program = viewer(machine.uri)
    desk.wait_shown(machine, 'the screen in the window')
    desk.choose('p', 'a')
    check_equal(giving.wait(60), 0, f'exit code of who was asked: {giving.log}')
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    machine.stop()


with stage:
    tap.main()

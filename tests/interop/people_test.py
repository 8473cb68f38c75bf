# SPDX-License-Identifier: MIT
"""Several people at one machine of QEMU's, which knows nothing of it: the environment says how many, and which password is
for looking. The reference's viewers and our client are there at once."""

import json
import sys

from peers import SUMAC, Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
OK, PASSWORD_WRONG, NO_CHANNEL = 0, 31, 40
PASSWORD, LOOK = 'everything', 'look'
with open(stage.path('look'), 'w') as look_file:
    look_file.write(LOOK + '\n')
machine = Machine(stage, password=PASSWORD,
                  env={'SUMAC_CLIENTS': '4', 'SUMAC_VIEW_PASSWORD_FILE': stage.path('look')})
truth = machine.wait_screen()
display = stage.x_server()
viewers = []


def channels():
    return machine.qmp('query-spice').get('channels') or []


def sessions():
    return {channel['connection-id'] for channel in channels()}


def await_sessions(expected):
    """Whose process has ended may be counted for a moment."""
    wait_for(lambda: sessions() == expected, 20, f'sessions {expected}')


def start_viewer(password):
    """The reference's viewer; returns when its session has a display."""
    before = sessions()
    path = stage.path(f'viewer{len(viewers)}.vv')
    with open(path, 'w') as file:
        file.write(f'[virt-viewer]\ntype=spice\nhost=127.0.0.1\nport={machine.port}\npassword={password}\n')
    viewers.append(stage.start('remote-viewer', ['remote-viewer', '--debug', path], {'DISPLAY': display}))

    def is_there():
        new = sessions() - before
        kinds = {channel['channel-type'] for channel in channels() if channel['connection-id'] in new}
        return new if {1, 2} <= kinds else None  # main, display
    return wait_for(is_there, 60, 'a session of remote-viewer').pop()


def kinds_of(session):
    return {channel['channel-type'] for channel in channels() if channel['connection-id'] == session}


def ours(command, *words, password):
    return stage.sumac(command, machine.uri, *words, '--password', password)


@tap.test("two of the reference's viewers and our client are there at once, and see the same")
def _():
    first = start_viewer(PASSWORD)
    second = start_viewer(PASSWORD)
    check_equal(sessions(), {first, second}, 'sessions')
    picture, result = stage.sumac_screenshot(machine.uri, '--password', PASSWORD)
    check(picture, f'no picture: {result}')
    check_equal(truth.differences(picture), None, 'our picture')
    await_sessions({first, second})


@tap.test('what our client types arrives, and nobody is sent away')
def _():
    before = sessions()
    check_equal(ours('type', 'hello', password=PASSWORD).code, OK, 'exit code')
    wait_for(lambda: truth.differences(machine.screendump()), 20, 'typed text on the screen')
    await_sessions(before)


@tap.test('who only looks sees the same, but cannot type or click')
def _():
    now = machine.wait_still(1.0)
    picture, result = stage.sumac_screenshot(machine.uri, '--password', LOOK)
    check(picture, f'no picture: {result}')
    check_equal(now.differences(picture), None, 'the picture')
    check_equal(ours('type', 'x', password=LOOK).code, NO_CHANNEL, 'exit code of type')
    check_equal(ours('click', '100', '100', password=LOOK).code, NO_CHANNEL, 'exit code of click')
    check_equal(now.differences(machine.wait_still(1.0)), None, 'the screen')
    check_equal(ours('type', 'x', password='neither').code, PASSWORD_WRONG, 'with a wrong password')


@tap.test("the reference's viewer works for who only looks")
def _():
    session = start_viewer(LOOK)
    wait_for(lambda: 4 in kinds_of(session), 20, 'a cursor channel')
    check(3 not in kinds_of(session), 'it has an inputs channel')


@tap.test('a fifth person is refused, and the others stay')
def _():
    wait_for(lambda: len(sessions()) == 3, 20, 'three sessions')
    before = sessions()
    start_viewer(LOOK)
    result = stage.sumac('info', machine.uri, '--password', PASSWORD)
    check_equal(result.code, NO_CHANNEL, 'exit code')
    check(before <= sessions(), 'somebody was sent away')


@tap.test('one who stops to read harms nobody')
def _():
    import os
    import signal
    os.kill(viewers[0].pid, signal.SIGSTOP)
    viewers[3].kill()
    wait_for(lambda: len(sessions()) == 3, 20, 'room')
    now = machine.wait_still(1.0)
    for word in ('one', 'two', 'three'):
        check_equal(ours('type', word, password=PASSWORD).code, OK, 'exit code')
    wait_for(lambda: now.differences(machine.screendump()), 20, 'typed text on the screen')
    machine.wait_still(1.0)  # the last letters may be on their way

    def is_seen():
        picture, result = stage.sumac_screenshot(machine.uri, '--password', PASSWORD)
        check(picture, f'no picture: {result}')
        return not machine.screendump().differences(picture)
    wait_for(is_seen, 20, 'the picture')
    os.kill(viewers[0].pid, signal.SIGCONT)
    check(viewers[0].is_running, 'the viewer ended')


@tap.test('our clients ask for the devices and hand them over')
def _():
    for viewer in viewers:
        viewer.kill()
    wait_for(lambda: not sessions(), 20, 'an empty room')

    def people(*words):
        result = ours('people', '--json', *words, password=PASSWORD)
        check_equal(result.code, OK, f'exit code of people {words}')
        return json.loads(result.out)['people']
    alone = people()
    check_equal([(one['self'], one['holder']) for one in alone], [(True, True)], 'alone')
    wait_for(lambda: not sessions(), 20, 'an empty room again')  # or it would be taken for the giver
    giver = stage.start('giver', [SUMAC, 'people', machine.uri, '--password', PASSWORD,
                                  '--give', 'asking', '--timeout', '60s'])
    wait_for(lambda: len(sessions()) == 1, 20, 'the giver')
    both = people()
    check_equal([(one['self'], one['holder']) for one in both], [(False, True), (True, False)], 'with a holder')
    got = people('--ask', '--timeout', '60s')
    # The giver may have left already.
    check_equal([one['holder'] for one in got if one['self']], [True], 'handed over')
    check_equal(giver.wait(20), OK, 'exit code of the giver')
    check_equal(ours('people', password=LOOK).code, NO_CHANNEL, 'exit code for who only looks')


@tap.test('QEMU runs, and its log has no critical message')
def _():
    check(machine.is_running, 'QEMU ended')
    bad = [line for line in machine.process.log.split('\n') if 'CRITICAL' in line]
    check_equal(bad, [], 'lines of the log')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)

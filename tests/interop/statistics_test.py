# SPDX-License-Identifier: MIT
"""What a server under QEMU counts of a real client, and its log as JSON."""

import json
import os
import signal
import sys

from peers import Machine, Stage, SUMAC
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
SOCKET = stage.path('statistics')
machine = Machine(stage, password='right', env={'SUMAC_STATS_SOCKET': SOCKET, 'SUMAC_LOG': 'json'})
machine.wait_screen()
display = stage.x_server()
viewer = stage.path('viewer.vv')
with open(viewer, 'w') as file:
    file.write(f'[virt-viewer]\ntype=spice\nhost=127.0.0.1\nport={machine.port}\npassword=right\n')


def numbers():
    result = stage.sumac('stats', SOCKET, '--json')
    check_equal(result.code, 0, f'{result}')
    return json.loads(result.out)


def channel(kind):
    for client in numbers()['clients']:
        for one in client['channels']:
            if one['type'] == kind:
                return one
    return None


@tap.test('without clients there is nothing but a log-in that failed')
def _():
    check_equal(numbers()['clients'], [], 'clients')
    check(stage.sumac('info', machine.uri, '--password', 'wrong').code != 0, 'a wrong password got in')
    wait_for(lambda: numbers()['failed_logins'] == 1, 20, 'one failed log-in')


@tap.test("the reference's viewer is counted: pictures, bytes, codec, encoding, age, round trip")
def _():
    stage.start('remote-viewer', ['remote-viewer', viewer], {'DISPLAY': display})
    wait_for(lambda: (channel('display') or {}).get('pictures', 0) > 0, 60, 'pictures')
    before = channel('display')
    for letter in 'abcdefgh':
        machine.send_keys(letter)
    wait_for(lambda: channel('display')['pictures'] > before['pictures'], 20, 'more pictures')
    now = channel('display')
    check(now['sent_bytes'] > before['sent_bytes'] > 0, 'bytes do not grow')
    check(sum(now['codecs'].values()) > 0 and now['codec'] in now['codecs'], f'codecs: {now}')
    check(now['encodes'] > 0 and now['encode_us'] > 0, f'encoding: {now}')
    check(now['pixel_age_max_us'] >= now['pixel_age_us'] > 0, f'age: {now}')
    round_trip_us = wait_for(lambda: channel('display')['round_trip_us'], 20, 'a round trip')
    check(round_trip_us < 10e6, f'a round trip of {round_trip_us} us')
    check_equal(channel('main')['tls'], False, 'TLS')
    check(channel('inputs')['received_bytes'] > 0, 'the inputs channel is silent')
    address = numbers()['clients'][0]['address']
    check(address.startswith('127.0.0.1:'), address)


@tap.test('sumac shows a table, or what Prometheus reads')
def _():
    result = stage.sumac('stats', SOCKET)
    check('display' in result.out and 'codec' in result.out, f'{result}')
    result = stage.sumac('stats', '--prometheus', SOCKET)
    check('# TYPE sumac_display_encode_seconds_total counter' in result.out, f'{result}')
    watching = stage.start('watching', [SUMAC, 'stats', '--watch', SOCKET])
    wait_for(lambda: watching.log.count('clients 1') >= 2, 20, 'a second table')
    watching.kill(signal.SIGINT)
    watching.wait(10)
    result = stage.sumac('stats', stage.path('nothing'))
    check_equal(result.code, 13, f'{result}')


@tap.test("every line of the server's log is JSON")
def _():
    lines = [json.loads(line) for line in machine.process.log.split('\n')[:-1] if line.startswith('{"time"')]
    check(any(line['text'] == 'Invalid password' and line['level'] == 'warning' for line in lines), f'{lines}')
    check('Spice-WARNING' not in machine.process.log, 'there are lines of another form')


@tap.test('the socket goes with the machine')
def _():
    machine.stop()
    check(not os.path.exists(SOCKET) or stage.sumac('stats', SOCKET).code == 13, 'somebody answers')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)

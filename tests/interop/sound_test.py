# SPDX-License-Identifier: MIT
"""The speaker of a machine without a guest, heard by our command line, by our viewer and by remote-viewer through a sound
server that leads nowhere: the right tone, without gaps. On our server library and on the reference's, raw and with Opus."""

import json
import sys
import time

from desk import Desk
from peers import Machine, Stage
from sounds import Hearing, Pulse
from tap import Tap, check, check_equal, note, wait_for

TONE_HZ = 440
SPEAKER = ['-audiodev', 'spice,id=sound', '-machine', 'pcspk-audiodev=sound']

tap = Tap()
stage = Stage()
desk = Desk(stage)
pulse = Pulse(stage)
machines = {}


def machine_of(server, compression='on'):
    """A machine that whistles."""
    key = server, compression
    if key not in machines:
        machines[key] = Machine(stage, server=server, extra=SPEAKER, spice={'playback-compression': compression})
        machines[key].wait_screen()
        machines[key].send_keys('shift', 't')
    return machines[key]


def listen(machine, *options):
    result = stage.sumac('sound', '--json', '--duration', '3s', *options, machine.uri)
    check_equal(result.code, 0, f'sumac sound: {result}')
    return json.loads(result.out)


for server in 'ours', 'reference':
    for compression in 'on', 'off':
        @tap.test(f'sumac hears the tone of a machine on {server}, Opus {compression}')
        def _(server=server, compression=compression):
            found = listen(machine_of(server, compression))
            check_equal(found['opus'], compression == 'on', 'Opus')
            check_equal((found['rate'], found['channels']), (48000, 2), 'format')
            check(abs(found['tone_hz'] - TONE_HZ) <= 5, f'{found["tone_hz"]} Hz')
            check(found['frames'] > 2 * 48000, f'{found["frames"]} frames in 3 s')
            note(f'{server}, Opus {compression}: {found["tone_hz"]} Hz, {found["dropouts"]} dropouts, peak {found["peak"]}')


@tap.test('whoever begins to listen in the middle hears no bang, however often')
def _():
    peaks = []
    for _ in range(6):
        result = stage.sumac('sound', '--json', '--duration', '300ms', machine_of('ours').uri)
        peaks.append(json.loads(result.out)['peak'])
    note(f'peaks {peaks}')
    check(max(peaks) < 1.5 * min(peaks), f'peaks {peaks}')


@tap.test('the file that sumac writes is the sound')
def _():
    path = stage.path('heard.wav')
    found = listen(machine_of('ours', 'off'), '--output', path)
    import wave
    with wave.open(path) as file:
        check_equal((file.getnchannels(), file.getsampwidth(), file.getframerate()), (2, 2, 48000), 'format')
        check_equal(file.getnframes(), found['frames'], 'frames')


def hear_viewer(command, env, machine, what):
    """The tone through a viewer and the null sink."""
    viewer = stage.start(what, command, {**desk.env, **pulse.env, **env})
    wait_for(lambda: pulse.streams('sink-inputs') > 0, 60, f'{what} playing')
    time.sleep(2)  # for its buffers to settle
    heard = Hearing(pulse.hear(5))
    note(f'{what} on {machine.server}: {heard}')
    check(viewer.is_running, viewer.log[-2000:])
    viewer.kill()
    viewer.wait(10)
    wait_for(lambda: pulse.streams('sink-inputs') == 0, 20, f'the end of {what}')
    return heard


for server in 'ours', 'reference':
    @tap.test(f'our viewer plays the tone of a machine on {server}')
    def _(server=server):
        from desk import VIEWER
        machine = machine_of(server)
        hear_viewer([VIEWER, '--debug', machine.uri], {}, machine, 'sumac-viewer').check_tone(TONE_HZ, 'sumac-viewer')


@tap.test('remote-viewer plays the tone of a machine on ours')
def _():
    machine = machine_of('ours')
    hear_viewer(['remote-viewer', machine.uri], {}, machine, 'remote-viewer').check_tone(TONE_HZ, 'remote-viewer')


with stage:
    status = tap.run(*sys.argv[1:])
sys.exit(status)

# SPDX-License-Identifier: MIT
"""The speaker of a machine without a guest, heard by our command line, by our viewer and by remote-viewer through a sound
server that leads nowhere: the right tone, without gaps. On our server library and on the reference's, raw and with Opus."""

import json
import sys
import time

from desk import Desk
from peers import Machine, Stage
from sounds import RATE_HZ, Hearing, Pulse, samples_of
from tap import Tap, check, check_equal, insist, note, wait_for

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
        @tap.test(f'sumac hears the tone of a machine on {server}, Opus {compression}', attempts=4)
        def _(server=server, compression=compression):
            found = listen(machine_of(server, compression))
            check_equal(found['opus'], compression == 'on', 'Opus')
            check_equal((found['rate'], found['channels']), (48000, 2), 'format')
            check(abs(found['tone_hz'] - TONE_HZ) <= 5, f'{found["tone_hz"]} Hz')
            check(found['frames'] > 2 * 48000, f'{found["frames"]} frames in 3 s')
            note(f'{server}, Opus {compression}: {found["tone_hz"]} Hz, {found["dropouts"]} dropouts, peak {found["peak"]}')


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

    def attempt():
        heard = Hearing(pulse.hear(5))
        note(f'{what} on {machine.server}: {heard}')
        heard.check_tone(TONE_HZ, what)
    insist(attempt, 4)
    check(viewer.is_running, viewer.log[-2000:])
    viewer.kill()
    viewer.wait(10)
    wait_for(lambda: pulse.streams('sink-inputs') == 0, 20, f'the end of {what}')


for server in 'ours', 'reference':
    @tap.test(f'our viewer plays the tone of a machine on {server}')
    def _(server=server):
        from desk import VIEWER
        machine = machine_of(server)
        hear_viewer([VIEWER, '--debug', machine.uri], {}, machine, 'sumac-viewer')


@tap.test('remote-viewer plays the tone of a machine on ours')
def _():
    machine = machine_of('ours')
    hear_viewer(['remote-viewer', machine.uri], {}, machine, 'remote-viewer')


def longest_silence_s(samples):
    """The longest silence between two sounds."""
    loud = [i for i in range(0, len(samples), 24) if abs(samples[i]) >= 300 or abs(samples[i - 12]) >= 300]
    return max((b - a for a, b in zip(loud, loud[1:])), default=0) / RATE_HZ


def sound_follows(server, seamless, name, *command):
    """A machine that whistles moves, and a viewer goes along."""
    spice = {'seamless-migration': 'on'} if seamless else {}
    path = stage.path(f'move-{time.monotonic_ns()}')
    source = Machine(stage, server=server, extra=SPEAKER, spice=spice)
    source.wait_screen()
    target = Machine(stage, server=server, extra=[*SPEAKER, '-incoming', f'unix:{path}'], spice=spice)
    viewer = stage.start(name, [*command, source.uri], {**desk.env, **pulse.env})
    wait_for(lambda: 5 in [entry['channel-type'] for entry in source.qmp('query-spice').get('channels', [])], 60, 'the channel')
    source.send_keys('shift', 't')
    wait_for(lambda: pulse.streams('sink-inputs') > 0, 60, f'{name} playing')
    time.sleep(2)
    recorder, heard_path = pulse.listen('moving')
    time.sleep(2)
    source.qmp('client_migrate_info', protocol='spice', hostname='127.0.0.1', port=target.port)
    wait_for(lambda: 5 in [entry['channel-type'] for entry in target.qmp('query-spice').get('channels', [])], 20, 'links to the target')
    time.sleep(0.5)  # for its answer to the source, of which nobody is told
    source.qmp('migrate', uri=f'unix:{path}')
    wait_for(lambda: source.qmp('query-migrate').get('status') == 'completed', 30, 'the machine at the target', 0.02)
    # QEMU's speaker falls silent with a move, whoever serves it, until the guest touches it.
    wait_for(lambda: target.qmp('query-status')['status'] == 'running', 20, 'a running machine', 0.02)
    target.send_keys('shift', 't')

    def attempt():
        time.sleep(4)
        with open(heard_path, 'rb') as file:
            samples = samples_of(file.read())
        after = Hearing(samples[-2 * RATE_HZ:])
        note(f'{name} on {server}, {"seamless" if seamless else "semi-seamless"}: silent for {longest_silence_s(samples) * 1000:.0f} ms; then {after}')
        after.check_tone(TONE_HZ, 'at the target')
    insist(attempt, 4)
    recorder.kill()
    recorder.wait(10)
    check(viewer.is_running, viewer.log[-2000:])
    viewer.kill()
    viewer.wait(10)
    source.stop()
    target.stop()


for server in 'ours', 'reference':
    for seamless in True, False:
        @tap.test(f'sound on {server} follows a machine that moves, {"seamless" if seamless else "semi-seamless"}ly, in remote-viewer')
        def _(server=server, seamless=seamless):
            sound_follows(server, seamless, 'remote-viewer', 'remote-viewer')

    @tap.test(f'sound on {server} follows a machine that moves, seamlessly, in our viewer')
    def _(server=server):
        from desk import VIEWER
        sound_follows(server, True, 'sumac-viewer', VIEWER, '--debug')


with stage:
    status = tap.run(*sys.argv[1:])
sys.exit(status)

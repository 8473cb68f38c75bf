# SPDX-License-Identifier: MIT
"""Sound of a guest with a sound card (intel-hda), both directions: aplay and arecord there; our command line, our viewer and
remote-viewer here, the viewers through a sound server that leads nowhere.

usage: sound_test.py ours|reference [WORDS OF A TEST]"""

import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from desk import VIEWER, Desk
from peers import Machine, Stage
from sounds import Hearing, Pulse, write_tone
from tap import Tap, check, check_equal, insist, note, wait_for

CARD = ['-audiodev', 'spice,id=sound', '-device', 'intel-hda', '-device', 'hda-duplex,audiodev=sound']
PLAYED_HZ, SPOKEN_HZ = 1000, 700
# Prints what the left channel of a WAV file has: as sounds.py does here.
LOOK = r"""perl -e 'local $/; open F, "<:raw", $ARGV[0]; $_ = <F>; @s = unpack("s<*", substr($_, 44)); $last = -1; for ($i = 0; $i < @s; $i += 2) { $v = $s[$i]; $p = abs($v) if abs($v) > $p; if (abs($v) >= 300) { $g++ if $last >= 0 && $i / 2 - $last > 240; $first = $i / 2 if $last < 0; $last = $i / 2 } $b = 1 if $v <= -300; if ($v >= 300 && $b) { $b = 0; push @w, $i / 2 } } printf "%d %d %.1f %d", $last - $first, $p, @w > 10 ? (@w - 1) * 48000 / ($w[-1] - $w[0]) : 0, $g' """

tap = Tap()
stage = Stage()
desk = Desk(stage)
pulse = Pulse(stage)
machine = Machine(stage, server=sys.argv[1], guest=True, extra=CARD)
machine.wait_desktop()


def volume(words):
    machine.run(f'amixer -q -c 0 sset Master {words}')


def play():
    """The guest plays, and goes on with it until it is quiet()."""
    machine.run("(timeout 3600 sh -c 'while :; do aplay -q -D plughw:0,0 -f S16_LE -r 48000 -c 1 /tmp/tone.raw || sleep 1; done' "
                '>/dev/null 2>&1 &)')


def quiet():
    machine.run('pkill -f /tmp/tone.raw; while pgrep aplay; do sleep 0.2; done')


def listen(*options):
    result = stage.sumac('sound', '--json', *options, machine.uri)
    check_equal(result.code, 0, f'sumac sound: {result}')
    return json.loads(result.out)


def recorded(what):
    """Has the guest record, and checks what it heard."""
    machine.run('arecord -q -D plughw:0,0 -f S16_LE -r 48000 -c 2 -d 4 /tmp/recorded.wav', timeout=180)
    frames, peak, hertz, gaps = machine.run(LOOK + '/tmp/recorded.wav').split()
    note(f'the guest heard {what}: {hertz} Hz for {int(frames) / 48000:.2f} s, peak {peak}, {gaps} gaps')
    check(int(frames) > 24000, f'{what}: {frames} frames of sound')
    # A gap of a busy machine loses or adds a wave.
    check(abs(float(hertz) - SPOKEN_HZ) < SPOKEN_HZ * (0.01 + 0.03 * int(gaps)), f'{what}: {hertz} Hz, expected {SPOKEN_HZ}')


machine.run(r"""perl -e 'for $i (0 .. 48000 * 60 - 1) { print pack("s<", 12000 * sin(6.283185307 * %d * $i / 48000)) }' >/tmp/tone.raw""" % PLAYED_HZ)
volume('100% unmute')
machine.run('amixer -q -c 0 sset Capture 100% cap')
write_tone(stage.path('spoken.wav'), SPOKEN_HZ, 30)


@tap.test('sumac hears what aplay plays')
def _():
    play()

    def attempt():  # a slow guest begins late, and a busy one breaks off
        found = listen('--duration', '5s')
        note(f'{found["tone_hz"]} Hz, {found["frames"]} frames, {found["dropouts"]} dropouts, peak {found["peak"]}')
        check(found['opus'], 'not Opus')
        check(abs(found['tone_hz'] - PLAYED_HZ) <= 10 + 20 * found['dropouts'], f'{found["tone_hz"]} Hz')
        check(found['frames'] > 4 * 48000, f'{found["frames"]} frames in 5 s')
        check(10000 < found['peak'] < 16000, f'a peak of {found["peak"]}')
    insist(attempt, 8)
    quiet()


@tap.test("the guest's volume and mute arrive")
def _():
    play()

    def attempt():  # before it plays the card is asleep, and its volume stays what it was
        volume('50%')
        level = listen('--duration', '1s')['level']
        check(20000 < level < 50000, f'level {level} at 50 %')
        volume('mute')
        check(listen('--duration', '1s')['muted'], 'not muted')
        volume('100% unmute')
        found = listen('--duration', '1s')
        check_equal((found['muted'], found['level']), (False, 65535), 'full volume')
    insist(attempt, 8)
    quiet()


@tap.test('arecord records what sumac says')
def _():
    def attempt():
        results = []
        speaking = threading.Thread(target=lambda: results.append(listen('--microphone', stage.path('spoken.wav'), '--timeout', '50s')))
        wait_for(lambda: not channels(), 20, 'nobody else')
        speaking.start()
        try:
            wait_for(lambda: 6 in channels(), 30, 'the microphone')
            recorded('sumac')
        finally:
            speaking.join()
        check(results and results[0]['recorded_opus'], f'not Opus: {results}')
    insist(attempt, 4)


def channels():
    return {entry['channel-type'] for entry in machine.qmp('query-spice').get('channels', [])}


def with_viewer(name, command):
    viewer = stage.start(name, command, {**desk.env, **pulse.env})
    wait_for(lambda: {5, 6} <= channels(), 60, f'sound of {name}')
    play()
    wait_for(lambda: pulse.streams('sink-inputs') > 0, 60, f'{name} playing')
    time.sleep(2)  # for its buffers to settle

    def attempt():
        heard = Hearing(pulse.hear(5))
        note(f'{name}: {heard}')
        heard.check_tone(PLAYED_HZ, name)
    insist(attempt, 6)
    volume('mute')
    wait_for(lambda: Hearing(pulse.hear(0.5)).is_silent or pulse_is_muted(), 30, 'silence')
    volume('100% unmute')
    quiet()
    speaker = pulse.speak(stage.path('spoken.wav'))
    insist(lambda: recorded(name), 4)
    speaker.stop()
    wait_for(lambda: pulse.streams('source-outputs') == 0, 20, 'a closed microphone')
    check(viewer.is_running, viewer.log[-2000:])
    viewer.kill()
    viewer.wait(10)
    wait_for(lambda: not channels(), 20, f'the end of {name}')


def pulse_is_muted():
    return 'Mute: yes' in pulse.control('list', 'sink-inputs').out


@tap.test('our viewer plays and records')
def _():
    with_viewer('sumac-viewer', [VIEWER, '--debug', machine.uri])


@tap.test('remote-viewer plays and records')
def _():
    with_viewer('remote-viewer', ['remote-viewer', machine.uri])


with stage:
    status = tap.run(*sys.argv[2:3])
sys.exit(status)

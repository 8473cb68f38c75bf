#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two people at a guest that is at work: it records from the microphone and has a disc of one of them; both go to the other one
and back while it does. Each has a viewer, a screen and a sound server of their own."""

import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from desk import Desk
from peers import Machine, Stage
from sounds import RATE_HZ, Pulse, write_tone
from tap import Tap, check, check_equal, note, wait_for

SECOND = RATE_HZ * 2 * 2  # bytes of stereo in 16 bits
# Prints the tone of the last second and a half of what was recorded.
TONE = r"""tail -c %d /tmp/recorded | perl -e 'local $/; binmode STDIN; @s = unpack("s<*", <STDIN>); for ($i = 0; $i < @s; $i += 2) { $v = $s[$i]; $b = 1 if $v <= -300; if ($v >= 300 && $b) { $b = 0; push @w, $i / 2 } } printf "%%.1f", @w > 10 ? (@w - 1) * 48000 / ($w[-1] - $w[0]) : 0' """ % (SECOND * 3 // 2)

tap = Tap()
stage = Stage()
machine = Machine(stage, guest=True, env={'SUMAC_CLIENTS': '4'}, extra=[
    '-device', 'qemu-xhci,id=x,p2=8,p3=8', '-chardev', 'spicevmc,id=r0,name=usbredir', '-device', 'usb-redir,chardev=r0,bus=x.0',
    '-audiodev', 'spice,id=sound', '-device', 'intel-hda', '-device', 'hda-duplex,audiodev=sound'])


class Person:
    """One of the two, with a disc and a tone that nobody else has."""

    def __init__(self, name, hertz):
        self.hertz = hertz
        self.desk, self.pulse = Desk(stage), Pulse(stage, f'pulse-{name}')
        disc, tone = stage.path(f'{name}.iso'), stage.path(f'{name}.wav')
        data = os.urandom(2 << 20)
        with open(disc, 'wb') as file:
            file.write(data)
        self.sum = hashlib.sha256(data).hexdigest()
        write_tone(tone, hertz, 30)
        self.pulse.speak(tone)
        self.desk.env.update(self.pulse.env, XDG_DATA_HOME=stage.path(f'data-{name}'))
        self.program = self.desk.viewer('--auto-resize=never', f'--spice-share-cd={disc}', machine.uri)
        # Large enough for the guest's screen as it is: scaled it could not be compared.
        window = wait_for(self.desk.windows, 30, f"{name}'s window")[0]
        self.desk.xdotool('windowsize', window, '1200', '950')
        self.desk.wait_shown(machine, f"the screen in {name}'s window")

    def check_holds(self):
        """The guest reads this one's disc, and hears this one's tone."""
        start = time.monotonic()

        def disc():
            return self.sum in machine.run('sha256sum </dev/sr0', timeout=120, check=False)
        wait_for(disc, 60, 'the disc in the guest', 0.5)
        disc_s = time.monotonic() - start

        def tone():
            return float(machine.run(TONE, timeout=90))
        # A gap of a busy machine loses waves. The other one's tone is far from this one's.
        wait_for(lambda: abs(tone() - self.hertz) < self.hertz * 0.2, 60, f'{self.hertz} Hz in the guest', 1)
        note(f'the disc after {disc_s:.1f} s, {tone()} Hz after {time.monotonic() - start:.1f} s')


machine.wait_desktop()
machine.run('amixer -q -c 0 sset Capture 100% cap')
first = Person('first', 700)


@tap.test('who comes first has the microphone and the USB devices')
def _():
    machine.run('(arecord -q -D plughw:0,0 -f S16_LE -r 48000 -c 2 -t raw /tmp/recorded >/tmp/arecord 2>&1 &)')
    first.check_holds()


@tap.test('asked for them, it hands them over to a guest at work')
def _():
    global second
    second = Person('second', 1100)
    before = first.desk.wait_still()
    second.desk.choose('p', 'a')
    wait_for(lambda: before.differences(first.desk.look()), 30, 'word that somebody asks')
    first.desk.choose('p', 'h')
    second.check_holds()


@tap.test('and gets them back')
def _():
    before = second.desk.wait_still()
    first.desk.choose('p', 'a')
    wait_for(lambda: before.differences(second.desk.look()), 30, 'word that somebody asks')
    second.desk.choose('p', 'h')
    first.check_holds()


@tap.test('when it leaves, the other one has them, and the guest has recorded all the while')
def _():
    first.program.stop()
    second.check_holds()
    check(re.search(r'^\d+$', machine.run('pgrep -x arecord')), f"arecord ended: {machine.run('cat /tmp/arecord')}")
    check(second.program.is_running, second.program.log[-2000:])
    check('CRITICAL' not in first.program.log + second.program.log, 'a viewer is not well')
    check_equal([line for line in machine.process.log.split('\n') if 'CRITICAL' in line], [], "lines of the server's log")


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)

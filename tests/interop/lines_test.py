# SPDX-License-Identifier: MIT
"""Lines that are lost and come back, with our library: cut by a relay, refused, or dead without a word. The machine and the
client run in a network of their own whose line can be pulled."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

from peers import Machine, Stage
from probe import Probe
from tap import PATIENCE, Tap, check, check_equal, note, wait_for

if os.environ.get('SUMAC_LINES') != 'inside':  # a network that is ours alone
    os.environ['SUMAC_LINES'] = 'inside'
    os.execvp('unshare', ['unshare', '--user', '--map-root-user', '--net', sys.executable, *sys.argv])

tap = Tap()
stage = Stage()
KEY_A = 0x1e


def line(state):
    subprocess.run(['ip', 'link', 'set', 'lo', state], check=True)


class Relay:
    """Between client and machine. Can cut what it carries, and refuse what comes."""

    def __init__(self, port):
        self.target, self.pairs, self.is_refusing, self.cut_ends = port, [], False, set()
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            front, _ = self.listener.accept()
            if self.is_refusing:
                self._reset(front)
                continue
            back = socket.create_connection(('127.0.0.1', self.target))
            self.pairs.append((front, back))
            for ends in (front, back), (back, front):
                threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            if source not in self.cut_ends:  # else it is for the other end to be reset, too, and not to be told goodbye
                target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _reset(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            end.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        end.close()

    def cut(self, numbers=None):
        """Resets connections, all or those of these numbers in the order of coming."""
        for number, (front, back) in enumerate(self.pairs):
            if numbers is None or number in numbers:
                self.cut_ends |= {front, back}
                self._reset(front)
                self._reset(back)
        if numbers is None:
            self.pairs = []


def begin(server):
    machine = Machine(stage, server=server)
    machine.wait_screen()
    return machine


def check_alive(machine, probe):
    """The session is what it was: picture, then a key and its effect."""
    probe.shows(machine)
    before = machine.screendump()
    check(probe.tell(f'press {KEY_A}') and probe.tell(f'release {KEY_A}'), 'keys are refused')
    wait_for(lambda: before.differences(machine.screendump()), 20, 'the key at the machine')
    probe.shows(machine)


for server in 'ours', 'reference':
    @tap.test(f'{server}: all connections cut: back at once, the last picture stays, nothing was asked')
    def _(server=server):
        machine = begin(server)
        relay = Relay(machine.port)
        probe = Probe(stage, f'spice://127.0.0.1:{relay.port}', 600)
        probe.shows(machine)
        relay.is_refusing = True
        relay.cut()
        probe.await_event('lost')
        check_equal(machine.screendump().differences(probe.picture()), None, 'the last picture')
        check(not probe.tell(f'press {KEY_A}'), 'a key was taken without a line')
        relay.is_refusing = False
        returned = time.monotonic()
        took = probe.await_event('back') - returned
        note(f'{server}: back {took * 1000:.0f} ms after the relay takes connections again')
        check(took < 10 * PATIENCE, f'{took} s')  # 2 s on an idle machine
        wait_for(lambda: len(probe.seen('open')) >= 8, 20, 'all channels')
        check_alive(machine, probe)
        check_equal([probe.seen('connected')[1:], probe.seen('closed')], [[], []], 'other events')
        probe.stop()
        machine.stop()

    @tap.test(f'{server}: a display that is cut alone takes the session along')
    def _(server=server):
        machine = begin(server)
        relay = Relay(machine.port)
        probe = Probe(stage, f'spice://127.0.0.1:{relay.port}', 600)
        probe.shows(machine)
        wait_for(lambda: len(probe.seen('open')) >= 4, 20, 'all channels')
        relay.cut({1, 2, 3})  # all but main
        probe.await_event('lost')
        probe.await_event('back')
        check_alive(machine, probe)
        probe.stop()
        machine.stop()


@tap.test('a line that is dead without a word is noticed, and is back soon after it works again')
def _():
    machine = begin('ours')
    probe = Probe(stage, machine.uri, 600)
    probe.shows(machine)
    truth = machine.screendump()
    pulled = time.monotonic()
    line('down')
    noticed = probe.await_event('lost', timeout=60) - pulled
    check_equal(truth.differences(probe.picture()), None, 'the last picture')
    time.sleep(3)
    plugged = time.monotonic()
    line('up')
    took = probe.await_event('back', timeout=60) - plugged
    note(f'noticed after {noticed:.1f} s, back after {took:.1f} s')
    check(noticed < 30 * PATIENCE and took < 10 * PATIENCE, f'noticed after {noticed:.1f} s, back after {took:.1f} s')
    check_alive(machine, probe)
    probe.stop()
    machine.stop()


@tap.test('a password that has expired meanwhile is told, so that another can be asked for')
def _():
    machine = Machine(stage, password='secret')
    machine.wait_screen()
    relay = Relay(machine.port)
    probe = Probe(stage, f'spice://127.0.0.1:{relay.port}?password=secret', 600)
    probe.shows(machine)
    machine.qmp('expire_password', protocol='spice', time='now')
    relay.cut()
    probe.await_event('lost')
    probe.await_event('closed')
    words = [text for _, what, text in probe.events if what == 'closed']
    check('expired' in words[-1], str(probe.events))
    machine.stop()


@tap.test('without the wish to come back a lost line is the end')
def _():
    machine = begin('ours')
    relay = Relay(machine.port)
    probe = Probe(stage, f'spice://127.0.0.1:{relay.port}', 0)
    probe.shows(machine)
    relay.cut()
    probe.await_event('closed')
    check_equal(probe.seen('lost'), [], 'losses told')
    machine.stop()


with stage:
    line('up')
    code = tap.run(sys.argv[1] if len(sys.argv) > 1 else None)
sys.exit(code)

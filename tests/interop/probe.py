# SPDX-License-Identifier: MIT
"""A session of our library (session_probe.c) in a process of its own: what happened to it, in order, and what it shows."""

import os
import subprocess
import threading

from peers import BUILD
from pictures import Picture
from tap import wait_for


class Probe:
    def __init__(self, stage, uri, give_up_s=0, *more, prefix=()):
        self.stage, self.events, self.answers = stage, [], []
        self.child = subprocess.Popen([*prefix, os.path.join(BUILD, 'tests/interop/session-probe'), uri, str(give_up_s), *more],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=stage.env)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            moment, what, *rest = line.rstrip('\n').split(' ', 2)
            if what in ('done', 'refused'):
                self.answers.append(what)
            else:
                self.events.append((float(moment), what, ' '.join(rest)))

    def seen(self, what):
        """When each event of that name came."""
        return [moment for moment, name, _ in self.events if name == what]

    def await_event(self, what, count=1, timeout=30):
        return wait_for(lambda: self.seen(what)[count - 1:count], timeout, f'{what} number {count} of {self.events}')[0]

    def tell(self, words):
        """Has it do something. False if that was refused."""
        before = len(self.answers)
        if self.child.poll() is not None:
            raise AssertionError(f'the probe has ended with {self.child.returncode}: {self.events}')
        self.child.stdin.write(words + '\n')
        self.child.stdin.flush()
        return wait_for(lambda: self.answers[before:], 10, f'an answer to {words}')[0] == 'done'

    def picture(self):
        path = self.stage.path('probe.ppm')
        return Picture.load(path) if self.tell(f'picture {path}') else None

    def shows(self, machine, timeout=20):
        """Waits until it shows what the machine does."""
        def same():
            mine = self.picture()
            return mine and machine.screendump().differences(mine) is None
        wait_for(same, timeout, "the machine's picture at the client")

    def stop(self):
        self.child.kill()
        self.child.wait()

# SPDX-License-Identifier: MIT
"""Tests against real peers, in TAP: one behaviour a test, named as a sentence. There is no skip: what is missing fails."""

import sys
import time
import traceback

PATIENCE = 4  # times that tests allow are meant for a machine that does nothing else


class Tap:
    """Collects tests with @tap.test("..."), runs them in order and prints TAP."""

    def __init__(self):
        self.tests = []

    def test(self, name, attempts=1):
        """`attempts`: a test whose subject is time, or keys and sound that a busy machine loses, is tried so often at most; each
        time whole, so that a fault fails every time."""
        def keep(function):
            self.tests.append((name, function if attempts == 1 else lambda: insist(function, attempts)))
            return function
        return keep

    def run(self, only=None, without=()):
        """Runs the tests whose name contains `only` and nothing of `without`; returns the exit code."""
        chosen = [(name, function) for name, function in self.tests
                  if (not only or only in name) and not any(word in name for word in without)]
        print(f'1..{len(chosen)}', flush=True)
        failed = 0
        for number, (name, function) in enumerate(chosen, 1):
            start = time.monotonic()
            try:
                function()
                print(f'ok {number} - {name}', flush=True)
            except Exception as error:  # a failing test must not end the others
                failed += 1
                print(f'not ok {number} - {name}', flush=True)
                note(''.join(traceback.format_exception(error)))
            note(f'{time.monotonic() - start:.1f} s')
        return 1 if failed else 0

    def main(self):
        sys.exit(self.run(sys.argv[1] if len(sys.argv) > 1 else None))


def note(text):
    """Prints `text` as TAP diagnostics."""
    for line in str(text).rstrip().split('\n'):
        print('# ' + line, flush=True)


def check_equal(found, expected, what='value'):
    if found != expected:
        raise AssertionError(f'{what}: found {found!r}, expected {expected!r}')


def check(claim, message):
    if not claim:
        raise AssertionError(message)


def insist(attempt, times=3):
    """Runs `attempt` until it does not fail, so many times at most; returns what it returns."""
    for number in range(1, times):
        try:
            return attempt()
        except AssertionError as error:
            note(f'attempt {number} of {times}: {error}')
    return attempt()


def wait_for(condition, timeout, what, interval=0.1):
    """Polls until `condition()` is true and returns its value; fails after `timeout` seconds of an idle machine."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'{what}: not within {timeout} s')
        time.sleep(interval)

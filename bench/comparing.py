# SPDX-License-Identifier: MIT
"""Runs hosts, lines and clients for bench/compare: one function a kind of run, each returning a dict of figures."""

import contextlib
import json
import lzma
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

COMPRESSIONS = {'off': 1, 'auto_glz': 2, 'auto_lz': 3, 'quic': 4, 'glz': 5, 'lz': 6, 'lz4': 7}
LIBRARY = 'libspice-server.so.1'
QUIET_SECONDS = 1.5  # no change for so long: the picture is there, lossless if it was not at once
PACED_FROM = {'text-scroll': 49, 'windows-move': 55}  # seconds of the recording: the desktop is up, the action begins


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory_mib(pid, field='VmHWM'):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(field + ':'):
            return int(line.split()[1]) / 1024
    return 0


def reference_folder():
    found = subprocess.run(['ldconfig', '-p'], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in found.splitlines():
        if line.strip().startswith(LIBRARY + ' '):
            return pathlib.Path(line.split('=>')[1].strip()).parent
    sys.exit(f'bench/compare: no reference {LIBRARY}; tools/install peers')


class Bench:
    """The programs of a build folder, and the folder of the server library a host is to use."""

    def __init__(self, build, temporary):
        self.programs = build / 'bench'
        self.temporary = temporary
        self.recordings = {}

    def program(self, name):
        return str(self.programs / f'bench-{name}')

    def recording(self, path):
        """A recording unpacked, once: raw, .xz, or .zst."""
        if path not in self.recordings:
            target = self.temporary / path.name.split('.')[0]
            if path.suffix == '.xz':
                with lzma.open(path) as packed, open(target, 'wb') as raw:
                    shutil.copyfileobj(packed, raw, 1 << 20)
            elif path.suffix == '.zst':
                subprocess.run(['zstd', '-dqfo', target, path], check=True)
            else:
                target = path
            self.recordings[path] = target
        return self.recordings[path]

    def started(self, name, *arguments, errors=subprocess.DEVNULL, library=None, **environment):
        """A program that has said "ready", or None."""
        environment = dict(os.environ, LD_LIBRARY_PATH=str(library or ''), **environment)
        child = subprocess.Popen([self.program(name), *map(str, arguments)], env=environment,
                                 stdout=subprocess.PIPE, stderr=errors, text=True)
        if child.stdout.readline().strip() == 'ready':
            return child
        child.kill()
        child.wait()
        return None

    def listening(self, name, option, *arguments, **how):
        """A program that listens at a port it is told by `option`, and the port: others may take a free one meanwhile."""
        for _ in range(8):
            port = free_port()
            child = self.started(name, option, port, *arguments, **how)
            if child:
                return child, port
        sys.exit(f'bench/compare: bench-{name} does not start at any port')

    @contextlib.contextmanager
    def process(self, name, *arguments, library=None):
        """A program that says "ready": yields it; it ends with the block."""
        child = self.started(name, *arguments, library=library)
        if not child:
            sys.exit(f'bench/compare: bench-{name} does not start on {library}')
        with self.ending(child):
            yield child

    @contextlib.contextmanager
    def ending(self, child):
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    @contextlib.contextmanager
    def line(self, line, port, *more):
        """The port at the near end of a line (round trip in ms, Mbit/s) to `port`; no line: `port` itself."""
        if line == (0, 0):
            yield port
            return
        child, near = self.listening('line', '--listen', '--to', port, '--rtt', line[0], '--mbit', line[1], *more)
        with self.ending(child):
            yield near

    def client(self, name, port, *arguments, timeout=240):
        result = subprocess.run([self.program(name), '--port', str(port), *map(str, arguments)],
                                stdout=subprocess.PIPE, text=True, timeout=timeout)
        if result.returncode != 0 or not result.stdout:
            raise RuntimeError(f'bench-{name} failed')
        return json.loads(result.stdout)


def serve_recording(bench, library, recording, compression, line=(0, 0)):
    """As fast as it goes, to a client that counts; the last picture is there when nothing more comes."""
    port = free_port()
    with bench.process('replay', '--port', port, '--compression', COMPRESSIONS[compression],
                       '--delay', 0.2 + 3 * line[0] / 1000, recording, library=library) as host, bench.line(line, port) as near:
        before = cpu_seconds(host.pid)
        counted = bench.client('sink', near, '--quiet', QUIET_SECONDS + 4 * line[0] / 1000)
        told = json.loads(host.stdout.readline())
        return {
            'CPU s': cpu_seconds(host.pid) - before,
            'CPU without reading s': cpu_seconds(host.pid) - before - told['feeder_cpu_seconds'],
            'MB': counted['display_bytes'] / 1e6,
            'messages': counted['display_messages'],
            'last picture s': (counted['last_picture_at_us'] - told['begun_us']) / 1e6,
            'peak MiB': memory_mib(host.pid),
        }


def watch_recording(bench, library, recording, compression, line, seconds):
    """At the pace it was recorded, to a client that draws, reads the time from its picture and presses keys."""
    port = free_port()
    start = PACED_FROM.get(recording.name, 0)
    with bench.process('replay', '--port', port, '--compression', COMPRESSIONS[compression], '--pace', '--marks',
                       '--from', start, '--seconds', seconds, recording,
                       library=library) as host, bench.line(line, port) as near:
        before = cpu_seconds(host.pid)
        seen = bench.client('watch', near, '--keys', '--quiet', QUIET_SECONDS + 2 * line[0] / 1000)
        return {
            'age p50 ms': seen.get('age_p50_ms', float('nan')),
            'age p99 ms': seen.get('age_p99_ms', float('nan')),
            'age max ms': seen.get('age_max_ms', float('nan')),
            'key p50 ms': seen.get('key_p50_ms', float('nan')),
            'key p99 ms': seen.get('key_p99_ms', float('nan')),
            'updates/s': seen.get('fresh_per_second', 0),
            'MB': seen['display_bytes'] / 1e6,
            'CPU s': cpu_seconds(host.pid) - before,
        }


def echo_keys(bench, library, compression, keys):
    """A still screen on which each key draws."""
    port = free_port()
    with bench.process('echo', '--port', port, '--size', '1920x1080', '--compression', COMPRESSIONS[compression],
                       library=library) as host:
        empty = memory_mib(host.pid, 'VmRSS')
        first = bench.client('sink', port)
        before = cpu_seconds(host.pid)
        pressed = bench.client('sink', port, '--keys', keys)
        used = cpu_seconds(host.pid) - before
        with subprocess.Popen([bench.program('sink'), '--port', str(port), '--seconds', '2'],
                              stdout=subprocess.DEVNULL):
            time.sleep(1)
            idle = memory_mib(host.pid, 'VmRSS')
        return {
            'first picture ms': first['first_picture_us'] / 1000,
            'first picture KiB': first['display_bytes'] / 1024,
            'key p50 ms': pressed['key_p50_us'] / 1000,
            'key p99 ms': pressed['key_p99_us'] / 1000,
            'CPU ms': used * 1000,
            'no client MiB': empty,
            'idle session MiB': idle,
        }


def press_beside_bulk(bench, library, bulk, line, keys):
    """Keys while a port's stream has the same line: `bulk` is none, down, up or both."""
    port = free_port()
    with bench.process('echo', '--port', port, '--size', '1024x768', '--compression', COMPRESSIONS['off'], '--bulk',
                       library=library) as host, bench.line(line, port, '--shared') as near:
        before = cpu_seconds(host.pid)
        how = () if bulk == 'none' else ('--bulk', bulk)
        seen = bench.client('sink', near, '--keys', keys, *how)
        figures = {'key p50 ms': seen['key_p50_us'] / 1000, 'key p99 ms': seen['key_p99_us'] / 1000}
        if bulk in ('down', 'both'):
            figures['down MB/s'] = seen['bulk_down_bytes_s'] / 1e6
        if bulk in ('up', 'both'):
            figures['up MB/s'] = seen['bulk_up_bytes_s'] / 1e6
        figures['CPU s'] = cpu_seconds(host.pid) - before
        return figures


def show_movie(bench, library, size, fps, line, seconds):
    """A picture that moves, with streams as the host's default has them (all that looks like one)."""
    port = free_port()
    with bench.process('echo', '--port', port, '--size', '1920x1080', '--streaming', 3, '--compression', 2, '--movie',
                       f'{size}@{fps}', library=library) as host, bench.line(line, port) as near:
        before = cpu_seconds(host.pid)
        counted = bench.client('sink', near, '--skip', 2 + 20 * line[0] / 1000, '--seconds', seconds)
        # Beside frames of a stream come exact pixels of what else there is, which are no frames.
        return {
            'delivered/s': (counted['frames'] or counted['drawings']) / seconds,
            'in streams/s': counted['frames'] / seconds,
            'Mbit/s': counted['display_bytes'] * 8 / seconds / 1e6,
            'CPU s': cpu_seconds(host.pid) - before,
            'peak MiB': memory_mib(host.pid),
        }

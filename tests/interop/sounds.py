# SPDX-License-Identifier: MIT
"""Sound for tests: sound servers with nothing behind them, tones, and what is heard of them."""

import math
import os
import struct
import wave

from tap import check, wait_for

RATE_HZ = 48000


class Pulse:
    """A PulseAudio of the test's own. What programs play goes to `out`, they record from `mic`: both lead nowhere."""

    def __init__(self, stage, name='pulse'):
        self.stage = stage
        folder = stage.path(name)
        os.mkdir(folder)
        path = os.path.join(folder, 'native')
        self.env = {'PULSE_SERVER': f'unix:{path}', 'PULSE_RUNTIME_PATH': folder, 'PULSE_STATE_PATH': folder,
                    'XDG_RUNTIME_DIR': folder, 'PULSE_CONFIG_PATH': folder, 'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nowhere'}
        self.process = stage.start(name, [
            'pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--realtime=no', '--high-priority=no',
            '-L', f'module-native-protocol-unix socket={path} auth-anonymous=1',
            '-L', f'module-null-sink sink_name=out rate={RATE_HZ} format=s16le channels=2',
            '-L', f'module-null-sink sink_name=mic rate={RATE_HZ} format=s16le channels=2'], self.env)
        wait_for(lambda: self.control('info').code == 0, 30, 'PulseAudio')
        self.control('set-default-sink', 'out')
        self.control('set-default-source', 'mic.monitor')

    def control(self, *words):
        return self.stage.run(['pactl', *words], 20, self.env)

    def streams(self, kind):
        """How many programs play ('sink-inputs') or record ('source-outputs')."""
        return len(self.control('list', 'short', kind).out.split('\n')) - 1

    def listen(self, name='heard'):
        """Begins to record what is played, into a file."""
        path = self.stage.path(f'{name}.raw')
        process = self.stage.start(name, [
            'sh', '-c', f'exec parec --device=out.monitor --raw --rate={RATE_HZ} --channels=2 --format=s16le --latency-msec=20 >{path}'],
            self.env)
        return process, path

    def hear(self, seconds, name='heard'):
        """Records so much of what is played. Returns its left channel."""
        process, path = self.listen(name)
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path) >= seconds * RATE_HZ * 4, seconds + 30, 'sound of the null sink')
        process.kill()
        process.wait(10)
        with open(path, 'rb') as file:
            data = file.read()
        os.unlink(path)
        return samples_of(data)

    def speak(self, path):
        """Plays a file into the microphone without end."""
        return self.stage.start('speaker', ['sh', '-c', f'while :; do paplay --device=mic {path} || exit 1; done'], self.env)


def samples_of(data):
    """The left channel of stereo bytes."""
    return list(struct.unpack(f'<{len(data) // 4 * 2}h', data[:len(data) // 4 * 4]))[::2]


def write_tone(path, hertz, seconds, amplitude=12000):
    with wave.open(path, 'wb') as file:
        file.setparams((2, 2, RATE_HZ, 0, 'NONE', ''))
        file.writeframes(b''.join(struct.pack('<hh', *[int(amplitude * math.sin(2 * math.pi * hertz * i / RATE_HZ))] * 2)
                                  for i in range(int(seconds * RATE_HZ))))


class Hearing:
    """What is in some samples: how often it breaks off, and the tone of the longest piece that does not. A busy machine
    breaks off now and then whoever plays, so nobody is judged by that alone."""

    def __init__(self, samples, loud=300):
        at = [i for i, value in enumerate(samples) if abs(value) >= loud]
        self.is_silent = len(at) < RATE_HZ // 100
        self.peak = max((abs(value) for value in samples), default=0)
        self.hertz, self.gaps, self.seconds, self.longest_s = 0.0, 0, 0.0, 0.0
        if self.is_silent:
            return
        self.seconds = (at[-1] - at[0]) / RATE_HZ
        cuts = [i for i, (a, b) in enumerate(zip(at, at[1:])) if b - a > RATE_HZ // 200]
        self.gaps = len(cuts)
        pieces = list(zip([0] + [i + 1 for i in cuts], cuts + [len(at) - 1]))
        first, last = max(((at[a], at[b]) for a, b in pieces), key=lambda piece: piece[1] - piece[0])
        self.longest_s = (last - first) / RATE_HZ
        below, waves = False, []
        for i in range(first, last + 1):
            if samples[i] <= -loud:
                below = True
            elif samples[i] >= loud and below:
                below = False
                waves.append(i)
        if len(waves) > 10:
            self.hertz = (len(waves) - 1) * RATE_HZ / (waves[-1] - waves[0])

    def check_tone(self, hertz, what, tolerance=0.01):
        check(not self.is_silent, f'{what}: nothing is heard')
        check(self.longest_s >= 0.5, f'{what}: breaks off every {self.longest_s:.2f} s')
        check(abs(self.hertz - hertz) <= hertz * tolerance, f'{what}: {self.hertz:.1f} Hz, expected {hertz}')

    def __str__(self):
        return f'{self.hertz:.1f} Hz, {self.seconds:.2f} s, peak {self.peak}, {self.gaps} gaps, the longest piece {self.longest_s:.2f} s'

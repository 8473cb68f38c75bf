# SPDX-License-Identifier: MIT
"""Who is let in, and what the others are told: tickets, TLS, channels that want TLS. The reference's client must see the
same on our server as on the reference's; our client must name the cause on both."""

import re
import sys

from peers import Certificates, Machine, Stage
from tap import Tap, check_equal

tap = Tap()
stage = Stage()
good = Certificates(stage, 'good', hosts='DNS:localhost')
other = Certificates(stage, 'other', hosts='DNS:localhost')
expired = Certificates(stage, 'expired', hosts='DNS:localhost', days=-1)

# What the reference's client reports: its number of the main channel's event.
PEER_CONNECT, PEER_TLS, PEER_LINK, PEER_AUTH = 20, 21, 22, 23
# Exit codes of ours; docs/cli.md lists them.
OK, TLS_NEEDED, CERTIFICATE, CERTIFICATE_EXPIRED, HOST_NAME, PASSWORD_NEEDED, PASSWORD_WRONG = 0, 20, 23, 24, 25, 30, 31


class Case:
    def __init__(self, name, machine, peer, ours, port='plain', password=None, ca=None, host='localhost'):
        self.name, self.machine, self.peer, self.ours = name, machine, peer, ours
        self.port, self.password, self.ca, self.host = port, password, ca, host

    def address(self, machine):
        ports = {'plain': f'port={machine.port}', 'tls': f'tls-port={machine.tls_port}',
                 'both': f'port={machine.port}&tls-port={machine.tls_port}'}
        return f'spice://{self.host}?{ports[self.port]}'

    def run_peer(self, machine):
        """The reference client's picture size and event: one of them is None."""
        env = {'SSL_CERT_FILE': self.ca.ca} if self.ca else {}
        target = stage.path('peer.ppm')
        command = ['spicy-screenshot', f'--uri={self.address(machine)}', f'--out-file={target}']
        if self.password is not None:
            command.append(f'--password={self.password}')
        result = stage.run(command, 20, env)
        event = re.search(r'main channel event: (\d+)', result.err)
        if result.code == 0:
            return OK
        return int(event.group(1)) if event else f'no event: {result}'

    def run_ours(self, machine):
        arguments = ['screenshot', self.address(machine), stage.path('ours.png')]
        if self.password is not None:
            arguments += ['--password', self.password]
        if self.ca:
            arguments += ['--ca', self.ca.ca]
        result = stage.sumac(*arguments, timeout=40)
        if result.code != 0:
            check_equal(bool(result.err.strip()), True, f'{self.name}: an error is explained')
        return result.code


# The machines: how they are set up, by name.
MACHINES = {
    'ticket': dict(password='right', certificates=good),
    'late': dict(password='right'),  # whose password has expired
    'stale': dict(certificates=expired),
    'tls-main': dict(certificates=good, spice={'tls-channel': 'main'}),
    'tls-all': dict(certificates=good, plain=False),
}
CASES = [
    Case('the right password', 'ticket', OK, OK, password='right'),
    Case('a wrong password', 'ticket', PEER_AUTH, PASSWORD_WRONG, password='wrong'),
    Case('a password that begins right', 'ticket', PEER_AUTH, PASSWORD_WRONG, password='rig'),
    Case('a password that goes on after the right one', 'ticket', PEER_AUTH, PASSWORD_WRONG, password='right2'),
    Case('no password', 'ticket', PEER_AUTH, PASSWORD_NEEDED),
    Case('an expired password', 'late', PEER_AUTH, PASSWORD_WRONG, password='right'),
    Case('TLS and the right password', 'ticket', OK, OK, port='tls', password='right', ca=good),
    Case('TLS and a wrong password', 'ticket', PEER_AUTH, PASSWORD_WRONG, port='tls', password='wrong', ca=good),
    Case('an authority that did not sign', 'ticket', PEER_TLS, CERTIFICATE, port='tls', password='right', ca=other),
    Case('an authority of the system only', 'ticket', PEER_TLS, CERTIFICATE, port='tls', password='right'),
    Case('another host name', 'ticket', PEER_TLS, HOST_NAME, port='tls', password='right', ca=good, host='127.0.0.1'),
    Case('an expired certificate', 'stale', PEER_TLS, CERTIFICATE_EXPIRED, port='tls', ca=expired),
    Case('a plain client at a main channel that wants TLS', 'tls-main', PEER_CONNECT, TLS_NEEDED),
    Case('a client with both ports at a main channel that wants TLS', 'tls-main', OK, OK, port='both', ca=good),
    Case('TLS alone', 'tls-all', OK, OK, port='tls', ca=good),
]

running = {}


def machine_of(server, name):
    if (server, name) not in running:
        machine = Machine(stage, server=server, agent=False, **MACHINES[name])
        machine.wait_screen()
        if name == 'late':
            machine.qmp('expire_password', protocol='spice', time='now')
        running[server, name] = machine
    return running[server, name]


def add(case):
    @tap.test(f'{case.name}: the reference client sees the same on both servers')
    def _():
        check_equal(case.run_peer(machine_of('reference', case.machine)), case.peer, 'on the reference server')
        check_equal(case.run_peer(machine_of('ours', case.machine)), case.peer, 'on our server')

    @tap.test(f'{case.name}: our client names the cause on both servers')
    def _():
        check_equal(case.run_ours(machine_of('reference', case.machine)), case.ours, 'on the reference server')
        check_equal(case.run_ours(machine_of('ours', case.machine)), case.ours, 'on our server')


for each in CASES:
    add(each)


@tap.test('every machine still runs')
def _():
    check_equal([key for key, machine in running.items() if not machine.is_running], [], 'machines that ended')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)

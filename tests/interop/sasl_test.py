# SPDX-License-Identifier: MIT
"""Logging in with SASL, for real: passwords from a database, and Kerberos with a key server of our own. Each way is tried
with our server and the reference's, our client and the reference's."""

import os
import sys

from peers import Certificates, Machine, Stage, free_port
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
certificates = Certificates(stage, hosts='DNS:localhost')
stage.trust(certificates.ca)

OK, PASSWORD_NEEDED, PASSWORD_WRONG, AUTH_METHOD = 0, 30, 31, 32
USER, PASSWORD = 'ann', 'a password that is far longer than the sixty bytes which a ticket can hold'
SHORT = ('bob', 'short one')
REALM = 'SUMAC.TEST'


class Kerberos:
    """A key server for one realm on a free port, with a user and the service's key."""

    def __init__(self):
        self.folder = stage.path('krb5')
        os.mkdir(self.folder, 0o700)
        port = free_port()
        self.keytab, self.cache = f'{self.folder}/service.keytab', f'{self.folder}/tickets'
        with open(f'{self.folder}/krb5.conf', 'w') as file:
            file.write(f'''[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
ignore_acceptor_hostname = true
[realms]
{REALM} = {{
  kdc = 127.0.0.1:{port}
}}
''')
        with open(f'{self.folder}/kdc.conf', 'w') as file:
            file.write(f'''[realms]
{REALM} = {{
  database_name = {self.folder}/principal
  key_stash_file = {self.folder}/stash
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
}}
[logging]
kdc = FILE:{self.folder}/kdc.log
''')
        self.env = {'KRB5_CONFIG': f'{self.folder}/krb5.conf', 'KRB5_KDC_PROFILE': f'{self.folder}/kdc.conf',
                    'KRB5_KTNAME': self.keytab, 'KRB5CCNAME': self.cache, 'KRB5RCACHETYPE': 'none',
                    'PATH': os.environ['PATH'] + ':/usr/sbin'}
        self._run('kdb5_util', 'create', '-s', '-r', REALM, '-P', 'master')
        for command in ('addprinc -pw kerberos carl', 'addprinc -randkey spice/localhost',
                        'addprinc -randkey spice/127.0.0.1',
                        f'ktadd -k {self.keytab} spice/localhost spice/127.0.0.1'):
            self._run('kadmin.local', '-r', REALM, '-q', command)
        self.process = stage.start('krb5kdc', ['/usr/sbin/krb5kdc', '-n', '-r', REALM], self.env)
        wait_for(lambda: self._kinit().code == 0, 20, 'a ticket of the key server')

    def _run(self, *command):
        result = stage.run(command, env=self.env)
        check(result.code == 0, f'{command}: {result}')

    def _kinit(self):
        return stage.run(['sh', '-c', f'echo kerberos | kinit carl@{REALM}'], env=self.env)


kerberos = Kerberos()
NO_TICKET = {**kerberos.env, 'KRB5CCNAME': stage.path('nothing')}


def configure(mechanisms):
    """A folder with the library's configuration for QEMU and a database with two users."""
    folder = stage.path('sasl-' + mechanisms.replace(' ', '-'))
    if not os.path.exists(folder):
        os.mkdir(folder)
        with open(f'{folder}/qemu.conf', 'w') as file:
            file.write(f'mech_list: {mechanisms}\npwcheck_method: auxprop\nauxprop_plugin: sasldb\n'
                       f'sasldb_path: {folder}/users.db\nkeytab: {kerberos.keytab}\n')
        host = os.uname().nodename
        for user, password in ((USER, PASSWORD), SHORT):
            result = stage.run(['sh', '-c', f"printf '%s' '{password}' | "
                                            f'saslpasswd2 -p -c -u {host} -f {folder}/users.db {user}'], env=kerberos.env)
            check(result.code == 0, f'saslpasswd2: {result}')
    return folder


running = {}


def machine_of(server, mechanisms):
    if (server, mechanisms) not in running:
        machine = Machine(stage, server=server, agent=False, certificates=certificates, spice={'sasl': 'on'},
                          env={**kerberos.env, 'SASL_CONF_PATH': configure(mechanisms)})
        machine.wait_screen()
        running[server, mechanisms] = machine
    return running[server, mechanisms]


def ours(machine, tls, user=None, password=None, env=None):
    """The exit code of our client."""
    arguments = ['screenshot', machine.tls_uri if tls else f'spice://localhost:{machine.port}', stage.path('ours.png')]
    if user:
        arguments += ['--user', user]
    if password:
        arguments += ['--password', password]
    if tls:
        arguments += ['--ca', certificates.ca]
    result = stage.sumac(*arguments, timeout=60, env=env or NO_TICKET)
    if result.code != 0:
        check(result.err.strip(), 'an error is explained')
        print('# ' + result.err.strip().replace('\n', '\n# '))
    return result.code


def peer(machine, tls, env):
    """Whether the reference's client gets a picture; it has no option for a user's name."""
    address = machine.peer_tls_uri if tls else f'spice://localhost?port={machine.port}'
    target = stage.path('peer.ppm')
    result = stage.run(['spicy-screenshot', f'--uri={address}', f'--out-file={target}'], 60,
                       {**env, 'SSL_CERT_FILE': certificates.ca})
    return result.code == 0


def connection_file(machine, user, password):
    """A file that says who the user is, for a session over TLS; its path."""
    with open(certificates.ca) as file:
        ca = file.read().replace('\n', '\\n')
    path = stage.path('connection.vv')
    with open(path, 'w') as file:
        file.write(f'[virt-viewer]\ntype=spice\nhost=localhost\ntls-port={machine.tls_port}\nca={ca}\n'
                   f'username={user}\npassword={password}\n')
    return path


def remote_viewer(machine, user, password):
    """Whether the reference's viewer, told by a file who the user is, has a session."""
    path = connection_file(machine, user, password)
    viewer = stage.start('remote-viewer', ['remote-viewer', '--debug', path], {**NO_TICKET, 'DISPLAY': display()})
    try:
        # A session is main, display, cursor and inputs at least.
        wait_for(lambda: len(machine.qmp('query-spice').get('channels') or []) >= 4 or 'Authentication' in viewer.log,
                 60, 'channels of remote-viewer, or a refusal')
        return len(machine.qmp('query-spice').get('channels') or []) >= 4
    finally:
        viewer.stop()


displays = []


def display():
    if not displays:
        displays.append(stage.x_server())
    return displays[0]


SERVERS = ('ours', 'reference')
for server in SERVERS:
    def add(server=server):
        name = f'{server} server'

        @tap.test(f'{name}: our client logs in with PLAIN over TLS, the password longer than a ticket')
        def _():
            check_equal(ours(machine_of(server, 'PLAIN'), True, USER, PASSWORD), OK)

        @tap.test(f'{name}: our client takes name and password from a connection file')
        def _():
            path = connection_file(machine_of(server, 'PLAIN'), USER, PASSWORD)
            for more, code in (([], OK), (['--user', 'nobody'], PASSWORD_WRONG)):
                result = stage.sumac('screenshot', path, stage.path('file.png'), *more, env=NO_TICKET)
                check_equal(result.code, code, f'exit code with {more}: {result}')

        @tap.test(f'{name}: a wrong password, no name and no password each get their words')
        def _():
            machine = machine_of(server, 'PLAIN')
            check_equal(ours(machine, True, USER, 'wrong'), PASSWORD_WRONG, 'a wrong password')
            check_equal(ours(machine, True, 'nobody', PASSWORD), PASSWORD_WRONG, 'an unknown user')
            check_equal(ours(machine, True, None, PASSWORD[:50]), PASSWORD_NEEDED, 'no name')
            check_equal(ours(machine, True, USER), PASSWORD_NEEDED, 'no password')

        @tap.test(f'{name}: PLAIN is no way to log in without TLS')
        def _():
            check_equal(ours(machine_of(server, 'PLAIN'), False, USER, PASSWORD), AUTH_METHOD)

        @tap.test(f'{name}: our client logs in with SCRAM-SHA-256 over TLS')
        def _():
            machine = machine_of(server, 'SCRAM-SHA-256')
            check_equal(ours(machine, True, *SHORT), OK)
            check_equal(ours(machine, True, SHORT[0], 'wrong'), PASSWORD_WRONG)

        @tap.test(f'{name}: DIGEST-MD5 protects the stream of our client without TLS')
        def _():
            machine = machine_of(server, 'DIGEST-MD5')
            check_equal(ours(machine, False, *SHORT), OK)
            check_equal(ours(machine, False, SHORT[0], 'wrong'), PASSWORD_WRONG)

        @tap.test(f'{name}: Kerberos lets our client in, its layer protecting the stream or TLS')
        def _():
            machine = machine_of(server, 'GSSAPI')
            check_equal(ours(machine, False, env=kerberos.env), OK, 'without TLS')
            check_equal(ours(machine, True, env=kerberos.env), OK, 'over TLS')
            check_equal(ours(machine, False), AUTH_METHOD, 'without a ticket')

        @tap.test(f'{name}: without a ticket our client goes on with the next mechanism')
        def _():
            machine = machine_of(server, 'GSSAPI SCRAM-SHA-256')
            check_equal(ours(machine, True, *SHORT), OK)

        @tap.test(f"{name}: Kerberos lets the reference's client in, its layer protecting the stream or TLS")
        def _():
            machine = machine_of(server, 'GSSAPI')
            check(peer(machine, False, kerberos.env), 'without TLS')
            check(peer(machine, True, kerberos.env), 'over TLS')
            check(not peer(machine, False, NO_TICKET), 'it got in without a ticket')

        @tap.test(f"{name}: the reference's viewer logs in with a name and a password")
        def _():
            for mechanism in ('PLAIN', 'SCRAM-SHA-256'):
                check(remote_viewer(machine_of(server, mechanism), *SHORT), mechanism)
    add()


@tap.test('the picture is the same through the layer')
def _():
    machine = machine_of('ours', 'GSSAPI')
    target = stage.path('layer.png')
    result = stage.sumac('screenshot', f'spice://localhost:{machine.port}', target, env=kerberos.env)
    check_equal(result.code, OK, 'exit code')
    check_equal(Picture.load(target).rgb == machine.screendump().rgb, True, 'pixels')


@tap.test('every machine still runs')
def _():
    check_equal([key for key, machine in running.items() if not machine.is_running], [], 'machines that ended')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)

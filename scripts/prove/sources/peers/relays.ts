import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sending } from '../client-row.ts';
import { Daemon } from './daemon.ts';
import { commandAt } from './prepared.ts';
import { debianPackages } from './programs.ts';

export interface Route extends Sending {
  readonly to: 'tcp' | 'udp' | 'tls';
  /** Followed, from its beginning. */
  readonly input: string;
}

/** Nobody holds back who sends datagrams. */
const DATAGRAMS_PER_SECOND = 2000;

/** rsyslog follows the file and sends its lines on. */
export async function startRsyslog(route: Route, framing: 'octet-counted' | 'traditional'): Promise<Daemon> {
  const root = await debianPackages('rsyslog-openssl', ['rsyslog-openssl']);
  const modules = [...(await foldersNamed('/usr/lib', 'rsyslog')), ...(await foldersNamed(`${root}/root`, 'rsyslog'))];
  const settings = await written(route, 'rsyslog.conf', rsyslogSettings(route, framing));
  // In the foreground, without a pid file.
  const parameters = ['-n', '-iNONE', `-M${modules.join(':')}`, '-f', settings];
  return new Daemon((await commandAt('rsyslogd')) ?? 'rsyslogd', parameters);
}

/** syslog-ng, unpacked beside rsyslog, with which its package conflicts. */
export async function startSyslogNg(route: Route, driver: 'syslog' | 'network'): Promise<Daemon> {
  const packages = ['syslog-ng-core', 'libivykis0', 'libpcre3', 'libnet1', 'libwrap0'];
  const root = join(await debianPackages('syslog-ng', packages), 'root');
  const own = join(root, 'usr/lib/syslog-ng');
  const [version] = (await readdir(own)).filter((name) => /^\d/.test(name));
  const settings = await written(route, 'syslog-ng.conf', syslogNgSettings(route, driver, version!));
  const inFolder = (name: string): string => join(route.folder, name);
  const parameters = [
    '-F',
    '--no-caps',
    `--cfgfile=${settings}`,
    `--module-path=${own}/${version}`,
    `--persist-file=${inFolder('persist')}`,
    `--pidfile=${inFolder('pid')}`,
    `--control=${inFolder('control')}`,
  ];
  const machines = [
    ...(await foldersNamed(root, 'x86_64-linux-gnu')),
    ...(await foldersNamed(root, 'aarch64-linux-gnu')),
  ];
  return new Daemon(join(root, 'usr/sbin/syslog-ng'), parameters, { LD_LIBRARY_PATH: [own, ...machines].join(':') });
}

function rsyslogSettings({ folder, input, port, to, certificates }: Route, framing: string): string {
  const secure =
    to === 'tls'
      ? 'StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"'
      : '';
  const template = framing === 'octet-counted' ? 'RSYSLOG_SyslogProtocol23Format' : 'RSYSLOG_TraditionalForwardFormat';
  const framed =
    to === 'udp'
      ? `queue.type="LinkedList" queue.dequeueBatchSize="1" queue.dequeueSlowDown="${1e6 / DATAGRAMS_PER_SECOND}"`
      : `TCP_Framing="${framing}"`;
  return `global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${certificates.ca}")
module(load="imfile")
input(type="imfile" File="${input}" Tag="proof:" ruleset="send")
ruleset(name="send") {
  action(type="omfwd" target="127.0.0.1" port="${port}" protocol="${to === 'udp' ? 'udp' : 'tcp'}" ${framed} ${secure} template="${template}" action.resumeRetryCount="-1")
}
`;
}

function syslogNgSettings({ input, port, to, certificates }: Route, driver: string, version: string): string {
  const secure = to === 'tls' ? ` tls(ca-file("${certificates.ca}") peer-verify(required-trusted))` : '';
  const paced = to === 'udp' ? ` throttle(${DATAGRAMS_PER_SECOND})` : '';
  return `@version: ${version}
options { keep-hostname(yes); stats-freq(0); };
source input { file("${input}" flags(no-parse) follow-freq(0.2) program-override("proof")); };
destination hub { ${driver}("127.0.0.1" port(${port}) transport("${to}")${secure}${paced}); };
log { source(input); destination(hub); flags(flow-control); };
`;
}

async function written({ folder }: Route, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** Below `folder`, at most four levels deep. */
async function foldersNamed(folder: string, name: string, depth = 4): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  const found = below.filter((path) => path.endsWith(`/${name}`));
  if (depth === 1) return found;
  const deeper = await Promise.all(below.map((path) => foldersNamed(path, name, depth - 1)));
  return [...found, ...deeper.flat()];
}

import { chmod, chown, lstat, readFile, rename, rm, stat } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { path, SluiceError, Type, type OptionProblem, type Static } from '../api/index.ts';

/** `sun_path` of Linux has 108 bytes, the NUL at its end among them. */
const LONGEST_PATH_BYTES = 107;

/** Options of listeners that serve a socket in the file system. */
export const unixSocketOptions = Type.Object(
  {
    path: path({
      description: `Where the socket is: at most ${LONGEST_PATH_BYTES} bytes as an absolute path. One that nobody serves any more is replaced.`,
    }),
    mode: Type.String({
      default: '0660',
      pattern: '^0?[0-7]{3}$',
      description:
        'Who may connect, as `chmod` takes it: `0600` this user, `0660` its group too, `0666` everybody here.',
    }),
    owner: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The user that the socket is given to, by name or number. Needs the rights of root.',
      }),
    ),
    group: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The group that the socket is given to, by name or number; one of this user’s.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Serve a socket in the file system, for programs on this machine, instead of `listen`.',
  },
);

export type UnixSocketOptions = Static<typeof unixSocketOptions>;

/** A socket that programs find at its path. */
export interface PlacedSocket {
  /** Takes the path away, unless somebody else's socket has come to it. */
  remove(): Promise<void>;
}

/** What the schema cannot say of `unix`. */
export function unixSocketProblems({
  unix,
  tls,
}: {
  readonly unix?: UnixSocketOptions;
  readonly tls?: object;
}): readonly OptionProblem[] {
  if (unix === undefined) return [];
  const length = Buffer.byteLength(unix.path);
  return [
    ...(tls === undefined ? [] : [{ path: ['tls'], message: 'is over TCP; leave it out or serve `listen`' }]),
    ...(length > LONGEST_PATH_BYTES
      ? [
          {
            path: ['unix', 'path'],
            message: `has ${length} bytes; the path of a socket has at most ${LONGEST_PATH_BYTES}`,
          },
        ]
      : []),
  ];
}

/** For `resources` of a listener. */
export function unixSocketResource({ path: place }: Pick<UnixSocketOptions, 'path'>): readonly string[] {
  return [`socket ${place}`];
}

/** Throws `OPTION_INVALID` or `LISTENER_IN_USE` as serving it would. */
export async function checkUnixSocket({ path: place, owner, group }: UnixSocketOptions): Promise<void> {
  const action = actionOf(place);
  if (Buffer.byteLength(place) > LONGEST_PATH_BYTES)
    throw new SluiceError('OPTION_INVALID', `${action}: the path has more than ${LONGEST_PATH_BYTES} bytes`);
  const folder = await stat(dirname(place)).catch(() => null);
  if (folder?.isDirectory() !== true)
    throw new SluiceError('OPTION_INVALID', `${action}: there is no folder ${dirname(place)}; create it`);
  const found = await lstat(place).catch(() => null);
  if (found !== null && !found.isSocket())
    throw new SluiceError(
      'OPTION_INVALID',
      `${action}: what is there is no socket; move it away or change \`unix.path\``,
    );
  if (found !== null && (await isServed(place)))
    throw new SluiceError(
      'LISTENER_IN_USE',
      `${action}: another program serves this socket; stop it or change \`unix.path\``,
      { retryable: true },
    );
  await idOf(owner, '/etc/passwd', action);
  await idOf(group, '/etc/group', action);
}

/** Binds the server. Rejects as `checkUnixSocket`. */
export function bindUnix(server: Server, options: UnixSocketOptions): Promise<PlacedSocket> {
  return placeSocket(options, (place) => {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: place }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  });
}

/**
 * Nobody connects before the socket has its rights: it is bound under another name in the folder, and gets its own then. `bindAt` is given that name. Rejects with
 * `LISTENER_IN_USE` or `OPTION_INVALID`.
 */
export async function placeSocket(
  options: UnixSocketOptions,
  bindAt: (place: string) => Promise<void> | void,
): Promise<PlacedSocket> {
  await checkUnixSocket(options);
  const { path: place, mode, owner, group } = options;
  const action = actionOf(place);
  const temporary = temporaryName(place);
  try {
    await bindAt(temporary);
    if (owner !== undefined || group !== undefined)
      await chown(
        temporary,
        (await idOf(owner, '/etc/passwd', action)) ?? -1,
        (await idOf(group, '/etc/group', action)) ?? -1,
      );
    await chmod(temporary, Number.parseInt(mode, 8));
    const { ino } = await lstat(temporary);
    await rename(temporary, place);
    return {
      remove: async () => {
        const found = await lstat(place).catch(() => null);
        if (found?.ino === ino) await rm(place, { force: true });
      },
    };
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw placeError(error, action);
  }
}

/** Not longer than the path, which may have all the bytes that there are. */
function temporaryName(place: string): string {
  const length = Math.max(1, Math.min(8, basename(place).length - 1));
  const random = Math.random().toString(36).slice(2).padEnd(length, '0');
  return join(dirname(place), `~${random.slice(0, length)}`);
}

/** A socket file outlives the process that served it: only a refused connection tells that nobody does. */
function isServed(place: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      settle(true);
    });
    // One for datagrams that is served refuses the kind of the connection, not the connection.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      settle(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

/** Node knows no users but its own. */
async function idOf(name: string | undefined, table: string, action: string): Promise<number | null> {
  if (name === undefined) return null;
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const text = await readFile(table, 'utf8').catch(() => '');
  const columns = text.split('\n').map((line) => line.split(':'));
  const [, , id] = columns.find(([first]) => first === name) ?? [];
  if (id !== undefined) return Number(id);
  throw new SluiceError('OPTION_INVALID', `${action}: ${table} does not know ${JSON.stringify(name)}; give the number`);
}

function actionOf(place: string): string {
  return `listening on the Unix socket ${place}`;
}

function placeError(error: unknown, action: string): SluiceError {
  if (error instanceof SluiceError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EPERM':
      return new SluiceError(
        'OPTION_INVALID',
        `${action}: this user may not give it to that \`owner\` or \`group\`; leave them out`,
        { cause: error },
      );
    case 'EACCES':
    case 'EROFS':
      return new SluiceError(
        'OPTION_INVALID',
        `${action}: this user may not write into the folder; change its rights or \`unix.path\``,
        { cause: error },
      );
    default:
      return new SluiceError('SOURCE_FAILED', action, { retryable: true, cause: error });
  }
}

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { scram } from '../../../src/kafka/native/scram.ts';

const iterations = 4096;
const salt = Buffer.from('salt of the server');

interface ServerOptions {
  readonly password: string;
  readonly first?: (first: string) => string;
  readonly last?: (last: string) => string;
}

/** The server's side of RFC 5802, which knows the password and checks the proof. */
function server({ password, first = (text) => text, last = (text) => text }: ServerOptions): {
  send: (message: Buffer) => Promise<Buffer>;
  names: string[];
} {
  const names: string[] = [];
  let clientFirst = '';
  let serverFirst = '';
  const mac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const answer = (message: string): string => {
    if (clientFirst === '') {
      clientFirst = message.slice('n,,'.length);
      names.push(/n=([^,]*)/.exec(clientFirst)?.[1] ?? '');
      serverFirst = first(`${/r=.*/.exec(clientFirst)?.[0]}more,s=${salt.toString('base64')},i=${iterations}`);
      return serverFirst;
    }
    const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
    const [withoutProof, proof] = message.split(',p=') as [string, string];
    const exchanged = `${clientFirst},${serverFirst},${withoutProof}`;
    const storedKey = createHash('sha256').update(mac(salted, 'Client Key')).digest();
    const signature = mac(storedKey, exchanged);
    const clientKey = Buffer.from(Buffer.from(proof, 'base64').map((byte, index) => byte ^ signature[index]!));
    if (!createHash('sha256').update(clientKey).digest().equals(storedKey)) throw new Error('wrong password');
    return last(`v=${mac(mac(salted, 'Server Key'), exchanged).toString('base64')}`);
  };
  return { send: (message) => Promise.resolve().then(() => Buffer.from(answer(message.toString()))), names };
}

function login(options: ServerOptions, username = 'carol'): Promise<void> {
  const { send } = server(options);
  return scram({ hash: 'sha256', username, password: 'pass,wörd=', send, broker: 'kafka:9092' });
}

test('proves the password, and has the server prove it', async () => {
  await expect(login({ password: 'pass,wörd=' })).resolves.toBeUndefined();
  await expect(login({ password: 'other' })).rejects.toThrow('wrong password');
});

test('escapes every comma and equals sign of a name', async () => {
  const { send, names } = server({ password: 'x' });
  await scram({ hash: 'sha256', username: 'a,b=c,d', password: 'x', send, broker: 'kafka:9092' });
  expect(names).toEqual(['a=2Cb=3Dc=2Cd']);
});

test.each<[string, Omit<ServerOptions, 'password'>]>([
  ['shows no signature', { last: () => 'v=' }],
  ['shows a wrong signature', { last: () => `v=${Buffer.alloc(32).toString('base64')}` }],
  ['repeats the nonce alone', { first: (text) => text.replace('more', '') }],
  ['has a nonce of its own', { first: (text) => text.replace('r=', 'r=x') }],
  ['asks for too little work', { first: (text) => text.replace('i=4096', 'i=1') }],
  ['asks for work without end', { first: (text) => text.replace('i=4096', 'i=2000000000') }],
  ['says nothing that can be read', { first: () => '\0\xff' }],
])('does not trust a server that %s', async (_name, server) => {
  await expect(login({ password: 'pass,wörd=', ...server })).rejects.toMatchObject({
    code: 'KAFKA_CREDENTIALS',
    matter: expect.stringContaining('broker kafka:9092 does not prove that it knows the password') as string,
  });
});

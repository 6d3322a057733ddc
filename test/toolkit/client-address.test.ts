import { clientAddress, networkProblems, Networks } from '../../src/toolkit/index.ts';

const proxies = new Networks(['10.0.0.0/8', '2001:db8::/32']);

test.each<[string, string | undefined, string | null, string]>([
  ['192.0.2.1', '203.0.113.9', '192.0.2.1', 'a client that is no proxy cannot claim another address'],
  ['10.0.0.1', '203.0.113.9', '203.0.113.9', 'what a proxy appended'],
  ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9', 'IPv4 in IPv6'],
  ['10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9', 'what the client claimed to the proxy is not believed'],
  ['10.0.0.1', '203.0.113.9, 10.2.3.4', '203.0.113.9', 'two proxies'],
  ['10.0.0.1', '203.0.113.9:51234', '203.0.113.9', 'with a port'],
  ['2001:db8::7', '[2001:db9::1]:443, 10.0.0.9', '2001:db9::1', 'IPv6 with a port'],
  ['10.0.0.1', undefined, '10.0.0.1', 'the proxy itself'],
  ['10.0.0.1', '10.0.0.2', '10.0.0.2', 'nobody but proxies'],
  ['10.0.0.1', 'unknown', null, 'no address'],
  ['10.0.0.1', '', null, 'nothing'],
  ['10.0.0.1', 'for=198.51.100.1, for=203.0.113.9;proto=https;by=10.0.0.1', '203.0.113.9', 'Forwarded'],
  ['10.0.0.1', 'proto=https;For="[2001:db9::17]:4711"', '2001:db9::17', 'Forwarded with IPv6 and a port'],
  ['10.0.0.1', 'for=_hidden', null, 'Forwarded with a name that is no address'],
])('%s with %j is %s: %s', (...[peer, forwarded, client]) => {
  expect(clientAddress(peer, forwarded, proxies)).toBe(client);
});

test('networks hold their addresses', () => {
  const networks = new Networks(['192.0.2.0/24', '203.0.113.7', '::1']);
  expect(['192.0.2.255', '203.0.113.7', '::1', '::ffff:192.0.2.1'].map((each) => networks.has(each))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['192.0.3.0', '203.0.113.8', '::2', '', 'x'].map((each) => networks.has(each))).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test.each([
  ['10.0.0.0/8', null],
  ['::1', null],
  ['${env:OFFICE}', null],
  ['10.0.0/8', '"10.0.0/8" is no address; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32'],
  ['10.0.0.0/33', '"10.0.0.0/33" has more than 32 bits'],
  ['::/129', '"::/129" has more than 128 bits'],
])('%s', (text, message) => {
  expect(networkProblems(['::1', text], ['allow'])).toEqual(message === null ? [] : [{ path: ['allow', 1], message }]);
});

test('a list with what is no network is refused', () => {
  expect(() => new Networks(['10.0.0.999'])).toThrow('"10.0.0.999" is no address');
});

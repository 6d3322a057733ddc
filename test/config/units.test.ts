import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/index.ts';
import { formatListenAddress, parseListenAddress } from '../../src/config/listen-address.ts';
import { suggest } from '../../src/config/suggest.ts';

test('durations carry units', () => {
  expect(['500ms', '1.5s', '10m', '24h', '7d', '0ms', ' 5 s '].map(parseDuration)).toEqual([
    500, 1500, 600_000, 86_400_000, 604_800_000, 0, 5000,
  ]);
  for (const text of ['5', '', 's', '-1s', '5 parsecs', '1e3s', '5S', '1m30s', '9999999999999999d'])
    expect([text, parseDuration(text)]).toEqual([text, null]);
});

test('sizes carry units', () => {
  expect(['512B', '64KiB', '1.5MiB', '10MB', '1GiB', '2kB'].map(parseSize)).toEqual([
    512, 65_536, 1_572_864, 10_000_000, 1_073_741_824, 2000,
  ]);
  for (const text of ['5', 'MiB', '-1B', '5mib', '5M', '1e9B']) expect([text, parseSize(text)]).toEqual([text, null]);
});

test('what is formatted parses to the same', () => {
  fc.assert(
    fc.property(fc.nat(1e12), (value) => {
      expect(parseDuration(formatDuration(value))).toBe(value);
      expect(parseSize(formatSize(value))).toBe(value);
    }),
  );
  expect([formatDuration(60_000), formatDuration(1500), formatSize(65_536), formatSize(1000)]).toEqual([
    '1m',
    '1500ms',
    '64KiB',
    '1000B',
  ]);
});

test('addresses to listen on', () => {
  const texts = ['127.0.0.1:8080', ':8080', '[::1]:80', 'localhost:0', '0.0.0.0:65535'];
  expect(texts.map((text) => formatListenAddress(parseListenAddress(text)!))).toEqual([
    '127.0.0.1:8080',
    '127.0.0.1:8080',
    '[::1]:80',
    'localhost:0',
    '0.0.0.0:65535',
  ]);
  for (const text of ['8080', 'host', '::1:80', 'a b:80', ':65536', 'http://x:80', ''])
    expect(parseListenAddress(text)).toBeNull();
});

test('a word is suggested when it is near enough', () => {
  const words = ['include', 'exclude', 'format', 'max_open_files'];
  expect(suggest('inclde', words)).toBe('include');
  expect(suggest('fromat', words)).toBe('format');
  expect(suggest('max-open-files', words)).toBe('max_open_files');
  expect(suggest('INCLUDE', words)).toBe('include');
  expect(suggest('colour', words)).toBeNull();
});

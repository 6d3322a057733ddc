import { PathFields } from '../../../connectors/file/source/framing/path-fields.ts';

test.each([
  ['/var/log/{service}/{host}.log', '/var/log/shop/web-1.log', { service: 'shop', host: 'web-1' }],
  ['/var/log/{service}/{host}.log', '/var/log/shop/eu/web-1.log', {}],
  ['/var/log/{service}/{host}.log*', '/var/log/shop/web-1.log.2', { service: 'shop', host: 'web-1' }],
  ['/srv/**/{app}/current', '/srv/a/b/shop/current', { app: 'shop' }],
  ['/srv/a+b(1)/{app}', '/srv/a+b(1)/x', { app: 'x' }],
  ['/srv/a+b(1)/{app}', '/srv/aab1/x', {}],
  ['/srv/{app}', '/srv/line\nfeed', { app: 'line\nfeed' }],
])('%s of %s', (pattern, path, expected) => {
  expect(PathFields.problemOf(pattern)).toBeNull();
  expect(Object.fromEntries(new PathFields(pattern).of(path))).toEqual(expected);
});

test.each([
  ['/var/log/*.log', 'names no part'],
  ['/var/{a}/{a}', 'twice'],
  ['/var/{a}{b}', 'side by side'],
  ['/var/{a}*', 'side by side'],
  ['/var/{a', 'brace'],
  ['/var/a}', 'brace'],
  ['/var/{}/{a}', 'brace'],
  ['/var/{1}/{a}', 'brace'],
])('%s is no pattern: %s', (pattern, reason) => {
  expect(PathFields.problemOf(pattern)).toContain(reason);
});

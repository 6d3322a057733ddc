import { compositeHash } from '../../../connectors/solr/composite-hash.ts';
import { murmur3 } from '../../../connectors/solr/murmur3.ts';

const hashOf = (id: string): number => {
  const bytes = Buffer.from(`xx${id}yy`);
  return compositeHash(bytes, 2, bytes.length - 2);
};

/** As SolrJ's CompositeIdRouter has them. */
test.each([
  ['1', -1810453357],
  ['2', 19522071],
  ['order-1', -177056223],
  ['order-2', 1101609887],
  ['A', 1423767502],
  ['abc', -1277324294],
  ['contact', -541354036],
  ['0000000KISS', 2099700320],
  ['doc1', -657533388],
  ['é', 269551495],
  ['', 0],
  ['ключ', -1705435070],
  ['漢字', 1467002891],
  ['😀', -1095487750],
  ['x y', -1927231093],
  ['contact!0000000KISS', -541334944],
  ['tenant1!order-1', 852710945],
  ['tenant2!order-1', -955689439],
  ['tenant1/4!order-1', 896685601],
  ['eu!tenant1!order-1', -1227663839],
  ['eu/2!tenant1/4!order-1', -1317906911],
  ['tenant1!', 852688896],
  ['a!b!', 1021181952],
  ['a/33!b', 1009084851],
])('the hash of %j is %d', (id, hash) => {
  expect(hashOf(id)).toBe(hash);
});

test('all lengths of the last block', () => {
  const hashes = ['', 'a', 'ab', 'abc', 'abcd', 'abcde'].map((text) => murmur3(Buffer.from(text), 0, text.length));
  expect(new Set(hashes).size).toBe(6);
  expect(hashes.every((hash) => Number.isInteger(hash) && hash === (hash | 0))).toBe(true);
});

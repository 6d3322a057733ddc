import type { IncomingHttpHeaders } from 'node:http';
import { badAttribute, checkAttributes, checkName, decodeHeader, type Attributes } from './attributes.ts';

const PREFIX = 'ce-';

/** The attributes of an event in binary mode, whose body is its data. Throws a 400 that names the one that is missing or wrong. */
export function binaryAttributes(headers: IncomingHttpHeaders): Attributes {
  const attributes: Attributes = new Map();
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(PREFIX) || value === undefined) continue;
    const name = header.slice(PREFIX.length);
    checkName(name);
    // The media type of the data is that of the body.
    if (name === 'datacontenttype') continue;
    const decoded = decodeHeader(typeof value === 'string' ? value : value.join(', '));
    if (decoded === null) throw badAttribute(name, 'is not UTF-8');
    attributes.set(name, decoded);
  }
  checkAttributes(attributes);
  const type = headers['content-type'];
  if (type !== undefined) attributes.set('datacontenttype', Buffer.from(type, 'latin1'));
  return attributes;
}

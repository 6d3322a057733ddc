/** `node health-check.js URL TOKEN-FILE`: exit code 0 when the hub answers 200 there. For the HEALTHCHECK of the image. */
import { readFileSync } from 'node:fs';
import { get } from 'node:http';

const [url, tokenFile] = process.argv.slice(2);

const request = get(url, { headers: { Authorization: `Bearer ${token()}` }, timeout: 4000 }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => {
  request.destroy(new Error('no answer within 4 s'));
});
request.on('error', (error) => {
  console.error(`asking ${url}: ${error.message}`);
  process.exitCode = 1;
});

/** A hub on loopback has none and asks for none. */
function token() {
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch {
    return '';
  }
}

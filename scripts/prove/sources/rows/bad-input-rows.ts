import type { Row } from '../../rows/row.ts';
import {
  githubCases,
  githubSecret,
  httpCases,
  stripeCases,
  stripeSecret,
  tokenCases,
} from '../bad-input/http-cases.ts';
import { proveBadInput } from '../bad-input/prove-bad-input.ts';
import { forwardCases, socketCases, syslogCases } from '../bad-input/stream-cases.ts';

const signed = (port: number, scheme: string, secret: string): string =>
  `http: { listen: '127.0.0.1:${port}', signature: { scheme: ${scheme}, secrets: [${JSON.stringify(secret)}] } }`;

export const badInputRows: readonly Row[] = [
  {
    name: 'bad-http',
    component: 'http',
    fault:
      'bombs, depth, smuggling, announced gigabytes, headers of megabytes, wrong tokens, the HMAC examples of GitHub and Stripe and forged ones, beside a normal client',
    on: 'embedded',
    by: {
      lines: 0,
      kills: 0,
      prove: proveBadInput({
        name: 'sources-bad-http',
        sent: {
          open: { source: (port) => `http: { listen: '127.0.0.1:${port}' }`, cases: httpCases },
          token: {
            source: (port) => `http: { listen: '127.0.0.1:${port}', auth: { bearer: the-token-of-the-proof } }`,
            cases: tokenCases,
          },
          github: { source: (port) => signed(port, 'github', githubSecret), cases: githubCases },
          stripe: { source: (port) => signed(port, 'stripe', stripeSecret), cases: stripeCases },
        },
      }),
    },
  },
  {
    name: 'bad-streams',
    component: 'forward, syslog, socket',
    fault: 'bombs, lengths of 4 GiB, depth, foreign protocols, tags that climb, lines of 10 MB, beside a normal client',
    on: 'embedded',
    by: {
      lines: 0,
      kills: 0,
      prove: proveBadInput({
        name: 'sources-bad-streams',
        sent: {
          fluentd: { source: (port) => `fluentd: { listen: '127.0.0.1:${port}' }`, cases: forwardCases },
          syslog: { source: (port) => `syslog: { listen: '127.0.0.1:${port}' }`, cases: syslogCases },
          socket: {
            source: (port) => `socket: { listen: '127.0.0.1:${port}', framing: length, format: json }`,
            cases: socketCases,
          },
        },
      }),
    },
  },
];

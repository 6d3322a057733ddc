import type { Json, OutboundRules } from '../api/index.ts';
import { networkFault, networkPattern } from '../toolkit/index.ts';
import type { ProblemList } from './problems.ts';
import { isObject, own } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

/** Where clouds tell machines who they are, credentials included, and where link-local and multicast addresses are: no connector has business there. */
export const DEFAULT_OUTBOUND: OutboundRules = {
  deny: [
    '0.0.0.0/8',
    '100.100.100.200',
    '168.63.129.16',
    '169.254.0.0/16',
    '192.0.0.0/24',
    '224.0.0.0/3',
    '::',
    'fd00:ec2::254',
    'fe80::/10',
    'ff00::/8',
  ],
  allow: [],
};

/** What the pattern cannot say of the rules of a hub file. */
export function checkOutbound(problems: ProblemList, file: YamlFile, value: Json): void {
  const outbound = isObject(value) ? own(value, 'outbound') : undefined;
  if (outbound === undefined || !isObject(outbound)) return;
  for (const list of ['deny', 'allow']) {
    const entries = own(outbound, list);
    if (!Array.isArray(entries)) continue;
    for (const [index, entry] of (entries as readonly Json[]).entries()) {
      if (typeof entry !== 'string' || !new RegExp(networkPattern).test(entry)) continue;
      const fault = networkFault(entry);
      if (fault === null) continue;
      problems.add(file, ['outbound', list, index], {
        code: 'CONFIG_BAD_VALUE',
        message: `\`outbound.${list}[${index}]\`: ${fault}`,
      });
    }
  }
}

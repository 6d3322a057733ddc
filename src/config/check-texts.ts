import type { Json } from '../api/index.ts';
import { checkExpression, checkTemplate, type ExpressionUse } from '../expression/index.ts';
import { referencesOf, type LoadContext } from './load-context.ts';
import type { ValuePath } from './problems.ts';
import { findReferences, hasReference, isAllowed, isSet, type Reference, type ReferenceContext } from './references.ts';
import { visitScalars, type Schema } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

interface Part {
  readonly file: YamlFile;
  readonly path: ValuePath;
  readonly schema: Schema;
  readonly value: Json;
}

/** Compiles every expression and template of a part. What holds a reference is compiled where that is resolved. */
export function checkExpressions({ problems }: LoadContext, { file, path, schema, value }: Part): void {
  visitScalars(schema, value, (at, text, below) => {
    if (typeof text !== 'string' || hasReference(text)) return;
    const place = [...path, ...below];
    const name = String(below.at(-1));
    if (at.format === 'expression') {
      const fault = checkExpression(text, useOf(name));
      if (fault === null) return;
      problems.add(file, place, {
        code: 'CONFIG_BAD_EXPRESSION',
        message: `\`${name}\`: ${fault.message}`,
        at: fault.at,
      });
    } else if (at.format === 'template') {
      const fault = checkTemplate(text, at.confined ?? 'none');
      if (fault === null) return;
      const code = fault.kind === 'unconfined' ? 'CONFIG_UNCONFINED_TEMPLATE' : 'CONFIG_BAD_EXPRESSION';
      problems.add(file, place, { code, message: `\`${name}\`: ${fault.message}`, at: fault.at });
    }
  });
}

/** The hub's own words say what they need a result for. */
function useOf(name: string): ExpressionUse {
  if (name === 'where') return 'condition';
  return name === 'key' ? 'key' : 'any';
}

/** Looks at every reference in the options of a connector: is it well formed, allowed, and set? */
export function checkReferences(context: LoadContext, { file, path, schema, value }: Part): void {
  const rules = referencesOf(context, file.file);
  visitScalars(schema, value, (_schema, text, below) => {
    if (typeof text !== 'string') return;
    for (const reference of findReferences(text))
      checkReference(context, rules, { file, place: [...path, ...below], reference });
  });
}

function checkReference(
  { problems, resolve }: LoadContext,
  rules: ReferenceContext,
  { file, place, reference }: { file: YamlFile; place: ValuePath; reference: Reference },
): void {
  const { at, written, target } = reference;
  if (target === null) {
    const message = `${written} is no reference; write \${env:NAME} or \${file:/path}, or $${written} for the text itself`;
    problems.add(file, place, { code: 'CONFIG_BAD_REFERENCE', message, at });
  } else if (!isAllowed(target, rules)) {
    const { env, file: folders } = rules.references;
    const open = target.provider === 'env' ? env.join(', ') : folders.join(', ');
    const message = `${written} is not allowed (${open === '' ? 'nothing is' : `only ${open}`}); the hub file opens it with \`references: { ${target.provider}: [...] }\``;
    problems.add(file, place, { code: 'CONFIG_REFERENCE_DENIED', message, at });
  } else if (!isSet(target, rules)) {
    const message = target.provider === 'env' ? `${written} is not set here` : `${written}: there is no such file here`;
    const severity = resolve ? 'error' : 'warning';
    problems.add(file, place, { code: 'CONFIG_REFERENCE_UNSET', message, at, severity });
  }
}

/** Names, topics and what else the hub itself goes by are in the plan as they are written. True when none stands there. */
export function refuseReferences({ problems }: LoadContext, { file, path, schema, value }: Part): boolean {
  let isFree = true;
  visitScalars(schema, value, (_schema, text, below) => {
    if (typeof text !== 'string') return;
    for (const { at, written } of findReferences(text)) {
      const message = `${written} may not stand here; references are for options of connectors`;
      problems.add(file, [...path, ...below], { code: 'CONFIG_BAD_REFERENCE', message, at });
      isFree = false;
    }
  });
  return isFree;
}

import type { ASTNode } from '@marcbachmann/cel-js';
import { ExpressionFault } from './fault.ts';
import { parseTimePattern } from './format-time.ts';

/** Refuses what is CEL but could hang, give another result elsewhere, or never work. */
export function refuseNode(node: ASTNode): void {
  if (node.op === 'rcall') refuseMethod(node.args[0], node.args[2], node);
  if (node.op === 'call' && node.args[0] === 'formatTime') checkPattern(node.args[1][1]);
}

function refuseMethod(name: string, given: readonly ASTNode[], node: ASTNode): void {
  if (name === 'matches') {
    const instead = 'use startsWith(), endsWith() or contains()';
    throw new ExpressionFault(
      `matches() is left out, since a pattern can run for hours on one record; ${instead}`,
      node.start,
    );
  }
  if (name === 'bind') {
    throw new ExpressionFault('cel.bind() is left out; repeat the part instead', node.start);
  }
  if (/^get[A-Z]/.test(name) && given.length > 0) {
    throw new ExpressionFault(`${name}() takes no time zone: all times are UTC`, node.start);
  }
}

function checkPattern(node: ASTNode | undefined): void {
  if (node?.op !== 'value' || typeof node.args !== 'string') return;
  try {
    parseTimePattern(node.args);
  } catch (error) {
    throw new ExpressionFault((error as RangeError).message, node.start);
  }
}

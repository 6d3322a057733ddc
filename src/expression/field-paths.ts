import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from './walk.ts';

/** Names from the record's value inwards, one at least. */
export type FieldPath = readonly string[];

/** The fields of the record's value that an expression looks at; null when it looks at the value in other ways too, or goes by what only the record tells. */
export function fieldPaths(node: ASTNode): readonly FieldPath[] | null {
  const paths: FieldPath[] = [];
  return addPaths(node, paths) ? paths : null;
}

function addPaths(node: ASTNode, paths: FieldPath[]): boolean {
  const path = pathTo(node);
  if (path === null) return childrenOf(node).every((child) => addPaths(child, paths));
  // An object's prototype is set by that name, where JSON makes a member.
  if (path.length === 0 || path.includes('__proto__')) return false;
  paths.push(path);
  return true;
}

/** From the value itself, whose path is empty; null for everything else. A variable of a macro may hide the value: then too much is read, or null is the answer. */
function pathTo(node: ASTNode): string[] | null {
  switch (node.op) {
    case 'id':
      return node.args === 'value' ? [] : null;
    case '.':
    case '.?':
      return stepFrom(node.args[0], node.args[1]);
    case '[]':
    case '[?]': {
      const [object, name] = node.args;
      return name.op === 'value' && typeof name.args === 'string' ? stepFrom(object, name.args) : null;
    }
    default:
      return null;
  }
}

function stepFrom(object: ASTNode, name: string): string[] | null {
  const path = pathTo(object);
  path?.push(name);
  return path;
}

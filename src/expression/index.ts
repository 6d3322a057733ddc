/** CEL over records: conditions, keys, templates whose renderings stay where they belong. Pure functions of the record, in UTC. */
export {
  checkExpression,
  compileCondition,
  compileExpression,
  compileKey,
  compileViewCondition,
  readsValue,
  type ExpressionUse,
} from './expressions.ts';
export type { TextProblem } from './fault.ts';
export type { ViewCondition } from './partial-record.ts';
export { checkTemplate, compileTemplate, templateReadsValue } from './template.ts';
export type { Confined } from './confinement.ts';

import { SluiceError } from '../api/index.ts';

/** What is wrong with the text of an expression or a template, and where. */
export interface TextProblem {
  /** The fault and its remedy, without a place. */
  readonly message: string;
  /** Characters from the start of the text. */
  readonly at: number;
  /** `unconfined`: the template has no literal part that confines what records can choose. */
  readonly kind: 'invalid' | 'unconfined';
}

export class ExpressionFault extends Error implements TextProblem {
  readonly at: number;
  readonly kind: TextProblem['kind'];

  constructor(message: string, at: number, kind: TextProblem['kind'] = 'invalid') {
    super(message);
    this.at = at;
    this.kind = kind;
  }

  /** The same fault in a text that this one stands in. */
  movedBy(offset: number): ExpressionFault {
    return new ExpressionFault(this.message, this.at + offset, this.kind);
  }
}

export function problemOf(compile: () => unknown): TextProblem | null {
  try {
    compile();
    return null;
  } catch (error) {
    if (error instanceof ExpressionFault) return { message: error.message, at: error.at, kind: error.kind };
    throw error;
  }
}

/** Runs `compile`; a fault becomes `EXPRESSION_INVALID`, which tells the place in the text. */
export function orInvalid<Result>(text: string, compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    const where = `compiling ${quoted(text)}: at character ${error.at + 1}`;
    throw new SluiceError('EXPRESSION_INVALID', `${where}: ${error.message}`);
  }
}

/** Quoted for a message: what has no shape of its own escaped, and no longer than a line. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
  return escaped.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}

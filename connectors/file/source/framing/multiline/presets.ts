import type { TraceStates } from './trace-rules.ts';

const BLANK = '^\\s*$';

/** Frames and causes follow any line, so that a trace stays with the line that a logger wrote before it, if that is the one with the exception. */
const JAVA_MORE =
  '^\\s+(?:at\\s|\\.\\.\\. \\d+ |- (?:locked|waiting|parking|eliminated)\\b)|^\\s*(?:Caused by|Suppressed|Wrapped by): |^\\s*\\[CIRCULAR REFERENCE';

/** Groups of exceptions are drawn with `+` and `|`. */
const PYTHON_BEGIN = '^\\s*(?:\\+ )?(?:Exception Group )?Traceback \\(most recent call last\\):';
const PYTHON_CHAIN = '^(?:During handling of the above exception|The above exception was the direct cause)';

const GO_GOROUTINE = '^(?:goroutine \\d+|runtime stack:)';
const GO_MORE = '^\\t|^created by |^\\.\\.\\.|^\\[|^exit status \\d|^\\S+\\(.*\\)$|^r[a-z0-9]+ +0x';

/** Where Node.js shows the line that threw, before an error that nobody caught. */
const NODE_PLACE = '^(?:node:|file://|/|[A-Z]:\\\\)\\S*:\\d+$';

export const presets = {
  java: { begin: [], line: [[JAVA_MORE, 'line']] },
  python: {
    begin: [[PYTHON_BEGIN, 'frames']],
    line: [],
    frames: [
      ['^\\s', 'frames'],
      ['^[A-Za-z_][\\w.]*(?::|$)', 'raised'],
    ],
    raised: [
      // Notes and groups.
      ['^\\s+\\S', 'raised'],
      [BLANK, 'between'],
    ],
    between: [[PYTHON_CHAIN, 'chained']],
    chained: [
      [BLANK, 'chained'],
      [PYTHON_BEGIN, 'frames'],
    ],
  },
  go: {
    begin: [
      ['^panic: |^fatal error: |^unexpected fault address |http: panic serving ', 'panic'],
      ['^SIG[A-Z]+: ', 'panic'],
      [GO_GOROUTINE, 'goroutine'],
    ],
    line: [],
    panic: [
      ['^\\tpanic: |^panic: |^\\[|^PC=|^fatal error: |^\\s*$|^\\t', 'panic'],
      [GO_GOROUTINE, 'goroutine'],
    ],
    goroutine: [
      [GO_MORE, 'goroutine'],
      [GO_GOROUTINE, 'goroutine'],
      [BLANK, 'gap'],
    ],
    gap: [
      [GO_GOROUTINE, 'goroutine'],
      ['^r[a-z0-9]+ +0x|^exit status \\d', 'goroutine'],
    ],
  },
  node: {
    begin: [[NODE_PLACE, 'place']],
    line: [['^\\s+at ', 'trace']],
    place: [['', 'code']],
    code: [['^\\s*\\^+\\s*$', 'pointed']],
    pointed: [
      [BLANK, 'pointed'],
      ['', 'uncaught'],
    ],
    trace: [['^\\s+\\S|^[}\\]]', 'trace']],
    uncaught: [
      ['^\\s+\\S|^[}\\]]|^\\(Use `node', 'uncaught'],
      [BLANK, 'leaving'],
    ],
    leaving: [['^Node\\.js v\\d', 'left']],
    left: [],
  },
} as const satisfies Record<string, TraceStates>;

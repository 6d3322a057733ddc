import { appendFileSync } from 'node:fs';

/** Tells the result of each test as soon as its file is through, so that a proof that is interrupted has it. */
export default class TestReporter {
  onTestResult({ path }, { testResults, testExecError }) {
    const failure =
      testExecError === undefined ? [] : [{ path, title: '', status: 'failed', ms: 0, message: testExecError.message }];
    const told = testResults.map(({ fullName, status, duration, failureMessages }) => ({
      path,
      title: fullName,
      status,
      ms: duration ?? 0,
      message: failureMessages[0] ?? '',
    }));
    const lines = [...failure, ...told].filter(({ status }) => status === 'passed' || status === 'failed');
    appendFileSync(process.env.SLUICE_PROVE_TESTS, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}

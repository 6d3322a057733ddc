import TestRunner from 'jest-runner';

/** One suite after the other: they share servers and two cores. Jest's scheduler asks the runner, and wants a default export. */
export default class SerialRunner extends TestRunner {
  readonly isSerial = true;
}

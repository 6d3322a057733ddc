const { default: TestRunner } = require('jest-runner');

/** One suite after the other: they share servers and two cores. Jest's scheduler asks the runner. */
module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};

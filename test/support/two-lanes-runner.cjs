const { default: TestRunner } = require('jest-runner');

/**
 * Suites with real servers one after the other, since they share servers, and beside them the units one after the other: the former mostly wait, so that
 * two cores are enough for both.
 */
module.exports = class TwoLanesRunner {
  supportsEventEmitters = true;
  #servers;
  #units;

  constructor(globalConfig, context) {
    const oneWorker = { ...globalConfig, maxWorkers: 1 };
    this.#servers = new TestRunner(oneWorker, context);
    this.#units = new TestRunner(oneWorker, context);
  }

  async runTests(tests, watcher, { serial }) {
    const isOfServers = ({ path }) => path.endsWith('.server.test.ts');
    const lanes = [
      [this.#servers, tests.filter(isOfServers)],
      [this.#units, tests.filter((test) => !isOfServers(test))],
    ].filter(([, ofLane]) => ofLane.length > 0);
    // Two runs in this one process would share its globals.
    const isInBand = serial && lanes.length === 1;
    await Promise.all(lanes.map(([runner, ofLane]) => runner.runTests(ofLane, watcher, { serial: isInBand })));
  }

  on(eventName, listener) {
    const ends = [this.#servers, this.#units].map((runner) => runner.on(eventName, listener));
    return () => ends.forEach((end) => end());
  }
};

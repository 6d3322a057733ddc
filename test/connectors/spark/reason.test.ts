import { reasonIn } from '../../../connectors/spark/reason.ts';

test.each([
  [
    'a Python exception',
    'Traceback (most recent call last):\n  File "/jobs/range.py", line 41, in <module>\n    main()\npyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: file:/x.\n26/11/28 ERROR ShutdownHookManager: late\n',
    'pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: file:/x.',
  ],
  [
    'a Java exception under Python',
    'Traceback (most recent call last):\n  File "/j.py", line 1\npy4j.protocol.Py4JJavaError: An error occurred while calling o8.save.\n: org.apache.spark.SparkException: Job aborted\n\tat x\nCaused by: java.io.IOException: No space left on device\n',
    'java.io.IOException: No space left on device',
  ],
  [
    'a Java exception without a cause under Python',
    'Traceback (most recent call last):\npy4j.protocol.Py4JJavaError: An error occurred while calling o8.load.\n: java.lang.IllegalStateException: gone\n\tat x\n',
    'java.lang.IllegalStateException: gone',
  ],
  [
    'arguments that a Python program does not know',
    'usage: landed.py [-h] --output OUTPUT\nlanded.py: error: unrecognized arguments: --nonsense\nException in thread "main" x\nCaused by: org.apache.spark.SparkUserAppException: User application exited with 2\n',
    'landed.py: error: unrecognized arguments: --nonsense',
  ],
  [
    'a Java exception in a driver',
    'Exception in thread "main" java.lang.reflect.InvocationTargetException\n\tat x\nCaused by: java.lang.RuntimeException: boom in driver\n\tat App.main(App.java:5)\n\t... 6 more\n',
    'java.lang.RuntimeException: boom in driver',
  ],
  [
    'an exception of spark-submit',
    'Exception in thread "main" org.apache.spark.SparkException: Master must start with yarn\n\tat y\n',
    'org.apache.spark.SparkException: Master must start with yarn',
  ],
  [
    'what was logged last',
    '26/11/28 07:00:00 ERROR TaskSetManager: Task 1 in stage 0.0 failed 4 times; aborting job\n26/11/28 INFO x\n',
    'TaskSetManager: Task 1 in stage 0.0 failed 4 times; aborting job',
  ],
  [
    'spark-submit without its file',
    'Error: Failed to load class com.acme.Etl.\n',
    'Error: Failed to load class com.acme.Etl.',
  ],
])('%s', (_, output, reason) => {
  expect(reasonIn('', output)).toBe(reason);
});

test('colours are gone, and a long line is short', () => {
  const reason = reasonIn(`Caused by: \u001b[31mjava.lang.X: ${'y'.repeat(1000)}`)!;
  expect(reason).toMatch(/^java\.lang\.X: y+…$/);
  expect(reason).toHaveLength(300);
});

test('nothing tells', () => {
  expect(reasonIn('26/11/28 INFO SparkContext: Running\n', '')).toBeNull();
});

const [NEEDED_MAJOR, NEEDED_MINOR] = [22, 22];

/** Says so when this Node is too old for the package. */
export function checkNode(version: string, stderr: { write(text: string): unknown }): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED_MAJOR || (major === NEEDED_MAJOR && minor >= NEEDED_MINOR)) return true;
  stderr.write(`sluice needs Node ${NEEDED_MAJOR}.${NEEDED_MINOR} or newer; this is ${version}.\n`);
  return false;
}

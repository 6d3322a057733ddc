const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(
    `sluice needs Node 22.22 or newer; this is ${process.version}. In a checkout, "npm ci" brings its own Node.`,
  );
  process.exit(1);
}

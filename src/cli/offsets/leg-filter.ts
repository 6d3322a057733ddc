/** `PIPELINE` or `PIPELINE/NAME`; everything without. */
export function legFilter(wanted: string | undefined): (pipeline: string, leg: string) => boolean {
  if (wanted === undefined) return () => true;
  const [name, leg] = wanted.split('/');
  return (pipeline, of) => pipeline === name && (leg === undefined || of === leg);
}

/** A share of the random sequences of a proof, in a process of its own: FOLDER SEED SEQUENCES. Prints what `proveTail` adds up. */
import { runTailShare } from './tail-share.ts';

const [folder, seed, sequences] = process.argv.slice(2);
console.log(JSON.stringify(await runTailShare(folder!, { seed: Number(seed), sequences: Number(sequences) })));

/** Finds connectors by name; loads the folder of the one that is asked for, and no other. */
export { createRegistry, type Registry } from './registry.ts';

/** Commands whose JSON documents have a schema. */
export const SCHEMA_NAMES = [
  'attach',
  'doctor',
  'fleet-init',
  'fleet-send',
  'fleet-status',
  'import',
  'probes',
] as const;

export type SchemaName = (typeof SCHEMA_NAMES)[number];

/** `collector schema`: what the JSON documents of a command look like. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { z } from 'zod';
import { attachResultSchema } from './attach/attach-result-schema.js';
import { doctorResultSchema } from './doctor/doctor-result-schema.js';
import {
  fleetInitSchema,
  fleetSendSchema,
  fleetStatusSchema,
} from './fleet/fleet-result-schemas.js';
import { importResultSchema } from './import-result-schema.js';
import { probesResultSchema } from './probe-plan/probes-result-schema.js';
import type { SchemaName } from './schema-names.js';

const SCHEMAS: Readonly<Record<SchemaName, z.ZodType>> = {
  attach: attachResultSchema,
  doctor: doctorResultSchema,
  'fleet-init': fleetInitSchema,
  'fleet-send': fleetSendSchema,
  'fleet-status': fleetStatusSchema,
  import: importResultSchema,
  probes: probesResultSchema,
};

export async function schemaCommand(name: SchemaName): Promise<number> {
  await writeOut(jsonDocument(z.toJSONSchema(SCHEMAS[name])));
  return EXIT.done;
}

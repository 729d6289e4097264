/** `collector schema`: what the JSON documents of a command look like. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { z } from 'zod';
import { attachResultSchema } from './attach/attach-result-schema.js';
import { doctorResultSchema } from './doctor/doctor-result-schema.js';
import { importResultSchema } from './import-result-schema.js';
import { probesResultSchema } from './probe-plan/probes-result-schema.js';

const SCHEMAS = {
  attach: attachResultSchema,
  doctor: doctorResultSchema,
  import: importResultSchema,
  probes: probesResultSchema,
};

export type SchemaName = keyof typeof SCHEMAS;

export async function schemaCommand(name: SchemaName): Promise<number> {
  await writeOut(jsonDocument(z.toJSONSchema(SCHEMAS[name])));
  return EXIT.done;
}

/** `replay schema`: what the JSON documents of a command look like, and the lines of an export. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { z } from 'zod';
import { checkResultSchema } from './check-result.js';
import { compareResultSchema } from './compare-result.js';
import { designsResultSchema } from './designs-command.js';
import { explainResultSchema } from './explain-result.js';
import { exportResultSchema } from './export/export-result.js';
import { ndjsonLineSchema } from './export/ndjson-schema.js';
import { fleetResultSchema } from './fleet/fleet-result.js';
import { hazardsResultSchema } from './hazards-result.js';
import { infoResultSchema } from './info-result.js';
import { reportSchema } from './report/report-schema.js';
import { runResultSchema } from './run-result.js';
import { stormsResultSchema } from './storms-result.js';
import { verifyResultSchema } from './verify-result.js';

const SCHEMAS = {
  run: runResultSchema,
  verify: verifyResultSchema,
  explain: explainResultSchema,
  check: checkResultSchema,
  storms: stormsResultSchema,
  hazards: hazardsResultSchema,
  compare: compareResultSchema,
  fleet: fleetResultSchema,
  designs: designsResultSchema,
  export: exportResultSchema,
  ndjson: ndjsonLineSchema,
  report: reportSchema,
  info: infoResultSchema,
};

export type SchemaName = keyof typeof SCHEMAS;

export async function schemaCommand(name: SchemaName): Promise<number> {
  await writeOut(jsonDocument(z.toJSONSchema(SCHEMAS[name])));
  return EXIT.done;
}

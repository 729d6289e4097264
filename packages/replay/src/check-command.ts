/** `replay check`: are the recorded accesses ones that a kernel can make? */
import { ACCESSOR_RULE_SETS, createAccessCheck, findAccessorRules } from '@vhostscope/model';
import { EXIT, jsonDocument, ProgramError, writeOut } from '@vhostscope/terminal';
import { checkResult, type Assumptions } from './check-result.js';
import { checkText } from './check-text.js';
import { withOpenTrace } from './opened-trace.js';
import { roundAccessesOf } from './replay-plan.js';
import { hostKindOf } from './replayable-trace.js';
import { checkSpan } from './span-check.js';
import { readSpanOptions, spanOf, type SpanOptions } from './time-span.js';

export interface CheckOptions {
  /** Name of a row of ACCESSOR_RULE_SETS. */
  readonly kernel: string;
  readonly handlers: Assumptions['handlers'];
  /** auto, any or a whole number, as typed. */
  readonly chainLength: string;
  readonly failures?: boolean;
  readonly strict?: boolean;
}

export async function checkCommand(
  path: string,
  options: CheckOptions & SpanOptions & { readonly json?: boolean },
): Promise<number> {
  const assumptions = assumptionsOf(options);
  const wanted = readSpanOptions(options);
  const { rules, handlers, failures, chainLength } = assumptions;
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    if (hostKindOf(trace) === 'stock' && roundAccessesOf(trace) !== 'recorded')
      throw new ProgramError(
        `${trace.name} has no accesses one by one, whose order could be checked`,
        {
          advice: 'collector attach --detail accesses records them',
        },
      );
    const check = createAccessCheck(rules, { handlers, failures, chainLength });
    const span = spanOf(trace, wanted);
    const checked = checkSpan(trace, check, span);
    const result = checkResult(trace, checked, assumptions, completeness, span);
    await writeOut(options.json === true ? jsonDocument(result) : checkText(result, rules));
    return result.rejected + result.unusual_chains > 0 ? EXIT.no : EXIT.done;
  });
}

function assumptionsOf({ kernel, handlers, chainLength, failures }: CheckOptions): Assumptions {
  const rules = findAccessorRules(kernel);
  if (rules === undefined) {
    const names = ACCESSOR_RULE_SETS.map(({ name }) => name).join(', ');
    throw new ProgramError(`there are no rules of a kernel "${kernel}"`, {
      advice: `there are those of: ${names}`,
    });
  }
  return {
    rules,
    handlers,
    chainLength: readChainLength(chainLength),
    failures: failures === true,
  };
}

function readChainLength(text: string): Assumptions['chainLength'] {
  if (text === 'auto' || text === 'any') return text;
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 32_768) return Number(text);
  throw new ProgramError(`--chain-length takes auto, any, or 1 to 32768, not "${text}"`);
}

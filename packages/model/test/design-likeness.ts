/** Which of the designs that a simulation tells the truth about a design decides like (reference §3.3, §7). */
const LIKE: Readonly<Record<string, string>> = {
  'direct-rfc-v3': 'merged',
  'fixes-v1': 'fixes-v5',
  'fixes-v2': 'fixes-v5',
  'fixes-v3': 'fixes-v5',
  'fixes-v4': 'fixes-v5',
  rework: 'fixes-v5',
};

export function decidesLike(design: string): string {
  return LIKE[design] ?? design;
}

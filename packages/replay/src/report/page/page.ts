/** The script of the page: reads the data that stand in it, and shows them. */
import type { Report } from '../report-schema.js';
import { costSection } from './cost.js';
import { designsSection } from './designs.js';
import { hazardsSection } from './hazards.js';
import { hostWorkSections } from './host-work.js';
import { hitRatioSection, type Draw } from './hit-ratio.js';
import { invalidationsSection } from './invalidations.js';
import { recordingSection, trustSection } from './recording.js';
import { reasonsSection, summary, virtqueuesSection } from './results.js';
import { stormsSection } from './storms.js';
import { currentTheme, keepDrawn } from './theme.js';
import { printable } from '@vhostscope/terminal/text';

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

const report = JSON.parse(byId('report-data').textContent) as Report;
const draws: Draw[] = [];
const main = byId('report');

document.title = printable(`vhostscope: ${report.run.trace}`);
main.replaceChildren(
  summary(report),
  hitRatioSection(report, draws),
  reasonsSection(report),
  invalidationsSection(report, draws),
  stormsSection(report),
  ...designsSection(report),
  ...hazardsSection(report),
  ...hostWorkSections(report),
  costSection(report),
  virtqueuesSection(report),
  trustSection(report),
  recordingSection(report),
);
const [place] = main.querySelectorAll<HTMLElement>('.plot');
if (place !== undefined) {
  keepDrawn(place, (width) => {
    const theme = currentTheme();
    for (const draw of draws) draw(width, theme);
  });
}

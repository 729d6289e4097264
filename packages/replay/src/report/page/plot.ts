/** What all plots over time have in common. */
import uPlot from 'uplot';
import { timeUnit, type TimelineData } from './bins.js';
import type { Theme } from './theme.js';

/** Width of the place left of a plot, for labels, px. */
export const LABEL_WIDTH = 56;
/** Height of the time axis, px. */
export const AXIS_HEIGHT = 34;

const FONT = '12px system-ui, sans-serif';

export interface PlotRequest {
  readonly timeline: TimelineData;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  readonly hasTimeAxis: boolean;
  /** Length of a stretch of time, ns; they follow one another from 0. */
  readonly stretch: number;
  /** What stands on each other, from below: its colour, and where it ends in each stretch; null: nothing. */
  readonly layers: readonly { readonly fill: string; readonly ends: readonly (number | null)[] }[];
  /** Top of the scale of `ends`. */
  readonly top: number;
  /** Text of a value on the left axis; absent: no axis. */
  readonly valueText?: (value: number) => string;
  /** Called with the number of the stretch under the pointer, or null. */
  readonly onPoint: (at: number | null) => void;
}

/** Draws into `place`, in the place of what is there. */
export function drawPlot(place: HTMLElement, request: PlotRequest): void {
  const { timeline, theme, stretch, layers, top, valueText, hasTimeAxis } = request;
  const stretches = layers[0]?.ends.length ?? 0;
  const { unit, ns } = timeUnit(timeline.span_ns);
  const axis = {
    font: FONT,
    stroke: theme.of('ink-2'),
    grid: { stroke: theme.of('line'), width: 1 },
    ticks: { stroke: theme.of('line'), width: 1, size: 4 },
  };
  const options: uPlot.Options = {
    width: request.width,
    height: request.height,
    padding: [
      valueText === undefined ? 2 : 10,
      18,
      hasTimeAxis ? 0 : 2,
      valueText === undefined ? LABEL_WIDTH : 0,
    ],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: false, y: false },
      sync: { key: 'time' },
    },
    scales: {
      x: { time: false, range: [0, Math.max(1, timeline.span_ns) / ns] },
      y: { range: [0, top] },
    },
    axes: [
      {
        ...axis,
        show: hasTimeAxis,
        size: AXIS_HEIGHT,
        space: 64,
        values: (_, splits) => splits.map((at) => `${Number(at.toPrecision(6))} ${unit}`),
      },
      valueText === undefined
        ? { show: false }
        : {
            ...axis,
            size: LABEL_WIDTH,
            space: 28,
            values: (_, splits) => splits.map(valueText),
          },
    ],
    // The second is there because a plot has one; what is seen is drawn by hand, to the pixel.
    series: [{}, { show: false }],
    hooks: {
      draw: [(plot) => drawLayers(plot, layers, (at) => (at * stretch) / ns)],
      setCursor: [
        (plot) => {
          const { left = -1 } = plot.cursor;
          const at = Math.floor((plot.posToVal(left, 'x') * ns) / stretch);
          request.onPoint(left < 0 ? null : Math.min(Math.max(0, at), stretches - 1));
        },
      ],
    },
  };
  const data: uPlot.AlignedData = [
    Array.from({ length: stretches }, (_, at) => (at * stretch) / ns),
    Array.from({ length: stretches }, () => null),
  ];
  place.replaceChildren();
  // eslint-disable-next-line no-new -- it lives in its place
  new uPlot(options, data, place);
}

/** Boxes with edges on whole pixels: neighbours neither overlap nor leave a gap. */
function drawLayers(
  plot: uPlot,
  layers: PlotRequest['layers'],
  timeOf: (at: number) => number,
): void {
  const { ctx, bbox } = plot;
  const x = (time: number): number => Math.round(plot.valToPos(time, 'x', true));
  const y = (value: number): number => Math.round(plot.valToPos(value, 'y', true));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const stretches = layers[0]?.ends.length ?? 0;
  for (let at = 0; at < stretches; at++) {
    const left = x(timeOf(at));
    const right = Math.max(left + 1, x(timeOf(at + 1)));
    let from = 0;
    for (const { fill, ends } of layers) {
      const to = ends[at] ?? from;
      if (to > from) {
        const upper = y(to);
        ctx.fillStyle = fill;
        ctx.fillRect(left, upper, right - left, y(from) - upper);
      }
      from = to;
    }
  }
  ctx.restore();
}

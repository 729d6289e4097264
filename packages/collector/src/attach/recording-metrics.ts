/**
 * What a recording says of itself while it goes on, for who watches many of them (OpenMetrics). It counts what was
 * recorded and what was lost, and decides nothing: hit ratios are told by replay and dashboard.
 *
 * Everything is read from what the writer counts anyway, when somebody asks.
 */
import { EVENT_NAMES } from '@vhostscope/model';
import type { TraceWriter } from '@vhostscope/trace';
import { Counter, Gauge, Registry, type OpenMetricsContentType } from 'prom-client';
import { readVersion } from '../version.js';

/**
 * Of a recording that begins now.
 *
 * @param dropped readers of the socket that were dropped
 */
export function createRecordingMetrics(
  writer: TraceWriter,
  dropped: () => number,
): Registry<OpenMetricsContentType> {
  const begun = performance.now();
  // Once it has ended, the writer has none under way: counters would begin anew.
  let last = writer.current;
  const recording = (): typeof last => (last = writer.current ?? last);
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // Of this registry alone; the library's own is of the whole process.
  const registers: [] = [];
  const info = new Gauge({
    name: 'vhostscope_collector_info',
    help: 'The version of the collector that records.',
    labelNames: ['version'],
    registers,
  });
  info.set({ version: readVersion() }, 1);
  registry.registerMetric(info);
  gauge(
    'vhostscope_recording_seconds',
    'How long the recording has gone on.',
    () => (performance.now() - begun) / 1000,
  );
  gauge(
    'vhostscope_virtqueues',
    'Virtqueues that the recording knows of.',
    () => recording()?.objects.virtqueues.size ?? 0,
  );
  gauge(
    'vhostscope_devices',
    'vhost devices that the recording knows of.',
    () => recording()?.objects.devices.size ?? 0,
  );
  counter('vhostscope_trace_bytes', 'Bytes of trace given to the output.', () => writer.bytes);
  counter(
    'vhostscope_readers_dropped',
    'Readers of the socket that were dropped as they did not keep up.',
    dropped,
  );
  const events = new Counter({
    name: 'vhostscope_events',
    help: 'Events that were recorded, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      const counts = recording()?.byKind ?? [];
      for (const [code, name] of EVENT_NAMES.entries())
        if (name !== undefined && name !== 'recording_end')
          this.inc({ kind: name }, counts[code] ?? 0);
    },
  });
  const losses = new Counter({
    name: 'vhostscope_lost_events',
    help: 'Events that are known to be lost, by who lost them.',
    labelNames: ['by'],
    registers,
    collect() {
      this.reset();
      for (const [by, howMany] of recording()?.lost ?? []) this.inc({ by }, Number(howMany));
    },
  });
  registry.registerMetric(events);
  registry.registerMetric(losses);
  gauge(
    'vhostscope_recording_flaws',
    'What is known to be wrong with the trace, beside losses.',
    () => recording()?.flaws.length ?? 0,
  );
  // The library's own set of these would look at the event loop a hundred times a second.
  counter('vhostscope_process_cpu_seconds', 'CPU time of the collector.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('vhostscope_process_resident_memory_bytes', 'Memory of the collector.', () =>
    process.memoryUsage.rss(),
  );
  return registry;

  function gauge(name: string, help: string, value: () => number): void {
    const metric = new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
    registry.registerMetric(metric);
  }

  function counter(name: string, help: string, value: () => number): void {
    const metric = new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
    registry.registerMetric(metric);
  }
}

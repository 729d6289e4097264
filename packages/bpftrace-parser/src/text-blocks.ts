import { parseBucketLine } from './histogram.js';
import type { Bucket, HelperErrorMessage, LogMessage, MessageBody } from './messages.js';
import {
  type MapLine,
  VERIFIER_LOG,
  classifyLine,
  contents,
  endsVerifierLog,
  mapMessage,
  mapName,
  parseHelperInfo,
  parseMapLine,
  stripColour,
} from './text-lines.js';

/**
 * What bpftrace prints over several lines in text mode, told by the line it begins with:
 *
 *     @h:                                   a histogram, up to a blank line
 *     [4, 8)                 1 |@@@@|
 *
 *     @k[                                   a key with a stack or a LF in it, up to its `]: `
 *         vfs_read+1
 *     ]: 1
 *     @s:                                   a stack, up to a line that is not indented
 *             vfs_read+1
 *     stdin:1:1-9: WARNING: ...             a diagnostic, its source and a line of markers
 *     BEGIN { ... }
 *     ~~~~~~~~
 *
 * Nothing is delivered before the block ends. Lines that turn out not to belong to it are given
 * back.
 */
export interface TextBlocks {
  /**
   * Gives a line to the block that is open. False: there is none (any more), the line is free.
   *
   * @param bytes - The line with its LF; valid during the call.
   */
  extend(line: PlacedText, bytes: Uint8Array): boolean;
  /** Begins a block with a line, or delivers it. */
  begin(line: PlacedText): void;
  /** Ends an open block early: other output, or the input's end, came. */
  flush(): void;
  /** Whether the next line may belong to a block. */
  isOpen(): boolean;
}

/** The place of a line: its number, 1-based, and the offset of its first byte in the input. */
export interface Place {
  readonly line: number;
  readonly offset: number;
}

/** A line of text output, without its LF. */
export interface PlacedText extends Place {
  readonly text: string;
}

/** Where the results go. */
export interface TextHost {
  readonly deliver: (body: MessageBody, place: Place) => void;
  /** Takes back the bytes of a line that was kept for a block: as if it came now. */
  readonly giveBack: (bytes: Uint8Array, place: Place) => void;
}

/** Bounds what one block may hold, each line counted with what its record costs in memory. */
const MAX_BLOCK_BYTES = 1 << 20;
const LINE_COST_BYTES = 64;

interface Kept extends PlacedText {
  readonly bytes: Uint8Array;
}

type Block =
  /** `text` is the line, where it may be no map's after all. */
  | { kind: 'header'; header: MapLine; text: string | undefined }
  | { kind: 'hist'; header: MapLine; buckets: Bucket[] }
  | { kind: 'stack'; header: MapLine; lines: string[] }
  | { kind: 'key'; lines: PlacedText[] }
  | { kind: 'source'; body: SourcedBody; kept: Kept | undefined }
  /** The verifier's log, which -v prints: delivered line by line. */
  | { kind: 'verifier' };

type Header = Extract<Block, { kind: 'header' }>;

type SourcedBody = Omit<LogMessage, 'line'> | Omit<HelperErrorMessage, 'line'>;

/** A frame of a stack, and not the scale of a tseries(), which is indented too. */
const FRAME = /^ {4,}(?:0x|[^\s\d-])/;

/** See {@link TextBlocks}. */
export function createTextBlocks(host: TextHost): TextBlocks {
  const { deliver, giveBack } = host;
  let block: Block | undefined;
  let began: Place = { line: 0, offset: 0 };
  let blockBytes = 0;

  function open(next: Block, { line, offset }: Place): void {
    block = next;
    began = { line, offset };
    blockBytes = 0;
  }

  function close(body: MessageBody): void {
    block = undefined;
    deliver(body, began);
  }

  /** Adds a line to the open block. Returns false, with the block closed, when it is not part. */
  function extendBlock(current: Block, line: PlacedText, bytes: Uint8Array): boolean {
    if (current.kind === 'verifier') return extendVerifier(line);
    blockBytes += bytes.length + LINE_COST_BYTES;
    if (blockBytes > MAX_BLOCK_BYTES) {
      flush();
      return false;
    }
    switch (current.kind) {
      case 'header':
        return extendHeader(current, line.text);
      case 'hist':
        return extendHist(current.header, current.buckets, line.text);
      case 'stack':
        return extendStack(current.header, current.lines, line.text);
      case 'key':
        return extendKey(current.lines, line);
      case 'source':
        return extendSource(current.body, current.kept, line, bytes);
    }
  }

  function extendHeader(current: Header, text: string): boolean {
    const { header } = current;
    const bucket = parseBucketLine(text);
    if (bucket !== undefined) {
      block = { kind: 'hist', header, buckets: [bucket] };
      return true;
    }
    if (FRAME.test(text)) {
      block = { kind: 'stack', header, lines: [text] };
      return true;
    }
    if (text === '') {
      closeHist(header, [], true);
      return true;
    }
    closeHeader(current);
    return false;
  }

  /** Nothing that belongs to it came. An empty string is printed with a blank before it. */
  function closeHeader({ header, text }: Header): void {
    close(text === undefined ? mapMessage(header) : { type: 'text', text });
  }

  function extendHist(header: MapLine, buckets: Bucket[], text: string): boolean {
    const bucket = parseBucketLine(text);
    if (bucket !== undefined) {
      buckets.push(bucket);
      return true;
    }
    closeHist(header, buckets, text === '');
    return text === '';
  }

  function closeHist({ name, key }: MapLine, buckets: Bucket[], complete: boolean): void {
    close({ type: 'hist', complete, name, ...contents<readonly Bucket[]>(key, buckets) });
  }

  function extendStack(header: MapLine, lines: string[], text: string): boolean {
    if (FRAME.test(text)) {
      lines.push(text);
      return true;
    }
    closeStack(header, lines);
    return text === '';
  }

  /** As in JSON: a LF before the first frame and after every one. */
  function closeStack({ name, key }: MapLine, lines: readonly string[]): void {
    close({ type: 'map', name, ...contents(key, `\n${lines.join('\n')}\n`) });
  }

  function extendKey(lines: PlacedText[], line: PlacedText): boolean {
    const { text } = line;
    if (text !== '' && !/^[\s,\]]/.test(text)) {
      flush();
      return false;
    }
    lines.push(line);
    if (!/\]:(?: |$)/.test(text)) return true;
    const map = parseMapLine(lines.map((kept) => kept.text).join('\n'));
    if (map === undefined) return true;
    if (map.value === '') block = { kind: 'header', header: map, text: undefined };
    else close(mapMessage(map));
    return true;
  }

  function extendSource(
    body: SourcedBody,
    kept: Kept | undefined,
    line: PlacedText,
    bytes: Uint8Array,
  ): boolean {
    if (kept === undefined) {
      const info = body.type === 'log' ? parseHelperInfo(line.text) : undefined;
      if (body.type === 'log' && info !== undefined) {
        const { at, text: message } = body;
        const error = { type: 'helper_error' as const, ...info, message, ...(at && { at }) };
        block = { kind: 'source', body: error, kept: undefined };
        return true;
      }
      // A copy, by the constructor: slice() of a Node Buffer would still be a view.
      block = { kind: 'source', body, kept: { ...line, bytes: new Uint8Array(bytes) } };
      return true;
    }
    if (/^ *[~^]+ *$/.test(stripColour(line.text))) {
      close({ ...body, source: kept.text });
      return true;
    }
    flush();
    return false;
  }

  function extendVerifier(line: PlacedText): boolean {
    if (endsVerifierLog(line.text)) block = undefined;
    if (line.text === '') return false;
    deliver({ type: 'verbose', text: line.text }, line);
    return true;
  }

  function flush(): void {
    const current = block;
    block = undefined;
    if (current === undefined) return;
    switch (current.kind) {
      case 'header':
        closeHeader(current);
        break;
      case 'hist':
        closeHist(current.header, current.buckets, false);
        break;
      case 'stack':
        closeStack(current.header, current.lines);
        break;
      case 'key':
        for (const line of current.lines) deliver({ type: 'text', text: line.text }, line);
        break;
      case 'source':
        close(current.body);
        if (current.kept !== undefined) giveBack(current.kept.bytes, current.kept);
        break;
      case 'verifier':
        break;
    }
  }

  function begin(line: PlacedText): void {
    const { text } = line;
    if (text.startsWith('@')) {
      const map = parseMapLine(text);
      const name = mapName(text);
      if (map?.value === '') {
        const plain = text.endsWith(' ') ? undefined : text;
        return open({ kind: 'header', header: map, text: plain }, line);
      }
      if (map === undefined && name !== undefined && text[name.length] === '[') {
        return open({ kind: 'key', lines: [line] }, line);
      }
    }
    const body = classifyLine(text);
    if ((body.type === 'log' || body.type === 'helper_error') && body.at?.column !== undefined) {
      return open({ kind: 'source', body, kept: undefined }, line);
    }
    if (text === VERIFIER_LOG) open({ kind: 'verifier' }, line);
    deliver(body, line);
  }

  const isOpen = (): boolean => block !== undefined;

  return {
    extend(line, bytes) {
      // A line given back may have opened another block: ask on until one takes this one.
      for (let current = block; current !== undefined; current = block) {
        if (extendBlock(current, line, bytes)) return true;
      }
      return false;
    },
    begin,
    flush() {
      while (isOpen()) flush();
    },
    isOpen,
  };
}

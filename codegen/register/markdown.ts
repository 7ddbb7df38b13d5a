/** A piece of a chapter, as far as the register and the example check need to see it. */
export interface Block {
  readonly kind: 'heading' | 'paragraph' | 'fence';
  /** Heading or paragraph text without its marker; the content of a fence. */
  readonly text: string;
  /** What follows the opening fence, such as `json calls/fence.params`; empty for the other kinds. */
  readonly info: string;
  /** 1-based line of the first line. */
  readonly line: number;
}

const FENCE = /^\s*(`{3,}|~{3,})\s*(.*)$/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/;
const QUOTE = /^\s*>\s?/;
const OWN_LINE = /^\s*(\*\*[A-Z]+(-[A-Z0-9]+)*-[0-9]+\b|\||Profile:)/;

/** Splits Markdown into headings, paragraphs (a list item or a table row is one) and fenced blocks. */
export function blocksOf(markdown: string): readonly Block[] {
  const lines = markdown.split(/\r?\n/);
  const blocks: Block[] = [];
  let open: string[] = [];
  let start = 0;
  const flush = (): void => {
    if (open.length > 0) blocks.push({ kind: 'paragraph', text: open.join('\n'), info: '', line: start });
    open = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(QUOTE, '');
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (fence !== null) {
      flush();
      const end = closing(lines, at + 1, fence[1] ?? '');
      blocks.push({ kind: 'fence', text: lines.slice(at + 1, end).join('\n'), info: fence[2] ?? '', line: at + 1 });
      at = end;
    } else if (heading !== null) {
      flush();
      blocks.push({ kind: 'heading', text: heading[1] ?? '', info: '', line: at + 1 });
    } else if (line.trim() === '') {
      flush();
    } else {
      if (ITEM.test(line) || OWN_LINE.test(line)) flush();
      if (open.length === 0) start = at + 1;
      open.push(line.replace(ITEM, '').trim());
    }
  }
  flush();
  return blocks;
}

function closing(lines: readonly string[], from: number, fence: string): number {
  const end = lines.findIndex((line, at) => at >= from && line.replace(QUOTE, '').trim().startsWith(fence));
  return end === -1 ? lines.length : end;
}

/** Makes the anchors of one document the way GitHub does, numbering repeated headings. */
export function slugger(): (heading: string) => string {
  const seen = new Map<string, number>();
  return (heading) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${String(count)}`;
  };
}

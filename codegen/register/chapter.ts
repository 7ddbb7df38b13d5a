import { createHash } from 'node:crypto';
import { blocksOf, slugger, type Block } from './markdown.js';

export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY';

/** A requirement as its chapter states it, before cases and exclusions are known. */
export interface Stated {
  readonly id: string;
  readonly level: Level;
  readonly profile: string;
  /** `<chapter file>#<slug of the nearest heading>`. */
  readonly section: string;
  readonly sentence: string;
  /** First 12 hex digits of SHA-256 of `sentence`. */
  readonly hash: string;
}

export interface Chapter {
  readonly requirements: readonly Stated[];
  readonly problems: readonly string[];
}

const REQUIREMENT = /^\*\*([A-Z]+(?:-[A-Z0-9]+)*-[0-9]+)\.\*\*\s+([^]+)$/;
const LIKE_ONE = /^\*\*[A-Z]+(-[A-Z0-9]+)*-[0-9]+\b/;
const KEYWORD = /\b(?:MUST|SHOULD)(?:\s+NOT)?\b|\bMAY\b/g;
const FOREIGN = /\b(?:SHALL|REQUIRED|RECOMMENDED|OPTIONAL)\b/;
const PROFILE = /^Profile:\s*`([a-z][a-z-]*)`/;

interface Place {
  readonly file: string;
  section: string;
  profile: string | undefined;
}

/**
 * Extracts the requirements of one chapter: paragraphs or list items that start `**ID.** `, up to a `*Why:*`.
 *
 * @param file - Path for messages; its last part is the `section`'s file.
 */
export function readChapter(file: string, markdown: string): Chapter {
  const requirements: Stated[] = [];
  const problems: string[] = [];
  const slug = slugger();
  const name = file.slice(file.lastIndexOf('/') + 1);
  const place: Place = { file, section: `${name}#`, profile: undefined };
  for (const block of blocksOf(markdown)) {
    if (block.kind === 'heading') place.section = `${name}#${slug(block.text)}`;
    if (block.kind !== 'paragraph') continue;
    place.profile = PROFILE.exec(block.text)?.[1] ?? place.profile;
    const read = readParagraph(block, place);
    if (typeof read === 'string') problems.push(`${file}:${String(block.line)}: ${read}`);
    else if (read !== undefined) requirements.push(read);
  }
  return { requirements, problems };
}

function readParagraph(block: Block, place: Place): Stated | string | undefined {
  const [, id, rest] = REQUIREMENT.exec(block.text) ?? [];
  if (id === undefined || rest === undefined) return strayKeyword(block.text);
  const sentence = (rest.split('*Why:*')[0] ?? '').replaceAll(/\s+/g, ' ').trim();
  const keywords = [...new Set(keywordsIn(sentence))];
  const [level, second] = keywords;
  if (level === undefined) return `${id} has no keyword (MUST, MUST NOT, SHOULD, SHOULD NOT, MAY)`;
  if (second !== undefined) return `${id} has ${String(keywords.length)} keywords (${keywords.join(', ')}), needs one`;
  if (FOREIGN.test(withoutCode(sentence))) return `${id} uses a keyword outside MUST, SHOULD and MAY`;
  if (place.profile === undefined) return `${id} has no line "Profile: \`name\`" before it`;
  return { id, level, profile: place.profile, section: place.section, sentence, hash: hashOf(sentence) };
}

/** A keyword that no id owns could be tested by nobody. BCP 14's own sentence quotes them. */
function strayKeyword(text: string): string | undefined {
  if (LIKE_ONE.test(text)) return 'a requirement starts "**ID-1.** " with a full stop inside the bold';
  if (text.includes('BCP 14') || text.includes('RFC 2119')) return undefined;
  const [keyword] = keywordsIn(text);
  return keyword === undefined ? undefined : `${keyword} outside a requirement`;
}

function keywordsIn(text: string): readonly Level[] {
  return (withoutCode(text).match(KEYWORD) ?? []).map((word) => word.replace(/\s+/, ' ') as Level);
}

function withoutCode(text: string): string {
  return text.replaceAll(/`[^`]*`/g, '');
}

function hashOf(sentence: string): string {
  return createHash('sha256').update(sentence).digest('hex').slice(0, 12);
}

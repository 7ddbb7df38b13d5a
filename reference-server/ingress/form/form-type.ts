import type { IncomingHttpHeaders } from 'node:http';
import type { Result } from '../../ports/refusal.js';
import { BOUNDARY, MultipartParser } from './multipart.js';
import { mediaType } from './part-head.js';
import { BROKEN, type FormParser, type Parts } from './parts.js';
import { UrlencodedParser } from './urlencoded.js';

const UNSUPPORTED = { refused: 'unsupported_media_type' } as const;

/** A parser for the body of a request, by what its head says of it (FORM-6). */
export function parserFor(headers: IncomingHttpHeaders, parts: Parts): Result<FormParser> {
  const media = mediaType(headers['content-type'] ?? '');
  if (!media || headers['content-encoding'] !== undefined) return UNSUPPORTED;
  const { type, parameters } = media;
  if ((parameters.get('charset') ?? 'utf-8').toLowerCase() !== 'utf-8') return UNSUPPORTED;
  if (type === 'application/x-www-form-urlencoded') return new UrlencodedParser(parts);
  if (type !== 'multipart/form-data') return UNSUPPORTED;
  const boundary = parameters.get('boundary') ?? '';
  return BOUNDARY.test(boundary) ? new MultipartParser(boundary, parts) : BROKEN;
}

import type { IncomingMessage } from 'node:http';
import type { Result } from '../ports/refusal.js';

/** Reads a JSON body of at most `limit` bytes; a longer one is refused as soon as that is known (OPEN-6). */
export async function readJson(request: IncomingMessage, limit: number): Promise<Result<{ value: unknown }>> {
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '')) {
    return { refused: 'unsupported_media_type' };
  }
  const tooLarge = { refused: 'body_too_large', limit } as const;
  if (Number(request.headers['content-length'] ?? 0) > limit) return tooLarge;
  const bytes = await readAtMost(request, limit);
  return bytes ? parse(bytes) : tooLarge;
}

/** The whole body, or null once it is longer; what there is of it where the client breaks off, since nobody is left to tell. */
function readAtMost(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const whole = (): void => resolve(Buffer.concat(chunks));
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve(null);
    });
    request.once('end', whole).once('error', whole).once('close', whole);
  });
}

function parse(bytes: Buffer): Result<{ value: unknown }> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { refused: 'parse_error' };
  }
}

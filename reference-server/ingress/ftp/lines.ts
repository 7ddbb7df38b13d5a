const CR = 13;
const LF = 10;
const NUL = 0;
/** Telnet (RFC 854), which FTP's control connection nominally speaks. */
const IAC = 255;
const WILL = 251;
const DONT = 254;

/** Longest line, without its end (FTP-6). */
const MOST_BYTES = 512;

/**
 * Cuts what comes on a control connection into lines. A line ends with CR LF, or with one of them alone: some clients
 * send the last byte of an ABOR as urgent data, and it never arrives. Telnet's commands are skipped (FTP-5).
 */
export class Lines {
  #bytes: number[] = [];
  #telnet: 'none' | 'command' | 'option' = 'none';
  #afterCr = false;

  /** The lines that these bytes complete, without empty ones; null where one is longer than a line may be. */
  push(chunk: Buffer): string[] | null {
    const lines: string[] = [];
    for (const byte of chunk) {
      const end = this.#take(byte);
      if (this.#bytes.length > MOST_BYTES) return null;
      if (!end || this.#bytes.length === 0) continue;
      lines.push(Buffer.from(this.#bytes).toString('utf8'));
      this.#bytes = [];
    }
    return lines;
  }

  /** Whether bytes of a line have come whose end has not. */
  get unfinished(): boolean {
    return this.#bytes.length > 0;
  }

  /** Returns whether the byte ends a line. */
  #take(byte: number): boolean {
    if (this.#telnet !== 'none') {
      this.#command(byte);
      return false;
    }
    const second = byte === LF && this.#afterCr;
    this.#afterCr = byte === CR;
    if (byte === IAC) this.#telnet = 'command';
    else if (byte === CR || byte === LF) return !second;
    else if (byte !== NUL) this.#bytes.push(byte);
    return false;
  }

  #command(byte: number): void {
    if (this.#telnet === 'command' && byte === IAC) this.#bytes.push(IAC);
    this.#telnet = this.#telnet === 'command' && byte >= WILL && byte <= DONT ? 'option' : 'none';
  }
}

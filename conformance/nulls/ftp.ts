import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Manner } from './ports.js';

/** The server's side of a control connection of FTP, in one of the manners in which nothing useful is done. */
export function serveFtp(control: Socket, manner: Manner): void {
  if (manner === 'dead') control.destroy();
  else if (manner === 'silent') control.resume();
  else if (manner === 'echo') control.pipe(control);
  else if (manner === 'constant') answerAll(control, '200 constant', '200 constant');
  else if (manner === 'refuse') answerAll(control, '220 null', '530 ticket_invalid');
  else new YesDialogue(control, manner).start();
}

function onLines(control: Socket, take: (line: string) => void): void {
  let rest = '';
  control.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach((line) => take(line.replace(/\r$/, '')));
  });
}

function answerAll(control: Socket, greeting: string, answer: string): void {
  control.write(`${greeting}\r\n`);
  onLines(control, () => control.write(`${answer}\r\n`));
}

/** Answers of the right shape that need nothing done. */
const ANSWERS: Readonly<Record<string, string>> = {
  USER: '331 ticket',
  PASS: '230 sid=s_null room=null epoch=1',
  SYST: '215 UNIX Type: L8',
  HELP: '214 null',
  FEAT: '211 null',
  PWD: '257 "/null"',
  SIZE: '213 0',
  MLST: '250 next',
  QUIT: '221 closed_by_peer',
};

/** A dialogue that says yes to every command, swallows what is stored, and gives it back where it repeats. */
class YesDialogue {
  readonly #control: Socket;
  readonly #manner: Manner;
  #door: Server | undefined;
  #data: Promise<Socket> = new Promise(() => undefined);
  #waiting: ((message: Buffer) => void) | undefined;
  readonly #stored: Buffer[] = [];
  #sent = 0;
  #given = 0;

  constructor(control: Socket, manner: Manner) {
    this.#control = control;
    this.#manner = manner;
  }

  start(): void {
    this.#say('220 null');
    onLines(this.#control, (line) => this.#take(line));
    this.#control.once('close', () => this.#door?.close());
  }

  #say(...lines: readonly string[]): void {
    if (this.#control.writable) this.#control.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  #take(line: string): void {
    const [word = '', name = ''] = line.split(' ');
    const command = word.toUpperCase();
    if (command === 'EPSV' || command === 'PASV') this.#open(command);
    else if (/^(STOR|STOU|APPE)$/.test(command)) void this.#store();
    else if (command === 'RETR') this.#retrieve(name);
    else if (/^(LIST|NLST|MLSD)$/.test(command)) void this.#give(Buffer.alloc(0), 'null');
    else if (command === 'ABOR') this.#abort();
    else this.#say(ANSWERS[command] ?? '200 null');
    if (command === 'QUIT') this.#control.end();
  }

  #open(command: string): void {
    this.#door?.close();
    const door = createServer({ allowHalfOpen: true });
    this.#door = door;
    this.#data = new Promise((resolve) => {
      door.once('connection', (socket) => resolve(socket.on('error', () => socket.destroy())));
    });
    door.listen(0, '127.0.0.1', () => {
      const { port } = door.address() as AddressInfo;
      const place = [127, 0, 0, 1, port >> 8, port & 0xff].join(',');
      this.#say(command === 'EPSV' ? `229 (|||${String(port)}|)` : `227 (${place})`);
    });
    this.#control.once('close', () => door.close());
  }

  async #store(): Promise<void> {
    const n = ++this.#sent;
    const data = await this.#data;
    this.#say(`150 epoch=1 n=${String(n)}`);
    const chunks: Buffer[] = [];
    data.on('data', (chunk: Buffer) => chunks.push(chunk));
    data.once('end', () => {
      data.end();
      this.#say(`226 epoch=1 n=${String(n)} id=null-${String(n)} members=1`);
      if (this.#manner === 'repeat') this.#stored.push(Buffer.concat(chunks));
      if (this.#waiting !== undefined) this.#retrieve('wait');
    });
  }

  #retrieve(name: string): void {
    const next = this.#stored.shift();
    if (next === undefined && name === 'next') return this.#say('450 empty');
    const told = (): string => `epoch=1 n=${String(++this.#given)} kind=text`;
    this.#waiting = undefined;
    if (next === undefined) this.#waiting = (message) => void this.#give(message, told());
    else void this.#give(next, told());
  }

  async #give(bytes: Buffer, told: string): Promise<void> {
    const data = await this.#data;
    this.#say(`150 ${told} (${String(bytes.length)} bytes)`);
    data.end(bytes, () => this.#say(`226 ${told}`));
  }

  #abort(): void {
    this.#say(...(this.#waiting === undefined ? [] : ['426 truncated']), '226 null');
    this.#waiting = undefined;
  }
}

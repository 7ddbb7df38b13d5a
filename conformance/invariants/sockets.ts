import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** What the drivers found against the rules of a transport, and whose rule that is; whatever is not listed is WS-21. */
const RULES: Readonly<Record<string, string>> = {
  masked_by_server: 'WS-18',
  extension_not_offered: 'WS-10',
  subprotocol_not_offered: 'WS-1',
  subprotocol_repeated: 'WS-1',
  binary_on_sibling: 'FRAME-1',
  datagram_with_a_wrong_mac: 'UDP-27',
  datagram_of_another_protocol: 'UDP-27',
  datagram_too_short: 'UDP-27',
  datagram_too_long: 'UDP-27',
  message_before_proof: 'UDP-7',
  amplification: 'UDP-8',
  pong_for_nothing: 'UDP-1',
  pong_for_a_repeated_number: 'UDP-3',
  pong_for_a_borrowed_cookie: 'UDP-6',
  number_out_of_turn: 'UDP-13',
  cookie_of_another_length: 'UDP-4',
  challenges_in_haste: 'UDP-25',
  challenge_for_old_numbers: 'UDP-25',
  close_without_code: 'UDP-22',
  receipt_for_another_message: 'FTP-14',
  download_without_its_message: 'FTP-21',
  download_out_of_turn: 'FTP-21',
  download_of_another_length: 'FTP-21',
  download_of_no_kind: 'FTP-21',
  did_not_wait: 'FTP-23',
};

/** Faults of the transport itself, which the kit's drivers see in every frame, handshake, datagram and reply. */
export function socketViolations({ records }: FinishedRun): Violation[] {
  return records.flatMap((record) => {
    if (record.type !== 'socket' || record.event !== 'violation') return [];
    const what = record.what ?? 'unknown';
    const requirement = RULES[what] ?? 'WS-21';
    return [
      violation({
        requirement,
        record,
        expected: 'what the transport allows a server',
        received: `${what} at ${record.at}`,
      }),
    ];
  });
}

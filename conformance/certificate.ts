import { generateKeyPairSync, sign } from 'node:crypto';

/** A server's identity, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;

/** A value in DER (X.690). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

const oid = (hex: string): Buffer => der(OID, Buffer.from(hex, 'hex'));

const ECDSA_WITH_SHA256 = der(SEQUENCE, oid('2a8648ce3d040302'));
const NAME = der(
  SEQUENCE,
  der(SET, der(SEQUENCE, oid('550403'), der(UTF8_STRING, Buffer.from('porthouse conformance kit')))),
);
// Whatever the clock of the machine says.
const VALIDITY = der(SEQUENCE, ...['000101000000Z', '491231235959Z'].map((time) => der(UTC_TIME, Buffer.from(time))));
const LOCAL_NAMES = [
  der(0x82, Buffer.from('localhost')),
  der(0x87, Buffer.from([127, 0, 0, 1])),
  der(0x87, Buffer.from([...new Array<number>(15).fill(0), 1])),
];
const EXTENSIONS = der(
  0xa3,
  der(SEQUENCE, der(SEQUENCE, oid('551d11'), der(OCTET_STRING, der(SEQUENCE, ...LOCAL_NAMES)))),
);

/** A certificate for loopback (RFC 5280), signed by itself, with a key that nobody has had before. */
export function selfMadeCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const one = der(INTEGER, Buffer.from([1]));
  const version3 = der(0xa0, der(INTEGER, Buffer.from([2])));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(SEQUENCE, version3, one, ECDSA_WITH_SHA256, NAME, VALIDITY, NAME, key, EXTENSIONS);
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', body, privateKey));
  const whole = der(SEQUENCE, body, ECDSA_WITH_SHA256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${whole.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

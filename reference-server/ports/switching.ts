import type { CallParams, CallResults } from '../../generated/types.js';
import type { Result } from './refusal.js';

/** What a command channel may ask about switches; every effect holds when the call has returned (SIB-11). */
export interface SwitchCalls {
  propose(params: CallParams['switch.propose']): Result<CallResults['switch.propose']>;
  abort(params: CallParams['switch.abort']): Result<CallResults['switch.abort']>;
  request(params: CallParams['switch.request']): Result<CallResults['switch.request']>;
  ack(params: CallParams['switch.ack']): Result<CallResults['switch.ack']>;
  refuse(params: CallParams['switch.refuse']): Result<CallResults['switch.refuse']>;
  abortAck(params: CallParams['switch.abortAck']): Result<CallResults['switch.abortAck']>;
}

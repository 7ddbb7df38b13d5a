import { accountMutants } from './accounts.js';
import { bindMutants } from './bind.js';
import { bindingMutants } from './binding.js';
import { debugMutants } from './debug.js';
import { deliveryMutants } from './delivery.js';
import { errorMutants } from './errors.js';
import { discoveryMutants } from './discovery.js';
import { fenceMutants } from './fence.js';
import { formatMutants } from './formats.js';
import { frameMutants } from './frames.js';
import { invariantMutants } from './invariants.js';
import type { WireMutant } from './mutant.js';
import { openingMutants } from './opening.js';
import { pipeMutants } from './pipe.js';
import { receiptMutants } from './receipts.js';
import { receiversMutants } from './receivers.js';
import { refusalMutants } from './refusals.js';
import { requestMutants } from './requests.js';
import { rpcMutants } from './rpc.js';
import { siblingMutants } from './sibling.js';
import { upgradeMutants } from './upgrade.js';
import { websocketMutants } from './websocket.js';

/** Every wire mutant, by area. */
export const wireMutants: readonly WireMutant[] = [
  ...deliveryMutants,
  ...receiversMutants,
  ...accountMutants,
  ...formatMutants,
  ...frameMutants,
  ...openingMutants,
  ...refusalMutants,
  ...websocketMutants,
  ...bindingMutants,
  ...bindMutants,
  ...discoveryMutants,
  ...requestMutants,
  ...upgradeMutants,
  ...rpcMutants,
  ...siblingMutants,
  ...errorMutants,
  ...fenceMutants,
  ...pipeMutants,
  ...receiptMutants,
  ...debugMutants,
  ...invariantMutants,
];

/** The mutant that alters nothing: what a proxy does to a server by being there. */
export const identity: WireMutant = {
  name: 'identity',
  breaks: [],
  also: [],
  what: 'Alters nothing.',
  alter: () => ({
    onHttpRequest: (request) => request,
    onHttpResponse: (response) => response,
    onFrameToClient: (frame) => [frame],
    onFrameToServer: (frame) => [frame],
    onPipeToClient: (message) => [message],
    onPipeToServer: (message) => [message],
    onSiblingToClient: (json) => [json],
    onSiblingToServer: (json) => [json],
  }),
};

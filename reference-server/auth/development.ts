import type { Authenticator } from '../ports/access.js';

const TOKEN = /^dev\.([a-z0-9_-]{1,32})$/;

/** Takes `dev.<account>` for a token of that account. Whoever can reach the server can be anyone: for local use only. */
export const developmentAuthenticator: Authenticator = {
  authenticate(token) {
    const account = TOKEN.exec(token)?.[1];
    return Promise.resolve(account === undefined ? null : { account });
  },
};

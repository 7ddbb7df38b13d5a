import t from 'tap';
import { MemorySink } from '../testing/memory.js';
import { World } from '../testing/world.js';

void t.test('a ticket opens one pipe, within its time, by its transport, and the newest only', (t) => {
  const fresh = new World();
  const member = fresh.member();
  t.match(fresh.router.redeem(member.grant.pipeTicket, 'udp'), { refused: 'ticket_invalid' }, 'another transport');
  t.match(fresh.router.redeem('x'.repeat(43), 'websocket'), { refused: 'ticket_invalid' }, 'one that never was');
  t.match(
    fresh.router.redeem(member.grant.siblingSecret, 'websocket'),
    { refused: 'ticket_invalid' },
    'a secret is no ticket',
  );
  t.equal(member.open(), undefined);
  t.equal(member.open(), 'ticket_invalid', 'used');
  const late = fresh.member({ limits: { ticketMs: 10 } });
  fresh.clock.advance(9);
  const early = fresh.member({ limits: { ticketMs: 10 } });
  fresh.clock.advance(1);
  t.equal(late.open(), 'ticket_invalid', 'expired to the millisecond');
  t.equal(early.open(), undefined);
  const two = fresh.member();
  two.sibling.bind(two.grant);
  const newer = String(two.sibling.call('pipe.ticket', { transport: 'websocket' })?.result?.pipeTicket);
  t.equal(two.open(), 'ticket_invalid', 'voided by a newer one');
  t.equal(two.open(newer), undefined);
  t.end();
});

void t.test('a session lives as long as something holds it, and then lingers', (t) => {
  const fresh = new World();
  const base = fresh.router.sessions;
  const alive = (): number => fresh.router.sessions - base;
  const asked = { limits: { ticketMs: 100, sessionLingerMs: 10 } };
  const unused = fresh.member(asked);
  fresh.clock.advance(109);
  t.equal(alive(), 1, 'an outstanding ticket holds it, then it lingers');
  fresh.clock.advance(1);
  t.equal(alive(), 0);
  t.match(unused.sibling.bind(unused.grant)?.error?.data, { name: 'bind_refused' });
  t.equal(unused.open(), 'ticket_invalid');
  const piped = fresh.member(asked);
  piped.open();
  fresh.clock.advance(1_000_000);
  t.equal(alive(), 1, 'an open pipe holds it');
  const sibling = fresh.sibling();
  sibling.bind(piped.grant);
  piped.source.ended('lost');
  fresh.clock.advance(1_000_000);
  t.equal(alive(), 1, 'a bound sibling alone holds it');
  sibling.cut();
  fresh.clock.advance(9);
  const again = fresh.sibling();
  t.ok(again.bind(piped.grant)?.result, 'who comes back while it lingers finds it');
  fresh.clock.advance(1000);
  again.cut();
  fresh.clock.advance(9);
  t.equal(alive(), 1, 'the lingering starts afresh');
  fresh.clock.advance(1);
  t.equal(alive(), 0);
  t.end();
});

void t.test('a stay holds for the next absence, once', (t) => {
  const fresh = new World({ limits: { maxStayMs: 500 } });
  const member = fresh.member({ limits: { sessionLingerMs: 10, ticketMs: 1 } });
  let sibling = member.sibling;
  const wake = (): void => {
    sibling.cut();
    sibling = fresh.sibling();
  };
  sibling.bind(member.grant);
  t.same(sibling.call('sibling.stay', { ms: 100 })?.result, { ms: 100 });
  t.same(sibling.call('sibling.stay', { ms: 9000 })?.result, { ms: 500 }, 'a later one replaces it, and is lowered');
  wake();
  fresh.clock.advance(499);
  t.ok(sibling.bind(member.grant)?.result);
  wake();
  fresh.clock.advance(9);
  t.ok(sibling.bind(member.grant)?.result, 'the one after is as long as ever');
  sibling.call('sibling.stay', { ms: 100 });
  t.same(sibling.call('sibling.stay', { ms: 0 })?.result, { ms: 0 });
  sibling.cut();
  fresh.clock.advance(10);
  t.equal(fresh.router.sessions, 0, '0 takes it back');
  t.end();
});

void t.test('a handshake under way holds its session, and two never leave two pipes', (t) => {
  const fresh = new World({ limits: { ticketMs: 10, sessionLingerMs: 10 } });
  const member = fresh.member();
  member.sibling.bind(member.grant);
  const first = fresh.router.redeem(member.grant.pipeTicket, 'websocket');
  const ticket = String(member.sibling.call('pipe.ticket', { transport: 'websocket' })?.result?.pipeTicket);
  const second = fresh.router.redeem(ticket, 'websocket');
  if ('refused' in first || 'refused' in second) throw new Error('refused');
  member.sibling.cut();
  fresh.clock.advance(1000);
  t.equal(fresh.router.sessions, 1);
  const [one, two] = [new MemorySink(), new MemorySink()];
  second.open(two);
  first.open(one);
  t.equal(two.closedWith, 'replaced');
  t.equal(one.closedWith, null);
  const failed = fresh.member();
  const offer = fresh.router.redeem(failed.grant.pipeTicket, 'websocket');
  if ('refused' in offer) throw new Error('refused');
  fresh.clock.advance(1000);
  t.equal(fresh.router.sessions, 2);
  offer.abandon();
  fresh.clock.advance(10);
  t.equal(fresh.router.sessions, 1, 'one that fails lets it go');
  t.end();
});

void t.test('a room that a client made ends with its last session; one of the operator stays', (t) => {
  const fresh = new World({ limits: { ticketMs: 10, sessionLingerMs: 10 } });
  const maker = fresh.join({ room: 'harbour', create: { echo: true } });
  const guest = fresh.join({ room: 'harbour', account: 'bob' });
  const leave = (member: typeof maker): void => {
    member.source.ended('closed_by_peer');
    member.sibling.cut();
    fresh.clock.advance(10);
  };
  leave(maker);
  t.equal(fresh.router.rooms, 2);
  leave(guest);
  t.equal(fresh.router.rooms, 1);
  t.equal(fresh.refusal({ room: 'harbour' }), 'room_not_found');
  t.equal(fresh.refusal({ room: 'harbour', create: {}, account: 'carol' }), undefined, 'the name is free for another');
  t.equal(fresh.refusal(), undefined);
  t.end();
});

void t.test('a server that drains says so, delivers what is under way, closes everything and takes nobody', (t) => {
  const fresh = new World();
  const [alice, bob] = [fresh.join(), fresh.join()];
  const debug = fresh.sibling();
  debug.bind(alice.grant, { channel: 'debug' });
  const late = fresh.member();
  alice.send('last words');
  fresh.router.drain({ deadlineMs: 10, reconnectAfterMs: 5 });
  t.same(bob.received, ['text last words']);
  t.same([alice.sink.closedWith, bob.sink.closedWith], ['draining', 'draining']);
  t.same(bob.heard(), ['server.draining', 'pipe.ended 0 draining', 'pipe.ended 1 draining']);
  t.match(bob.sibling.sent.find(({ method }) => method === 'server.draining')?.params, {
    deadlineMs: 10,
    reconnectAfterMs: 5,
  });
  t.same([alice.sibling.closedWith, debug.closedWith], ['4009 draining', '4009 draining']);
  t.equal(late.open(), 'draining');
  t.equal(fresh.refusal(), 'draining');
  t.end();
});

"""The link from collector to agent and from agent to hub: delivered at least once, effective exactly once.

A sender numbers its batches 1, 2, 3, ... within an epoch of a stream; a receiver commits them in that order
and acknowledges after the commit is on disk. Any doubt is settled by HELLO, which says what the receiver has.
The two machines (`sender`, `receiver`) are pure; `client` and `server` lend them sockets and a thread.

Sending durably (agent to hub), tables in the caller's own file:

    outbox.create_tables(db)                                   a migration step for shared.storage.migrate
    number = outbox.append(connection, kind, payload)          inside the caller's transaction
    outbox.withdraw(connection, numbers)                       never sent again; the bytes are gone
    outbox.prune_sent(connection, before=unix_time)
    outbox.counts(connection) -> Counts(pending, sent, aside, withdrawn, bytes, epoch, renewals)
    feed = outbox.OutboxFeed(writer)                           feed.wake() after a commit that appended
    client = LinkClient(address, server_public, keys, stream, feed, rng); client.start(); client.stop()
    client.state -> LinkState(name="connected"|"waiting"|"refused", detail, last_ack, unacked)

Sending from memory (collector to agent), the receiver remembers how far the source was read:

    spool = spool.Spool(); client = LinkClient(address, server_public, keys, source_id, spool, rng)
    position = spool.opened(timeout)      waits for the receiver; bytes to continue reading from, or None
    spool.put(payload, position)          position after it; raises Closed, or Rewound: call opened()
    spool.flush(timeout) -> bool          whether everything is acknowledged

Receiving:

    ledger.create_tables(db)
    class MyInbox:                        the methods of server.Inbox, called from the server's thread only
        def enrolments(self) -> Mapping[str, str]: ...                    public key (z85) -> enrolment id
        def inviting(self) -> bool: ...
        def join(self, public_key: str, secret: bytes, name: str) -> str: ...      BadInput refuses
        def hello(self, enrolment, stream, epoch) -> Standing:
            return writer.run(lambda c: ledger.hello(c, enrolment, stream, epoch))
        def deliver(self, deliveries) -> Sequence[Outcome]:
            return writer.run(lambda c: ledger.deliver_in_transaction(c, deliveries, effect))
    def effect(connection, delivery: Delivery) -> None: ...   BadInput: undone, rejected, set aside
    server = LinkServer("tcp://127.0.0.1:*", keys, MyInbox()); server.start(); server.endpoint; server.stop()

Keys and enrolment:

    keys.load_or_create(folder, "link") -> KeyPair(public: str, secret: bytes); keys.fingerprint(public)
    invitations.create_tables(db); invitations.create(connection, address=..., server_public=..., label=...,
        now=..., lifetime=..., note="") -> token text
    invitations.spend(connection, secret, public_key, now) -> Spent(label, note, again); for Inbox.join
    invitations.any_open(connection, now) -> bool; for Inbox.inviting
    invitations.decode(text) -> Token(address, server_public, secret, expires); raises UsageError
    joining.join(address, server_public, keys, secret, name, timeout)
"""

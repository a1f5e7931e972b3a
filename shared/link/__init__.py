"""The link from collector to agent and from agent to hub: delivered at least once, effective exactly once.

A sender numbers its batches 1, 2, 3, ... within an epoch of a stream; a receiver commits them in that order
and acknowledges after the commit is on disk. Any doubt is settled by HELLO, which says what the receiver has.
The two machines (`sender`, `receiver`) are pure; `client` and `server` lend them sockets and a thread.

Sending durably (agent to hub), tables in the caller's own file:

    outbox.create_tables(db)                                   a migration step for shared.storage.migrate
    number = outbox.append(connection, kind, payload)          inside the caller's transaction
    outbox.withdraw(connection, numbers)                       never sent again; the bytes are gone
    outbox.put_position(connection, number, position)          goes with the batch, comes back in WELCOME
    outbox.prune_sent(connection, before=unix_time)
    outbox.set_budget(connection, bytes); outbox.is_full(connection)
    aside.listed(connection); aside.retry(connection, number); aside.drop(connection, number)
    outbox.counts(connection) -> Counts(pending, sent, aside, withdrawn, bytes, epoch, renewals)
    feed = outbox_feed.OutboxFeed(writer, recognises=...)      feed.wake() after a commit that appended
    client = LinkClient(address, server_public, keys, stream, feed, rng); client.start(); client.stop()
    client.state -> LinkState(name="connected"|"waiting"|"refused", detail, last_ack, unacked)
    client.ask(what, timeout) -> bytes | None   what the receiver tells us under this name; any thread

Sending from memory (collector to agent), the receiver remembers how far the source was read:

    spool = spool.Spool(); client = LinkClient(address, server_public, keys, source_id, spool, rng)
    position = spool.opened(timeout)      waits for the receiver; bytes to continue reading from, or None
    spool.put(payload, position)          position after it; raises Closed, or Rewound: call opened()
    spool.flush(timeout) -> bool          whether everything is acknowledged
    spool.is_stalled() -> bool            whether the receiver has taken nothing of it for a while

Receiving:

    ledger.create_tables(db)
    class MyInbox:                        the methods of inbox.Inbox, called from the server's thread only
        def enrolments(self) -> Mapping[str, str]: ...                    public key (z85) -> enrolment id
        def inviting(self) -> bool: ...
        def join(self, public_key: str, secret: bytes, name: str) -> str: ...      BadInput refuses
        def hello(self, enrolment, stream, epoch) -> Standing:
            return writer.run(lambda c: ledger.hello(c, enrolment, stream, epoch))
        def deliver(self, deliveries) -> Sequence[Outcome]:
            return writer.run(lambda c: ledger.deliver_in_transaction(c, deliveries, effect))
    def effect(connection, delivery: Delivery) -> None: ...   BadInput: undone, rejected, set aside
    server = LinkServer("tcp://127.0.0.1:*", keys, MyInbox()); server.start(); server.endpoint; server.stop()

    What an inbox may do besides, looked up by the server (`answering.Telling`, `answering.Renewing`):

        def tell(self, enrolment, what) -> bytes | None: ...              at most 15 MiB; None for nothing
        def renew(self, enrolment, old_key, new_key) -> None: ...         BadInput refuses
        def retire(self, enrolment, key_in_use) -> None: ...              keys before this one speak no more

Keys and enrolment:

    keys.load_or_create(folder, "link") -> KeyPair(public: str, secret: bytes); keys.fingerprint(public)
    invitations.create_tables(db); invitations.create(connection, address=..., server_public=..., label=...,
        now=..., lifetime=..., note="") -> token text
    invitations.spend(connection, secret, public_key, now) -> Spent(label, note, again); for Inbox.join
    invitations.any_open(connection, now) -> bool; for Inbox.inviting
    invitations.decode(text) -> Token(address, server_public, secret, expires); raises UsageError
    joining.join(address, server_public, keys, secret, name, timeout)

Keys that change, with nothing lost and nothing doubled (docs/decisions/0016-keys-that-change.md):

    A sender: pair = keys.make_next(folder, "link"); client.renew(pair)
        LinkClient(..., keys=(current, next), keeper=Keeper(renewed=..., not_renewed=...)); start with both
        while there is a next one, and renew(next) again; when renewed, keys.promote(folder, "link")
    Its receiver, over its own table of members:
        KEYS = succession.Succession(table, owner_column, copied=()); KEYS.add_column(db), a migration step
        KEYS.renew(connection, owner, old_key, new_key, now); KEYS.retire(connection, owner, key_in_use, now)
        KEYS.before(connection, key_in_use) -> the key that a retirement would end, or None; only reads
    A receiver's own: LinkServer(..., next_key=lambda: public_or_empty) announces it; then promote, and start
        LinkClient(address, (in_force, next_or_empty), ..., keeper=Keeper(next_key=..., server_key=...))

Versions (docs/decisions/0015-versions-and-window.md): `versions.Versions`; a side that is too old is named in
`client.state.detail`. Frames as they were spoken are recorded in tests/shared/link/recorded.
"""

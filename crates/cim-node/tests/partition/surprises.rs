//! What nats-server does with copies that nobody expects.

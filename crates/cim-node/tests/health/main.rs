//! `cim-health` beside real nats-servers.

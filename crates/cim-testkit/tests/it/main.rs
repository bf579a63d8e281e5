//! The fleet of `hosts/` on real nats-servers.

mod failover;
mod flows;
mod identity;
mod support;

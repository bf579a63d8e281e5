//! The fleet of `hosts/`, and those of its examples, on real nats-servers.

mod copies;
mod durable;
mod failover;
mod flows;
mod gateways;
mod identity;
mod seeds;
mod support;
mod wire;

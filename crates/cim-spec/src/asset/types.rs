//! The types of assets with their tables, made of `assets/*.json` by build.rs.

use super::choice::{
    AckPolicy, Compression, DeliverPolicy, Discard, PersistMode, PriorityPolicy, ReplayPolicy,
    Retention, Storage,
};
use super::field::{Change, Kind, fields};
use super::{Labels, Nanoseconds};
use crate::version::Version;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

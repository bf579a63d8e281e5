//! Makes and reads NATS JWTs (version 2), nkeys and `.creds`: what an operator signs at the desk,
//! what the build holds against the plan, and what a node answers an auth callout with.
//!
//! Neither files nor network nor clock: texts and times are arguments. The only randomness is in
//! the `nkeys` crate, which makes keys and the nonces of sealed answers. Seeds are never shown.
//!
//! The reference is nats-io/jwt v2.8.2; `tests/go/` holds tokens that it made.

mod blocks;
pub mod body;
pub mod callout;
pub mod chain;
pub mod claims;
pub mod creds;
pub mod decode;
pub mod encode;
mod json;
pub mod key;
pub mod times;

pub use body::account::Account;
pub use body::activation::Activation;
pub use body::authorization::{AuthorizationRequest, AuthorizationResponse};
pub use body::operator::Operator;
pub use body::user::User;
pub use chain::{Chain, ChainError};
pub use claims::{Body, ClaimType, Claims, ClaimsData};
pub use creds::{Creds, CredsError};
pub use decode::{AnyToken, DecodeError, Token, decode, decode_any};
pub use encode::EncodeError;
pub use key::{KeyError, KeyKind};
pub use nkeys::{KeyPair, XKey};
pub use times::TimeError;

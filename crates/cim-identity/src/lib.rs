//! Turns a fleet's plan into the JWTs that operator mode needs, and holds what is committed against them; certificates,
//! too, against what hosts need of them.
//!
//! Three zones use it: the build refuses a commit that does not say what the options say, the desk makes what is
//! missing, and a host's timer tells what ends soon. It touches no file, no network and no clock: texts, public
//! keys and times are arguments. It makes and signs nothing: seeds stay at the desk.

mod body;
mod check;
mod committed;
mod expiring;
mod keys;
mod limits;
mod members;
pub mod pki;
pub mod plan;
mod refused;
mod sharing;
mod system;
mod template;
mod wanted;

pub use body::{BodyError, Need};
pub use check::{check, check_hub};
pub use committed::Committed;
pub use expiring::{
    End, Expiring, RENEW, RENEW_ROOT, expiring, of_authorities, of_certificates, of_creds, of_jwt,
};
pub use keys::{AccountKeys, Keys};
pub use members::certificates;
pub use plan::Plan;
pub use wanted::{Account, Role, User, Wanted};

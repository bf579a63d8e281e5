//! What nats-server takes only inline: variables of the config, whose values stand in an included file on the host.

use cim_spec::Plan;
use cim_spec::artefact::{Secret, SecretKind, host_key_variable};
use cim_spec::file::File;
use cim_spec::plan::{Login, Proof};

use crate::places::host_key_file;

/// The variable that stands for the leaf's nkey seed.
pub const NKEY_VARIABLE: &str = "cim_leaf_nkey";

/// The variable that stands for the key that encrypts the store.
pub const JETSTREAM_KEY: &str = "cim_jetstream_key";

/// The variable that stands for the key that encrypted the store before.
pub const JETSTREAM_PREV_KEY: &str = "cim_jetstream_prev_key";

/// The variables of a config with the files that hold their values.
pub fn secrets(plan: &Plan) -> Vec<Secret> {
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    let seed = remotes.filter_map(|remote| match &remote.login {
        Login::NkeySeed(file) => Some(secret(NKEY_VARIABLE, file, SecretKind::NkeySeed)),
        _ => None,
    });
    let jetstream = plan.jetstream.iter();
    let keys = jetstream
        .flat_map(|jetstream| &jetstream.encryption)
        .flat_map(|encryption| {
            let key = secret(JETSTREAM_KEY, &encryption.key, SecretKind::Text);
            let before = encryption.prev_key.as_ref();
            let before = before.map(|file| secret(JETSTREAM_PREV_KEY, file, SecretKind::Text));
            [key].into_iter().chain(before)
        });
    let principals = plan.accounts.iter().flat_map(|account| &account.principals);
    let own = principals.filter_map(|principal| match &principal.proof {
        Proof::HostKey(key) => Some(Secret {
            variable: host_key_variable(key),
            file: host_key_file(plan, key),
            kind: SecretKind::HostKey,
        }),
        _ => None,
    });
    // Several remotes log in with the same seed.
    seed.take(1).chain(keys).chain(own).collect()
}

fn secret(variable: &str, file: &File, kind: SecretKind) -> Secret {
    Secret {
        variable: variable.to_owned(),
        file: file.path.clone(),
        kind,
    }
}

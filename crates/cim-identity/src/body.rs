//! An account of the plan as the body of its JWT.

use cim_creds::body::share::{Export, Import};
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Activation, Claims, decode};

use crate::keys::Keys;
use crate::wanted::Account;
use crate::{limits, sharing, system, template};

/// Why a body cannot be made: keys that have not been made yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// No account key.
    #[error("keys.json has no key of account {0}: run `cim-admin identity make`")]
    Account(String),
    /// No signing key of a role.
    #[error(
        "keys.json has no signing key of role {role} of account {account}: run `cim-admin identity make`"
    )]
    Role {
        /// The account.
        account: String,
        /// The role.
        role: String,
    },
}

/// An activation that the desk has to sign, with the exporting account's key of role `activations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Name of the exporting account.
    pub exporter: String,
    /// Place in the body's `imports` of the import whose `token` it becomes.
    pub import: usize,
    /// What to sign.
    pub claims: Claims<Activation>,
}

impl Account {
    /// What its JWT says. Of `before`, the body of the JWT that is there, revocations and the activations that still
    /// fit are carried over. The others stand in [`Account::needs`]: without them the body is not whole.
    ///
    /// # Errors
    /// A key that has not been made yet.
    pub fn body(
        &self,
        keys: &Keys,
        before: Option<&cim_creds::Account>,
    ) -> Result<cim_creds::Account, BodyError> {
        let default = self.plan.default_permissions.as_ref();
        let mut body = cim_creds::Account {
            limits: limits::of(&self.plan),
            exports: self.exports(),
            imports: self.imports(&|name| keys.account(name))?,
            mappings: sharing::mappings(&self.plan.mappings),
            default_permissions: default.map(template::permissions).unwrap_or_default(),
            trace: limits::trace(&self.plan),
            cluster_traffic: limits::cluster_traffic(&self.plan),
            ..cim_creds::Account::default()
        };
        for role in &self.roles {
            let key = keys.role(&self.name, &role.name);
            let key = key.ok_or_else(|| BodyError::Role {
                account: self.name.clone(),
                role: role.name.clone(),
            })?;
            let scope = UserScope::new(key, &role.name, role.template.clone());
            body.signing_keys.add_scoped(scope);
            let retiring = keys.accounts.get(&self.name);
            if let Some(key) = retiring.and_then(|account| account.retiring.get(&role.name)) {
                let scope = UserScope::new(key, &role.name, role.template.clone());
                body.signing_keys.add_scoped(scope);
            }
        }
        if let Some(before) = before {
            body.revocations = before.revocations.clone();
            carry_activations(&mut body, before);
            carry_refusals(&mut body, before);
        }
        Ok(body)
    }

    /// The activations that a body of this account lacks, to be signed by other accounts.
    ///
    /// # Errors
    /// As [`Account::body`].
    pub fn needs(&self, keys: &Keys, body: &cim_creds::Account) -> Result<Vec<Need>, BodyError> {
        let own = key_of(keys, &self.name)?;
        let mut needs = Vec::new();
        for (place, exporter) in &self.private {
            let wanted = self.import(*place, &|name| keys.account(name))?;
            let mut found = body.imports.iter().enumerate();
            let found = found.find(|(_, import)| is_same(import, &wanted));
            let Some((import, _)) = found.filter(|(_, import)| import.token.is_empty()) else {
                continue;
            };
            let account = key_of(keys, exporter)?;
            let activation = Activation::of(account, wanted.kind, &wanted.subject);
            needs.push(Need {
                exporter: exporter.clone(),
                import,
                claims: Claims::new(own, activation).named(&self.name),
            });
        }
        Ok(needs)
    }

    /// Its exports, in the order of their subjects as nats-io/jwt writes them.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let mut exports: Vec<Export> = self.plan.exports.iter().map(sharing::export).collect();
        if self.is_system {
            let own = |export: &Export| {
                self.plan
                    .exports
                    .iter()
                    .any(|e| e.subject == export.subject)
            };
            exports.extend(system::exports().into_iter().filter(|export| !own(export)));
        }
        exports.sort_by(|a, b| a.subject.cmp(&b.subject));
        exports
    }

    /// Its imports without activations, in the same order; `key`: the public key of an account.
    pub(crate) fn imports<'k>(
        &self,
        key: &dyn Fn(&str) -> Option<&'k str>,
    ) -> Result<Vec<Import>, BodyError> {
        let all = 0..self.plan.imports.len();
        let mut imports = all
            .map(|place| self.import(place, key))
            .collect::<Result<Vec<_>, _>>()?;
        imports.sort_by(|a, b| a.subject.cmp(&b.subject));
        Ok(imports)
    }

    fn import<'k>(
        &self,
        place: usize,
        key: &dyn Fn(&str) -> Option<&'k str>,
    ) -> Result<Import, BodyError> {
        let name = |import: &cim_spec::plan::Import| import.from.account.clone();
        let import = self.plan.imports.get(place);
        let missing = || BodyError::Account(import.map(name).unwrap_or_default());
        let import = import.ok_or_else(missing)?;
        let exporter = key(&import.from.account).ok_or_else(missing)?;
        Ok(sharing::import(import, exporter))
    }
}

fn key_of<'a>(keys: &'a Keys, account: &str) -> Result<&'a str, BodyError> {
    let key = keys.account(account);
    key.ok_or_else(|| BodyError::Account(account.to_owned()))
}

/// The same import, whatever activation it has.
pub(crate) fn is_same(found: &Import, wanted: &Import) -> bool {
    found.account == wanted.account
        && found.subject == wanted.subject
        && found.kind == wanted.kind
        && found.local_subject == wanted.local_subject
}

/// An activation fits while it names the subject; whether its signer still counts, the exporter's JWT says.
fn carry_activations(body: &mut cim_creds::Account, before: &cim_creds::Account) {
    for import in &mut body.imports {
        let known = before.imports.iter().find(|known| is_same(known, import));
        let Some(known) = known.filter(|known| !known.token.is_empty()) else {
            continue;
        };
        let holds = decode::decode::<Activation>(&known.token).is_ok_and(|token| {
            let nats = token.claims.nats;
            nats.subject == import.subject
                && nats.kind == import.kind
                && nats.issuer_account == import.account
        });
        if holds {
            import.token.clone_from(&known.token);
        }
    }
}

/// Accounts whose activations an export refuses.
fn carry_refusals(body: &mut cim_creds::Account, before: &cim_creds::Account) {
    for export in &mut body.exports {
        let mut known = before.exports.iter();
        let known =
            known.find(|known| known.subject == export.subject && known.kind == export.kind);
        if let Some(known) = known {
            export.revocations = known.revocations.clone();
        }
    }
}

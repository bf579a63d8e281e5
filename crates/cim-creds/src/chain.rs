//! Whether a user or an activation hangs on an account, and the account on an operator, as
//! nats-server decides it.
//!
//! Upstream: nats-server 2.15 `auth.go` (`processClientOrLeafAuthentication`) and `accounts.go`
//! (`hasIssuer`, `checkActivation`), nats-io/jwt v2.8.2 `signingkeys.go`.

use crate::body::account::Account;
use crate::body::activation::Activation;
use crate::body::operator::Operator;
use crate::body::signing_keys::UserScope;
use crate::body::user::User;
use crate::claims::{ClaimType, Claims};
use crate::times::TimeError;

/// An account that an operator vouches for.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    operator: &'a Claims<Operator>,
    account: &'a Claims<Account>,
}

/// Where the chain of issuers breaks. Public keys only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The operator JWT is not signed by the operator itself.
    #[error(
        "the operator JWT of {operator} is signed by {issuer}: sign it with the operator's identity key"
    )]
    OperatorIssuer {
        /// The operator.
        operator: String,
        /// Who signed.
        issuer: String,
    },
    /// The account is another operator's, or signed by a key that the operator does not name.
    #[error(
        "account {account} is signed by {issuer}, which is neither operator {operator} nor one of its signing_keys: sign it anew"
    )]
    AccountIssuer {
        /// The account.
        account: String,
        /// Who signed.
        issuer: String,
        /// The operator.
        operator: String,
    },
    /// An identity key signed where `strict_signing_key_usage` forbids it.
    #[error(
        "{claim} {subject} is signed by the identity key {issuer}, which strict_signing_key_usage forbids: sign it with a signing key"
    )]
    Strict {
        /// What was signed.
        claim: ClaimType,
        /// Whom it is about.
        subject: String,
        /// The identity key.
        issuer: String,
    },
    /// The user or activation is of another account.
    #[error("{claim} {subject} is of account {found}, not of {wanted}")]
    WrongAccount {
        /// User or activation.
        claim: ClaimType,
        /// Whom it is about.
        subject: String,
        /// The account that was asked about.
        wanted: String,
        /// The account that it names.
        found: String,
    },
    /// The user or activation is signed by a key that the account does not name.
    #[error(
        "{claim} {subject} is signed by {issuer}, which is neither account {account} nor one of its signing_keys: sign it anew"
    )]
    Issuer {
        /// User or activation.
        claim: ClaimType,
        /// Whom it is about.
        subject: String,
        /// Who signed.
        issuer: String,
        /// The account.
        account: String,
    },
    /// A user of a scoped signing key says what it may do, which only the scope may.
    #[error(
        "user {user} has permissions or limits of its own, but its signing key {issuer} has a scope: leave them out, or sign it with a key without scope"
    )]
    NotEmpty {
        /// The user.
        user: String,
        /// The scoped signing key.
        issuer: String,
    },
    /// The account has revoked the user.
    #[error("user {user}, issued at {iat}, is revoked by its account: issue it anew")]
    Revoked {
        /// The user.
        user: String,
        /// When it was issued, in seconds since 1970.
        iat: i64,
    },
    /// A bearer token where the account refuses them.
    #[error(
        "user {user} is a bearer token, which its account's disallow_bearer forbids: leave bearer_token out"
    )]
    Bearer {
        /// The user.
        user: String,
    },
    /// The activation is for another account.
    #[error("the activation is for account {found}, not for {wanted}")]
    Importer {
        /// The importing account.
        wanted: String,
        /// The account that it is for.
        found: String,
    },
    /// One of them does not hold now.
    #[error("{claim} {subject}: {error}")]
    Time {
        /// Operator, account, user or activation.
        claim: ClaimType,
        /// Whom it is about.
        subject: String,
        /// Too early or too late.
        error: TimeError,
    },
}

impl<'a> Chain<'a> {
    /// An account under its operator.
    ///
    /// # Errors
    /// An account that the operator's servers would not load.
    pub fn new(
        operator: &'a Claims<Operator>,
        account: &'a Claims<Account>,
    ) -> Result<Self, ChainError> {
        let (root, data) = (&operator.data, &account.data);
        if root.iss != root.sub {
            return Err(ChainError::OperatorIssuer {
                operator: root.sub.clone(),
                issuer: root.iss.clone(),
            });
        }
        let signing = operator.nats.signing_keys.contains(&data.iss);
        if data.iss == root.sub && operator.nats.strict_signing_key_usage && !signing {
            return Err(ChainError::Strict {
                claim: ClaimType::Account,
                subject: data.sub.clone(),
                issuer: data.iss.clone(),
            });
        }
        if data.iss != root.sub && !signing {
            return Err(ChainError::AccountIssuer {
                account: data.sub.clone(),
                issuer: data.iss.clone(),
                operator: root.sub.clone(),
            });
        }
        Ok(Self { operator, account })
    }

    /// Whether operator and account hold at `now`, clocks being up to `leeway` seconds apart.
    ///
    /// # Errors
    /// The one that does not.
    pub fn holds_at(&self, now: i64, leeway: i64) -> Result<(), ChainError> {
        at(ClaimType::Operator, self.operator, now, leeway)?;
        at(ClaimType::Account, self.account, now, leeway)
    }

    /// Whether the account lets a user in, times left aside; gives the scope that says what the
    /// user may do, or `None` where the user's own JWT says it.
    ///
    /// # Errors
    /// What nats-server would refuse it for.
    pub fn user(&self, user: &Claims<User>) -> Result<Option<&'a UserScope>, ChainError> {
        let nats = &user.nats;
        let scope = self.issued(ClaimType::User, user, &nats.issuer_account)?;
        let name = || user.data.sub.clone();
        if scope.is_some() && !nats.limits.is_empty() {
            return Err(ChainError::NotEmpty {
                user: name(),
                issuer: user.data.iss.clone(),
            });
        }
        let bearer = scope.map_or(nats.limits.bearer_token, |scope| {
            scope.template.bearer_token
        });
        let account = &self.account.nats;
        if bearer && account.limits.disallow_bearer {
            return Err(ChainError::Bearer { user: name() });
        }
        if account
            .revocations
            .is_revoked(&user.data.sub, user.data.iat)
        {
            return Err(ChainError::Revoked {
                user: name(),
                iat: user.data.iat,
            });
        }
        Ok(scope)
    }

    /// [`Chain::user`], and whether all three hold at `now`.
    ///
    /// # Errors
    /// What nats-server would refuse the user for.
    pub fn user_at(
        &self,
        user: &Claims<User>,
        now: i64,
        leeway: i64,
    ) -> Result<Option<&'a UserScope>, ChainError> {
        let scope = self.user(user)?;
        self.holds_at(now, leeway)?;
        at(ClaimType::User, user, now, leeway)?;
        Ok(scope)
    }

    /// Whether an activation lets `importer` import from this account, times left aside.
    ///
    /// # Errors
    /// What nats-server would refuse it for.
    pub fn activation(
        &self,
        activation: &Claims<Activation>,
        importer: &str,
    ) -> Result<(), ChainError> {
        self.issued(
            ClaimType::Activation,
            activation,
            &activation.nats.issuer_account,
        )?;
        if activation.data.sub != importer {
            return Err(ChainError::Importer {
                wanted: importer.to_owned(),
                found: activation.data.sub.clone(),
            });
        }
        Ok(())
    }

    /// Whether one of the account's keys signed; gives the key's scope.
    fn issued<T>(
        &self,
        claim: ClaimType,
        claims: &Claims<T>,
        issuer_account: &str,
    ) -> Result<Option<&'a UserScope>, ChainError> {
        let account = &self.account.data.sub;
        let (subject, issuer) = (&claims.data.sub, &claims.data.iss);
        let named = Some(issuer_account).filter(|named| !named.is_empty());
        let found = named.unwrap_or(issuer);
        if found != account {
            return Err(ChainError::WrongAccount {
                claim,
                subject: subject.clone(),
                wanted: account.clone(),
                found: found.to_owned(),
            });
        }
        if let Some(scope) = self.account.nats.signing_keys.get(issuer) {
            return Ok(scope);
        }
        if issuer != account {
            return Err(ChainError::Issuer {
                claim,
                subject: subject.clone(),
                issuer: issuer.clone(),
                account: account.clone(),
            });
        }
        // nats-server takes an activation of the identity key even then, if it does not also name it.
        let forbidden = claim == ClaimType::User || named.is_some();
        if forbidden && self.operator.nats.strict_signing_key_usage {
            return Err(ChainError::Strict {
                claim,
                subject: subject.clone(),
                issuer: issuer.clone(),
            });
        }
        Ok(None)
    }
}

fn at<T>(claim: ClaimType, claims: &Claims<T>, now: i64, leeway: i64) -> Result<(), ChainError> {
    claims
        .holds_at(now, leeway)
        .map_err(|error| ChainError::Time {
            claim,
            subject: claims.data.sub.clone(),
            error,
        })
}
